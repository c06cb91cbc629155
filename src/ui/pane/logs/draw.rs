//! How the log looks: heads of requests, lines with time and level, and the footer that counts what is not shown.

use ratatui::layout::Rect;

use crate::domain::function::{LogLevel, LogRecord};
use crate::ui::pane::functions::outcome;
use crate::ui::pane::logs::LogPane;
use crate::ui::pane::logs::rows::{Row, level_word, line_text};
use crate::ui::pane::{Half, Room};
use crate::ui::state::Shared;
use crate::ui::state::feed::Request;
use crate::ui::state::places::PaneId;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::flow::flow;
use crate::ui::widget::frame::{self, Frame};
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::numbers;
use crate::ui::widget::safe;
use crate::ui::widget::table::window;

/// Cells of marker, time and level before a line's text.
const LEAD: usize = 23;
/// Bytes of a line that are looked at for the screen.
const LINE_LIMIT: usize = 8 * 1024;

pub(super) fn draw(pane: &LogPane, shared: &Shared, canvas: &mut Canvas<'_>, room: Room) {
    let on_detail = pane.halves.focus == Half::Detail;
    if let Some(area) = room.list {
        let joined = room.detail.filter(|_| room.joined);
        let focus = room.focus && (!on_detail || joined.is_some());
        let mut inner = Frame::new(title(pane))
            .right(right_title(pane, shared))
            .focus(focus)
            .draw(canvas, area);
        if let Some(detail) = joined {
            let rule = Rect {
                y: detail.y.saturating_sub(1),
                height: 1,
                ..inner
            };
            inner.height = rule.y.saturating_sub(inner.y);
            list(pane, shared, canvas, inner, room.focus && !on_detail);
            frame::rule(canvas, rule, &pane.detail_title);
            detail_half(pane, canvas, detail);
            return;
        }
        list(pane, shared, canvas, inner, room.focus && !on_detail);
    }
    if let Some(area) = room.detail.filter(|_| !room.joined) {
        let inner = Frame::new(pane.detail_title.clone())
            .focus(room.focus && on_detail)
            .draw(canvas, area);
        detail_half(pane, canvas, inner);
    }
}

fn title(pane: &LogPane) -> Line {
    let mut title = Line::text("Logs");
    match (&pane.request, &pane.function) {
        (Some(request), _) => {
            let id = safe::cut_middle(request.as_str(), 13).into_owned();
            title = title.put(format!(" of request {id}"), Token::Accent);
        }
        (None, Some(function)) => title = title.then(format!(" {function}")),
        (None, None) => title = title.then(" of all functions"),
    }
    title
}

fn right_title(pane: &LogPane, shared: &Shared) -> Line {
    let mut line = Line::new();
    if let Some((_, since)) = &shared.frozen {
        let age = numbers::span(shared.uptime.saturating_sub(*since));
        let behind = shared.log_head.saturating_sub(pane.buffer.read_to);
        line = line.put(
            format!("FROZEN {age} · {} behind", numbers::count(behind)),
            Token::Warn,
        );
    } else if pane.follow {
        line = line.put("FOLLOW", Token::Ok);
    } else {
        line = line.put(
            format!("▼ {} new  f follow", numbers::count(pane.new_lines(shared))),
            Token::Warn,
        );
    }
    if let Some(level) = pane.min_level {
        line = line.put(
            format!(" · level ≥ {}", level_word(level).trim()),
            Token::Muted,
        );
    }
    if !pane.only.is_empty() {
        line = line.put(format!(" · only `{}`", pane.only), Token::Accent);
    }
    if pane.hidden_to > 0 {
        line = line.put(" · older hidden", Token::Muted);
    }
    if pane.by_request {
        line = line.put(" · by request", Token::Muted);
    }
    line
}

