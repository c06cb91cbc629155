//! The hint lines, the strip of continuations, and what can be done here: all from the one registry.

mod palette;

use ratatui::layout::Rect;

use crate::ui::action::{Action, Context};
use crate::ui::dialog::help::HelpRow;
use crate::ui::pane::{Goto, Half, Offer};
use crate::ui::state::State;
use crate::ui::state::places::{Focus, PaneId, Place};
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame::Frame;
use crate::ui::widget::hits::Target;
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;

/// Actions of the menu on a row, in its order.
const MENU: &[Action] = &[
    Action::Open,
    Action::Send,
    Action::Invoke,
    Action::Resend,
    Action::RedriveGroup,
    Action::RedriveTopic,
    Action::MarkAlike,
    Action::RetryNow,
    Action::SkipBatch,
    Action::PauseTrigger,
    Action::ResumeTrigger,
    Action::ResetOffset,
    Action::RestartFunction,
    Action::EditCode,
    Action::Recall,
    Action::Commit,
    Action::Rollback,
    Action::UseInstance,
    Action::Add,
    Action::Edit,
    Action::FindMessages,
    Action::Filters,
    Action::BodyForm,
    Action::SaveBody,
    Action::LogFunction,
    Action::SaveLog,
    Action::Export,
    Action::GoMessage,
    Action::GoTrace,
    Action::GoLogs,
    Action::GoFunction,
    Action::GoTrigger,
    Action::GoGroup,
    Action::GoTopic,
    Action::GoDead,
    Action::CopyId,
    Action::CopyBody,
    Action::CopyJson,
    Action::CopyCommand,
    Action::Delete,
];

impl State {
    /// Whether an action can be done now; a read-only console knows no action that changes anything.
    pub fn offer(&self, action: Action) -> Offer {
        match self.offered(action) {
            Offer::Never => Offer::Never,
            _ if self.shared.settings.read_only && action.spec().changes => {
                Offer::No("read-only, this console changes nothing")
            }
            offer => offer,
        }
    }

    /// The same for a console that may change things.
    fn offered(&self, action: Action) -> Offer {
        let subject = || self.pane().subject(&self.shared);
        let clock = self.shared.newest.clock.as_ref();
        match action {
            action if Place::by_action(action).is_some() => Offer::Yes,
            Action::ViewNext => Offer::when(
                self.current.place().panes().len() > 1,
                "this place has one list",
            ),
            Action::HistoryBack | Action::HistoryLast => {
                Offer::when(!self.history.is_at_root(), "nowhere to go back to")
            }
            Action::PaneNext
            | Action::PanePrev
            | Action::Back
            | Action::Close
            | Action::Quit
            | Action::Suspend
            | Action::Palette
            | Action::Help
            | Action::HistoryForward
            | Action::Zoom
            | Action::Freeze
            | Action::Time
            | Action::Chart
            | Action::Redraw
            | Action::Reload
            | Action::CopyLines
            | Action::Events
            | Action::PickTheme
            | Action::Mouse => Offer::Yes,
            Action::Actions => Offer::when(
                MENU.iter().any(|a| self.offer(*a) != Offer::Never),
                "nothing can be done here",
            ),
            Action::Guide => Offer::when(self.shared.settings.has_guide, "there is no guide here"),
            Action::StopJob => Offer::when(self.sending.is_some(), "nothing is being sent"),
            Action::ClockHold => Offer::when(clock.is_some_and(|c| !c.held), "time is held"),
            Action::ClockResume => Offer::when(clock.is_some_and(|c| c.held), "time runs"),
            Action::ClockStep => Offer::when(clock.is_some(), "broker time is not known"),
            Action::ClockNext => {
                Offer::when(clock.is_some_and(|c| c.next.is_some()), "nothing is due")
            }
            Action::CopyId => Offer::when(subject().id.is_some(), "nothing is selected"),
            Action::CopyBody => Offer::when(subject().stored.is_some(), "no message is selected"),
            Action::CopyJson => Offer::when(subject().json.is_some(), "nothing is selected"),
            Action::CopyCommand => Offer::when(subject().command.is_some(), "no command does this"),
            action if is_go(action) => {
                Offer::when(self.goto(action).is_some(), "nothing here leads there")
            }
            _ => self.pane().offer(action, &self.shared),
        }
    }

