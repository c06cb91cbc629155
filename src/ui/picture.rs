//! A frame as an SVG picture: for the documentation, and to show somebody else what stands on a screen.
//!
//! Text is set in runs of given length, so the grid holds in any monospaced font. Frames and bars are drawn as shapes:
//! they meet whatever the font's own line height is.

mod shapes;

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

/// Cell size and type size, in pixels.
const WIDTH: f64 = 8.0;
const HEIGHT: f64 = 17.0;
const SIZE: f64 = 13.3;
const BASELINE: f64 = 13.0;
const MARGIN: f64 = 12.0;
/// The terminal's own colours, where a frame leaves them to it.
const INK: &str = "#d5daf0";
const PAPER: &str = "#171a26";
const FONTS: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',\
    'Noto Sans Mono CJK SC',monospace";

/// How a cell looks.
#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    paper: String,
    bold: bool,
    italic: bool,
    underline: bool,
    dim: bool,
}

/// Cells of one look, side by side.
struct Run {
    x: u16,
    cells: u16,
    text: String,
    look: Look,
}

/// The picture of a frame; `title` is what it is called where it cannot be seen.
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let width = f64::from(area.width) * WIDTH + 2.0 * MARGIN;
    let height = f64::from(area.height) * HEIGHT + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n\
         <title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
         <g transform=\"translate({MARGIN},{MARGIN})\" font-family=\"{FONTS}\" font-size=\"{SIZE}\" \
         xml:space=\"preserve\">\n",
        escaped(title),
        ground(buffer),
    );
    for y in 0..area.height {
        for run in runs(buffer, y) {
            write_run(&mut out, &run, y, &ground(buffer));
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// What is painted behind everything: the first cell's background.
fn ground(buffer: &Buffer) -> String {
    let first = buffer.content().first();
    first.map_or_else(|| PAPER.to_owned(), |cell| color(cell.bg, PAPER))
}

fn runs(buffer: &Buffer, y: u16) -> Vec<Run> {
    let area = buffer.area;
    let mut runs: Vec<Run> = Vec::new();
    let mut x = 0;
    while x < area.width {
        let Some(cell) = buffer.cell((area.x + x, area.y + y)) else {
            break;
        };
        let cells = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        let look = look(cell);
        // Wide and drawn cells stand alone, so that a font cannot shift what follows.
        let alone = cells > 1 || !cell.symbol().is_ascii();
        match runs.last_mut() {
            Some(run)
                if run.look == look && !alone && run.text.is_ascii() && run.x + run.cells == x =>
            {
                run.text.push_str(cell.symbol());
                run.cells += cells;
            }
            Some(run)
                if run.look == look
                    && cells == 1
                    && run.text == cell.symbol().repeat(usize::from(run.cells)) =>
            {
                run.text.push_str(cell.symbol());
                run.cells += cells;
            }
            _ => runs.push(Run {
                x,
                cells,
                text: cell.symbol().to_owned(),
                look,
            }),
        }
        x += cells;
    }
    runs
}

fn look(cell: &Cell) -> Look {
    let has = |modifier| cell.modifier.contains(modifier);
    let (ink, paper) = (color(cell.fg, INK), color(cell.bg, PAPER));
    let (ink, paper) = if has(Modifier::REVERSED) {
        (paper, ink)
    } else {
        (ink, paper)
    };
    Look {
        ink,
        paper,
        bold: has(Modifier::BOLD),
        italic: has(Modifier::ITALIC),
        underline: has(Modifier::UNDERLINED),
        dim: has(Modifier::DIM),
    }
}

fn write_run(out: &mut String, run: &Run, y: u16, ground: &str) {
    let left = f64::from(run.x) * WIDTH;
    let top = f64::from(y) * HEIGHT;
    let width = f64::from(run.cells) * WIDTH;
    if run.look.paper != ground {
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"{HEIGHT:.0}\" fill=\"{}\"/>",
            run.look.paper
        );
    }
    if run.look.underline {
        let _ = writeln!(
            out,
            "<path d=\"M{left:.1} {:.1}h{width:.1}\" stroke=\"{}\" opacity=\".7\"/>",
            top + BASELINE + 2.0,
            run.look.ink
        );
    }
    if shapes::write(out, run, left, top) {
        return;
    }
    let lead = run.text.len() - run.text.trim_start_matches(' ').len();
    let text = run.text.trim_matches(' ');
    if text.is_empty() {
        return;
    }
    let cells = u16::try_from(text.width()).unwrap_or(run.cells);
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.0}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"",
        left + lead as f64 * WIDTH,
        top + BASELINE,
        f64::from(cells) * WIDTH,
        run.look.ink
    );
    for (on, attribute) in [
        (run.look.bold, " font-weight=\"bold\""),
        (run.look.italic, " font-style=\"italic\""),
        (run.look.dim, " opacity=\".65\""),
    ] {
        if on {
            out.push_str(attribute);
        }
    }
    let _ = writeln!(out, ">{}</text>", escaped(text));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A terminal colour as the web writes it.
fn color(color: Color, own: &str) -> String {
    const NAMED: [&str; 16] = [
        "#1e2127", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf",
        "#7f848e", "#ff7b85", "#a9d78b", "#f0d08c", "#78c0ff", "#d68fec", "#6cd0dc", "#ffffff",
    ];
    let index = match color {
        Color::Reset => return own.to_owned(),
        Color::Rgb(r, g, b) => return format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(index) if index >= 16 => {
            let (r, g, b) = crate::ui::theme::table_color(index);
            return format!("#{r:02x}{g:02x}{b:02x}");
        }
        Color::Indexed(index) => usize::from(index),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    NAMED.get(index).copied().unwrap_or(INK).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn frame(text: &str, style: Style) -> Buffer {
        let cells = u16::try_from(text.width()).unwrap();
        let mut buffer = Buffer::empty(Rect::new(0, 0, cells, 1));
        buffer.set_string(0, 0, text, style);
        buffer
    }

    #[test]
    fn text_is_escaped_and_set_at_its_cell() {
        let picture = svg(&frame("  a<b", Style::new().fg(Color::Rgb(1, 2, 3))), "x");
        assert!(picture.contains(
            "<text x=\"16.0\" y=\"13\" textLength=\"24.0\" lengthAdjust=\"spacingAndGlyphs\" \
             fill=\"#010203\">a&lt;b</text>"
        ));
    }

    #[test]
    fn reverse_video_swaps_ink_and_paper() {
        let mut buffer = frame("a b", Style::new());
        buffer[(2, 0)].set_style(Style::new().add_modifier(Modifier::REVERSED));
        let picture = svg(&buffer, "x");
        assert!(picture.contains(&format!(
            "<rect x=\"16.0\" y=\"0\" width=\"8.0\" height=\"17\" fill=\"{INK}\"/>"
        )));
    }

    #[test]
    fn wide_letters_stand_alone_and_frames_are_shapes() {
        let picture = svg(&frame("中a━", Style::new()), "x");
        assert!(picture.contains(
            "textLength=\"16.0\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#d5daf0\">中<"
        ));
        assert!(picture.contains("<path"));
        assert!(!picture.contains('━'));
    }
}