fn list(pane: &LogPane, shared: &Shared, canvas: &mut Canvas<'_>, area: Rect, focus: bool) {
    canvas.hit(area, Target::Pane(PaneId::Logs));
    let footer_rows = u16::from(area.height > 4) + u16::from(!pane.search.text.is_empty());
    let lines = Rect {
        height: area.height.saturating_sub(footer_rows),
        ..area
    };
    if pane.rows.is_empty() {
        empty(pane, shared, canvas, lines);
    } else {
        let metrics = rows(pane, shared, canvas, lines, focus);
        canvas.hits.lists.push((PaneId::Logs, metrics));
    }
    footer(pane, shared, canvas, area, footer_rows);
}

fn empty(pane: &LogPane, shared: &Shared, canvas: &mut Canvas<'_>, area: Rect) {
    let why = if let Some(report) = &pane.failed {
        Line::of(format!("✖ {}", report.headline), Token::Error)
    } else if pane.buffer.newest_stored == 0 && shared.uptime.as_millis() < 150 {
        return;
    } else if pane.asked.is_some() && pane.buffer.is_empty() {
        Line::muted("loading")
    } else if pane.buffer.newest_stored == 0 {
        Line::muted("no function has written a line yet")
    } else {
        Line::of("no line matches; Esc shows all", Token::Warn)
    };
    let lines = [
        Line::text("What functions print, with the requests it belongs to."),
        why,
        Line::of("s sends a message   i invokes a function", Token::Key),
    ];
    for (offset, line) in lines.iter().enumerate() {
        let y = area.y + 1 + u16::try_from(offset).unwrap_or(0);
        if y < area.bottom() {
            canvas.line(area.x + 3, y, area.width.saturating_sub(4), line);
        }
    }
}

/// Draws the rows around the selection and says which.
fn rows(
    pane: &LogPane,
    shared: &Shared,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focus: bool,
) -> Metrics {
    let height = usize::from(area.height);
    let top = if pane.wrap {
        wrapped_top(pane, shared, area, height)
    } else {
        window(pane.top, Some(pane.at), height, pane.rows.len())
    };
    let mut y = area.y;
    for (index, row) in pane.rows.iter().enumerate().skip(top) {
        if y >= area.bottom() {
            break;
        }
        let selected = index == pane.at;
        for (part, line) in row_lines(pane, shared, row, area.width).iter().enumerate() {
            if y >= area.bottom() {
                break;
            }
            let place = Rect {
                y,
                height: 1,
                ..area
            };
            canvas.line(area.x + 1, y, area.width - 1, line);
            canvas.hit(place, Target::Row(PaneId::Logs, index));
            if selected && focus {
                canvas.select(place);
            }
            if part == 0 {
                marks(pane, canvas, place, row, selected, focus);
            }
            y += 1;
        }
    }
    frame::scrollbar(canvas, area, top, height, pane.rows.len());
    Metrics {
        top,
        rows: height,
        end: pane.rows.len().saturating_sub(height),
    }
}

fn marks(
    pane: &LogPane,
    canvas: &mut Canvas<'_>,
    place: Rect,
    row: &Row,
    selected: bool,
    focus: bool,
) {
    let paint = if selected && focus {
        Paint::new(Token::Text).reverse().bold()
    } else {
        Paint::new(Token::Accent).bold()
    };
    let number = pane.buffer.get(row.record()).map(|record| record.number);
    if number.is_some_and(|number| pane.marks.contains(&number)) {
        canvas.put(place.x + 1, place.y, 1, "*", paint);
    }
    if selected {
        canvas.put(place.x, place.y, 1, ">", paint);
    }
}

/// First row so that the selection's last line is visible when long rows wrap.
fn wrapped_top(pane: &LogPane, shared: &Shared, area: Rect, height: usize) -> usize {
    let mut used = 0;
    let mut lowest = pane.at;
    for index in (0..=pane.at).rev() {
        let Some(row) = pane.rows.get(index) else {
            continue;
        };
        used += row_lines(pane, shared, row, area.width).len();
        if used > height && index < pane.at {
            break;
        }
        lowest = index;
    }
    pane.top.clamp(lowest, pane.at.max(lowest))
}

