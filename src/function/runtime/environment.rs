//! The environment of a function, built from nothing (SAFE-4, ENV-1…ENV-4), and what has to be there before it starts.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::domain::function::{FunctionDefinition, LATEST};
use crate::domain::limits::environment_name_problem;
use crate::function::runtime::StartError;

/// What stands where a cloud function finds its credentials (PY-10).
pub(super) const PLACEHOLDER: &str = "moonport-local";

/// Where and for whom functions run.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) account_id: String,
}

/// Names and values, later ones win.
#[derive(Debug, Default, Clone)]
pub(super) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// What every function is given.
    pub(super) fn of(definition: &FunctionDefinition, instance_id: &str, place: &Place) -> Self {
        let mut environment = Self::default();
        let name = definition.name.as_str();
        let memory = definition.memory.to_string();
        for (name, value) in [
            ("FC_ACCOUNT_ID", place.account_id.as_str()),
            ("FC_FUNCTION_HANDLER", definition.handler.as_str()),
            ("FC_FUNCTION_MEMORY_SIZE", memory.as_str()),
            ("FC_FUNCTION_NAME", name),
            ("FC_REGION", place.region.as_str()),
            ("FC_INSTANCE_ID", instance_id),
            ("FC_VER_ID", LATEST),
            ("FC_FUNCTION_VERSION", LATEST),
            ("FC_QUALIFIER", LATEST),
            ("FC_SERVICE_NAME", ""),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", PLACEHOLDER),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", PLACEHOLDER),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", PLACEHOLDER),
            ("MOONPORT", "1"),
            ("TZ", "UTC"),
            ("LANG", "C.UTF-8"),
        ] {
            environment.set(name, value);
        }
        environment.set("FC_FUNC_CODE_PATH", &definition.code);
        environment
    }

    pub(super) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.0.insert(name.into(), value.as_ref().into());
    }

    /// Adds the user's variables: those of the file, then those of the definition.
    pub(super) fn add_user(&mut self, definition: &FunctionDefinition) -> Result<(), StartError> {
        if let Some(path) = &definition.env_file {
            let cannot = |reason: String| StartError::CannotRun {
                reason: format!("its env-file `{}` {reason}", path.display()),
                hint: Some("write one `NAME=value` a line".to_owned()),
            };
            let text = std::fs::read_to_string(path)
                .map_err(|error| cannot(format!("cannot be read: {error}")))?;
            for (name, value) in parse_env_file(&text).map_err(cannot)? {
                self.set(name, value);
            }
        }
        for (name, value) in &definition.environment {
            self.set(name, value);
        }
        Ok(())
    }

    pub(super) fn pairs(&self) -> Vec<(OsString, OsString)> {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// What must be there before anything is started: the code, the layers, the env-file.
pub(super) fn check_files(definition: &FunctionDefinition) -> Result<(), StartError> {
    let missing = |what: &str, path: &Path, key: &str| {
        Err(StartError::CannotRun {
            reason: format!("its {what} `{}` does not exist", path.display()),
            hint: Some(format!(
                "make the folder, or change `{key}` in its definition"
            )),
        })
    };
    if !definition.code.is_dir() {
        return missing("code folder", &definition.code, "code");
    }
    if let Some(layer) = definition.layers.iter().find(|layer| !layer.is_dir()) {
        return missing("layer", layer, "layers");
    }
    Environment::default().add_user(definition)
}

/// Lines of `NAME=value`; blank lines and `#` comments are skipped, one pair of quotes around a value is taken off,
/// nothing is expanded (ENV-4).
fn parse_env_file(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut variables = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = || format!("line {}", number + 1);
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("{} has no `=`", at()))?;
        let name = name.trim_end();
        if let Some(problem) = environment_name_problem(name) {
            return Err(format!("{} {problem}", at()));
        }
        variables.push((name, unquoted(value.trim())));
    }
    Ok(variables)
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_is_read_without_expansion_env4() {
        let text = "# secrets\nA=1\n\nexport B = two words \nC=\"$A `x`\"\nD='it''s'\nE=\n";
        assert_eq!(
            parse_env_file(text),
            Ok(vec![
                ("A", "1"),
                ("B", "two words"),
                ("C", "$A `x`"),
                ("D", "it''s"),
                ("E", ""),
            ])
        );
        assert_eq!(
            parse_env_file("A=1\nnonsense").unwrap_err(),
            "line 2 has no `=`"
        );
        assert!(
            parse_env_file("FC_REGION=x")
                .unwrap_err()
                .starts_with("line 1")
        );
    }
}
