//! Actions: what the top dialog, the pane or the console itself does about them.

use crate::cluster::session::ClientKind;
use crate::control::clock::ClockCommand;
use crate::domain::message::Message;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::confirm::Confirm;
use crate::ui::dialog::help::Help;
use crate::ui::dialog::menu::Menu;
use crate::ui::dialog::page::Page;
use crate::ui::dialog::palette::Palette;
use crate::ui::dialog::prompt::Prompt;
use crate::ui::dialog::save::SavePrompt;
use crate::ui::effect::{Deed, Effect, QuitMode};
use crate::ui::layout::Class;
use crate::ui::pane::message::unpacked;
use crate::ui::pane::{Command, Commands, Goto, Half, Offer};
use crate::ui::state::State;
use crate::ui::state::feed::Level;
use crate::ui::state::places::{Focus, Place};
use crate::ui::theme::Token;
use crate::ui::update::{QUIT_WITHIN, class, go, open_guide, refresh, visit};
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::safe;

/// Does an action, in the top dialog if there is one.
pub(super) fn act(state: &mut State, action: Action) -> Commands {
    match action {
        Action::Quit => return quit(state),
        Action::Redraw => return vec![Effect::Repaint.into()],
        Action::Help => {
            let rows = state.help_rows();
            let runs = state.layers.is_empty();
            return vec![Command::Open(Box::new(Help::new(rows, runs)))];
        }
        _ => {}
    }
    let Some(layer) = state.layers.last_mut() else {
        return on_pane(state, action);
    };
    let is_guide = layer.contexts().first() == Some(&Context::Guide);
    let of_guide = matches!(
        action,
        Action::GuideStep
            | Action::GuideAll
            | Action::GuideEdit
            | Action::Back
            | Action::Close
            | Action::Open
    );
    if is_guide && !of_guide {
        // The guide lies beside the places: their keys leave it.
        state.layers.pop();
        return on_pane(state, action);
    }
    let passes = matches!(action, Action::Up | Action::Down)
        && layer.contexts() == [Context::Pick]
        && !layer
            .hints()
            .iter()
            .any(|(hint, _)| *hint == Action::PickDown);
    if passes {
        // A filter that is typed moves the list under it.
        return on_pane(state, action);
    }
    layer.act(action, &mut state.shared)
}

fn on_pane(state: &mut State, action: Action) -> Commands {
    match state.offer(action) {
        Offer::Yes => {}
        Offer::No(reason) => {
            let text = format!("{}: {reason}", action.label());
            state.shared.notice(Level::Info, text);
            return Vec::new();
        }
        // Motions belong to every pane, whether it names them or not.
        Offer::Never if !is_motion(action) && !of_halves(action) => return Vec::new(),
        Offer::Never => {}
    }
    if let Some(place) = Place::by_action(action) {
        return to_place(state, place);
    }
    match action {
        Action::GoMessage
        | Action::GoTrace
        | Action::GoLogs
        | Action::GoFunction
        | Action::GoTrigger
        | Action::GoGroup
        | Action::GoTopic
        | Action::GoDead
        | Action::GoInstance => {
            let goto = state.goto(action);
            goto.map_or_else(Vec::new, |goto| vec![Command::Go(goto)])
        }
        Action::CopyId | Action::CopyBody | Action::CopyJson | Action::CopyCommand => {
            copy(state, action)
        }
        Action::ViewNext => next_list(state),
        Action::PaneNext | Action::PanePrev => {
            swap_half(state);
            Vec::new()
        }
        Action::Back => back(state),
        Action::Close => close(state),
        Action::HistoryBack => travel(state, |state| {
            let from = state.current;
            state.history.back(from)
        }),
        Action::HistoryForward => travel(state, |state| {
            let from = state.current;
            state.history.forward(from)
        }),
        Action::HistoryLast => match state.history.last() {
            Some(pane) => vec![Command::Go(Goto::new(pane, Focus::Keep))],
            None => Vec::new(),
        },
        Action::Open => open(state),
        _ => on_screen(state, action),
    }
}