/// The screen lines of a row: one, or more when long lines wrap.
fn row_lines(pane: &LogPane, shared: &Shared, row: &Row, width: u16) -> Vec<Line> {
    let Some(record) = pane.buffer.get(row.record()) else {
        return vec![Line::new()];
    };
    match row {
        Row::Head {
            lines,
            folded,
            error,
            ..
        } => vec![head(record, *lines, *folded, *error, shared)],
        Row::Text { line, .. } => {
            let line = text_line(pane, record, *line, shared);
            if pane.wrap {
                wrap(&line, width.saturating_sub(2))
            } else {
                vec![line]
            }
        }
    }
}

fn wrap(line: &Line, width: u16) -> Vec<Line> {
    let lead = Line::text(" ".repeat(LEAD));
    let text = Line(line.0.iter().skip(2).cloned().collect());
    let head = Line(line.0.iter().take(2).cloned().collect());
    let room = usize::from(width).saturating_sub(LEAD);
    flow(&text, room, 0)
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            let lead = if index == 0 {
                head.clone()
            } else {
                lead.clone()
            };
            lead.join(part)
        })
        .collect()
}

/// `▾ req 01A7…0410  ✖ error  attempt 1   msg ORD-0999   5 lines`
fn head(record: &LogRecord, lines: usize, folded: bool, error: bool, shared: &Shared) -> Line {
    let sign = if folded { "▸" } else { "▾" };
    let id = record.request_id.as_ref().map_or("", |id| id.as_str());
    let mut line = Line::of(format!(" {sign} "), Token::Accent).put(
        format!("req {}  ", safe::cut_middle(id, 13)),
        Paint::new(Token::Title),
    );
    let request = Request::of_line(record);
    let running = request.as_ref().and_then(|of| shared.runs.running(of));
    let run = request.as_ref().and_then(|of| shared.runs.of_request(of));
    line = match (running, run) {
        (Some(running), _) => line.put(
            format!(
                "◐ running {}",
                numbers::span(shared.times.now.since(running.since))
            ),
            Token::Warn,
        ),
        (None, Some(run)) => {
            let line = line.join(outcome(run));
            if run.attempt > 1 {
                line.put(format!("  attempt {}", run.attempt), Token::Warn)
            } else {
                line
            }
        }
        (None, None) if error => line.put("✖ error", Token::Error),
        (None, None) => line,
    };
    line.put(
        format!(
            "  {}   {}",
            record.function,
            numbers::counted(lines as u64, "line", "lines")
        ),
        Token::Muted,
    )
}

/// Time, level, text. The first two spans are the lead.
fn text_line(pane: &LogPane, record: &LogRecord, line: usize, shared: &Shared) -> Line {
    let token = match record.level {
        LogLevel::Error => Token::Error,
        LogLevel::Warn => Token::Warn,
        LogLevel::Platform | LogLevel::Debug => Token::Muted,
        LogLevel::Info | LogLevel::Raw => Token::Text,
    };
    let mut out = if line == 0 {
        let time = shared.times.clock_millis(record.at);
        Line::muted(format!("  {time} ")).put(
            format!("{} ", level_word(record.level)),
            if token == Token::Text {
                Token::Muted
            } else {
                token
            },
        )
    } else {
        Line::muted(" ".repeat(LEAD - 1)).put(" ", Token::Muted)
    };
    if !pane.by_request && pane.function.is_none() && line == 0 {
        out.push(format!("{} ", record.function), Token::Accent);
    }
    let text = line_text(record, line);
    let (text, missing) = head_of(text);
    highlight(&mut out, text, &pane.search.text, token);
    if missing > 0 {
        out.push(
            format!("… +{}", numbers::bytes(missing as u64)),
            Token::Warn,
        );
    }
    out
}

