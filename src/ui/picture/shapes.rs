//! Frames and bars as shapes that fill their cells.

use std::fmt::Write as _;

use super::{HEIGHT, Run, WIDTH};

/// Arms of a frame's piece: left, right, up, down; then whether it is heavy and whether its corner is round.
fn frame(piece: char) -> Option<([bool; 4], bool, bool)> {
    Some(match piece {
        '─' | '╴' => ([true, piece == '─', false, false], false, false),
        '│' | '┊' => ([false, false, true, true], false, false),
        '╭' => ([false, true, false, true], false, true),
        '╮' => ([true, false, false, true], false, true),
        '╰' => ([false, true, true, false], false, true),
        '╯' => ([true, false, true, false], false, true),
        '┤' => ([true, false, true, true], false, false),
        '├' => ([false, true, true, true], false, false),
        '┼' => ([true, true, true, true], false, false),
        '━' => ([true, true, false, false], true, false),
        '┃' => ([false, false, true, true], true, false),
        '┏' => ([false, true, false, true], true, false),
        '┓' => ([true, false, false, true], true, false),
        '┗' => ([false, true, true, false], true, false),
        '┛' => ([true, false, true, false], true, false),
        _ => return None,
    })
}

/// A bar's share of its cell: width and height; it stands at the left or at the bottom.
fn bar(piece: char) -> Option<(f64, f64)> {
    let code = u32::from(piece);
    match piece {
        '▁'..='█' => Some((1.0, f64::from(code - 0x2580) / 8.0)),
        '▉'..='▏' => Some((f64::from(0x2590 - code) / 8.0, 1.0)),
        _ => None,
    }
}

/// Draws a run of frame pieces or bars; false when it is text.
pub(super) fn write(out: &mut String, run: &Run, left: f64, top: f64) -> bool {
    let mut pieces = run.text.chars();
    let Some(piece) = pieces.next() else {
        return false;
    };
    let ink = &run.look.ink;
    let cells = f64::from(run.cells);
    if let Some((wide, tall)) = bar(piece) {
        for cell in 0..if wide < 1.0 { run.cells } else { 1 } {
            let x = left + f64::from(cell) * WIDTH;
            let width = if wide < 1.0 {
                wide * WIDTH
            } else {
                cells * WIDTH
            };
            let _ = writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{ink}\"/>",
                top + HEIGHT * (1.0 - tall),
                HEIGHT * tall,
            );
        }
        return true;
    }
    if piece == '░' {
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{HEIGHT:.1}\" fill=\"{ink}\" opacity=\".3\"/>",
            cells * WIDTH
        );
        return true;
    }
    let Some((arms, heavy, round)) = frame(piece) else {
        return false;
    };
    let stroke = if heavy { 2.2 } else { 1.1 };
    let path = match arms {
        // A rule of any length is one stroke.
        [true, true, false, false] => {
            format!("M{left:.1} {:.1}h{:.1}", top + HEIGHT / 2.0, cells * WIDTH)
        }
        _ => (0..run.cells)
            .map(|cell| arms_path(arms, round, left + f64::from(cell) * WIDTH, top))
            .collect(),
    };
    let _ = writeln!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"{stroke}\"/>"
    );
    true
}

fn arms_path([left, right, up, down]: [bool; 4], round: bool, x: f64, y: f64) -> String {
    let (cx, cy) = (x + WIDTH / 2.0, y + HEIGHT / 2.0);
    if round {
        let side = if right { x + WIDTH } else { x };
        let end = if down { y + HEIGHT } else { y };
        return format!("M{side:.1} {cy:.1}Q{cx:.1} {cy:.1} {cx:.1} {end:.1}");
    }
    let mut path = String::new();
    for (on, ex, ey) in [
        (left, x, cy),
        (right, x + WIDTH, cy),
        (up, cx, y),
        (down, cx, y + HEIGHT),
    ] {
        if on {
            let _ = write!(path, "M{cx:.1} {cy:.1}L{ex:.1} {ey:.1}");
        }
    }
    path
}
