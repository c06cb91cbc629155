//! The whole screen from the state: zones, then what lies over them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::hints;
use crate::ui::layout::{Class, MIN_COLUMNS, MIN_ROWS, Zones};
use crate::ui::pane::Room;
use crate::ui::pane::instances::{status, throughput};
use crate::ui::state::State;
use crate::ui::state::feed::Level;
use crate::ui::state::places::{PaneId, Place};
use crate::ui::state::rates::Measure;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::chart::{self, sparkline};
use crate::ui::widget::frame::Frame;
use crate::ui::widget::hits::{Hits, Target};
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::numbers;

/// How long a prefix waits before its continuations are shown.
pub const WHICH_KEY_AFTER: std::time::Duration = std::time::Duration::from_millis(300);

/// Draws `state` and tells where everything is.
pub fn view(state: &State, buffer: &mut Buffer) -> Hits {
    let screen = buffer.area;
    let look = &state.shared.look;
    let mut canvas = Canvas::new(buffer, look);
    let zones = Zones::of(screen, look.plain, state.zoomed);
    if zones.class == Class::Tiny {
        tiny(state, &mut canvas);
    } else {
        status_line(state, &mut canvas, &zones);
        if let Some(area) = zones.places {
            place_bar(state, &mut canvas, area, &zones);
        }
        if let Some(area) = zones.tree {
            tree(state, &mut canvas, area);
        }
        let pane = state.pane();
        let room = zones.room(pane.halves(), state.zoomed);
        let room = Room {
            focus: state.layers.is_empty(),
            ..room
        };
        pane.draw(&state.shared, &mut canvas, room);
        if let Some((log, side)) = zones.strip {
            strip(state, &mut canvas, log, side);
        }
        if let Some(area) = zones.notice {
            notice_line(state, &mut canvas, area);
        }
    }
    if let Some(layer) = state.layers.last() {
        layer.draw(&state.shared, &mut canvas);
    }
    if zones.class != Class::Tiny {
        hints::draw(state, &mut canvas, zones.hints);
        let waited = state.shared.uptime.saturating_sub(state.pending_since);
        if !state.pending.is_empty() && waited >= WHICH_KEY_AFTER {
            hints::which_key(state, &mut canvas, zones.hints);
        }
    }
    if look.plain && canvas.hits.cursor.is_none() {
        plain_cursor(&mut canvas);
    }
    canvas.hits
}

/// Screen readers follow the terminal's cursor: it stands on the selected row.
fn plain_cursor(canvas: &mut Canvas<'_>) {
    let marked = canvas.buffer.area.positions().find(|position| {
        position.x < 3
            && canvas
                .buffer
                .cell(*position)
                .is_some_and(|cell| cell.symbol() == ">")
    });
    if let Some(position) = marked {
        canvas.cursor(position.x, position.y);
    }
}

fn tiny(state: &State, canvas: &mut Canvas<'_>) {
    let area = canvas.area();
    let text = format!(
        "{MIN_COLUMNS} x {MIN_ROWS} needed, this is {} x {}",
        area.width, area.height
    );
    canvas.put(area.x, area.y, area.width, &text, Token::Warn);
    let counters = state.shared.overview().counters();
    let text = format!(
        "lag {}  dead {}",
        numbers::count(counters.ready + counters.in_flight),
        numbers::count(counters.dead_letters)
    );
    if area.height > 1 {
        canvas.put(area.x, area.y + 1, area.width, &text, Token::Text);
    }
    if area.height > 2 {
        canvas.put(
            area.x,
            area.y + 2,
            area.width,
            "q quits  : commands",
            Token::Muted,
        );
    }
}

fn rate_now(state: &State, measure: &Measure) -> String {
    state
        .shared
        .rates
        .now(measure)
        .map_or_else(|| "-".to_owned(), numbers::rate)
}

/// A sparkline of the instance, or nothing where charts are not wanted.
fn spark(state: &State, measure: &Measure, cells: usize) -> Line {
    if state.shared.look.plain {
        return Line::new();
    }
    let values = state.shared.rates.means(measure, cells, 2);
    Line::text(" ").put(sparkline(&values, cells), Token::Chart)
}