    /// Where a `g` key leads from the selected row, or from the notice that is shown.
    pub fn goto(&self, action: Action) -> Option<Goto> {
        let notice = self.shared.notices.current();
        let linked = notice.and_then(|notice| {
            let link = notice.links.iter().find(|(known, _)| *known == action);
            link.map(|(_, goto)| goto.clone())
        });
        if linked.is_some() {
            return linked;
        }
        let subject = self.pane().subject(&self.shared);
        let row = |pane: PaneId, key: String| Goto::new(pane, Focus::Row(key));
        match action {
            Action::GoMessage => match (subject.message, subject.topic) {
                (Some(id), _) => Some(Goto::new(PaneId::Messages, Focus::Message(id))),
                (None, Some(topic)) => Some(Goto::new(PaneId::Messages, Focus::Topic(topic))),
                _ => None,
            },
            Action::GoTrace => {
                let id = subject.message?;
                Some(Goto::new(PaneId::Traces, Focus::Message(id)))
            }
            Action::GoLogs => match (subject.request, subject.function) {
                (Some(request), _) if self.current != PaneId::Logs => {
                    Some(Goto::new(PaneId::Logs, Focus::Request(request)))
                }
                (_, Some(name)) => Some(Goto::new(PaneId::Logs, Focus::Function(Some(name)))),
                _ => None,
            },
            Action::GoFunction => Some(row(PaneId::Functions, subject.function?.to_string())),
            Action::GoTrigger => Some(row(PaneId::Triggers, subject.trigger?.to_string())),
            Action::GoGroup => Some(row(PaneId::Groups, subject.group?.to_string())),
            Action::GoTopic => Some(row(PaneId::Topics, subject.topic?.to_string())),
            Action::GoDead => {
                let topic = subject.dead?;
                Some(Goto::new(PaneId::Dead, Focus::DeadTopic(topic)))
            }
            Action::GoInstance => {
                let id = subject.instance.or_else(|| self.shared.instance())?;
                Some(row(PaneId::Instances, id.to_string()))
            }
            _ => None,
        }
    }

    /// What a `g` key leads to, in words.
    fn goto_name(&self, action: Action) -> Option<String> {
        let goto = self.goto(action)?;
        let what = match goto.focus {
            Focus::Row(key) => key,
            Focus::Topic(topic) | Focus::DeadTopic(topic) => topic.to_string(),
            Focus::Message(id) => safe::cut_middle(id.as_str(), 13).into_owned(),
            Focus::Request(id) => safe::cut_middle(id.as_str(), 13).into_owned(),
            Focus::Function(Some(name)) => name.to_string(),
            _ => String::new(),
        };
        Some(format!("{} {what}", action.label()))
    }

    /// The rows of the help overlay, for what has the keys now.
    pub fn help_rows(&self) -> Vec<HelpRow> {
        let chain = self.chain();
        let table = self.shared.keys.table();
        let in_dialog = !self.layers.is_empty();
        let mut rows = Vec::new();
        for context in chain {
            for (action, keys) in table.get(&context).into_iter().flatten() {
                let offer = if in_dialog || context == Context::Motion {
                    Offer::Yes
                } else {
                    self.offer(*action)
                };
                let reason = match offer {
                    Offer::Yes => None,
                    Offer::No(reason) => Some(reason),
                    Offer::Never => continue,
                };
                if !keys.is_empty() {
                    rows.push(HelpRow {
                        context,
                        keys: keys.join("  "),
                        action: *action,
                        reason,
                    });
                }
            }
        }
        rows
    }

    /// The menu on the selected row.
    pub fn menu_rows(&self) -> Vec<(Action, &'static str, Result<String, &'static str>)> {
        let chain = self.chain();
        MENU.iter()
            .filter_map(|action| {
                let state = match self.offer(*action) {
                    Offer::Yes => Ok(self.shared.key_of(&chain, *action)),
                    // A long list of what is impossible helps nobody.
                    Offer::No(_) if is_go(*action) || is_copy(*action) => return None,
                    Offer::No(reason) => Err(reason),
                    Offer::Never => return None,
                };
                Some((*action, self.pane().label(*action), state))
            })
            .collect()
    }
}

fn is_go(action: Action) -> bool {
    action.name().starts_with("go.")
}

fn is_copy(action: Action) -> bool {
    action.name().starts_with("copy.")
}

/// Keys that work everywhere, for the first hint line.
const GENERAL: &[Action] = &[
    Action::Search,
    Action::Palette,
    Action::Help,
    Action::PaneNext,
    Action::Zoom,
    Action::Freeze,
    Action::Time,
    Action::HistoryBack,
];

