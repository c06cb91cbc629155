//! Try a tag or SQL expression over messages: the verdict and its reason, message by message, while it is typed.

use std::sync::Arc;

use ratatui::layout::Rect;

use crate::cluster::paging::Page;
use crate::domain::message::Message;
use crate::domain::names::TopicName;
use crate::filter::{Filter, FilterKind, Properties, Verdict};
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, popup};
use crate::ui::effect::{Answer, Effect, Query, Ticket};
use crate::ui::pane::messages::newest;
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame;
use crate::ui::widget::hits::Metrics;
use crate::ui::widget::input::Input;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::safe;
use crate::ui::widget::table::window;

/// Messages judged while typing.
const MOST: usize = 500;

pub struct FilterBench {
    messages: Vec<Arc<Message>>,
    sql: bool,
    input: Input,
    fault: Option<(usize, String)>,
    verdicts: Vec<(Verdict, String)>,
    at: usize,
    top: usize,
    reading: Option<Ticket>,
    /// Why there are no messages.
    failed: Option<Report>,
}

/// A message's properties as a filter sees them.
struct Of<'a>(&'a Message, String);

impl Properties for Of<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        match name {
            "TAGS" => self.0.tag.as_deref(),
            "KEYS" if !self.1.is_empty() => Some(&self.1),
            _ => self.0.properties.get(name),
        }
    }
}

impl FilterBench {
    pub fn new(mut messages: Vec<Arc<Message>>, _shared: &Shared) -> Self {
        messages.truncate(MOST);
        let mut bench = Self {
            messages,
            sql: false,
            input: Input::new("*"),
            fault: None,
            verdicts: Vec::new(),
            at: 0,
            top: 0,
            reading: None,
            failed: None,
        };
        bench.judge();
        bench
    }

    /// Opens it over the newest messages of a topic.
    pub fn over(topic: TopicName, shared: &mut Shared) -> Commands {
        let mut bench = Self::new(Vec::new(), shared);
        let ticket = shared.ticket();
        bench.reading = Some(ticket);
        let query = Query::Messages(newest(topic), Page::first(MOST));
        vec![
            Command::Open(Box::new(bench)),
            Effect::Query(ticket, query).into(),
        ]
    }

    fn judge(&mut self) {
        let kind = if self.sql {
            FilterKind::Sql
        } else {
            FilterKind::Tag
        };
        self.verdicts.clear();
        self.fault = None;
        match Filter::parse(kind, self.input.text()) {
            Ok(filter) => {
                self.verdicts = self
                    .messages
                    .iter()
                    .map(|message| {
                        let of = Of(message, message.keys.join(" "));
                        let explained = filter.explain(message.tag.as_deref(), &of);
                        (explained.verdict, explained.reason)
                    })
                    .collect();
            }
            Err(error) => {
                let hint = error
                    .hint()
                    .map_or(String::new(), |hint| format!("; {hint}"));
                self.fault = Some((error.column(), format!("{error}{hint}")));
            }
        }
    }

    fn wanted(&self) -> usize {
        let wanted = self.verdicts.iter().filter(|(v, _)| *v == Verdict::True);
        wanted.count()
    }
}

