//! What the console is started with, and how it ends.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::cluster::admin::{PutGroup, PutTopic};
use crate::control::functions::PutFunction;
use crate::control::instances::PutInstance;
use crate::control::triggers::PutTrigger;
use crate::domain::message::Draft;
use crate::ui::keymap::Keymap;
use crate::ui::theme::{Depth, Theme};

/// Everything the console is told from outside. Nothing is read from the environment behind it.
#[derive(Clone)]
pub struct ConsoleOptions {
    /// No action that changes anything exists.
    pub read_only: bool,
    pub theme: Theme,
    /// Themes to choose from besides the program's own: name and file text.
    pub own_themes: Vec<(String, String)>,
    pub keys: Keymap,
    /// Faults of the configuration files, told once on the screen.
    pub warnings: Vec<String>,
    /// Every cell is ASCII.
    pub ascii: bool,
    /// For screen readers: no borders, no charts, one pane.
    pub plain: bool,
    pub mouse: bool,
    pub motion: bool,
    /// Fewer frames a second, for slow lines.
    pub remote_terminal: bool,
    /// Copies go through tmux or screen.
    pub multiplexer: bool,
    /// Local time.
    pub zone: jiff::tz::TimeZone,
    /// Where drafts and histories are kept; nowhere when absent.
    pub memory: Option<PathBuf>,
    /// Where saved files with relative names go: the directory the program was started in.
    pub directory: PathBuf,
    /// Message templates, a JSON file each.
    pub templates: Option<PathBuf>,
    /// `$VISUAL` or `$EDITOR`, words apart.
    pub editor: Vec<String>,
    /// Helpers that copy without the terminal, each a command that reads the text.
    pub clipboards: Vec<Vec<String>>,
    /// What the guide builds; there is no guide without it.
    pub guide: Option<Arc<dyn GuideSource>>,
    /// Open the guide even where there is something already.
    pub show_guide: bool,
    /// The broker lives in another process: quitting stops nothing.
    pub attached: bool,
    /// The broker can go on in a process without a screen.
    pub can_leave: bool,
    /// How clients reach this program: shown when quitting.
    pub serve_hint: String,
}

impl ConsoleOptions {
    /// The program's own colours for a depth, everything else at its default.
    pub fn new(depth: Depth) -> Self {
        let name = match depth {
            Depth::True => "moon-dark",
            Depth::Mono => "mono",
            Depth::Ansi16 | Depth::Ansi256 => "terminal",
        };
        Self {
            read_only: false,
            theme: Theme::builtin(name, depth).unwrap_or_else(|_| Theme::bare(depth)),
            own_themes: Vec::new(),
            keys: Keymap::default(),
            warnings: Vec::new(),
            ascii: false,
            plain: false,
            mouse: true,
            motion: true,
            remote_terminal: false,
            multiplexer: false,
            zone: jiff::tz::TimeZone::UTC,
            memory: None,
            directory: PathBuf::from("."),
            templates: None,
            editor: vec!["vi".to_owned()],
            clipboards: Vec::new(),
            guide: None,
            show_guide: false,
            attached: false,
            can_leave: false,
            serve_hint: "moonport serve".to_owned(),
        }
    }
}

/// The order workflow, ready to be put step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct GuideScript {
    pub instance: PutInstance,
    pub topic: PutTopic,
    pub group: PutGroup,
    pub function: PutFunction,
    pub trigger: PutTrigger,
    pub event: Draft,
    /// The function's code, shown before it is made.
    pub code: String,
}

/// Where the guide's definitions come from.
#[async_trait]
pub trait GuideSource: Send + Sync {
    /// Makes the sample's files where they are missing and tells what to put. The error is for a person.
    async fn script(&self) -> Result<GuideScript, String>;
}

/// How the console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The person quit and wants what runs to finish.
    Drain,
    /// The person quit and wants it to stop now.
    Now,
    /// The person quit and wants the broker to go on without a screen.
    Leave,
    /// A signal asked, or the terminal is gone.
    Signal,
}

/// Why the console could not run.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    #[error("the output is not a terminal")]
    NotATerminal,
    #[error("the terminal cannot show the console: `TERM` is `{0}`")]
    DumbTerminal(String),
    #[error("the terminal failed")]
    Terminal(#[source] std::io::Error),
    #[error("the console's thread could not be started")]
    Thread(#[source] std::io::Error),
    #[error("the console failed: {0}")]
    Panicked(String),
}

impl crate::report::Hint for UiError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotATerminal | Self::DumbTerminal(_) => Some(
                "`moonport serve` runs without a screen; `moonport --help` lists the commands"
                    .to_owned(),
            ),
            Self::Panicked(_) => {
                Some("the program's own log tells more; stored messages are safe".to_owned())
            }
            _ => None,
        }
    }
}