/// Actions on the screen as a whole; the rest is the pane's.
fn on_screen(state: &mut State, action: Action) -> Commands {
    match action {
        Action::Zoom => state.zoomed = !state.zoomed,
        Action::Details => toggle_detail(state),
        Action::Freeze => return freeze(state),
        Action::Time => {
            let times = &mut state.shared.times;
            times.style = times.style.next();
            let text = format!("times are shown in {}", times.style.name());
            state.shared.notice(Level::Info, text);
            return refresh(state);
        }
        Action::Chart => {
            state.shared.charts_as_tables = !state.shared.charts_as_tables;
            return refresh(state);
        }
        Action::Reload => return reload(state),
        Action::Suspend => return suspend(state),
        Action::Palette => {
            let entries = state.palette_entries();
            return vec![Command::Open(Box::new(Palette::new(entries)))];
        }
        Action::Actions => {
            let rows = state.menu_rows();
            return vec![Command::Open(Box::new(Menu::actions("Actions", rows)))];
        }
        Action::Sort => {
            let (columns, now) = state.pane().sorts();
            return vec![Command::Open(Box::new(Menu::sorts(columns, now)))];
        }
        Action::Search => {
            let prompt = Prompt::filter(state.pane().filter());
            return vec![Command::Open(Box::new(prompt))];
        }
        Action::Events => {
            let page = Page::events(&state.shared);
            return vec![Command::Open(Box::new(page))];
        }
        Action::Guide => return open_guide(state),
        Action::PickTheme => {
            let menu = Menu::themes(state.theme_names(), &state.shared.look.theme.name);
            return vec![Command::Open(Box::new(menu))];
        }
        Action::Mouse => return mouse(state),
        Action::StopJob => return vec![Effect::StopSending.into()],
        Action::ClockHold => return clock(state, ClockCommand::Hold),
        Action::ClockResume => return clock(state, ClockCommand::Resume),
        Action::ClockNext => return clock(state, ClockCommand::Next),
        Action::ClockStep => return vec![Command::Open(Box::new(Prompt::step()))],
        Action::CopyLines => return plain_page(state),
        Action::Export if state.current != crate::ui::state::places::PaneId::Logs => {
            return export(state);
        }
        _ => {
            let pane = &mut state.panes[state.current as usize];
            return pane.act(action, &mut state.shared);
        }
    }
    Vec::new()
}

fn is_motion(action: Action) -> bool {
    action.name().starts_with("move.")
}

/// Actions on the detail that every pane has.
fn of_halves(action: Action) -> bool {
    matches!(action, Action::Wrap)
}

fn to_place(state: &mut State, place: Place) -> Commands {
    let panes = place.panes();
    // The same number again goes to the next list of the place.
    let pane = if state.current.place() == place {
        state.current
    } else {
        panes.first().copied().unwrap_or(state.current)
    };
    let goto = Goto::new(pane, Focus::Keep);
    go(state, &goto)
}

fn next_list(state: &mut State) -> Commands {
    let panes = state.current.place().panes();
    let at = panes.iter().position(|pane| *pane == state.current);
    let next = panes.get((at.unwrap_or(0) + 1) % panes.len()).copied();
    let goto = Goto::new(next.unwrap_or(state.current), Focus::Keep);
    go(state, &goto)
}

fn travel(
    state: &mut State,
    step: impl FnOnce(&mut State) -> Option<crate::ui::state::places::PaneId>,
) -> Commands {
    let Some(pane) = step(state) else {
        return Vec::new();
    };
    state.current = pane;
    visit(state, &Goto::new(pane, Focus::Keep))
}

fn swap_half(state: &mut State) {
    let halves = state.panes[state.current as usize].halves_mut();
    halves.focus = match halves.focus {
        Half::List => Half::Detail,
        Half::Detail => Half::List,
    };
    if halves.focus == Half::Detail {
        halves.detail_hidden = false;
    }
}

fn toggle_detail(state: &mut State) {
    let halves = state.panes[state.current as usize].halves_mut();
    halves.detail_hidden = !halves.detail_hidden;
    if halves.detail_hidden {
        halves.focus = Half::List;
    }
}

/// Drills down; where the detail is the way down, it gets the keys.
fn open(state: &mut State) -> Commands {
    let pane = &mut state.panes[state.current as usize];
    let in_place = pane.opens_in_place();
    let commands = pane.act(Action::Open, &mut state.shared);
    if commands.is_empty() && !in_place && pane.halves().focus == Half::List {
        swap_half(state);
    }
    commands
}

/// Esc: the filter, then the detail, then the zoom, then the place before. Never quits.
fn back(state: &mut State) -> Commands {
    let pane = &mut state.panes[state.current as usize];
    if pane.halves().focus == Half::Detail {
        pane.halves_mut().focus = Half::List;
        return Vec::new();
    }
    if !pane.filter().is_empty() {
        return pane.set_filter(String::new(), &mut state.shared);
    }
    if state.zoomed {
        state.zoomed = false;
        return Vec::new();
    }
    let from = state.current;
    match state.history.back(from) {
        Some(pane) => {
            state.current = pane;
            visit(state, &Goto::new(pane, Focus::Keep))
        }
        None => Vec::new(),
    }
}

/// `q`: closes the detail or the zoom; with nothing to close it asks to quit.
fn close(state: &mut State) -> Commands {
    let narrow = class(state) == Class::Narrow;
    let halves = state.panes[state.current as usize].halves_mut();
    if halves.focus == Half::Detail && (narrow || state.zoomed) {
        halves.focus = Half::List;
        return Vec::new();
    }
    if state.zoomed {
        state.zoomed = false;
        return Vec::new();
    }
    ask_to_quit(state)
}

fn quit(state: &mut State) -> Commands {
    let now = state.shared.uptime;
    let again = state
        .quit_asked
        .is_some_and(|at| now.saturating_sub(at) <= QUIT_WITHIN);
    if again || state.shared.settings.attached {
        return vec![Effect::Quit(QuitMode::Drain).into()];
    }
    state.quit_asked = Some(now);
    state
        .layers
        .retain(|layer| layer.contexts() != [Context::Confirm]);
    ask_to_quit(state)
}

