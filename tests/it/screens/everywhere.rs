//! Every screen at every size, glyph set, theme and depth holds the rules: cells add up, names are cut with a sign, the
//! look never changes what is said, and without colour selection and focus are still seen.

use std::collections::HashSet;

use moonport::ui::options::ConsoleOptions;
use moonport::ui::pane::Half;
use moonport::ui::stage::{Stage, text_of};
use moonport::ui::theme::{Depth, Theme};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::alignment::{broken_frames, faults};
use super::cut::{cut_silently, uncovered, words};
use super::look::judged_in_silence;
use super::{DIALOGS, PLACES, Scene, VIEWS, at, options};
use crate::support::live::Live;

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 35), (200, 60)];
/// Where everything has room, in list and detail and alone.
const WIDEST: [(u16, u16); 3] = [(300, 80), (159, 80), (99, 80)];
const DEPTHS: [Depth; 4] = [Depth::True, Depth::Ansi256, Depth::Ansi16, Depth::Mono];

/// What a screen does wrong, in sentences.
async fn wrongs(live: &Live, look: &ConsoleOptions, scene: Scene) -> Vec<String> {
    let (name, keys) = scene;
    let mut wide = HashSet::new();
    for size in WIDEST {
        let text = text_of(&uncovered(&mut at(live, look.clone(), size, keys).await));
        wide.extend(words(&signs(&text, look)));
    }
    let mut wrong = Vec::new();
    for (number, size) in SIZES.into_iter().enumerate() {
        let mut stage = at(live, look.clone(), size, keys).await;
        let mut found = faults(&stage.draw());
        let text = text_of(&uncovered(&mut stage));
        // The strip of continuations covers a pane.
        if name != "which-key" {
            let cut = cut_silently(&signs(&text, look), &wide);
            found.extend(cut.iter().map(|word| format!("`{word}` is cut")));
        }
        found.extend(foreign_cells(&text, look));
        if !look.ascii && stage.state.layers.is_empty() && stage.state.pending.is_empty() {
            found.extend(broken_frames(&stage.draw()));
        }
        found.extend(themed(&mut stage, DEPTHS[number]));
        found.extend(moved(&mut stage).await.into_iter().map(str::to_owned));
        wrong.extend(found.into_iter().map(|f| format!("{name} {size:?}: {f}")));
    }
    wrong
}

/// In ASCII the sign of a cut is another one.
fn signs(text: &str, look: &ConsoleOptions) -> String {
    if look.ascii {
        text.replace('~', "…")
    } else {
        text.to_owned()
    }
}

/// Cells that a glyph set must not have.
fn foreign_cells(text: &str, look: &ConsoleOptions) -> Option<String> {
    const DRAWN: [char; 13] = [
        '┃', '│', '━', '─', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█', '░',
    ];
    let foreign = |c: &char| look.ascii && !c.is_ascii() || look.plain && DRAWN.contains(c);
    let found = text.chars().find(foreign);
    found.map(|c| format!("{c:?} is drawn"))
}

/// Draws with every theme, at one depth and without colour.
fn themed(stage: &mut Stage, depth: Depth) -> Vec<String> {
    let kept = stage.state.shared.look.theme.clone();
    let says = without_theme(&stage.text());
    let mut wrong = Vec::new();
    for theme in Theme::names() {
        for depth in [depth, Depth::Mono] {
            stage.state.shared.look.theme = Theme::builtin(theme, depth).unwrap();
            let frame = stage.draw();
            if without_theme(&text_of(&frame)) != says {
                wrong.push(format!("{theme} at {depth:?} says something else"));
            }
            if depth == Depth::Mono {
                wrong.extend(colourless(&frame).map(|fault| format!("{theme}: {fault}")));
                if !shows_where(stage, &frame) {
                    wrong.push(format!(
                        "{theme} without colour shows no place for the keys"
                    ));
                }
            }
        }
    }
    stage.state.shared.look.theme = Theme::builtin("moon-dark", Depth::True).unwrap();
    let frame = uncovered(stage);
    wrong.extend(judged_in_silence(&frame, &stage.state.shared.look.theme));
    stage.state.shared.look.theme = kept;
    wrong
}

/// The first line of a wide screen names the theme.
fn without_theme(text: &str) -> String {
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

fn colourless(frame: &Buffer) -> Option<&'static str> {
    let has_colour =
        |cell: &ratatui::buffer::Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
    frame
        .content()
        .iter()
        .any(has_colour)
        .then_some("has colours without colour")
}

/// Without colour: a row in reverse video, an underlined field, a bold title, or the terminal's cursor.
fn shows_where(stage: &Stage, frame: &Buffer) -> bool {
    let marks = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::BOLD;
    let marked = |cell: &ratatui::buffer::Cell| cell.modifier.intersects(marks);
    // The name of the program is bold on every screen.
    stage.state.hits.cursor.is_some() || frame.content().iter().skip(20).any(marked)
}

/// Without colour, on a place: the selection and the focus change cells when they move.
async fn moved(stage: &mut Stage) -> Vec<&'static str> {
    let state = &stage.state;
    let is_covered = !state.layers.is_empty() || !state.pending.is_empty();
    let rows = state.pane().table(&state.shared).len().saturating_sub(1);
    if is_covered || rows == 0 || state.pane().halves().focus == Half::Detail {
        return Vec::new();
    }
    stage.state.shared.look.theme = Theme::builtin("mono", Depth::Mono).unwrap();
    let mut wrong = Vec::new();
    let before = selected_rows(&stage.draw());
    if before.len() != 1 {
        wrong.push("one row has not the selection");
    }
    stage.keys("k").await;
    let above = selected_rows(&stage.draw());
    stage.keys("j").await;
    stage.keys("j").await;
    let below = selected_rows(&stage.draw());
    if rows > 2 && above == below {
        wrong.push("the selection moves unseen");
    }
    let first = stage.draw();
    stage.keys("Tab").await;
    if first == stage.draw() {
        wrong.push("the focus moves unseen");
    }
    wrong
}

/// Rows of the screen that have the marker and reverse video.
fn selected_rows(frame: &Buffer) -> Vec<u16> {
    let area = frame.area;
    let selected = |y: &u16| {
        (0..area.width.saturating_sub(4)).any(|x| {
            let marker = &frame[(x, *y)];
            let is_reversed = |x: u16| frame[(x, *y)].modifier.contains(Modifier::REVERSED);
            marker.symbol() == ">" && (x..x + 4).all(is_reversed)
        })
    };
    (0..area.height).filter(selected).collect()
}

async fn every_screen(look: ConsoleOptions) {
    let live = Live::orders().await;
    let mut wrong = Vec::new();
    for scene in [PLACES, VIEWS, DIALOGS].concat() {
        wrong.extend(wrongs(&live, &look, scene).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn unicode_screens_hold_the_rules() {
    every_screen(options()).await;
}

#[tokio::test]
async fn ascii_screens_hold_the_rules() {
    let ascii = ConsoleOptions {
        ascii: true,
        ..options()
    };
    every_screen(ascii).await;
}

#[tokio::test]
async fn plain_screens_hold_the_rules() {
    let plain = ConsoleOptions {
        plain: true,
        ..options()
    };
    every_screen(plain).await;
}