/// The instance's name and state, or what stands in its place.
fn instance_part(state: &State) -> Line {
    let overview = state.shared.overview();
    match overview.instance_row() {
        Some(row) => {
            let sign = status(row);
            let mut line = Line::new();
            let mut spans = sign.0.into_iter();
            if let Some(span) = spans.next() {
                let (glyph, word) = span.text.split_once(' ').unwrap_or((&*span.text, ""));
                line = line
                    .put(format!("{glyph} "), span.paint)
                    .put(
                        format!("{} ", row.definition.name),
                        Paint::new(Token::Title),
                    )
                    .put(word.to_owned(), span.paint);
            }
            line
        }
        None if overview.instances.read_at.is_none() => Line::muted("…"),
        None => Line::of("no instance: 1 then a adds one", Token::Warn),
    }
}

/// `18:42:07 UTC`, with what is unusual about broker time.
fn clock_part(state: &State) -> Line {
    let shared = &state.shared;
    let clock = shared.overview().clock.as_ref();
    let mut line = Line::new();
    if clock.is_some_and(|clock| clock.held) {
        line = line.put("HELD ", Paint::new(Token::Warn).bold());
    } else if let Some(ahead) = clock
        .map(|clock| clock.ahead)
        .filter(|ahead| ahead.as_secs() > 0)
    {
        line = line.put(format!("+{} ", numbers::span(ahead)), Token::Warn);
    }
    line.then(shared.times.clock(shared.times.now))
}

/// Counters by importance: the last go first where there is no room.
fn counters(state: &State, cells: usize) -> Vec<Line> {
    let overview = state.shared.overview();
    let now = overview.counters();
    let warn = |count: u64, name: &str| {
        let text = format!("{name} {}", numbers::count(count));
        if count > 0 {
            Line::of(format!("{text} ▲"), Token::Warn)
        } else {
            Line::muted(text)
        }
    };
    let labelled = |name: &'static str, value: String| Line::muted(name).then(format!(" {value}"));
    let running: u64 = overview
        .functions
        .rows
        .iter()
        .map(|row| u64::from(row.busy))
        .sum();
    let p99 = overview
        .functions
        .rows
        .iter()
        .filter_map(|row| row.p99_ms)
        .fold(None, |max: Option<f64>, ms| {
            Some(max.map_or(ms, |max| max.max(ms)))
        });
    let mut parts = vec![
        labelled("in", format!("{}/s", rate_now(state, &Measure::In))).join(spark(
            state,
            &Measure::In,
            cells,
        )),
        labelled("out", format!("{}/s", rate_now(state, &Measure::Out))),
        labelled("lag", numbers::count(now.ready + now.in_flight)),
        warn(now.dead_letters, "dead"),
        labelled("fn", format!("{running} run")),
        labelled("retry", numbers::count(now.retrying)),
        labelled("in flight", numbers::count(now.in_flight)),
        labelled("parked", numbers::count(now.parked)),
        labelled("clients", numbers::count(now.clients)),
    ];
    if let Some(p99) = p99 {
        parts.push(labelled("p99", numbers::millis(p99)));
    }
    parts
}

fn status_line(state: &State, canvas: &mut Canvas<'_>, zones: &Zones) {
    let area = zones.status;
    let brand = Line::text(" ").put("moonport", Paint::new(Token::Accent).bold());
    let mut x = area.x + canvas.line(area.x, area.y, area.width, &brand) + 2;
    x += canvas.line(
        x,
        area.y,
        area.right().saturating_sub(x),
        &instance_part(state),
    ) + 3;
    let mut right = area.right();
    if zones.class >= Class::Medium || zones.places.is_none() {
        let clock = clock_part(state);
        let cells = u16::try_from(clock.width()).unwrap_or(14);
        right = canvas.line_right(area.right() - 1, area.y, cells, &clock);
    }
    if area.height > 1 {
        wide_facts(state, canvas, x, area.y, right.saturating_sub(2));
        let row = area.y + 1;
        parts(
            canvas,
            area.x + 1,
            row,
            area.right() - 1,
            &counters(state, 16),
            3,
        );
    } else {
        let gap = if zones.class == Class::Narrow { 2 } else { 3 };
        parts(
            canvas,
            x,
            area.y,
            right.saturating_sub(1),
            &counters(state, 8),
            gap,
        );
    }
}

