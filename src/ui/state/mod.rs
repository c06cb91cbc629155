//! Everything the screen shows and remembers. Only `update` changes it; `view` reads it.

pub mod feed;
pub mod overview;
pub mod places;
pub mod rates;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::names::InstanceId;
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::chord::Chord;
use crate::ui::dialog::Dialog;
use crate::ui::effect::Ticket;
use crate::ui::keymap::Keymap;
use crate::ui::options::ConsoleOptions;
use crate::ui::pane::{Goto, Pane};
use crate::ui::state::feed::{Level, Notice, Notices, Runs};
use crate::ui::state::overview::Overview;
use crate::ui::state::places::{History, PaneId};
use crate::ui::state::rates::Rates;
use crate::ui::theme::{Depth, Theme};
use crate::ui::widget::canvas::Look;
use crate::ui::widget::hits::Hits;
use crate::ui::widget::times::{TimeStyle, Times};

/// What panes and dialogs share.
pub struct Shared {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The terminal window has the focus.
    pub focused: bool,
    pub uptime: Duration,
    pub times: Times,
    pub look: Look,
    pub settings: Settings,
    pub keys: Keymap,
    /// The newest picture of the engine; panes read [`Self::overview`].
    pub newest: Arc<Overview>,
    /// The picture held still, and since when.
    pub frozen: Option<(Arc<Overview>, Duration)>,
    pub rates: Rates,
    pub runs: Runs,
    pub notices: Notices,
    pub log_head: u64,
    /// Messages stored lately; panes that show a topic read again when it rises.
    pub stored: HashMap<String, u64>,
    /// Charts show numbers.
    pub charts_as_tables: bool,
    /// Texts kept across restarts: drafts, histories.
    pub memory: HashMap<&'static str, String>,
    tickets: u64,
}

/// What does not change while the console runs, and a few switches that do.
#[derive(Debug, Clone)]
pub struct Settings {
    pub read_only: bool,
    pub mouse: bool,
    pub attached: bool,
    /// See [`ConsoleOptions::can_leave`].
    pub can_leave: bool,
    pub has_guide: bool,
    /// The guide opens at the start, whatever there is.
    pub show_guide: bool,
    pub has_editor: bool,
    pub serve_hint: String,
    pub depth: Depth,
    pub own_themes: Vec<(String, String)>,
    pub templates: Vec<(String, String)>,
    pub directory: PathBuf,
}

impl Shared {
    /// The picture that panes show.
    pub fn overview(&self) -> &Overview {
        match &self.frozen {
            Some((overview, _)) => overview,
            None => &self.newest,
        }
    }

    /// A number for a new question.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub fn notice(&mut self, level: Level, text: impl Into<String>) {
        self.notice_with(level, text, None, Vec::new());
    }

    pub fn notice_with(
        &mut self,
        level: Level,
        text: impl Into<String>,
        hint: Option<String>,
        links: Vec<(Action, Goto)>,
    ) {
        self.notices.push(Notice {
            at: self.times.now,
            level,
            text: text.into(),
            hint,
            links,
            shown_at: self.uptime,
        });
    }

    pub fn notice_report(&mut self, report: &Report) {
        let (text, hint) = Notice::of_report(report);
        self.notice_with(Level::Error, text, hint, Vec::new());
    }

    pub fn instance(&self) -> Option<InstanceId> {
        self.newest.instance.clone()
    }

    /// The shown key of an action, or nothing when it has none.
    pub fn key_of(&self, chain: &[Context], action: Action) -> String {
        self.keys.shown(chain, action).unwrap_or_default()
    }
}

