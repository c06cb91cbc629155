//! Events in, changed state and effects out. The only code that changes the state.

mod act;
mod mouse;
mod tell;

use std::collections::VecDeque;
use std::time::Duration;

use crate::ui::action::Action;
use crate::ui::chord::{Chord, Key};
use crate::ui::dialog::guide::Guide;
use crate::ui::effect::Effect;
use crate::ui::event::{Event, Moment};
use crate::ui::keymap::Meaning;
use crate::ui::layout::Class;
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::State;
use crate::ui::state::feed::Level;
use crate::ui::state::places::PaneId;
use crate::ui::view::WHICH_KEY_AFTER;

pub use tell::tell_done;

/// Commands that one event may lead to at most; more means that two of them call each other.
const MOST_COMMANDS: usize = 200;

/// Takes an event in and tells what to do about it.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    let commands = match event {
        Event::Key(chord) => key(state, chord),
        Event::Paste(text) => paste(state, &text),
        Event::Mouse(mouse) => mouse::mouse(state, mouse),
        Event::Resize(columns, rows) => {
            state.shared.size = (columns, rows);
            state.dirty = true;
            Vec::new()
        }
        Event::Focus(focused) => {
            state.shared.focused = focused;
            state.dirty |= focused;
            Vec::new()
        }
        Event::Tick(moment) => {
            tick(state, moment);
            Vec::new()
        }
        Event::Overview(overview) => take_overview(state, overview),
        Event::Clock(clock) => {
            let mut overview = (*state.shared.newest).clone();
            overview.clock = Some(clock);
            state.shared.newest = std::sync::Arc::new(overview);
            state.dirty = true;
            Vec::new()
        }
        Event::Happened(events) => {
            tell::happened(state, events);
            Vec::new()
        }
        Event::Invocations(records) => {
            state.shared.runs.add(records);
            state.dirty = true;
            refresh(state)
        }
        Event::LogHead(head) => log_head(state, head),
        Event::Answer(ticket, answer) => {
            state.dirty = true;
            let mut commands = Vec::new();
            for pane in &mut state.panes {
                commands.extend(pane.answer(ticket, &answer, &mut state.shared));
            }
            for layer in &mut state.layers {
                commands.extend(layer.answer(ticket, &answer, &mut state.shared));
            }
            commands
        }
        Event::Done(ticket, done) => {
            state.dirty = true;
            tell::done(state, ticket, &done)
        }
        Event::WorkerPanicked(text) => {
            state.dirty = true;
            let text = format!("a part of the engine failed: {text}");
            let hint = "the program's own log tells more; quit and start again".to_owned();
            state
                .shared
                .notice_with(Level::Error, text, Some(hint), Vec::new());
            Vec::new()
        }
    };
    apply(state, commands, &mut effects);
    effects
}

/// Does commands, and those they lead to.
fn apply(state: &mut State, commands: Commands, effects: &mut Vec<Effect>) {
    let mut queue: VecDeque<Command> = commands.into();
    for _ in 0..MOST_COMMANDS {
        let Some(command) = queue.pop_front() else {
            return;
        };
        let more = match command {
            Command::Effect(effect) => {
                effects.push(effect);
                continue;
            }
            Command::Act(action) => act::act(state, action),
            Command::Open(dialog) => {
                state.layers.push(dialog);
                Vec::new()
            }
            Command::Close => {
                state.layers.pop();
                Vec::new()
            }
            Command::Go(goto) => go(state, &goto),
            Command::Filter(text) => {
                let pane = &mut state.panes[state.current as usize];
                pane.set_filter(text, &mut state.shared)
            }
            Command::SortBy(column) => {
                let pane = &mut state.panes[state.current as usize];
                pane.sort_by(column, &mut state.shared);
                Vec::new()
            }
            Command::Choose(choice) => {
                if let Some(layer) = state.layers.last_mut() {
                    layer.chosen(&choice, &mut state.shared)
                } else {
                    let pane = &mut state.panes[state.current as usize];
                    pane.choose(&choice, &mut state.shared)
                }
            }
        };
        state.dirty = true;
        for (at, command) in more.into_iter().enumerate() {
            queue.insert(at, command);
        }
    }
    debug_assert!(queue.is_empty(), "commands that never end");
}

/// Goes somewhere and remembers where it was.
fn go(state: &mut State, goto: &Goto) -> Commands {
    if goto.pane != state.current {
        state.history.leave(state.current);
        state.current = goto.pane;
    }
    visit(state, goto)
}

fn visit(state: &mut State, goto: &Goto) -> Commands {
    let pane = &mut state.panes[goto.pane as usize];
    pane.visit(&goto.focus, &mut state.shared)
}

