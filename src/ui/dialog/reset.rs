//! Reset a group's offset: where to, and per queue what that means, before anything moves.

use ratatui::layout::Rect;

use crate::cluster::admin::{GroupRow, ResetOffset, ResetReport, ResetTo};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::span::parse_span;
use crate::domain::timestamp::Timestamp;
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::confirm::{Confirm, Grave};
use crate::ui::dialog::{Dialog, button, popup};
use crate::ui::effect::{Answer, Deed, Effect, Query, Ticket};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::Target;
use crate::ui::widget::input::Input;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::numbers;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Topic,
    To,
    When,
    Reset,
    Cancel,
}

const SPOTS: [Spot; 5] = [Spot::Topic, Spot::To, Spot::When, Spot::Reset, Spot::Cancel];
const TOS: [&str; 3] = ["latest", "earliest", "time"];

pub struct ResetDialog {
    group: GroupName,
    topics: Vec<TopicName>,
    topic: usize,
    to: usize,
    when: Input,
    at: usize,
    asked: Option<Ticket>,
    preview: Option<Result<ResetReport, Report>>,
}

impl ResetDialog {
    pub fn open(row: &GroupRow, shared: &mut Shared) -> (Self, Vec<Effect>) {
        let mut dialog = Self {
            group: row.definition.name.clone(),
            topics: row.topics.clone(),
            topic: 0,
            to: 0,
            when: Input::new("15m"),
            at: 1,
            asked: None,
            preview: None,
        };
        let effects = dialog.ask(shared);
        (dialog, effects)
    }

    fn target(&self, now: Timestamp) -> Result<ResetTo, &'static str> {
        match self.to {
            0 => Ok(ResetTo::Latest),
            1 => Ok(ResetTo::Earliest),
            _ => {
                let text = self.when.text().trim();
                parse_span(text)
                    .map(|span| now - span)
                    .or_else(|| Timestamp::parse(text))
                    .map(ResetTo::Time)
                    .ok_or("an age such as 15m, or a moment")
            }
        }
    }

    fn request(&self, now: Timestamp, dry_run: bool) -> Option<ResetOffset> {
        Some(ResetOffset {
            group: self.group.clone(),
            topic: self.topics.get(self.topic)?.clone(),
            queue: None,
            to: self.target(now).ok()?,
            dry_run,
        })
    }

    fn ask(&mut self, shared: &mut Shared) -> Vec<Effect> {
        self.preview = None;
        let Some(request) = self.request(shared.times.now, true) else {
            self.asked = None;
            return Vec::new();
        };
        let ticket = shared.ticket();
        self.asked = Some(ticket);
        vec![Effect::Query(ticket, Query::Reset(request))]
    }

    fn changed(&mut self, shared: &mut Shared) -> Commands {
        self.ask(shared).into_iter().map(Command::from).collect()
    }

    fn totals(&self) -> Option<(u64, u64)> {
        let report = self.preview.as_ref()?.as_ref().ok()?;
        let again = report.queues.iter().map(|row| row.redelivered).sum();
        let skipped = report.queues.iter().map(|row| row.skipped).sum();
        Some((again, skipped))
    }

    fn press(&mut self, shared: &mut Shared) -> Commands {
        match SPOTS[self.at] {
            Spot::Cancel => vec![Command::Close],
            Spot::Reset => self.confirm(shared),
            _ => {
                self.step(true);
                Vec::new()
            }
        }
    }

    /// The reset itself asks for the group's name.
    fn confirm(&self, shared: &mut Shared) -> Commands {
        let (Some(request), Some((again, skipped))) =
            (self.request(shared.times.now, false), self.totals())
        else {
            return Vec::new();
        };
        let confirm = Confirm::grave(Grave {
            title: format!("Reset {} on {}", self.group, request.topic),
            name: self.group.to_string(),
            loses: vec![
                format!(
                    "{} delivered again",
                    numbers::counted(again, "message is", "messages are")
                ),
                format!(
                    "{} never delivered",
                    numbers::counted(skipped, "message is", "messages are")
                ),
            ],
            verb: "Reset",
            deed: Deed::Reset(request),
        });
        vec![Command::Close, Command::Open(Box::new(confirm))]
    }

    fn step(&mut self, forward: bool) {
        let count = SPOTS.len();
        loop {
            self.at = if forward {
                (self.at + 1) % count
            } else {
                (self.at + count - 1) % count
            };
            if SPOTS[self.at] != Spot::When || self.to == 2 {
                return;
            }
        }
    }

    fn choose(&mut self, forward: bool, shared: &mut Shared) -> Commands {
        let step = |at: usize, count: usize| {
            if forward {
                (at + 1) % count.max(1)
            } else {
                (at + count.max(1) - 1) % count.max(1)
            }
        };
        match SPOTS[self.at] {
            Spot::Topic => self.topic = step(self.topic, self.topics.len()),
            Spot::To => self.to = step(self.to, TOS.len()),
            _ => {
                self.step(forward);
                return Vec::new();
            }
        }
        self.changed(shared)
    }
}

