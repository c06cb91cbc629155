//! Charts in block characters. Every chart has its numbers in words under it.

use ratatui::layout::Rect;

use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::safe;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Values over time, newest last; `None` where nothing was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    pub title: String,
    pub unit: &'static str,
    pub series: Vec<ChartSeries>,
    /// Labels at the left end and at the right end of the axis.
    pub from: String,
    pub to: String,
    /// Rows of bars.
    pub bars: u16,
    /// Shown as numbers instead of bars.
    pub as_table: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChartSeries {
    pub name: &'static str,
    pub values: Vec<Option<f64>>,
}

impl Chart {
    /// Rows it takes.
    pub fn height(&self, plain: bool) -> usize {
        let text = self.series.len();
        if plain || self.as_table {
            text + 1
        } else {
            text + usize::from(self.bars) + 3
        }
    }
}

/// A row of eight levels over the newest values, scaled to their own maximum.
pub fn sparkline(values: &[Option<f64>], cells: usize) -> String {
    let skip = values.len().saturating_sub(cells);
    let shown = values.get(skip..).unwrap_or(&[]);
    let max = shown.iter().flatten().copied().fold(0.0, f64::max);
    let lead = cells.saturating_sub(shown.len());
    let bars = shown.iter().map(|value| match value {
        None => ' ',
        Some(v) if max <= 0.0 || *v <= 0.0 => BLOCKS[0],
        Some(v) => level(*v / max, 8),
    });
    std::iter::repeat_n(' ', lead).chain(bars).collect()
}

fn level(share: f64, levels: usize) -> char {
    let index = (share * levels as f64).ceil() as usize;
    BLOCKS
        .get(index.clamp(1, levels) - 1)
        .copied()
        .unwrap_or('█')
}

/// The first series as bars with an axis of round numbers, then each series in words.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, chart: &Chart) {
    if area.width < 20 || area.height == 0 {
        return;
    }
    canvas.line(area.x, area.y, area.width, &title(chart));
    let mut y = area.y + 1;
    if !canvas.look.plain && !chart.as_table {
        let room = Rect {
            y,
            height: chart.bars,
            ..area
        };
        bars(canvas, room.intersection(area), chart);
        y += chart.bars + 2;
    }
    for series in &chart.series {
        if y < area.bottom() {
            canvas.line(area.x, y, area.width, &words(series));
        }
        y += 1;
    }
}

fn title(chart: &Chart) -> Line {
    Line::of(chart.title.clone(), Token::Title).put(format!("   {}", chart.unit), Token::Muted)
}

fn bars(canvas: &mut Canvas<'_>, area: Rect, chart: &Chart) {
    let Some(series) = chart.series.first() else {
        return;
    };
    let max = series.values.iter().flatten().copied().fold(0.0, f64::max);
    let top = round_up(max);
    let label_width = safe::width(&axis(top)).max(3);
    let left = u16::try_from(label_width).unwrap_or(4) + 2;
    let width = area.width.saturating_sub(left);
    let values = squeeze(&series.values, usize::from(width));
    for row in 0..area.height {
        let y = area.y + row;
        let from_bottom = area.height - 1 - row;
        let is_top = row == 0;
        let is_middle = row == area.height / 2 && area.height >= 5;
        let label = match (is_top, is_middle) {
            (true, _) => axis(top),
            (_, true) => axis(top * f64::from(from_bottom + 1) / f64::from(area.height)),
            _ => String::new(),
        };
        let tick = if label.is_empty() { "│" } else { "┤" };
        canvas.put(
            area.x,
            y,
            left,
            &format!("{label:>label_width$} {tick}"),
            Token::Muted,
        );
        let text: String = values
            .iter()
            .map(|value| cell_of(*value, top, from_bottom, area.height))
            .collect();
        canvas.put(area.x + left, y, width, &text, Token::Chart);
    }
    let y = area.bottom();
    let rule = "─".repeat(usize::from(width));
    canvas.put(
        area.x,
        y,
        area.width,
        &format!("{:>label_width$} ┼{rule}", 0),
        Token::Muted,
    );
    let labels = Rect {
        y: y + 1,
        height: 1,
        ..area
    };
    let used = canvas.put(area.x + left, labels.y, width, &chart.from, Token::Muted);
    if usize::from(width) > usize::from(used) + chart.to.len() + 1 {
        canvas.line_right(
            labels.right(),
            labels.y,
            width,
            &Line::muted(chart.to.clone()),
        );
    }
}

/// The piece of a bar that lies in row `from_bottom` of `height`.
fn cell_of(value: Option<f64>, top: f64, from_bottom: u16, height: u16) -> char {
    let Some(value) = value else { return ' ' };
    if top <= 0.0 {
        return ' ';
    }
    let eighths = (value / top * f64::from(height) * 8.0).round() as i64;
    let here = eighths - i64::from(from_bottom) * 8;
    match here {
        ..=0 => ' ',
        1..=7 => BLOCKS[usize::try_from(here - 1).unwrap_or(0)],
        _ => '█',
    }
}

/// Values at one per cell: the maximum of those that share a cell, newest at the right.
fn squeeze(values: &[Option<f64>], cells: usize) -> Vec<Option<f64>> {
    if cells == 0 {
        return Vec::new();
    }
    let per_cell = values.len().div_ceil(cells).max(1);
    let mut out: Vec<Option<f64>> = values
        .rchunks(per_cell)
        .map(|chunk| chunk.iter().flatten().copied().reduce(f64::max))
        .collect();
    out.resize(cells, None);
    out.reverse();
    out
}

fn words(series: &ChartSeries) -> Line {
    let known: Vec<f64> = series.values.iter().flatten().copied().collect();
    let name = format!("{:<8}", series.name);
    let Some(now) = known.last() else {
        return Line::muted(format!("{name}nothing measured yet"));
    };
    let max = known.iter().copied().fold(0.0, f64::max);
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    Line::muted(name)
        .then(format!("now {}", numbers::rate(*now)))
        .put(
            format!(
                "   max {}   mean {}",
                numbers::rate(max),
                numbers::rate(mean)
            ),
            Token::Muted,
        )
}

/// The next of 1, 2, 5, 10, 20, 50 … at or above a value.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let base = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * base)
        .find(|step| *step >= value)
        .unwrap_or(base * 10.0)
}

fn axis(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 {
        numbers::count(value.round() as u64)
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_zero_as_a_base_and_nothing_as_a_gap() {
        let values = [None, Some(0.0), Some(1.0), Some(8.0)];
        assert_eq!(sparkline(&values, 6), "   ▁▁█");
        assert_eq!(sparkline(&[Some(0.0)], 3), "  ▁");
    }

    #[test]
    fn axes_end_on_round_numbers() {
        for (value, top) in [
            (0.0, 1.0),
            (3.0, 5.0),
            (42.0, 50.0),
            (51.0, 100.0),
            (0.3, 0.5),
        ] {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn squeezing_keeps_the_peak_and_the_newest_at_the_right() {
        let values: Vec<Option<f64>> = (0..10).map(|v| Some(f64::from(v))).collect();
        let squeezed = squeeze(&values, 5);
        assert_eq!(squeezed.len(), 5);
        assert_eq!(squeezed.last(), Some(&Some(9.0)));
    }
}
