//! Every cell holds one printable cluster, wide characters stay within their cells, and frames close.

use ratatui::buffer::Buffer;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::{DIALOGS, PLACES, VIEWS, at, options};
use crate::support::live::Live;

const SIZES: [(u16, u16); 8] = [
    (1, 1),
    (20, 5),
    (59, 14),
    (60, 15),
    (80, 24),
    (100, 42),
    (120, 35),
    (200, 60),
];

/// What is wrong with the cells of a frame, in sentences.
pub(super) fn faults(buffer: &Buffer) -> Vec<String> {
    let mut faults = Vec::new();
    for y in 0..buffer.area.height {
        let mut covered = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            // Most cells: a letter in its own cell.
            if covered == 0 && matches!(symbol.as_bytes(), [0x20..=0x7e]) {
                continue;
            }
            let cells = symbol.width();
            let clusters = if symbol.chars().count() == 1 {
                1
            } else {
                symbol.graphemes(true).count()
            };
            if symbol.chars().any(char::is_control) || clusters != 1 {
                faults.push(format!("{x},{y} holds {symbol:?}"));
            }
            if covered > 0 {
                covered -= 1;
                if symbol != " " {
                    faults.push(format!("{x},{y}: {symbol:?} lies under a wide character"));
                }
                continue;
            }
            if cells == 0 || cells > 2 || x + cells as u16 > buffer.area.width {
                faults.push(format!("{x},{y}: {symbol:?} does not fit its cells"));
            }
            covered = cells.saturating_sub(1);
        }
    }
    faults
}

/// Corners of a frame and what stands between them.
const FRAMES: [[&str; 5]; 2] = [["┏", "┓", "┗", "┛", "┃"], ["╭", "╮", "╰", "╯", "│"]];

/// Frames whose sides are broken. A frame under a dialog is covered, so this is for screens without one.
pub(super) fn broken_frames(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let symbol = |x: u16, y: u16| buffer[(x, y)].symbol();
    let mut broken = Vec::new();
    for [top_left, top_right, bottom_left, bottom_right, side] in FRAMES {
        for (x, y) in area.positions().map(|at| (at.x, at.y)) {
            if symbol(x, y) != top_left {
                continue;
            }
            let Some(right) = (x..area.width).find(|right| symbol(*right, y) == top_right) else {
                broken.push(format!("the frame at {x},{y} has no right corner"));
                continue;
            };
            let Some(bottom) = (y..area.height).find(|bottom| symbol(x, *bottom) == bottom_left)
            else {
                broken.push(format!("the frame at {x},{y} has no lower corner"));
                continue;
            };
            if symbol(right, bottom) != bottom_right {
                broken.push(format!(
                    "the frame at {x},{y} does not close at {right},{bottom}"
                ));
            }
            for row in y + 1..bottom {
                // A scroll bar lies on the right side.
                if symbol(x, row) != side || ![side, "█"].contains(&symbol(right, row)) {
                    broken.push(format!("the frame at {x},{y} is broken in row {row}"));
                }
            }
        }
    }
    broken
}

#[tokio::test]
async fn every_screen_keeps_its_cells_at_every_size() {
    let live = Live::orders().await;
    let scenes = [PLACES, VIEWS, DIALOGS].concat();
    for size in SIZES {
        for (name, keys) in &scenes {
            let mut stage = at(&live, options(), size, keys).await;
            let first = stage.draw();
            assert_eq!(
                first,
                stage.draw(),
                "{name} at {size:?} draws twice the same"
            );
            let mut found = faults(&first);
            if stage.state.layers.is_empty() && stage.state.pending.is_empty() {
                found.extend(broken_frames(&first));
            }
            assert!(
                found.is_empty(),
                "{name} at {size:?}: {found:#?}\n{}",
                stage.text()
            );
        }
    }
}
