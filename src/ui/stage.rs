//! The console without a terminal: for tests, pictures and benches.
//!
//! Effects are carried out in place, so that a test sees every state in between.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clock::RealClock;
use crate::control::Control;
use crate::ui::chord::Chord;
use crate::ui::effect::{Effect, SendReport, Ticket};
use crate::ui::engine::Engine;
use crate::ui::event::{Event, Moment, Mouse, MouseKind};
use crate::ui::options::ConsoleOptions;
use crate::ui::state::State;
use crate::ui::update::update;
use crate::ui::view::view;

pub struct Stage {
    pub state: State,
    engine: Engine,
    uptime: Duration,
    seen_event: u64,
    /// Effects that only a terminal or a process can carry out, in the order they were asked for.
    pub asked: Vec<Effect>,
}

impl Stage {
    pub fn new(
        control: Control,
        options: &ConsoleOptions,
        clock: RealClock,
        columns: u16,
        rows: u16,
    ) -> Self {
        Self {
            state: State::new(options, (columns, rows)),
            engine: Engine::new(control, options, clock),
            uptime: Duration::from_secs(1),
            seen_event: 0,
            asked: Vec::new(),
        }
    }

    /// Takes an event in and carries out all it leads to.
    pub async fn feed(&mut self, event: Event) {
        let mut effects = update(&mut self.state, event);
        while !effects.is_empty() {
            let effect = effects.remove(0);
            if let Some(event) = self.carry_out(effect).await {
                effects.extend(update(&mut self.state, event));
            }
        }
    }

    async fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Query(ticket, query) => {
                Some(Event::Answer(ticket, self.engine.answer(query).await))
            }
            Effect::Act(ticket, deed) => {
                let silent = |_: SendReport| {};
                Some(Event::Done(ticket, self.engine.act(*deed, &silent).await))
            }
            Effect::Save(ticket, file) => Some(Event::Done(ticket, self.engine.save(file).await)),
            Effect::Use(id) => {
                self.engine.use_instance(id);
                Some(self.gathered().await)
            }
            Effect::Reload => Some(self.gathered().await),
            other => {
                self.asked.push(other);
                None
            }
        }
    }

    async fn gathered(&mut self) -> Event {
        let last = self.state.shared.newest.clone();
        Event::Overview(self.engine.gather(&last, self.uptime).await.into())
    }

    /// Lets `span` of real time pass and reads everything again.
    pub async fn pass(&mut self, span: Duration) {
        self.uptime += span;
        let overview = self.gathered().await;
        let now = match &overview {
            Event::Overview(overview) => overview.clock.as_ref().map(|clock| clock.now),
            _ => None,
        };
        let moment = Moment {
            uptime: self.uptime,
            now: now.unwrap_or(self.state.shared.times.now),
        };
        self.feed(Event::Tick(moment)).await;
        let (events, next) = self.engine.happened(self.seen_event).await;
        self.seen_event = next;
        self.feed(Event::Happened(events)).await;
        let newest = self.state.shared.runs.newest;
        let runs = self.engine.invocations(newest).await;
        self.feed(Event::Invocations(runs)).await;
        let head = *self.engine.control.logs.latest().borrow();
        self.feed(Event::LogHead(head)).await;
        self.feed(overview).await;
    }

    /// Presses keys: sequences apart by blanks, `<…>` text as it is typed.
    pub async fn keys(&mut self, keys: &str) {
        for word in keys.split_whitespace() {
            match Chord::parse_sequence(word) {
                Ok(chords) => {
                    for chord in chords {
                        self.draw();
                        self.feed(Event::Key(chord)).await;
                    }
                }
                Err(_) => self.types(word).await,
            }
        }
    }

    /// Types a text, character by character.
    pub async fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.feed(Event::Key(Chord::char(c))).await;
        }
    }

    pub async fn paste(&mut self, text: &str) {
        self.feed(Event::Paste(text.to_owned())).await;
    }

    pub async fn click(&mut self, x: u16, y: u16) {
        self.draw();
        let kind = MouseKind::Press;
        self.feed(Event::Mouse(Mouse { kind, x, y })).await;
    }

    pub async fn resize(&mut self, columns: u16, rows: u16) {
        self.feed(Event::Resize(columns, rows)).await;
    }

    /// Draws the state as it is.
    pub fn draw(&mut self) -> Buffer {
        let (columns, rows) = self.state.shared.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let hits = view(&self.state, &mut buffer);
        self.state.seen(hits);
        buffer
    }

    /// The screen as text, blanks at line ends cut.
    pub fn text(&mut self) -> String {
        text_of(&self.draw())
    }

    pub fn next_ticket(&mut self) -> Ticket {
        self.state.shared.ticket()
    }
}

/// A frame as text.
pub fn text_of(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut row = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            let Some(cell) = buffer.cell((x, y)) else {
                continue;
            };
            if skip > 0 {
                skip -= 1;
                continue;
            }
            row.push_str(cell.symbol());
            skip = cell.symbol().width().saturating_sub(1);
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}