/// Draws parts while they fit whole.
fn parts(canvas: &mut Canvas<'_>, x: u16, y: u16, end: u16, parts: &[Line], gap: u16) {
    let mut x = x;
    for part in parts {
        let cells = u16::try_from(part.width()).unwrap_or(u16::MAX);
        if x.saturating_add(cells) > end {
            break;
        }
        x += canvas.line(x, y, cells, part) + gap;
    }
}

fn wide_facts(state: &State, canvas: &mut Canvas<'_>, x: u16, y: u16, end: u16) {
    let overview = state.shared.overview();
    let now = overview.counters();
    let mut facts = Vec::new();
    if let Some(row) = overview.instance_row() {
        facts.push(Line::muted("grpc ").join(crate::ui::pane::instances::endpoint(row)));
    }
    facts.push(Line::muted("store ").then(numbers::bytes(now.file_bytes)));
    facts.push(Line::muted("messages ").then(numbers::count(now.messages)));
    facts.push(
        Line::muted("up ").then(numbers::span(std::time::Duration::from_secs(
            state.shared.uptime.as_secs(),
        ))),
    );
    facts.push(Line::muted("theme ").then(state.shared.look.theme.name.clone()));
    if state.shared.settings.read_only {
        facts.push(Line::of("READ ONLY", Token::Warn));
    }
    parts(canvas, x, y, end, &facts, 3);
}

fn place_bar(state: &State, canvas: &mut Canvas<'_>, area: Rect, zones: &Zones) {
    let long: usize = Place::ALL.iter().map(|place| place.title().len() + 4).sum();
    let narrow = zones.class == Class::Narrow || long > usize::from(area.width);
    let current = state.current.place();
    let dead = state.shared.overview().counters().dead_letters;
    let mut x = area.x + 1;
    for place in Place::ALL {
        let name = if narrow { place.short() } else { place.title() };
        let number = place.number();
        let gap = if narrow { "" } else { " " };
        let here = place == current;
        let text = if here {
            format!("[{number}{gap}{name}]")
        } else if narrow {
            format!("{number}{name}")
        } else {
            format!(" {number}{gap}{name} ")
        };
        let paint = if here {
            Paint::new(Token::Focus).bold()
        } else if place == Place::Dead && dead > 0 {
            Paint::new(Token::Warn)
        } else {
            Paint::new(Token::Muted)
        };
        let room = area.right().saturating_sub(x);
        let used = canvas.put(x, area.y, room, &text, paint);
        canvas.hit(Rect::new(x, area.y, used, 1), Target::Act(place.action()));
        x += used + u16::from(narrow);
    }
    if zones.class == Class::Narrow {
        let clock = clock_part(state);
        let left = area.right().saturating_sub(x + 1);
        let cells = u16::try_from(clock.width()).unwrap_or(14);
        if cells <= left {
            canvas.line_right(area.right() - 1, area.y, cells, &clock);
        }
    }
}

