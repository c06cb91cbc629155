//! Finding interpreters without running a shell.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::domain::function::FunctionDefinition;
use crate::function::runtime::StartError;

/// The Python of a function: the one its definition names, else the one its runtime names, on the search path.
pub(super) fn python(
    definition: &FunctionDefinition,
    search: &OsStr,
) -> Result<PathBuf, StartError> {
    if let Some(chosen) = &definition.python {
        return chosen_python(chosen);
    }
    let name = definition.runtime.as_str();
    let found = on_path(name, search, &definition.code);
    found.ok_or_else(|| StartError::CannotRun {
        reason: format!("`{name}` is not on the path"),
        hint: Some(format!(
            "install Python {}, or name an interpreter or virtual environment with \
             `python = \"…\"` in the function's definition",
            name.trim_start_matches("python")
        )),
    })
}

/// `node` on the search path.
pub(super) fn node(definition: &FunctionDefinition, search: &OsStr) -> Result<PathBuf, StartError> {
    on_path("node", search, &definition.code).ok_or_else(|| StartError::CannotRun {
        reason: "`node` is not on the path".to_owned(),
        hint: Some(
            "install Node.js, or use `runtime = \"js\"`, which needs nothing installed".to_owned(),
        ),
    })
}

/// An interpreter, or the folder of a virtual environment that holds one.
fn chosen_python(chosen: &Path) -> Result<PathBuf, StartError> {
    let candidates = [
        chosen.to_path_buf(),
        chosen.join("bin/python3"),
        chosen.join("bin/python"),
    ];
    let found = candidates.into_iter().find(|path| is_executable(path));
    found.ok_or_else(|| StartError::CannotRun {
        reason: format!(
            "`python = \"{}\"` is no Python interpreter",
            chosen.display()
        ),
        hint: Some("name an executable, or the folder of a virtual environment".to_owned()),
    })
}

fn on_path(name: &str, search: &OsStr, code: &Path) -> Option<PathBuf> {
    std::env::split_paths(search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .filter(|path| is_executable(path))
        .find_map(|path| match shim_root(&path) {
            Some(root) => behind_shim(name, &root, code),
            None => Some(path),
        })
}

/// The root of pyenv when `path` is one of its shims: scripts that choose a version, which takes a good part of a second
/// and does not work in an empty environment.
fn shim_root(path: &Path) -> Option<PathBuf> {
    let shims = path.parent()?;
    let is_shim = shims.file_name()? == "shims" && is_script(path);
    is_shim.then(|| shims.parent().map(Path::to_path_buf))?
}

/// The choice pyenv would make: `.python-version` beside or above the code, else the root's `version`.
fn behind_shim(name: &str, root: &Path, code: &Path) -> Option<PathBuf> {
    let local = code
        .ancestors()
        .map(|folder| folder.join(".python-version"));
    let chosen = local
        .chain([root.join("version")])
        .find_map(|file| fs::read_to_string(file).ok())?;
    chosen
        .split_whitespace()
        .filter(|version| !version.contains('/'))
        .map(|version| root.join("versions").join(version).join("bin").join(name))
        .find(|path| is_executable(path))
}

fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::domain::function::Runtime;
    use crate::domain::names::FunctionName;

    fn executable(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn definition(code: &Path, python: Option<PathBuf>) -> FunctionDefinition {
        let name = FunctionName::new("f").unwrap();
        let mut definition =
            FunctionDefinition::new(name, Runtime::Python3, code.to_owned(), String::new());
        definition.python = python;
        definition
    }

    #[test]
    fn a_missing_python_names_the_setting() {
        let definition = definition(Path::new("/code"), None);
        let error = python(&definition, OsStr::new("/nowhere")).unwrap_err();
        let StartError::CannotRun { hint, .. } = error else {
            panic!("{error}")
        };
        assert!(hint.unwrap().contains("python = "));
    }

    #[test]
    fn a_virtual_environment_is_named_by_its_folder() {
        let home = tempfile::tempdir().unwrap();
        let interpreter = home.path().join("venv/bin/python3");
        executable(&interpreter, "");
        let inside = definition(home.path(), Some(home.path().join("venv")));
        assert_eq!(python(&inside, OsStr::new("")), Ok(interpreter));
        let nothing = definition(home.path(), Some(home.path().to_owned()));
        assert!(python(&nothing, OsStr::new("")).is_err());
    }

    #[test]
    fn a_pyenv_shim_is_followed_without_running_it() {
        let root = tempfile::tempdir().unwrap();
        let code = tempfile::tempdir().unwrap();
        let shim = root.path().join("shims/python3");
        executable(&shim, "#!/usr/bin/env bash\n");
        let search = OsString::from(shim.parent().unwrap());
        let definition = definition(code.path(), None);
        assert!(python(&definition, &search).is_err());
        let installed = |version: &str| {
            let real = root.path().join(format!("versions/{version}/bin/python3"));
            executable(&real, "");
            real
        };
        fs::write(root.path().join("version"), "3.9.9\n3.11.7\n").unwrap();
        let global = installed("3.11.7");
        assert_eq!(python(&definition, &search), Ok(global));
        fs::write(code.path().join(".python-version"), "3.12.1\n").unwrap();
        let local = installed("3.12.1");
        assert_eq!(python(&definition, &search), Ok(local));
    }
}