impl Dialog for ResetDialog {
    fn contexts(&self) -> Vec<Context> {
        let field = if SPOTS[self.at] == Spot::When {
            Context::Text
        } else {
            Context::Choice
        };
        vec![field, Context::Form]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::Submit => return self.confirm(shared),
            Action::FieldNext => self.step(true),
            Action::FieldPrev => self.step(false),
            Action::ChoiceNext => return self.choose(true, shared),
            Action::ChoicePrev => return self.choose(false, shared),
            Action::Press => return self.press(shared),
            _ => {
                if SPOTS[self.at] == Spot::When && self.when.act(action) {
                    return self.changed(shared);
                }
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, shared: &mut Shared) -> Commands {
        if SPOTS[self.at] != Spot::When {
            return Vec::new();
        }
        self.when.insert(&c.to_string());
        self.changed(shared)
    }

    fn takes_text(&self) -> bool {
        SPOTS[self.at] == Spot::When
    }

    fn paste(&mut self, text: &str, shared: &mut Shared) -> Commands {
        self.when.insert(text);
        self.changed(shared)
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        if self.asked.take_if(|asked| *asked == ticket).is_some() {
            self.preview = match answer {
                Ok(Answer::WouldReset(report)) => Some(Ok(report.clone())),
                Ok(_) => None,
                Err(report) => Some(Err(report.clone())),
            };
        }
        Vec::new()
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        let Target::Item(at) = target else {
            return Vec::new();
        };
        if *at >= SPOTS.len() {
            return Vec::new();
        }
        self.at = *at;
        match SPOTS[*at] {
            Spot::Reset | Spot::Cancel => self.press(shared),
            Spot::When => Vec::new(),
            _ => self.choose(true, shared),
        }
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::ChoiceNext, "change"),
            (Action::FieldNext, "next field"),
            (Action::Submit, "reset"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>) {
        let rows = match &self.preview {
            Some(Ok(report)) => report.queues.len(),
            _ => 1,
        };
        let height = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(11);
        let title = format!("Reset offset of {}", self.group);
        let inner = popup(canvas, 72, height.min(36), Line::text(title), Line::new());
        if inner.height < 7 {
            return;
        }
        let x = inner.x + 2;
        let room = inner.width.saturating_sub(4);
        let topic = self.topics.get(self.topic).map_or("", TopicName::as_str);
        self.choice(canvas, x, inner.y + 1, 0, "topic", topic);
        self.choice(canvas, x, inner.y + 2, 1, "to", TOS[self.to]);
        if self.to == 2 {
            self.label(canvas, x, inner.y + 3, 2, "when");
            self.when.draw(canvas, x + 9, inner.y + 3, 26, self.at == 2);
            if let Err(problem) = self.target(shared.times.now) {
                canvas.put(
                    x + 36,
                    inner.y + 3,
                    room.saturating_sub(36),
                    &format!("✖ {problem}"),
                    Token::Error,
                );
            }
        }
        let table = Rect {
            x,
            y: inner.y + 5,
            width: room,
            height: inner.height.saturating_sub(8),
        };
        self.draw_preview(canvas, table);
        let y = inner.bottom() - 1;
        let ready = self.totals().is_some();
        let used = button(canvas, x, y, "Reset…", 3, self.at == 3, ready);
        button(canvas, x + used + 2, y, "Cancel", 4, self.at == 4, true);
    }
}

impl ResetDialog {
    fn label(&self, canvas: &mut Canvas<'_>, x: u16, y: u16, item: usize, text: &str) {
        let paint = if self.at == item {
            Paint::new(Token::Focus).bold().underline()
        } else {
            Paint::new(Token::Text)
        };
        canvas.put(x, y, 9, text, paint);
    }

    fn choice(
        &self,
        canvas: &mut Canvas<'_>,
        x: u16,
        y: u16,
        item: usize,
        name: &str,
        value: &str,
    ) {
        self.label(canvas, x, y, item, name);
        let text = if self.at == item {
            format!("‹ {value} ›")
        } else {
            format!("{value} ▾")
        };
        let used = canvas.put(x + 9, y, 50, &text, Token::Title);
        canvas.hit(Rect::new(x, y, used + 9, 1), Target::Item(item));
    }

    fn draw_preview(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let report = match &self.preview {
            None => {
                let text = if self.asked.is_some() {
                    "working it out…"
                } else {
                    ""
                };
                canvas.put(area.x, area.y, area.width, text, Token::Muted);
                return;
            }
            Some(Err(report)) => {
                let text = format!("✖ {}", report.headline);
                canvas.put(area.x, area.y, area.width, &text, Token::Error);
                return;
            }
            Some(Ok(report)) => report,
        };
        let header = format!(
            "{:>5} {:>12} {:>12} {:>12} {:>12}",
            "queue", "now", "then", "again", "skipped"
        );
        canvas.put(area.x, area.y, area.width, &header, Token::Muted);
        let rows = usize::from(area.height.saturating_sub(2));
        for (index, row) in report.queues.iter().take(rows).enumerate() {
            let text = format!(
                "{:>5} {:>12} {:>12} {:>12} {:>12}",
                row.queue,
                numbers::count(row.old),
                numbers::count(row.new),
                numbers::count(row.redelivered),
                numbers::count(row.skipped)
            );
            let y = area.y + 1 + u16::try_from(index).unwrap_or(0);
            canvas.put(area.x, y, area.width, &text, Token::Text);
        }
        let (again, skipped) = self.totals().unwrap_or_default();
        let hidden = report.queues.len().saturating_sub(rows);
        let more = if hidden > 0 {
            format!("… and {hidden} more queues   ")
        } else {
            String::new()
        };
        let line = Line::muted(more)
            .put("total ", Token::Muted)
            .put(
                format!("{} again", numbers::count(again)),
                if again > 0 { Token::Warn } else { Token::Text },
            )
            .then(", ")
            .put(
                format!("{} skipped", numbers::count(skipped)),
                if skipped > 0 {
                    Token::Error
                } else {
                    Token::Text
                },
            );
        canvas.line(area.x, area.bottom().saturating_sub(1), area.width, &line);
    }
}