/// Places with the names in them, at the left of wide screens.
fn tree(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = Frame::new("Places").draw(canvas, area);
    let mut y = inner.y;
    let width = inner.width.saturating_sub(1);
    let names: Vec<(Place, Vec<(String, Line)>)> = Place::ALL
        .into_iter()
        .map(|place| {
            let pane = place.panes().first().copied();
            let rows = pane.map(|id| state.pane_of(id).tree(&state.shared));
            (place, rows.unwrap_or_default())
        })
        .collect();
    let shown: usize = names.iter().filter(|(_, rows)| !rows.is_empty()).count();
    // Every list gets its share of the height.
    let spare = usize::from(inner.height).saturating_sub(Place::ALL.len() + shown);
    let share = spare.checked_div(shown).unwrap_or(0).max(1);
    for (place, rows) in names {
        if y >= inner.bottom() {
            return;
        }
        let here = place == state.current.place();
        let paint = if here {
            Paint::new(Token::Focus).bold()
        } else {
            Paint::new(Token::Text)
        };
        let sign = if here { ">" } else { " " };
        canvas.put(
            inner.x,
            y,
            width,
            &format!("{sign}{} {}", place.number(), place.title()),
            paint,
        );
        let count = tree_count(state, place, rows.len());
        canvas.line_right(inner.right() - 1, y, 8, &count);
        canvas.hit(
            Rect::new(inner.x, y, inner.width, 1),
            Target::Act(place.action()),
        );
        y += 1;
        let hidden = rows.len().saturating_sub(share);
        let rows_shown = if hidden > 0 {
            share.saturating_sub(1)
        } else {
            rows.len()
        };
        let left = rows.len() - rows_shown;
        for (key, line) in rows.into_iter().take(rows_shown) {
            if y >= inner.bottom() {
                return;
            }
            canvas.line(inner.x + 3, y, width.saturating_sub(3), &line);
            if let Some(pane) = place.panes().first() {
                canvas.hit(
                    Rect::new(inner.x, y, inner.width, 1),
                    Target::Tree(*pane, key),
                );
            }
            y += 1;
        }
        if left > 0 && y < inner.bottom() {
            canvas.put(
                inner.x + 3,
                y,
                width,
                &format!("… {left} more"),
                Token::Muted,
            );
            y += 1;
        }
    }
}

fn tree_count(state: &State, place: Place, rows: usize) -> Line {
    let dead = state.shared.overview().counters().dead_letters;
    match place {
        Place::Dead if dead > 0 => Line::of(format!("{} ▲", numbers::count(dead)), Token::Warn),
        _ if rows > 0 => Line::muted(numbers::count(rows as u64)),
        _ => Line::new(),
    }
}

/// The live log and the throughput chart under the body.
fn strip(state: &State, canvas: &mut Canvas<'_>, log: Rect, side: Rect) {
    if state.current == PaneId::Logs {
        let inner = Frame::new("Lag")
            .right(Line::muted("messages"))
            .draw(canvas, log);
        let room = inset(inner);
        let bars = room.height.saturating_sub(5);
        let lag = crate::ui::pane::instances::ten_minutes(
            &state.shared,
            "Lag",
            "messages, last 10 min",
            bars,
            [("lag", Measure::Lag)],
        );
        chart::draw(canvas, room, &lag);
    } else {
        let room = Room {
            list: Some(log),
            detail: None,
            joined: false,
            focus: false,
        };
        state
            .pane_of(PaneId::Logs)
            .draw(&state.shared, canvas, room);
    }
    let inner = Frame::new("Throughput").draw(canvas, side);
    let room = inset(inner);
    let bars = room.height.saturating_sub(7);
    chart::draw(canvas, room, &throughput(&state.shared, bars));
}

fn inset(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    }
}

fn notice_line(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(notice) = state.shared.notices.current() else {
        return;
    };
    let token = match notice.level {
        Level::Ok => Token::Ok,
        Level::Info => Token::Info,
        Level::Warn => Token::Warn,
        Level::Error => Token::Error,
    };
    let mut right = Line::new();
    for (action, _) in &notice.links {
        let chain = state.pane().contexts();
        let key = state.shared.key_of(chain, *action);
        right = right
            .put(format!("{key} "), Token::Key)
            .put(format!("{}  ", action.label()), Token::Muted);
    }
    let mut line = Line::of(format!(" {} ", notice.level.glyph()), token).then(notice.text.clone());
    if let Some(hint) = &notice.hint {
        line = line.put(format!("   {hint}"), Token::Muted);
    }
    let right_cells = u16::try_from(right.width())
        .unwrap_or(0)
        .min(area.width / 2);
    canvas.line(
        area.x,
        area.y,
        area.width.saturating_sub(right_cells + 1),
        &line,
    );
    if right_cells > 0 {
        canvas.line_right(area.right(), area.y, right_cells, &right);
    }
}
