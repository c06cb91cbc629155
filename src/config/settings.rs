//! Checked settings: the configuration file under the flags of the command line.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::paths::Paths;
use crate::config::raw::{Color, RawConfig, RawConsole, RawEndpoint, TimeStyle};

/// Bytes kept of invocation records and log lines unless the file says otherwise.
pub const DEFAULT_RUNS_BYTES: u64 = 256 * 1024 * 1024;

/// Everything a run of the program is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub paths: Paths,
    pub console: ConsoleSettings,
    /// Bytes kept of invocation records and log lines in total; the oldest go first.
    pub runs_bytes: u64,
    /// What endpoints show to clients that speak TLS, instead of a certificate made on first use.
    pub certificate: Option<Certificate>,
}

/// The owner's certificate chain and its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// How the screen looks and what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSettings {
    pub color: Color,
    /// Only ASCII characters in frames and marks.
    pub ascii: bool,
    /// No frames and charts, one pane: for screen readers.
    pub plain: bool,
    pub mouse: bool,
    pub motion: bool,
    /// Nothing that changes state is offered.
    pub read_only: bool,
    /// Name of a theme; the terminal's own colours when absent.
    pub theme: Option<String>,
    pub time: TimeStyle,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self {
            color: Color::Auto,
            ascii: false,
            plain: false,
            mouse: true,
            motion: true,
            read_only: false,
            theme: None,
            time: TimeStyle::Utc,
        }
    }
}

/// What the command line says about the screen; `None` and `false` leave the file's word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleOverrides {
    pub color: Option<Color>,
    pub ascii: bool,
    pub plain: bool,
    pub no_mouse: bool,
    pub no_motion: bool,
    pub read_only: bool,
}

impl Settings {
    /// Reads the configuration file of `paths`; a missing one is empty unless it was named.
    pub fn load(paths: Paths, overrides: &ConsoleOverrides) -> Result<Self, ConfigError> {
        let raw = match &paths.config {
            Some(file) => read(file, paths.config_named)?,
            None => RawConfig::default(),
        };
        let certificate = certificate(raw.endpoint, paths.config.as_deref())?;
        Ok(Self {
            certificate,
            console: console(raw.console, overrides),
            runs_bytes: raw
                .runs
                .max_mib
                .map_or(DEFAULT_RUNS_BYTES, |mib| mib.max(1).saturating_mul(1 << 20)),
            paths,
        })
    }
}

/// Relative paths start from the folder of the file.
fn certificate(raw: RawEndpoint, file: Option<&Path>) -> Result<Option<Certificate>, ConfigError> {
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    match (raw.certificate, raw.certificate_key) {
        (Some(chain), Some(key)) => Ok(Some(Certificate {
            chain: folder.join(chain),
            key: folder.join(key),
        })),
        (None, None) => Ok(None),
        _ => Err(ConfigError::Malformed {
            path: file.unwrap_or(Path::new("")).to_owned(),
            line: 1,
            problem: "`certificate` and `certificate-key` of `[endpoint]` go together".to_owned(),
        }),
    }
}

fn console(raw: RawConsole, flags: &ConsoleOverrides) -> ConsoleSettings {
    ConsoleSettings {
        color: flags.color.or(raw.color).unwrap_or_default(),
        ascii: flags.ascii || raw.ascii.unwrap_or(false),
        plain: flags.plain || raw.plain.unwrap_or(false),
        mouse: !flags.no_mouse && raw.mouse.unwrap_or(true),
        motion: !flags.no_motion && raw.motion.unwrap_or(true),
        read_only: flags.read_only || raw.read_only.unwrap_or(false),
        theme: raw.theme,
        time: raw.time.unwrap_or_default(),
    }
}

fn read(file: &Path, named: bool) -> Result<RawConfig, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !named => {
            return Ok(RawConfig::default());
        }
        Err(source) => {
            return Err(ConfigError::Unreadable {
                path: file.to_owned(),
                source,
            });
        }
    };
    toml::from_str(&text).map_err(|error| ConfigError::Malformed {
        path: file.to_owned(),
        line: error.span().map_or(1, |span| line_of(&text, span.start)),
        problem: error.message().to_owned(),
    })
}

fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::paths::Place;

    fn load(text: &str, overrides: &ConsoleOverrides) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.toml"), text).unwrap();
        let paths = Paths::find(Place {
            data_dir: Some("data".into()),
            config: Some("c.toml".into()),
            folder: folder.path().to_owned(),
        })
        .unwrap();
        Settings::load(paths, overrides)
    }

    #[test]
    fn a_certificate_is_found_beside_the_file_and_never_half_given() {
        let given = "[endpoint]\ncertificate = \"c.pem\"\ncertificate-key = \"/k.pem\"\n";
        let settings = load(given, &ConsoleOverrides::default()).unwrap();
        let certificate = settings.certificate.unwrap();
        let folder = settings.paths.config.unwrap();
        assert_eq!(certificate.chain, folder.with_file_name("c.pem"));
        assert_eq!(certificate.key, Path::new("/k.pem"));
        let half = load(
            "[endpoint]\ncertificate = \"c.pem\"\n",
            &ConsoleOverrides::default(),
        );
        assert!(half.unwrap_err().to_string().contains("go together"));
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let flags = ConsoleOverrides {
            color: Some(Color::Never),
            no_mouse: true,
            ..ConsoleOverrides::default()
        };
        let text = "[console]\ncolor = \"256\"\nmotion = false\n[runs]\nmax-mib = 2";
        let settings = load(text, &flags).unwrap();
        assert_eq!(settings.console.color, Color::Never);
        assert!(!settings.console.mouse && !settings.console.motion);
        assert_eq!(settings.runs_bytes, 2 << 20);
    }

    #[test]
    fn an_unknown_key_names_its_line() {
        let error = load(
            "[console]\nascii = true\ncolour = 1\n",
            &ConsoleOverrides::default(),
        );
        assert!(matches!(error, Err(ConfigError::Malformed { line: 3, .. })));
    }

    #[test]
    fn a_named_file_must_exist_and_the_usual_one_need_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Paths::find(Place {
            data_dir: Some("data".into()),
            config: Some("absent.toml".into()),
            folder: folder.path().to_owned(),
        })
        .unwrap();
        let flags = ConsoleOverrides::default();
        assert!(Settings::load(paths.clone(), &flags).is_err());
        paths.config_named = false;
        assert!(Settings::load(paths, &flags).is_ok());
    }
}
