//! `file.function`: which file holds the handler and how it is called there (ND-1).

use std::path::{Component, Path, PathBuf};

/// A handler setting taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handler {
    pub(super) path: PathBuf,
    /// The part before the last dot, as messages name it.
    pub(super) module: String,
    pub(super) member: String,
}

impl Handler {
    /// `None` when the setting is not `file.function` or leaves the code folder.
    pub(super) fn parse(code: &Path, setting: &str) -> Option<Self> {
        let (module, member) = setting.rsplit_once('.')?;
        let inside = Path::new(module)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if module.is_empty() || member.is_empty() || !inside {
            return None;
        }
        Some(Self {
            path: code.join(format!("{module}.js")),
            module: module.to_owned(),
            member: member.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_names_a_file_and_a_function_nd1() {
        let parse = |setting| Handler::parse(Path::new("/code"), setting);
        let nested = parse("src/orders.audit").unwrap();
        assert_eq!(nested.path, Path::new("/code/src/orders.js"));
        assert_eq!(
            (nested.module.as_str(), nested.member.as_str()),
            ("src/orders", "audit")
        );
        for bad in [
            "",
            "index",
            ".handler",
            "index.",
            "../index.handler",
            "/index.handler",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