fn head_of(text: &str) -> (&str, usize) {
    if text.len() <= LINE_LIMIT {
        return (text, 0);
    }
    let mut end = LINE_LIMIT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], text.len() - end)
}

/// Appends `text` with what is searched for marked.
fn highlight(line: &mut Line, text: &str, needle: &str, token: Token) {
    let lower = text.to_lowercase();
    let needle = needle.to_lowercase();
    // Lower case may change lengths; then nothing is marked rather than the wrong place.
    if needle.is_empty() || lower.len() != text.len() {
        line.push(text.to_owned(), token);
        return;
    }
    let mut from = 0;
    while let Some(found) = lower[from..].find(&needle) {
        let at = from + found;
        let end = at + needle.len();
        if !text.is_char_boundary(at) || !text.is_char_boundary(end) {
            break;
        }
        line.push(text[from..at].to_owned(), token);
        line.push(text[at..end].to_owned(), Paint::new(Token::Match).reverse());
        from = end;
    }
    line.push(text[from..].to_owned(), token);
}

fn footer(pane: &LogPane, shared: &Shared, canvas: &mut Canvas<'_>, area: Rect, rows: u16) {
    let mut y = area.bottom().saturating_sub(rows);
    let width = area.width.saturating_sub(2);
    if area.height > 4 {
        let held = numbers::count(pane.buffer.len() as u64);
        let total = numbers::count(pane.buffer.newest_stored.max(shared.log_head));
        let mut line = Line::muted(format!("{held} of {total} lines · "));
        line = if pane.buffer.dropped > 0 {
            line.put(
                format!("▲ {} dropped", numbers::count(pane.buffer.dropped)),
                Token::Warn,
            )
        } else {
            line.put("0 dropped", Token::Muted)
        };
        if pane.buffer.skipped > 0 {
            line = line.put(
                format!(" · {} passed over", numbers::count(pane.buffer.skipped)),
                Token::Muted,
            );
        }
        line = line.put(
            format!(" · {} lines/s", numbers::rate(pane.rate.per_second)),
            Token::Muted,
        );
        canvas.line(area.x + 1, y, width, &line);
        y += 1;
    }
    if !pane.search.text.is_empty() && y < area.bottom() {
        let line = Line::of(format!("/{}", pane.search.text), Token::Match)
            .put(format!("   {}", told_match(pane)), Token::Text)
            .put("   n next  N before  & only these", Token::Muted);
        canvas.line(area.x + 1, y, width, &line);
    }
}

fn told_match(pane: &LogPane) -> String {
    let count = |number: usize| numbers::count(number as u64);
    match pane.search.place(pane.at) {
        (_, 0) => "no match in the lines read".to_owned(),
        (None, all) => numbers::counted(all as u64, "match", "matches"),
        (Some(place), all) => format!("match {} of {}", count(place), count(all)),
    }
}

fn detail_half(pane: &LogPane, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.hit(area, Target::Detail(PaneId::Logs));
    let area = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    let metrics = pane
        .detail
        .draw(canvas, area, pane.halves.top, pane.halves.wrap);
    frame::scrollbar(
        canvas,
        area,
        metrics.top,
        metrics.rows,
        metrics.end + metrics.rows,
    );
    canvas.hits.details.push((PaneId::Logs, metrics));
}

/// The records in memory as a table.
pub(super) fn table(pane: &LogPane, _shared: &Shared) -> Vec<Vec<String>> {
    let header = ["NUMBER", "TIME", "LEVEL", "FUNCTION", "REQUEST", "TEXT"];
    let rows = pane.buffer.iter().map(|record| {
        vec![
            record.number.to_string(),
            record.at.to_string(),
            level_word(record.level)
                .trim_matches([' ', '▲', '✖', '·'])
                .to_owned(),
            record.function.to_string(),
            record
                .request_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            record.text.clone(),
        ]
    });
    std::iter::once(header.map(str::to_owned).to_vec())
        .chain(rows)
        .collect()
}
