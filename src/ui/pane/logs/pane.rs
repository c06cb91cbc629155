//! The log as a pane: what its keys do and what its answers mean.

use super::search::Find;
use super::{Asked, LogPane, detail, draw};
use crate::domain::names::FunctionName;
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::invoke::InvokeDialog;
use crate::ui::dialog::send::SendDialog;
use crate::ui::effect::{Answer, Ticket};
use crate::ui::pane::{Command, Commands, Half, Halves, Offer, Pane, Room, Subject};
use crate::ui::state::Shared;
use crate::ui::state::feed::Level;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::Metrics;

impl Pane for LogPane {
    fn id(&self) -> PaneId {
        PaneId::Logs
    }

    fn contexts(&self) -> &'static [Context] {
        match self.halves.focus {
            Half::List => &[Context::Logs, Context::Motion, Context::Global],
            Half::Detail => &[Context::Detail, Context::Motion, Context::Global],
        }
    }

    fn halves(&self) -> &Halves {
        &self.halves
    }

    fn halves_mut(&mut self) -> &mut Halves {
        &mut self.halves
    }

    fn offer(&self, action: Action, shared: &Shared) -> Offer {
        let some = !self.rows.is_empty();
        match action {
            Action::Follow
            | Action::Wrap
            | Action::Level
            | Action::ByRequest
            | Action::Search
            | Action::Details
            | Action::SaveLog
            | Action::Export
            | Action::LogFunction
            | Action::HideUpToNow => Offer::Yes,
            Action::OnlyMatches => Offer::when(
                !self.search.text.is_empty() || !self.only.is_empty(),
                "search for something first",
            ),
            Action::SearchNext | Action::SearchPrev => {
                Offer::when(!self.search.text.is_empty(), "nothing is searched for")
            }
            Action::Open
            | Action::Fold
            | Action::NextError
            | Action::PrevRequest
            | Action::NextRequest
            | Action::MarkLine
            | Action::NextMark => Offer::when(some, "the log is empty"),
            Action::Send => Offer::when(shared.instance().is_some(), "no instance runs"),
            Action::Invoke => Offer::when(
                self.subject(shared).function.is_some(),
                "no function is selected",
            ),
            Action::RetryNow | Action::SkipBatch => Offer::when(
                detail::waiting_trigger(self, shared).is_some(),
                "no batch waits",
            ),
            Action::Resend | Action::BodyForm => Offer::when(
                self.subject(shared).stored.is_some(),
                "no message belongs to this line",
            ),
            _ => Offer::Never,
        }
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        if self.halves.focus == Half::Detail && self.halves.scroll(action) {
            return Vec::new();
        }
        if let Some(commands) = self.motion(action, shared) {
            return commands;
        }
        match action {
            Action::Follow if self.follow => {
                self.follow = false;
                self.left_at = shared.log_head;
            }
            Action::Follow => return self.resume(shared),
            Action::Wrap if self.halves.focus == Half::Detail => {
                self.halves.wrap = !self.halves.wrap;
            }
            Action::Wrap => self.wrap = !self.wrap,
            Action::Level => {
                self.min_level = self.next_level();
                return self.restart(shared);
            }
            Action::ByRequest => {
                self.by_request = !self.by_request;
                self.arrange();
            }
            Action::OnlyMatches => {
                self.only = if self.only.is_empty() {
                    self.search.text.clone()
                } else {
                    String::new()
                };
                return self.restart(shared);
            }
            Action::SearchNext => return self.find_row(true, Find::Text, shared),
            Action::SearchPrev => return self.find_row(false, Find::Text, shared),
            Action::NextError => return self.find_row(true, Find::Error, shared),
            Action::NextMark => return self.find_row(true, Find::Mark, shared),
            Action::MarkLine => {
                if let Some(number) = self.anchor().map(|anchor| anchor.number)
                    && !self.marks.remove(&number)
                {
                    self.marks.insert(number);
                }
            }
            Action::Fold if self.halves.focus == Half::List => self.fold(),
            Action::HideUpToNow => {
                self.hidden_to = self.buffer.newest_stored.max(shared.log_head);
                self.follow = true;
                self.arrange();
                shared.notice(Level::Info, "lines so far are hidden; Esc shows them again");
            }
            Action::SaveLog | Action::Export => return vec![self.save(shared)],
            Action::LogFunction => return vec![Self::choose_function(shared)],
            Action::Send => {
                let topic = self.subject(shared).topic;
                return vec![Command::Open(Box::new(SendDialog::open(topic, shared)))];
            }
            Action::Invoke => {
                let function = self.subject(shared).function;
                return function.map_or_else(Vec::new, |name| InvokeDialog::open(name, shared));
            }
            Action::Resend => {
                let stored = self.subject(shared).stored;
                return stored.map_or_else(Vec::new, |message| {
                    vec![Command::Open(Box::new(SendDialog::resend(
                        &message, shared,
                    )))]
                });
            }
            Action::RetryNow | Action::SkipBatch => {
                return detail::command_trigger(self, action, shared);
            }
            Action::BodyForm => {
                self.body.form = self.body.form.next();
                self.lay_out(shared);
            }
            Action::Fold => {
                self.body.folded = !self.body.folded;
                self.lay_out(shared);
            }
            _ => {}
        }
        Vec::new()
    }

    fn visit(&mut self, focus: &Focus, shared: &mut Shared) -> Commands {
        match focus {
            Focus::Function(function) => {
                if self.function != *function || self.request.is_some() || !self.only.is_empty() {
                    self.function.clone_from(function);
                    self.request = None;
                    self.only.clear();
                    self.stale = true;
                }
                self.follow = true;
            }
            Focus::Request(request) => {
                self.request = Some(request.clone());
                self.function = None;
                self.only.clear();
                self.min_level = None;
                self.hidden_to = 0;
                self.stale = true;
                self.follow = true;
            }
            _ => {}
        }
        if self.stale {
            self.asked = None;
        }
        self.refresh(shared)
    }

    fn refresh(&mut self, shared: &mut Shared) -> Commands {
        self.measure(shared);
        let mut commands = self.read_on(shared);
        commands.extend(self.follow_selection(shared));
        commands
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        shared: &mut Shared,
    ) -> Commands {
        if let Some((_, id)) = self.asked_trace.take_if(|(asked, _)| *asked == ticket) {
            if let Ok(Answer::Traces(traces)) = answer {
                self.trace = Some((id, traces.clone()));
            }
            self.lay_out(shared);
            return Vec::new();
        }
        let Some((_, what)) = self.asked.take_if(|(asked, _)| *asked == ticket) else {
            return Vec::new();
        };
        match answer {
            Ok(Answer::Logs(page)) => {
                self.failed = None;
                match what {
                    Asked::End => {
                        self.buffer.reset(page.clone());
                        self.search.forget();
                    }
                    Asked::After => self.buffer.append(page.clone()),
                    Asked::Before => self.buffer.prepend(page.clone()),
                }
                self.arrange();
                let mut commands = self.follow_selection(shared);
                if what != Asked::Before {
                    commands.extend(self.read_on(shared));
                }
                commands
            }
            Ok(_) => Vec::new(),
            Err(report) => {
                self.failed = Some(report.clone());
                Vec::new()
            }
        }
    }

    /// What Esc takes back, one after the other.
    fn filter(&self) -> &str {
        if !self.search.text.is_empty() {
            &self.search.text
        } else if self.request.is_some() || !self.only.is_empty() || self.hidden_to > 0 {
            " "
        } else {
            ""
        }
    }

    fn set_filter(&mut self, text: String, shared: &mut Shared) -> Commands {
        if !text.is_empty() {
            self.set_search(text);
            return Vec::new();
        }
        if !self.search.text.is_empty() {
            self.set_search(String::new());
            return Vec::new();
        }
        if !self.only.is_empty() || self.request.is_some() {
            self.only.clear();
            self.request = None;
            return self.restart(shared);
        }
        self.hidden_to = 0;
        self.arrange();
        Vec::new()
    }

    fn choose(&mut self, choice: &str, shared: &mut Shared) -> Commands {
        self.function = FunctionName::new(choice).ok();
        self.request = None;
        self.restart(shared)
    }

    fn select_row(&mut self, index: usize, shared: &mut Shared) -> Commands {
        self.halves.focus = Half::List;
        self.move_to(index, shared)
    }

    fn scroll(&mut self, rows: i32, shared: &mut Shared) -> Commands {
        let step = usize::try_from(rows.unsigned_abs()).unwrap_or(1);
        let at = if rows < 0 {
            self.at.saturating_sub(step)
        } else {
            self.at + step
        };
        self.move_to(at, shared)
    }

    fn list_drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
        self.page = metrics.rows;
    }

    fn subject(&self, shared: &Shared) -> Subject {
        detail::subject(self, shared)
    }

    fn table(&self, shared: &Shared) -> Vec<Vec<String>> {
        draw::table(self, shared)
    }

    fn hints(&self) -> &'static [Action] {
        &[
            Action::Follow,
            Action::Freeze,
            Action::Wrap,
            Action::Level,
            Action::ByRequest,
            Action::NextRequest,
            Action::NextError,
            Action::SaveLog,
            Action::Open,
        ]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::Search => "search",
            Action::Open => "request",
            Action::Follow if self.follow => "stop following",
            _ => action.label(),
        }
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>, room: Room) {
        draw::draw(self, shared, canvas, room);
    }
}
