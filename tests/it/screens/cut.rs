//! What does not fit is cut with a sign, and never so short that one name is taken for another.

use std::collections::HashSet;

use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;
use moonport::ui::widget::hits::Target;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{at, options};
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
pub(super) fn words(text: &str) -> HashSet<String> {
    let words = pieces(text).map(|word| {
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '…')
            .to_owned()
    });
    words.filter(|word| word.chars().count() > 2).collect()
}

/// Words of `narrow` that are the beginnings of longer words in `wide`, without a sign. A word that is too long for its
/// column may go on in the next row.
pub(super) fn cut_silently(narrow: &str, wide: &HashSet<String>) -> Vec<String> {
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

/// What lies on top: of a screen with a dialog the dialog alone, since what lies under it is covered.
pub(super) fn uncovered(stage: &mut Stage) -> Buffer {
    let frame = stage.draw();
    let of_dialog = |at: &Position| {
        let target = stage.state.hits.at(at.x, at.y);
        matches!(target, Some((_, Target::Item(_) | Target::Point(..))))
    };
    let cells: Vec<Position> = frame.area.positions().filter(of_dialog).collect();
    let (Some(first), Some(last)) = (cells.first(), cells.last()) else {
        return frame;
    };
    let (right, left) = (last.x.max(first.x), first.x.min(last.x));
    let area = Rect::new(left, first.y, right - left + 1, last.y - first.y + 1);
    let mut alone = Buffer::empty(area);
    for position in area.positions() {
        alone[position] = frame[position].clone();
    }
    alone
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