/// Reads again what is on the screen.
fn refresh(state: &mut State) -> Commands {
    let mut commands = Vec::new();
    let mut shown = vec![state.current];
    if class(state) == Class::Wide && state.current != PaneId::Logs {
        shown.push(PaneId::Logs);
    }
    if class(state) == Class::Wide {
        // The tree shows the names of these.
        shown.extend([
            PaneId::Instances,
            PaneId::Topics,
            PaneId::Groups,
            PaneId::Functions,
            PaneId::Triggers,
        ]);
    }
    shown.dedup();
    for (index, id) in shown.iter().enumerate() {
        if index > 0 && *id == state.current {
            continue;
        }
        let pane = &mut state.panes[*id as usize];
        // The tree only reads the overview: a pane that is not shown asks for nothing.
        if index == 0 || *id == PaneId::Logs {
            commands.extend(pane.refresh(&mut state.shared));
        }
    }
    for layer in &mut state.layers {
        commands.extend(layer.refresh(&mut state.shared));
    }
    commands
}

fn class(state: &State) -> Class {
    let (columns, rows) = state.shared.size;
    let screen = ratatui::layout::Rect::new(0, 0, columns, rows);
    crate::ui::layout::Zones::of(screen, state.shared.look.plain, state.zoomed).class
}

fn take_overview(
    state: &mut State,
    overview: std::sync::Arc<crate::ui::state::overview::Overview>,
) -> Commands {
    let changed = state.shared.newest.differs(&overview);
    let first = !state.shared.newest.is_loaded() && overview.is_loaded();
    state.shared.newest = overview;
    let newest = state.shared.newest.clone();
    state.shared.rates.sample(&newest);
    // What only time changes is drawn with the next second.
    state.dirty |= changed || first;
    let mut commands = refresh(state);
    if first && !state.guide_offered {
        state.guide_offered = true;
        if state.wants_guide() {
            commands.extend(open_guide(state));
        }
    }
    commands
}

fn open_guide(state: &mut State) -> Commands {
    let (guide, effect) = Guide::open(&mut state.shared);
    vec![Command::Open(Box::new(guide)), effect.into()]
}

fn log_head(state: &mut State, head: u64) -> Commands {
    if head == state.shared.log_head {
        return Vec::new();
    }
    state.shared.log_head = head;
    let shows = state.current == PaneId::Logs || class(state) == Class::Wide;
    if !shows {
        return Vec::new();
    }
    state.dirty = true;
    state.panes[PaneId::Logs as usize].refresh(&mut state.shared)
}

fn tick(state: &mut State, moment: Moment) {
    let shared = &mut state.shared;
    let before = (shared.times.now.as_millis() / 1000, shared.uptime);
    shared.uptime = moment.uptime;
    shared.times.now = moment.now;
    let second_passed = moment.now.as_millis() / 1000 != before.0;
    state.dirty |= second_passed && shared.focused;
    state.dirty |= shared.notices.expire(moment.uptime, shared.look.plain);
    let shown_at = state.pending_since + WHICH_KEY_AFTER;
    let strip_due = !state.pending.is_empty() && before.1 < shown_at && moment.uptime >= shown_at;
    state.dirty |= strip_due;
}

fn key(state: &mut State, chord: Chord) -> Commands {
    state.dirty = true;
    state.shared.notices.seen(state.shared.uptime);
    let chain = state.chain();
    if !state.pending.is_empty() && chord.key == Key::Esc {
        state.pending.clear();
        return Vec::new();
    }
    state.pending.push(chord);
    match state.shared.keys.meaning(&chain, &state.pending) {
        Meaning::Act(action) => {
            state.pending.clear();
            press(state, action)
        }
        Meaning::Prefix => {
            state.pending_since = state.shared.uptime;
            Vec::new()
        }
        Meaning::Nothing => {
            state.pending.clear();
            match (chord.typed(), state.layers.last_mut()) {
                (Some(c), Some(layer)) => layer.typed(c, &mut state.shared),
                _ => Vec::new(),
            }
        }
    }
}

/// Does what a key or a click asks for, or tells why it cannot be done.
fn press(state: &mut State, action: Action) -> Commands {
    if action != Action::Quit {
        state.quit_asked = None;
    }
    if action != Action::Suspend {
        state.suspend_warned = false;
    }
    vec![Command::Act(action)]
}

fn paste(state: &mut State, text: &str) -> Commands {
    state.dirty = true;
    match state.layers.last_mut() {
        Some(layer) if layer.takes_text() => layer.paste(text, &mut state.shared),
        _ => {
            let text = "a paste goes into a text field; nothing was done with it";
            state.shared.notice(Level::Info, text);
            Vec::new()
        }
    }
}

impl State {
    /// Nothing was built yet, or the start asked for it.
    fn wants_guide(&self) -> bool {
        let now = &self.shared.newest;
        let empty = now.topics.rows.is_empty()
            && now.functions.rows.is_empty()
            && now.triggers.rows.is_empty();
        self.shared.settings.has_guide && (empty || self.shared.settings.show_guide)
    }
}

/// Two presses within this quit.
const QUIT_WITHIN: Duration = Duration::from_secs(2);