/// The whole console.
pub struct State {
    pub shared: Shared,
    pub panes: Vec<Box<dyn Pane>>,
    pub current: PaneId,
    pub history: History,
    /// The top one is last and gets the keys.
    pub layers: Vec<Box<dyn Dialog>>,
    /// Chords typed so far of a longer sequence, and since when.
    pub pending: Vec<Chord>,
    pub pending_since: Duration,
    pub zoomed: bool,
    /// What was drawn last.
    pub hits: Hits,
    /// Something visible changed since the last frame.
    pub dirty: bool,
    /// Ctrl-C was pressed at this uptime.
    pub quit_asked: Option<Duration>,
    pub suspend_warned: bool,
    /// The last click, to tell a second one on the same spot.
    pub last_click: Option<(u16, u16, Duration)>,
    /// The guide was offered.
    pub guide_offered: bool,
    pub sending: Option<Ticket>,
}

impl State {
    pub fn new(options: &ConsoleOptions, size: (u16, u16)) -> Self {
        let shared = Shared {
            size,
            focused: true,
            uptime: Duration::ZERO,
            times: Times {
                style: TimeStyle::Utc,
                zone: options.zone.clone(),
                now: crate::domain::timestamp::Timestamp::EPOCH,
            },
            look: Look {
                theme: options.theme.clone(),
                ascii: options.ascii,
                plain: options.plain,
                motion: options.motion,
            },
            settings: Settings {
                read_only: options.read_only,
                mouse: options.mouse,
                attached: options.attached,
                can_leave: options.can_leave,
                has_guide: options.guide.is_some() && !options.read_only,
                show_guide: options.show_guide,
                has_editor: !options.editor.is_empty(),
                serve_hint: options.serve_hint.clone(),
                depth: options.theme.depth,
                own_themes: options.own_themes.clone(),
                templates: Vec::new(),
                directory: options.directory.clone(),
            },
            keys: options.keys.clone(),
            newest: Arc::new(Overview::default()),
            frozen: None,
            rates: Rates::default(),
            runs: Runs::default(),
            notices: Notices::default(),
            log_head: 0,
            stored: HashMap::new(),
            charts_as_tables: options.plain,
            memory: HashMap::new(),
            tickets: 0,
        };
        let mut state = Self {
            shared,
            panes: crate::ui::pane::all(),
            current: PaneId::Topics,
            history: History::default(),
            layers: Vec::new(),
            pending: Vec::new(),
            pending_since: Duration::ZERO,
            zoomed: false,
            hits: Hits::default(),
            dirty: true,
            quit_asked: None,
            suspend_warned: false,
            last_click: None,
            guide_offered: false,
            sending: None,
        };
        for warning in &options.warnings {
            state.shared.notice(Level::Warn, warning.clone());
        }
        state
    }

    pub fn pane(&self) -> &dyn Pane {
        self.pane_of(self.current)
    }

    pub fn pane_of(&self, id: PaneId) -> &dyn Pane {
        // One pane per id, in the order of the ids.
        self.panes[id as usize].as_ref()
    }

    /// The contexts keys are looked up in, nearest first.
    pub fn chain(&self) -> Vec<Context> {
        match self.layers.last() {
            Some(layer) => layer.contexts(),
            None => self.pane().contexts().to_vec(),
        }
    }

    /// Takes in what a drawing learned.
    pub fn seen(&mut self, hits: Hits) {
        for (id, metrics) in &hits.lists {
            self.panes[*id as usize].list_drawn(*metrics);
        }
        for (id, metrics) in &hits.details {
            self.panes[*id as usize].halves_mut().drawn(*metrics);
        }
        if let (Some(layer), Some(metrics)) = (self.layers.last_mut(), hits.dialog) {
            layer.drawn(metrics);
        }
        self.hits = hits;
        self.dirty = false;
    }

    /// Theme by name, among the program's own and a person's.
    pub fn theme(&self, name: &str) -> Result<Theme, String> {
        theme_by_name(&self.shared.settings, name)
    }
}

/// Theme by name, among the program's own and a person's.
pub fn theme_by_name(settings: &Settings, name: &str) -> Result<Theme, String> {
    let own = settings.own_themes.iter().find(|(known, _)| known == name);
    let theme = match own {
        Some((known, text)) => Theme::parse(known, &format!("{known}.toml"), text, settings.depth),
        None => Theme::builtin(name, settings.depth),
    };
    theme.map_err(|error| error.to_string())
}
