//! Whole screens as text, each the same in every run.

use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::text_of;
use moonport::ui::theme::Depth;
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::{DIALOGS, PLACES, Scene, VIEWS, at, options};
use crate::support::live::Live;

const NARROW: (u16, u16) = (80, 24);
const MEDIUM: (u16, u16) = (120, 35);
const WIDE: (u16, u16) = (200, 60);

/// Compares every scene at a size with its file; the differences come all at once.
async fn compare(
    live: &Live,
    look: &str,
    options: ConsoleOptions,
    size: (u16, u16),
    scenes: &[Scene],
) {
    for (name, keys) in scenes {
        let mut stage = at(live, options.clone(), size, keys).await;
        let file = format!("{name}-{look}{}x{}", size.0, size.1);
        insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(file, stage.text());
        });
    }
}

#[tokio::test]
async fn places_look_as_kept() {
    let live = Live::orders().await;
    for size in [NARROW, MEDIUM] {
        compare(&live, "", options(), size, PLACES).await;
    }
    let wide: Vec<Scene> = PLACES
        .iter()
        .filter(|(name, _)| ["topics", "messages", "logs", "dead-letters"].contains(name))
        .copied()
        .collect();
    compare(&live, "", options(), WIDE, &wide).await;
}

#[tokio::test]
async fn views_of_places_look_as_kept() {
    let live = Live::orders().await;
    for size in [NARROW, MEDIUM] {
        compare(&live, "", options(), size, VIEWS).await;
    }
}

#[tokio::test]
async fn dialogs_look_as_kept() {
    let live = Live::orders().await;
    for size in [NARROW, MEDIUM] {
        compare(&live, "", options(), size, DIALOGS).await;
    }
}

#[tokio::test]
async fn empty_places_say_what_belongs_there_and_the_key_that_helps() {
    let live = Live::empty().await;
    let mut without_guide = Vec::new();
    for (name, keys) in PLACES {
        // The guide lies over an empty store.
        without_guide.push((*name, &*format!("Esc {keys}").leak()));
    }
    compare(&live, "empty-", options(), NARROW, &without_guide).await;
    compare(&live, "empty-", options(), NARROW, &[("guide", "")]).await;
    compare(&live, "empty-", options(), MEDIUM, &[("guide", "")]).await;
}

#[tokio::test]
async fn other_looks_are_as_kept() {
    let live = Live::orders().await;
    let scenes: Vec<Scene> = [PLACES, DIALOGS]
        .concat()
        .into_iter()
        .filter(|(name, _)| ["topics", "triggers", "logs", "send"].contains(name))
        .collect();
    let ascii = ConsoleOptions {
        ascii: true,
        ..options()
    };
    compare(&live, "ascii-", ascii, NARROW, &scenes).await;
    let plain = ConsoleOptions {
        plain: true,
        ..options()
    };
    compare(&live, "plain-", plain, NARROW, &scenes).await;
    let read_only = ConsoleOptions {
        read_only: true,
        ..options()
    };
    compare(&live, "read-only-", read_only, NARROW, &scenes[..1]).await;
    compare(&live, "", options(), (59, 14), &scenes[..1]).await;
}

/// Where there is no colour, attributes show what is selected and what has the focus.
#[tokio::test]
async fn without_colour_selection_and_focus_are_attributes() {
    let live = Live::orders().await;
    let mono = ConsoleOptions {
        directory: "/home/me/orders".into(),
        ..ConsoleOptions::new(Depth::Mono)
    };
    for (name, keys) in [
        ("topics", "2"),
        ("message-detail", "6 Enter Tab"),
        ("send", "2 s Tab"),
        ("delete-topic", "2 D"),
        ("palette", ":"),
    ] {
        let mut stage = at(&live, mono.clone(), NARROW, keys).await;
        let file = format!("{name}-mono-80x24");
        insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(file, styled(&stage.draw()));
        });
    }
}

/// A frame as text; under each row with attributes a row of letters: Bold, Reverse, Underlined, Dim, * for several.
fn styled(buffer: &Buffer) -> String {
    let text = text_of(buffer);
    let mut out = String::new();
    for (y, row) in (0..buffer.area.height).zip(text.lines()) {
        let letters: String = (0..buffer.area.width)
            .map(|x| letter(buffer[(x, y)].modifier))
            .collect();
        out.push_str(row);
        out.push('\n');
        if !letters.trim().is_empty() {
            out.push_str(letters.trim_end());
            out.push('\n');
        }
    }
    out
}

fn letter(modifier: Modifier) -> char {
    match modifier {
        m if m.is_empty() => ' ',
        Modifier::BOLD => 'B',
        Modifier::REVERSED => 'R',
        Modifier::UNDERLINED => 'U',
        Modifier::DIM => 'D',
        _ => '*',
    }
}
