//! The configuration file as written. Unknown keys are refused, every key is optional.

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawConfig {
    pub console: RawConsole,
    pub runs: RawRuns,
    pub endpoint: RawEndpoint,
}

/// `[endpoint]`: what clients that speak TLS are shown; both files or neither, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawEndpoint {
    pub certificate: Option<PathBuf>,
    pub certificate_key: Option<PathBuf>,
}

/// `[console]`: how the screen looks; flags win over it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawConsole {
    pub color: Option<Color>,
    pub ascii: Option<bool>,
    pub plain: Option<bool>,
    pub mouse: Option<bool>,
    pub motion: Option<bool>,
    pub read_only: Option<bool>,
    pub theme: Option<String>,
    pub time: Option<TimeStyle>,
}

/// `[runs]`: what is kept of invocations and log lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawRuns {
    /// In MiB, at least 1.
    pub max_mib: Option<u64>,
}

/// How many colours the screen uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// What the terminal announces; none under `NO_COLOR`.
    #[default]
    Auto,
    Never,
    #[serde(rename = "16")]
    Ansi16,
    #[serde(rename = "256")]
    Ansi256,
    True,
}

/// How moments are written on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeStyle {
    #[default]
    Utc,
    Local,
    /// `4 s ago`.
    Relative,
}