impl Dialog for FilterBench {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Pick]
    }

    fn act(&mut self, action: Action, _shared: &mut Shared) -> Commands {
        let last = self.messages.len().saturating_sub(1);
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::PickUp => self.at = self.at.saturating_sub(1),
            Action::PickDown => self.at = (self.at + 1).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(10),
            Action::PageDown => self.at = (self.at + 10).min(last),
            Action::PickComplete | Action::PickRun => {
                self.sql = !self.sql;
                self.judge();
            }
            _ => {
                if self.input.act(action) {
                    self.judge();
                }
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        self.input.insert(&c.to_string());
        self.judge();
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        if self.reading.take_if(|asked| *asked == ticket).is_some() {
            match answer {
                Ok(Answer::Messages(page)) => {
                    let rows = page.rows.iter();
                    self.messages = rows.map(|row| row.message.clone()).collect();
                    self.judge();
                }
                Ok(_) => {}
                Err(report) => self.failed = Some(report.clone()),
            }
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.input.insert(text);
        self.judge();
        Vec::new()
    }

    fn scroll(&mut self, rows: i32) {
        let last = self.messages.len().saturating_sub(1);
        let step = usize::try_from(rows.unsigned_abs()).unwrap_or(1);
        self.at = if rows < 0 {
            self.at.saturating_sub(step)
        } else {
            (self.at + step).min(last)
        };
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::PickComplete, "tag or SQL"),
            (Action::PickDown, "next message"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let right = match (&self.fault, &self.failed) {
            (Some(_), _) => Line::of("✖ no filter", Token::Error),
            (None, Some(report)) => Line::of(format!("✖ {}", report.headline), Token::Error),
            (None, None) if self.reading.is_some() => Line::muted("reading…"),
            (None, None) => Line::of(
                format!("{} of {} wanted", self.wanted(), self.messages.len()),
                Token::Ok,
            ),
        };
        let inner = popup(canvas, 110, 30, Line::text("Try a filter"), right);
        if inner.height < 6 {
            return;
        }
        let x = inner.x + 2;
        let room = inner.width.saturating_sub(4);
        let kind = if self.sql { "SQL  " } else { "tag  " };
        let used = canvas.put(x, inner.y + 1, room, kind, Token::Focus);
        self.input
            .draw(canvas, x + used, inner.y + 1, room - used, true);
        if let Some((column, problem)) = &self.fault {
            let caret = format!(
                "{}^",
                " ".repeat(usize::from(used) + column.saturating_sub(1))
            );
            canvas.put(x, inner.y + 2, room, &caret, Token::Error);
            for (offset, part) in safe::wrap(problem, usize::from(room))
                .iter()
                .take(3)
                .enumerate()
            {
                let y = inner.y + 3 + u16::try_from(offset).unwrap_or(0);
                canvas.put(x, y, room, part, Token::Error);
            }
            return;
        }
        let list = Rect {
            y: inner.y + 3,
            height: inner.height.saturating_sub(3),
            ..inner
        };
        let metrics = self.draw_verdicts(canvas, list);
        canvas.hits.dialog = Some(metrics);
    }
}

impl FilterBench {
    fn draw_verdicts(&self, canvas: &mut Canvas<'_>, area: Rect) -> Metrics {
        let rows = usize::from(area.height);
        let top = window(self.top, Some(self.at), rows, self.verdicts.len());
        let both = self.messages.iter().zip(&self.verdicts).enumerate();
        for (index, (message, (verdict, reason))) in both.skip(top).take(rows) {
            let row = Rect {
                y: area.y + u16::try_from(index - top).unwrap_or(0),
                height: 1,
                ..area
            };
            let (glyph, token) = match verdict {
                Verdict::True => ("✓", Token::Ok),
                Verdict::False => ("○", Token::Muted),
                Verdict::Null => ("○", Token::Warn),
                Verdict::Error => ("✖", Token::Error),
            };
            let line = Line::of(format!("{glyph} {:<6}", verdict.to_string()), token)
                .put(
                    format!(
                        "{:<14}{}@{:<8}",
                        safe::cut_middle(message.id.as_str(), 13),
                        message.queue,
                        numbers::count(message.offset)
                    ),
                    Token::Muted,
                )
                .then(reason.clone());
            canvas.line(row.x + 2, row.y, row.width.saturating_sub(3), &line);
            if index == self.at {
                canvas.select(row);
                canvas.put(
                    row.x,
                    row.y,
                    1,
                    ">",
                    crate::ui::widget::line::Paint::new(Token::Text).reverse(),
                );
            }
        }
        frame::scrollbar(canvas, area, top, rows, self.verdicts.len());
        Metrics {
            top,
            rows,
            end: self.verdicts.len().saturating_sub(rows),
        }
    }
}
