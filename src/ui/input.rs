//! The terminal's events in the console's own words.

use crossterm::event::{
    Event as Raw, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};

use crate::ui::chord::{Chord, Key};
use crate::ui::event::{Event, Mouse, MouseKind};

/// Rows that one notch of the wheel scrolls.
const WHEEL: i32 = 3;
/// So many plain characters in one read are a paste, where the terminal does not say so.
const PASTE_RUN: usize = 8;

/// What a raw event means; `None` where it means nothing here.
pub(crate) fn translate(raw: Raw) -> Option<Event> {
    match raw {
        Raw::Key(key) if key.kind != KeyEventKind::Release => chord(key).map(Event::Key),
        Raw::Key(_) => None,
        Raw::Paste(text) => Some(Event::Paste(text.replace("\r\n", "\n").replace('\r', "\n"))),
        Raw::Mouse(event) => mouse(event).map(Event::Mouse),
        Raw::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        Raw::FocusGained => Some(Event::Focus(true)),
        Raw::FocusLost => Some(Event::Focus(false)),
    }
}

fn chord(key: KeyEvent) -> Option<Chord> {
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let (code, shift) = match key.code {
        KeyCode::Char(c) => (Key::Char(c), shift),
        KeyCode::Enter => (Key::Enter, shift),
        KeyCode::Esc => (Key::Esc, false),
        KeyCode::Tab => (Key::Tab, shift),
        KeyCode::BackTab => (Key::Tab, true),
        KeyCode::Backspace => (Key::Backspace, false),
        KeyCode::Delete => (Key::Delete, false),
        KeyCode::Insert => (Key::Insert, false),
        KeyCode::Up => (Key::Up, shift),
        KeyCode::Down => (Key::Down, shift),
        KeyCode::Left => (Key::Left, shift),
        KeyCode::Right => (Key::Right, shift),
        KeyCode::Home => (Key::Home, shift),
        KeyCode::End => (Key::End, shift),
        KeyCode::PageUp => (Key::PageUp, shift),
        KeyCode::PageDown => (Key::PageDown, shift),
        KeyCode::F(n) => (Key::F(n), shift),
        _ => return None,
    };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    Some(Chord::new(code, ctrl, alt, shift))
}

fn mouse(event: MouseEvent) -> Option<Mouse> {
    let kind = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseKind::Press,
        MouseEventKind::ScrollUp => MouseKind::Wheel(-WHEEL),
        MouseEventKind::ScrollDown => MouseKind::Wheel(WHEEL),
        _ => return None,
    };
    Some(Mouse {
        kind,
        x: event.column,
        y: event.row,
    })
}

/// Joins what came in one read: runs of plain keys become a paste, wheel notches one scroll, resizes the last one.
pub(crate) fn coalesce(events: Vec<Event>) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::with_capacity(events.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut Vec<Event>| {
        if run.chars().count() >= PASTE_RUN {
            out.push(Event::Paste(std::mem::take(run)));
        } else {
            out.extend(run.drain(..).map(|c| Event::Key(Chord::char(c))));
        }
    };
    for event in events {
        if let Event::Key(chord) = &event
            && let Some(c) = chord.typed()
        {
            run.push(c);
            continue;
        }
        flush(&mut run, &mut out);
        match (&event, out.last_mut()) {
            (Event::Resize(..), Some(last @ Event::Resize(..))) => *last = event,
            (
                Event::Mouse(Mouse {
                    kind: MouseKind::Wheel(more),
                    ..
                }),
                Some(Event::Mouse(Mouse {
                    kind: MouseKind::Wheel(rows),
                    ..
                })),
            ) => *rows += more,
            _ => out.push(event),
        }
    }
    flush(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Event> {
        text.chars().map(|c| Event::Key(Chord::char(c))).collect()
    }

    #[test]
    fn many_plain_keys_in_one_read_are_a_paste_and_few_are_keys() {
        assert!(
            matches!(coalesce(keys("DDDDDDDD")).as_slice(), [Event::Paste(text)] if text == "DDDDDDDD")
        );
        assert_eq!(coalesce(keys("gmgm")).len(), 4);
    }

    #[test]
    fn wheel_notches_and_resizes_of_one_read_become_one() {
        let wheel = Event::Mouse(Mouse {
            kind: MouseKind::Wheel(3),
            x: 1,
            y: 1,
        });
        let joined = coalesce(vec![wheel.clone(), wheel]);
        assert!(matches!(
            joined.as_slice(),
            [Event::Mouse(Mouse {
                kind: MouseKind::Wheel(6),
                ..
            })]
        ));
        let joined = coalesce(vec![Event::Resize(1, 1), Event::Resize(2, 2)]);
        assert!(matches!(joined.as_slice(), [Event::Resize(2, 2)]));
    }
}
