//! What does not fit is cut with a sign, and never so short that one name is taken for another.

use std::collections::HashSet;

use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::{Stage, text_of};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{DIALOGS, PLACES, VIEWS, at, options};
use crate::support::live::Live;

/// Words that a narrow screen says shorter on purpose.
const SHORT: &[&str] = &["Inst", "Func", "Trig", "Msgs", "Dead", "TRANSACT", "MSG"];
/// Longer words, such as handles and bodies, are broken into rows instead of cut.
const LONGEST: usize = 20;
/// Fewest cells of a name that was cut.
const LEAST: usize = 8;

const BORDER: &str = "┃│━─┏┓┗┛╭╮╰╯├┤┼█";

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || BORDER.contains(c))
}

/// Words of a screen, borders and marks left out.
fn words(text: &str) -> HashSet<String> {
    let words = pieces(text).map(|word| {
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '…')
            .to_owned()
    });
    words.filter(|word| word.chars().count() > 2).collect()
}

/// Words of `narrow` that are the beginnings of longer words in `wide`, without a sign. A word that is too long for its
/// column may go on in the next row.
fn cut_silently(narrow: &str, wide: &HashSet<String>) -> Vec<String> {
    let goes_on = |rest: &str| {
        pieces(narrow)
            .any(|piece| !piece.is_empty() && (rest.starts_with(piece) || piece.starts_with(rest)))
    };
    let cut = |word: &String| {
        word.starts_with(char::is_alphabetic)
            && word.len() <= LONGEST
            && !word.contains(['…', '"'])
            && !wide.contains(word)
            && !SHORT.contains(&word.as_str())
            && wide.iter().any(|whole| {
                let rest = whole.strip_prefix(word.as_str());
                rest.is_some_and(|rest| !goes_on(rest))
            })
    };
    let mut found: Vec<String> = words(narrow).into_iter().filter(cut).collect();
    found.sort();
    found
}

/// The text of a screen; of a dialog alone, since what lies under it is covered. The dialog has the focus.
fn uncovered(stage: &mut Stage) -> String {
    let frame = stage.draw();
    let corner = |symbol: &str| {
        let at = frame
            .content()
            .iter()
            .position(|cell| cell.symbol() == symbol);
        at.map(|at| frame.pos_of(at))
    };
    match (corner("┏"), corner("┛")) {
        (Some((left, top)), Some((right, bottom))) if !stage.state.layers.is_empty() => {
            let area = Rect::new(left, top, right - left + 1, bottom - top + 1);
            let mut alone = Buffer::empty(area);
            for position in area.positions() {
                alone[position] = frame[position].clone();
            }
            text_of(&alone)
        }
        _ => text_of(&frame),
    }
}

#[tokio::test]
async fn a_word_that_is_cut_ends_in_a_sign() {
    let live = Live::orders().await;
    let mut found = Vec::new();
    let scenes = [PLACES, VIEWS, DIALOGS].concat();
    // The strip of continuations covers a pane.
    for (name, keys) in scenes.into_iter().filter(|(name, _)| *name != "which-key") {
        let mut wide = HashSet::new();
        // What the widest screens show, in list and detail and alone.
        for size in [(300, 80), (159, 80), (99, 80)] {
            wide.extend(words(&uncovered(
                &mut at(&live, options(), size, keys).await,
            )));
        }
        for size in [
            (60, 15),
            (80, 24),
            (100, 30),
            (120, 35),
            (160, 46),
            (200, 60),
        ] {
            let text = uncovered(&mut at(&live, options(), size, keys).await);
            let cut = cut_silently(&text, &wide);
            if !cut.is_empty() {
                found.push(format!("{name} at {size:?}: {cut:?}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn names_are_whole_or_cut_to_eight_cells_at_least() {
    let live = Live::orders().await;
    let names = [
        (
            "2",
            [
                "message-processing",
                "invoice-steps",
                "payments-tx",
                "reminders",
            ],
        ),
        ("3", ["message-processing", "invoices", "webhook", "audit"]),
        (
            "4",
            ["order-logger", "order-audit", "invoice-bot", "order-audit"],
        ),
        (
            "5",
            [
                "order-created",
                "order-audit",
                "invoice-steps",
                "order-audit",
            ],
        ),
    ];
    let looks = [
        options(),
        ConsoleOptions {
            ascii: true,
            ..options()
        },
        ConsoleOptions {
            plain: true,
            ..options()
        },
    ];
    for look in looks {
        for columns in [60, 80, 100, 120, 159, 200] {
            for (place, names) in names {
                let text = at(&live, look.clone(), (columns, 35), place).await.text();
                // In ASCII the sign is another one.
                let shown = words(&text.replace('~', "…"));
                for name in names {
                    let told = shown.iter().any(|word| {
                        let head = word.trim_end_matches('…');
                        word == name || (name.starts_with(head) && head.len() + 1 >= LEAST)
                    });
                    assert!(told, "{name} in {columns} columns:\n{text}");
                }
            }
        }
    }
}
