//! Which files make which functions, and the news that one was saved (SAFE-13).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use notify::event::{EventKind, ModifyKind};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::names::FunctionName;

/// Folders that hold no code of the function, or far too many files of others.
const IGNORED_FOLDERS: &[&str] = &["__pycache__", "node_modules", ".git", ".venv", "venv"];
/// Files that a running function or an editor writes.
const IGNORED_ENDINGS: &[&str] = &[
    ".log", ".tmp", ".swp", ".swx", ".pyc", "~", ".db", "-journal", "-wal", "-shm", ".sqlite",
    ".sqlite3", ".pid", ".lock",
];
/// Folders of one function that are watched; a code folder with more is no code folder.
const MAX_FOLDERS: usize = 512;

/// The code folders of all functions under one watcher.
pub(super) struct CodeWatch {
    saved: UnboundedSender<PathBuf>,
    watcher: Option<RecommendedWatcher>,
    roots: BTreeMap<FunctionName, PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl CodeWatch {
    /// Sends the path of each file that may be code and was changed.
    pub(super) fn new(saved: UnboundedSender<PathBuf>) -> Self {
        Self {
            saved,
            watcher: None,
            roots: BTreeMap::new(),
            folders: BTreeSet::new(),
        }
    }

    /// Watches the code of `name` from now on; other code of the same name is forgotten.
    pub(super) fn follow(&mut self, name: &FunctionName, root: &Path) -> notify::Result<()> {
        if self.roots.get(name).is_some_and(|known| known == root) {
            return Ok(());
        }
        self.forget(name);
        self.roots.insert(name.clone(), root.to_owned());
        self.add(root)
    }

    pub(super) fn forget(&mut self, name: &FunctionName) {
        let Some(root) = self.roots.remove(name) else {
            return;
        };
        let roots = &self.roots;
        let needed = |folder: &Path| roots.values().any(|root| folder.starts_with(root));
        let gone: Vec<PathBuf> = self
            .folders
            .iter()
            .filter(|folder| folder.starts_with(&root) && !needed(folder))
            .cloned()
            .collect();
        for folder in gone {
            self.folders.remove(&folder);
            if let Some(watcher) = &mut self.watcher {
                // A folder that was deleted is no longer watched anyway.
                let _ = watcher.unwatch(&folder);
            }
        }
    }

    /// Watches `folder` and the folders in it.
    pub(super) fn add(&mut self, folder: &Path) -> notify::Result<()> {
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            if self.folders.len() >= MAX_FOLDERS {
                return Ok(());
            }
            self.watcher()?
                .watch(&folder, RecursiveMode::NonRecursive)?;
            self.folders.insert(folder.clone());
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            // A link is not followed: what it leads to may lie outside (SAFE-10).
            let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            open.extend(
                inner
                    .map(|entry| entry.path())
                    .filter(|path| !is_ignored(path)),
            );
        }
        Ok(())
    }

    /// The functions that `path` is code of.
    pub(super) fn functions_of(&self, path: &Path) -> Vec<FunctionName> {
        let is_code = |root: &Path| {
            path.strip_prefix(root)
                .is_ok_and(|inside| !is_ignored(inside))
        };
        let touched = self.roots.iter().filter(|(_, root)| is_code(root));
        touched.map(|(name, _)| name.clone()).collect()
    }

    fn watcher(&mut self) -> notify::Result<&mut RecommendedWatcher> {
        if self.watcher.is_none() {
            let saved = self.saved.clone();
            let tell = move |event: notify::Result<Event>| {
                let Ok(event) = event else { return };
                if changes_content(event.kind) {
                    for path in event.paths {
                        // Nobody listens any more when the host stops.
                        let _ = saved.send(path);
                    }
                }
            };
            let config = Config::default().with_follow_symlinks(false);
            self.watcher = Some(RecommendedWatcher::new(tell, config)?);
        }
        let missing = || notify::Error::generic("no watcher");
        self.watcher.as_mut().ok_or_else(missing)
    }
}

fn changes_content(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(what) => !matches!(what, ModifyKind::Metadata(_)),
        _ => false,
    }
}

/// Whether any part of the path is one that functions or tools write.
fn is_ignored(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            IGNORED_FOLDERS.contains(&name.as_ref())
                || name.starts_with(".#")
                || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_functions_and_editors_write_is_no_code_safe13() {
        for path in [
            "__pycache__/index.cpython-311.pyc",
            "node_modules/x/index.js",
            "run.log",
            ".index.py.swp",
            "orders.db",
            "orders.db-journal",
            ".#index.py",
            "index.py~",
        ] {
            assert!(is_ignored(Path::new(path)), "{path}");
        }
        for path in ["index.py", "lib/tax.py", "template.html", "package.json"] {
            assert!(!is_ignored(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_path_belongs_to_every_function_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("lib");
        fs::create_dir(&inner).unwrap();
        let (saved, _news) = tokio::sync::mpsc::unbounded_channel();
        let mut watch = CodeWatch::new(saved);
        let name = |text| FunctionName::new(text).unwrap();
        watch.follow(&name("a"), folder.path()).unwrap();
        watch.follow(&name("b"), &inner).unwrap();
        let file = inner.join("tax.py");
        assert_eq!(watch.functions_of(&file), [name("a"), name("b")]);
        watch.forget(&name("a"));
        assert_eq!(watch.functions_of(&file), [name("b")]);
        assert_eq!(watch.folders, BTreeSet::from([inner]));
    }
}
