//! Run a function by hand: an event, and the answer under it.

use std::collections::VecDeque;

use bytes::Bytes;
use ratatui::layout::Rect;

use crate::control::functions::{Invoke, InvokeReply, Sample};
use crate::domain::function::InvocationRecord;
use crate::domain::names::FunctionName;
use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, button, popup};
use crate::ui::effect::{Answer, Deed, Done, Effect, Query, Ticket};
use crate::ui::pane::functions::outcome;
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::Shared;
use crate::ui::state::feed::Notice;
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame::Frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::json::{self, JsonFault};
use crate::ui::widget::line::Line;
use crate::ui::widget::safe;
use crate::ui::widget::textbox::{TextBox, TextView};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Event,
    Invoke,
    Enqueue,
    Log,
    /// Puts the next sample event in place; there only when the function has some.
    Sample,
}

const SPOTS: [Spot; 5] = [
    Spot::Event,
    Spot::Invoke,
    Spot::Enqueue,
    Spot::Log,
    Spot::Sample,
];

pub struct InvokeDialog {
    function: FunctionName,
    event: TextBox,
    fault: Option<JsonFault>,
    at: usize,
    top: usize,
    page: usize,
    busy: Option<Ticket>,
    result: Option<Result<Box<InvokeReply>, Report>>,
    asked: Ticket,
    /// Sample events, the next to be put in place first.
    samples: VecDeque<Sample>,
}

impl InvokeDialog {
    /// Commands that open it.
    pub fn open(function: FunctionName, shared: &mut Shared) -> Commands {
        let ticket = shared.ticket();
        let query = Query::Samples(function.clone());
        let dialog = Self::new(function, ticket, shared);
        vec![
            Command::Open(Box::new(dialog)),
            Effect::Query(ticket, query).into(),
        ]
    }

    fn new(function: FunctionName, asked: Ticket, shared: &Shared) -> Self {
        let last = shared
            .runs
            .all()
            .find(|record| record.function == function)
            .map(|record| record.event.clone())
            .filter(|event| json::check(event).is_none());
        let event = last.map_or_else(|| "{\n  \n}".to_owned(), |event| json::format(&event));
        let mut dialog = Self {
            function,
            event: TextBox::new(&event),
            fault: None,
            at: 0,
            top: 0,
            page: 1,
            busy: None,
            result: None,
            asked,
            samples: VecDeque::new(),
        };
        dialog.check();
        dialog
    }

    fn check(&mut self) {
        let text = self.event.text();
        self.fault = json::check(&text);
    }

    fn invoke(&mut self, asynchronous: bool, shared: &mut Shared) -> Commands {
        if self.busy.is_some() {
            return Vec::new();
        }
        let ticket = shared.ticket();
        self.busy = Some(ticket);
        self.result = None;
        let deed = Deed::Invoke(Invoke {
            function: self.function.clone(),
            event: Bytes::from(self.event.text()),
            asynchronous,
            log_tail: true,
        });
        vec![Effect::Act(ticket, Box::new(deed)).into()]
    }

    fn press(&mut self, shared: &mut Shared) -> Commands {
        match SPOTS[self.at] {
            Spot::Event => Vec::new(),
            Spot::Invoke => self.invoke(false, shared),
            Spot::Enqueue => self.invoke(true, shared),
            Spot::Sample => {
                self.put_sample();
                Vec::new()
            }
            Spot::Log => {
                let focus = match &self.result {
                    Some(Ok(reply)) => Focus::Request(reply.request_id.clone()),
                    _ => Focus::Function(Some(self.function.clone())),
                };
                vec![Command::Close, Command::Go(Goto::new(PaneId::Logs, focus))]
            }
        }
    }

    fn put_sample(&mut self) {
        if let Some(sample) = self.samples.pop_front() {
            let text = safe::decode(&sample.event).into_owned();
            let is_json = json::check(&text).is_none();
            let text = if is_json { json::format(&text) } else { text };
            self.event.set(&text);
            self.samples.push_back(sample);
            self.check();
        }
    }

    /// How many of the spots are there.
    fn spots(&self) -> usize {
        SPOTS.len() - usize::from(self.samples.is_empty())
    }

    fn step(&mut self, forward: bool) {
        let count = self.spots();
        self.at = if forward {
            (self.at + 1) % count
        } else {
            (self.at + count - 1) % count
        };
    }
}

