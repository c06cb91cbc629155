//! Clicks and the wheel, by what the last drawing put under them.

use std::time::Duration;

use crate::ui::action::Action;
use crate::ui::event::{Mouse, MouseKind};
use crate::ui::pane::{Command, Commands, Goto, Half};
use crate::ui::state::State;
use crate::ui::state::places::Focus;
use crate::ui::widget::hits::Target;

/// A second click on the same spot within this opens.
const DOUBLE: Duration = Duration::from_millis(400);

pub(super) fn mouse(state: &mut State, mouse: Mouse) -> Commands {
    state.dirty = true;
    match mouse.kind {
        MouseKind::Wheel(rows) => wheel(state, mouse, rows),
        MouseKind::Press => press(state, mouse),
    }
}

fn wheel(state: &mut State, mouse: Mouse, rows: i32) -> Commands {
    if let Some(layer) = state.layers.last_mut() {
        layer.scroll(rows);
        return Vec::new();
    }
    match state.hits.pane_at(mouse.x, mouse.y).cloned() {
        Some(Target::Pane(id)) => state.panes[id as usize].scroll(rows, &mut state.shared),
        Some(Target::Detail(id)) => {
            let halves = state.panes[id as usize].halves_mut();
            let action = if rows < 0 { Action::Up } else { Action::Down };
            for _ in 0..rows.unsigned_abs() {
                halves.scroll(action);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn press(state: &mut State, mouse: Mouse) -> Commands {
    let Some((area, target)) = state.hits.at(mouse.x, mouse.y) else {
        return Vec::new();
    };
    let target = target.clone();
    let now = state.shared.uptime;
    let double = state
        .last_click
        .is_some_and(|(x, y, at)| (x, y) == (mouse.x, mouse.y) && now.saturating_sub(at) <= DOUBLE);
    state.last_click = (!double).then_some((mouse.x, mouse.y, now));
    if let Target::Act(action) = target {
        return vec![Command::Act(action)];
    }
    if let Some(layer) = state.layers.last_mut() {
        let target = match target {
            Target::Item(item) if area.height > 1 && item != usize::MAX => {
                Target::Point(item, mouse.x - area.x, mouse.y - area.y)
            }
            other => other,
        };
        return layer.click(&target, &mut state.shared);
    }
    match target {
        Target::Row(id, index) => {
            let mut commands = Vec::new();
            if id != state.current {
                commands.push(Command::Go(Goto::new(id, Focus::Keep)));
            }
            commands.extend(state.panes[id as usize].select_row(index, &mut state.shared));
            if double {
                commands.push(Command::Act(Action::Open));
            }
            commands
        }
        Target::Header(id, column) => {
            state.panes[id as usize].sort_by(column, &mut state.shared);
            Vec::new()
        }
        Target::Pane(id) => {
            state.panes[id as usize].halves_mut().focus = Half::List;
            focus(state, id)
        }
        Target::Detail(id) => {
            state.panes[id as usize].halves_mut().focus = Half::Detail;
            focus(state, id)
        }
        Target::Sibling(id) => vec![Command::Go(Goto::new(id, Focus::Keep))],
        Target::Tree(id, key) => vec![Command::Go(Goto::new(id, Focus::Row(key)))],
        _ => Vec::new(),
    }
}

fn focus(state: &State, id: crate::ui::state::places::PaneId) -> Commands {
    if id == state.current {
        Vec::new()
    } else {
        vec![Command::Go(Goto::new(id, Focus::Keep))]
    }
}