/// Draws the hint lines: what works everywhere, then what works here.
pub fn draw(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let chain = state.chain();
    let bottom = area.bottom().saturating_sub(1);
    // A dialog may reach down to the last line.
    let rows = if state.layers.is_empty() {
        area.height
    } else {
        1
    };
    canvas.clear(Rect {
        y: area.bottom().saturating_sub(rows),
        height: rows,
        ..area
    });
    if let Some(layer) = state.layers.last() {
        let hints = layer.hints();
        let row = Rect {
            y: bottom,
            height: 1,
            ..area
        };
        one_line(state, canvas, row, &chain, hints.into_iter());
    } else {
        if area.height > 1 {
            let general = GENERAL.iter().filter(|a| shows(state, **a));
            let labelled = general.map(|a| (*a, state.pane().label(*a)));
            let row = Rect { height: 1, ..area };
            one_line(state, canvas, row, &chain, labelled);
        }
        let row = Rect {
            y: bottom,
            height: 1,
            ..area
        };
        let own = own_hints(state);
        one_line(state, canvas, row, &chain, own.into_iter());
    }
}

fn shows(state: &State, action: Action) -> bool {
    state.offer(action) == Offer::Yes
}

/// What the focused half of the pane offers, and the way out.
fn own_hints(state: &State) -> Vec<(Action, &'static str)> {
    let pane = state.pane();
    let detail = [
        Action::Wrap,
        Action::Fold,
        Action::BodyForm,
        Action::Actions,
    ];
    let wanted: Vec<Action> = if pane.halves().focus == Half::Detail {
        detail.to_vec()
    } else {
        pane.hints().to_vec()
    };
    let mut hints: Vec<(Action, &'static str)> = wanted
        .into_iter()
        .filter(|action| shows(state, *action))
        .map(|action| (action, pane.label(action)))
        .collect();
    if pane.halves().focus == Half::Detail || !pane.filter().is_empty() {
        hints.push((Action::Back, "back"));
    } else {
        hints.push((Action::Close, "quit"));
    }
    hints
}

/// `key label  key label`, as many as fit whole; each acts under the mouse.
fn one_line(
    state: &State,
    canvas: &mut Canvas<'_>,
    row: Rect,
    chain: &[Context],
    hints: impl Iterator<Item = (Action, &'static str)>,
) {
    let mut x = row.x + 1;
    for (action, label) in hints {
        let key = state.shared.key_of(chain, action);
        if key.is_empty() {
            continue;
        }
        let line = Line::of(key, Token::Key).put(format!(" {label}"), Token::Muted);
        let cells = u16::try_from(line.width()).unwrap_or(u16::MAX);
        if x.saturating_add(cells) > row.right() {
            continue;
        }
        canvas.line(x, row.y, cells, &line);
        canvas.hit(Rect::new(x, row.y, cells, 1), Target::Act(action));
        x += cells + 2;
    }
}

/// What may follow the keys typed so far, above the hint lines.
pub fn which_key(state: &State, canvas: &mut Canvas<'_>, hints: Rect) {
    let chain = state.chain();
    let mut entries: Vec<Line> = Vec::new();
    for (rest, action) in state.shared.keys.continuations(&chain, &state.pending) {
        let offer = match action {
            Action::First => Offer::Yes,
            action => state.offer(action),
        };
        let name = match (offer, is_go(action)) {
            (Offer::Yes, true) => state.goto_name(action).unwrap_or_default(),
            (Offer::Yes, false) => action.spec().help.to_owned(),
            (Offer::No(reason), _) => {
                entries.push(
                    Line::muted(format!("{rest} {}", action.label()))
                        .put(format!(" · {reason}"), Token::Muted),
                );
                continue;
            }
            (Offer::Never, _) => continue,
        };
        entries.push(Line::of(rest, Token::Key).then(format!(" {name}")));
    }
    let columns = if hints.width >= 120 { 3 } else { 2 };
    let rows = u16::try_from(entries.len().div_ceil(columns)).unwrap_or(1);
    let height = (rows + 2).min(hints.y);
    let area = Rect {
        y: hints.y - height,
        height,
        ..hints
    };
    canvas.clear(area);
    let title = crate::ui::chord::show_sequence(&state.pending);
    let inner = Frame::new(title).focus(true).draw(canvas, area);
    let width = inner.width / u16::try_from(columns).unwrap_or(1);
    for (index, line) in entries.iter().enumerate() {
        let column = u16::try_from(index % columns).unwrap_or(0);
        let y = inner.y + u16::try_from(index / columns).unwrap_or(0);
        if y < inner.bottom() {
            let x = inner.x + 1 + column * width;
            canvas.line(x, y, width.saturating_sub(2), line);
        }
    }
}
