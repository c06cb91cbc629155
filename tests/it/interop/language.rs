//! The languages that have an official client, and how a scenario program in each is started.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use moonport::control::snippets::Snippet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Java,
    Go,
    Python,
    Node,
    Rust,
}

/// The scenario programs of one language, built.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) language: Language,
    folder: PathBuf,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Java => "Java",
            Self::Go => "Go",
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::Rust => "Rust",
        })
    }
}

impl Language {
    /// Where its sources are below `tests/interop`, and the one that plays.
    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::Java => ("java", "Client.java"),
            Self::Go => ("go", "client.go"),
            Self::Python => ("python", "client.py"),
            Self::Node => ("node", "client.js"),
            Self::Rust => ("rust", "src/main.rs"),
        }
    }

    fn toolchain(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Go => "go",
            Self::Python => "python3",
            Self::Node => "node",
            Self::Rust => "cargo",
        }
    }

    /// The client speaks TLS unless told otherwise.
    pub(super) fn is_tls_by_default(self) -> bool {
        matches!(self, Self::Java | Self::Go)
    }

    /// What was built of the present sources; the error says what is missing.
    pub(super) fn programs(self) -> Result<Programs, String> {
        let tool = self.toolchain();
        let runs = |argument| Command::new(tool).arg(argument).output().is_ok();
        if !runs("--version") {
            return Err(format!("`{tool}` is not installed"));
        }
        let (folder, file) = self.source();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        let built = Path::new(env!("CARGO_BIN_EXE_moonport"))
            .ancestors()
            .nth(2)
            .unwrap()
            .join("interop")
            .join(folder);
        let text = |path: PathBuf| std::fs::read(path).ok();
        let is_present = text(built.join(file)) == text(source.join(folder).join(file));
        if !built.join(".stamp").exists() || !is_present {
            return Err(format!("run `.ci/interop-setup {folder}` first"));
        }
        Ok(Programs {
            language: self,
            folder: built,
        })
    }
}

impl Programs {
    /// The console's snippet of this language as a program, for the endpoint at `address`.
    pub(super) fn snippet(&self, home: &Path, address: &str) -> Command {
        let snippet = Snippet::named(&self.language.to_string()).unwrap();
        let text = snippet.at(address);
        let write = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
            path
        };
        let at = |path: &str| self.folder.join(path);
        let mut command = match self.language {
            Language::Java => {
                let mut java = Self::java(home);
                java.arg("-cp").arg(at("lib/*"));
                java.arg(write(home.join(snippet.file)));
                java
            }
            Language::Python => {
                let mut python = Command::new(at("venv/bin/python"));
                python.arg(write(home.join(snippet.file)));
                python
            }
            Language::Node => {
                let mut node = Command::new("node");
                node.arg(write(at("snippet").join(snippet.file)));
                node
            }
            Language::Go => {
                write(at("snippet").join(snippet.file));
                let mut go = Command::new("go");
                go.arg("-C").arg(at("")).args(["run", "./snippet"]);
                go
            }
            Language::Rust => {
                write(at("examples").join(snippet.file));
                let mut cargo = Command::new("cargo");
                cargo.args(["run", "--quiet", "--offline", "--locked", "--example"]);
                cargo.arg("producer").arg("--manifest-path");
                cargo.arg(at("Cargo.toml"));
                cargo.env("CARGO_TARGET_DIR", at("target"));
                cargo
            }
        };
        // Compilers find their caches by this process's own environment.
        if !matches!(self.language, Language::Go | Language::Rust) {
            command.env("HOME", home);
        }
        command.current_dir(home);
        command
    }

    fn java(home: &Path) -> Command {
        let mut java = Command::new("java");
        java.arg(format!("-Duser.home={}", home.display()));
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"]);
        java
    }

    /// The program, its own files kept below `home`.
    pub(super) fn command(&self, home: &Path) -> Command {
        let at = |path: &str| self.folder.join(path);
        let mut command = match self.language {
            Language::Java => {
                let mut java = Self::java(home);
                let classes = format!("{}:{}/*", at("classes").display(), at("lib").display());
                java.args(["-cp", &classes, "Client"]);
                java
            }
            Language::Go => Command::new(at("client")),
            Language::Python => {
                let mut python = Command::new(at("venv/bin/python"));
                python.arg(at("client.py"));
                python
            }
            Language::Node => {
                let mut node = Command::new("node");
                node.arg(at("client.js"));
                node
            }
            Language::Rust => Command::new(at("target/debug/moonport-interop")),
        };
        command
            .current_dir(home)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("TMPDIR", home);
        command
    }
}