fn ask_to_quit(state: &State) -> Commands {
    if state.shared.settings.attached {
        return vec![Effect::Quit(QuitMode::Now).into()];
    }
    let overview = &state.shared.newest;
    let counters = overview.counters();
    // The triggers' own consumers stop with the broker and miss nothing.
    let clients = overview.clients.rows.iter();
    let clients = clients
        .filter(|client| client.kind != ClientKind::Trigger)
        .count();
    let running: u64 = overview
        .functions
        .rows
        .iter()
        .map(|row| u64::from(row.busy))
        .sum();
    let name = overview
        .instance_row()
        .map_or("the broker", |row| row.definition.name.as_str());
    let mut lines = vec![Line::text(format!("Stop broker {name}?"))];
    let held = [
        (
            clients as u64,
            "client is connected",
            "clients are connected",
        ),
        (running, "invocation runs", "invocations run"),
        (
            counters.in_flight,
            "message is in flight",
            "messages are in flight",
        ),
    ];
    let held = held.into_iter().filter(|(count, ..)| *count > 0);
    lines.extend(held.map(|(count, one, many)| {
        Line::of("· ", Token::Muted).then(numbers::counted(count, one, many))
    }));
    if lines.len() == 1 {
        lines.push(Line::muted("Nothing runs and nobody is connected."));
    }
    lines.push(Line::new());
    let settings = &state.shared.settings;
    lines.push(Line::muted(if settings.can_leave {
        format!(
            "What is stored stays. Left running, `{}` takes over.",
            settings.serve_hint
        )
    } else {
        format!(
            "What is stored stays. To run without a screen: {}",
            settings.serve_hint
        )
    }));
    let quit = |mode| Some(Effect::Quit(mode));
    let mut choices = vec![
        ("Cancel", None),
        ("Drain and quit", quit(QuitMode::Drain)),
        ("Quit now", quit(QuitMode::Now)),
    ];
    if settings.can_leave {
        // Last, so that a yes to "Stop?" stops.
        choices.push(("Leave it running", quit(QuitMode::Leave)));
    }
    vec![Command::Open(Box::new(Confirm::quit(lines, choices)))]
}

fn suspend(state: &mut State) -> Commands {
    let clients = state.shared.newest.counters().clients;
    if clients > 0 && !state.suspend_warned && !state.shared.settings.attached {
        state.suspend_warned = true;
        let text = format!(
            "suspending stops the broker too; {} will time out. Again does it",
            numbers::counted(clients, "client", "clients")
        );
        state.shared.notice(Level::Warn, text);
        return Vec::new();
    }
    state.suspend_warned = false;
    vec![Effect::Suspend.into()]
}

fn freeze(state: &mut State) -> Commands {
    if state.shared.frozen.take().is_none() {
        let overview = state.shared.newest.clone();
        state.shared.frozen = Some((overview, state.shared.uptime));
        return Vec::new();
    }
    refresh(state)
}

fn reload(state: &mut State) -> Commands {
    let mut commands: Commands = vec![Effect::Reload.into()];
    commands.extend(refresh(state));
    commands
}

fn mouse(state: &mut State) -> Commands {
    let on = !state.shared.settings.mouse;
    state.shared.settings.mouse = on;
    let text = if on {
        "the mouse is on; Shift and drag selects text"
    } else {
        "the mouse is off"
    };
    state.shared.notice(Level::Info, text);
    vec![Effect::Mouse(on).into()]
}

fn clock(state: &mut State, command: ClockCommand) -> Commands {
    let ticket = state.shared.ticket();
    vec![Effect::Act(ticket, Box::new(Deed::Clock(command))).into()]
}

fn copy(state: &State, action: Action) -> Commands {
    let subject = state.pane().subject(&state.shared);
    let body = |message: &Message| safe::decode(&unpacked(message)).into_owned();
    let text = match action {
        Action::CopyId => subject.id,
        Action::CopyBody => subject.stored.as_deref().map(body),
        Action::CopyJson => subject.json,
        _ => subject.command,
    };
    text.map_or_else(Vec::new, |text| vec![Effect::Copy(text).into()])
}

/// The table as text without borders.
fn plain_page(state: &State) -> Commands {
    let table = state.pane().table(&state.shared);
    let columns = table.first().map_or(0, Vec::len);
    let width_of = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| safe::width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width_of).collect();
    let mut text = String::new();
    for row in &table {
        for (cell, width) in row.iter().zip(&widths) {
            let cell = safe::clean(cell);
            let pad = width.saturating_sub(safe::width(&cell)) + 2;
            text.push_str(&cell);
            text.push_str(&" ".repeat(pad));
        }
        let end = text.trim_end_matches(' ').len();
        text.truncate(end);
        text.push('\n');
    }
    vec![Effect::PlainPage(text).into()]
}

fn export(state: &State) -> Commands {
    let table = state.pane().table(&state.shared);
    let name = state.current.title().to_lowercase().replace(' ', "-");
    let path = format!("{name}-{}.csv", state.shared.times.stamp());
    vec![Command::Open(Box::new(SavePrompt::table(path, table)))]
}