impl Dialog for InvokeDialog {
    fn contexts(&self) -> Vec<Context> {
        let field = if SPOTS[self.at] == Spot::Event {
            Context::Body
        } else {
            Context::Choice
        };
        vec![field, Context::Form]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::Submit => return self.invoke(false, shared),
            Action::FieldNext | Action::ChoiceNext => self.step(true),
            Action::FieldPrev | Action::ChoicePrev => self.step(false),
            Action::Press => return self.press(shared),
            Action::More => {
                let text = self.event.text();
                if json::check(&text).is_none() {
                    self.event.set(&json::format(&text));
                }
            }
            _ => {
                self.event.act(action, self.page);
                self.check();
            }
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        if SPOTS[self.at] == Spot::Event {
            self.event.insert(&c.to_string());
            self.check();
        }
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.event.insert(text);
        self.check();
        Vec::new()
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        answer: &Result<Answer, Report>,
        _shared: &mut Shared,
    ) -> Commands {
        if let (Ok(Answer::Samples(samples)), true) = (answer, ticket == self.asked) {
            self.samples = samples.clone().into();
        }
        Vec::new()
    }

    fn done(
        &mut self,
        ticket: Ticket,
        done: &Result<Done, Report>,
        _shared: &mut Shared,
    ) -> Option<Commands> {
        self.busy.take_if(|busy| *busy == ticket)?;
        self.result = match done {
            Ok(Done::Invoked(reply)) => Some(Ok(reply.clone())),
            Ok(_) => None,
            Err(report) => Some(Err(report.clone())),
        };
        Some(vec![Effect::Reload.into()])
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at < self.spots() => {
                self.at = *at;
                self.press(shared)
            }
            Target::Point(_, column, row) => {
                self.at = 0;
                let area = Rect::new(0, 0, u16::MAX, u16::MAX);
                self.event.click(area, self.top, *column, *row);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
        self.page = metrics.rows;
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::Submit, "invoke"),
            (Action::FieldNext, "next field"),
            (Action::More, "format"),
            (Action::Dismiss, "close"),
        ]
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let title = format!("Invoke {}", self.function);
        let inner = popup(canvas, 96, 28, Line::text(title), Line::new());
        if inner.height < 8 {
            return;
        }
        let answer = (inner.height / 3).clamp(3, 9);
        let event = Rect {
            height: inner.height - answer - 2,
            ..inner
        };
        self.draw_event(canvas, event);
        let area = Rect {
            x: inner.x + 1,
            y: event.bottom(),
            width: inner.width.saturating_sub(2),
            height: answer,
        };
        self.draw_answer(canvas, area);
        let mut x = inner.x + 1;
        let y = inner.bottom() - 1;
        for (index, label) in [(1, "Invoke"), (2, "Enqueue"), (3, "Log")] {
            let enabled = self.busy.is_none();
            x += button(canvas, x, y, label, index, self.at == index, enabled) + 2;
        }
        if let Some(next) = self.samples.front() {
            let label = format!("Sample {}", next.name);
            button(canvas, x, y, &label, 4, self.at == 4, true);
        }
    }
}

impl InvokeDialog {
    fn draw_event(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let right = match &self.fault {
            None => Line::of("✓ JSON", Token::Ok),
            Some(fault) => Line::of(
                format!("text: no JSON at line {} col {}", fault.line, fault.column),
                Token::Warn,
            ),
        };
        let focus = self.at == 0;
        let inner = Frame::new("Event")
            .right(right)
            .focus(focus)
            .draw(canvas, area);
        canvas.hit(inner, Target::Item(0));
        let metrics = self.event.draw(
            canvas,
            inner,
            &TextView {
                top: self.top,
                focus,
                fault: self.fault.as_ref().map(|fault| fault.line - 1),
                colour: true,
            },
        );
        canvas.hits.dialog = Some(metrics);
    }

    fn draw_answer(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let mut lines = Vec::new();
        match &self.result {
            _ if self.busy.is_some() => lines.push(Line::muted("running…")),
            None => lines.push(Line::muted(
                "The answer appears here; the log has the lines.",
            )),
            Some(Err(report)) => {
                let (text, hint) = Notice::of_report(report);
                lines.push(Line::of(format!("✖ {text}"), Token::Error));
                lines.extend(hint.map(Line::muted));
            }
            Some(Ok(reply)) => {
                let id = Line::muted(format!("request {}   ", reply.request_id));
                lines.push(match &reply.record {
                    Some(record) => id.join(outcome(record)),
                    None => id.then("enqueued"),
                });
                let text = safe::decode(&reply.result).into_owned();
                lines.extend(text.lines().map(json::paint_line));
                let summary = reply.record.as_ref().map(InvocationRecord::summary);
                lines.extend(summary.map(Line::muted));
                let log = reply.log_tail.as_deref().unwrap_or_default();
                lines.extend(log.lines().map(|line| Line::text(line.to_owned())));
            }
        }
        for (offset, line) in lines.iter().take(usize::from(area.height)).enumerate() {
            let y = area.y + u16::try_from(offset).unwrap_or(0);
            canvas.line(area.x, y, area.width, line);
        }
    }
}
