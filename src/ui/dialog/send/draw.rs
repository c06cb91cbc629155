//! How the send dialog looks: fields above, the body in a frame of its own, buttons below.

use ratatui::layout::Rect;

use crate::domain::message::MessageType;
use crate::ui::dialog::send::{Mode, SPOTS, SendDialog, Spot, THENS, check, stored};
use crate::ui::dialog::{button, popup};
use crate::ui::state::Shared;
use crate::ui::state::feed::Notice;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::frame::Frame;
use crate::ui::widget::hits::Target;
use crate::ui::widget::input::Input;
use crate::ui::widget::line::{Line, Paint};
use crate::ui::widget::numbers;
use crate::ui::widget::safe;
use crate::ui::widget::textbox::TextView;

/// Cells of the labels at the left.
const LABEL: u16 = 12;

pub(super) fn draw(dialog: &SendDialog, shared: &Shared, canvas: &mut Canvas<'_>) {
    let sent = stored::history(shared).len();
    let right = Line::muted(format!(
        "draft kept · {} in history",
        numbers::count(sent as u64)
    ));
    let inner = popup(canvas, 100, 34, Line::text("Send message"), right);
    if inner.height < 8 || inner.width < 40 {
        return;
    }
    let row = |offset: u16| Rect {
        x: inner.x + 1,
        y: inner.y + offset,
        width: inner.width - 2,
        height: 1,
    };
    topic_row(dialog, shared, canvas, row(0));
    kind_row(dialog, shared, canvas, row(1));
    tag_row(dialog, canvas, row(2));
    type_row(dialog, canvas, row(3));
    text_field(
        dialog,
        canvas,
        row(4),
        Spot::Properties,
        "Properties",
        LABEL,
    );
    let foot = 5;
    let body = Rect {
        x: inner.x,
        y: inner.y + 5,
        width: inner.width,
        height: inner.height.saturating_sub(5 + foot).max(3),
    };
    body_box(dialog, canvas, body);
    let under = body.bottom();
    result_row(dialog, canvas, row(under - inner.y));
    repeat_row(dialog, shared, canvas, row(under - inner.y + 2));
    buttons(dialog, canvas, row(under - inner.y + 3));
}

fn item(spot: Spot) -> usize {
    SPOTS.iter().position(|known| *known == spot).unwrap_or(0)
}

/// A label; the focused one is marked and bold.
fn label(dialog: &SendDialog, canvas: &mut Canvas<'_>, x: u16, y: u16, text: &str, spot: Spot) {
    let paint = if dialog.at == spot {
        Paint::new(Token::Focus).bold().underline()
    } else if dialog.is_open(spot) {
        Paint::new(Token::Text)
    } else {
        Paint::new(Token::Muted)
    };
    canvas.put(x, y, LABEL, text, paint);
}

fn problem(dialog: &SendDialog, spot: Spot) -> Option<&str> {
    dialog
        .verdict
        .problems
        .iter()
        .find(|(at, _)| *at == spot)
        .map(|(_, problem)| problem.as_str())
}

fn topic_row(dialog: &SendDialog, shared: &Shared, canvas: &mut Canvas<'_>, row: Rect) {
    label(dialog, canvas, row.x, row.y, "Topic", Spot::Topic);
    canvas.hit(row, Target::Item(item(Spot::Topic)));
    let x = row.x + LABEL;
    let room = row.width - LABEL;
    let Some(topic) = dialog.topic_name() else {
        let text = problem(dialog, Spot::Topic).unwrap_or("none");
        canvas.put(x, row.y, room, &format!("✖ {text}"), Token::Error);
        return;
    };
    let shown = if dialog.at == Spot::Topic {
        format!(
            "‹ {topic} ›  {} of {}",
            dialog.topic + 1,
            dialog.topics.len()
        )
    } else {
        format!("{topic} ▾")
    };
    let used = canvas.put(x, row.y, room, &shown, Token::Title);
    let accepts = match shared.newest.topic(topic) {
        None => "made by this send, where auto-create is on".to_owned(),
        Some(row) => match row.definition.topic_type.as_str() {
            "MIXED" => "this topic accepts every type".to_owned(),
            name => format!("this topic accepts {name}"),
        },
    };
    let left = room.saturating_sub(used + 2);
    canvas.line_right(row.right(), row.y, left, &Line::muted(accepts));
}

fn kind_row(dialog: &SendDialog, shared: &Shared, canvas: &mut Canvas<'_>, row: Rect) {
    label(dialog, canvas, row.x, row.y, "Type", Spot::Kind);
    canvas.hit(row, Target::Item(item(Spot::Kind)));
    let allowed = check::kinds(dialog, shared);
    let mut x = row.x + LABEL;
    for kind in MessageType::ALL {
        let name = match kind {
            MessageType::Normal => "Normal",
            MessageType::Fifo => "FIFO",
            MessageType::Delay => "Delay",
            MessageType::Transaction => "Transaction",
            MessageType::Priority => "Priority",
        };
        let sign = if dialog.kind == kind { "(•)" } else { "( )" };
        let paint = if !allowed.contains(&kind) {
            Paint::new(Token::Muted)
        } else if dialog.kind == kind {
            Paint::new(Token::Title)
        } else {
            Paint::new(Token::Text)
        };
        let room = row.right().saturating_sub(x);
        x += canvas.put(x, row.y, room, &format!("{sign} {name}"), paint) + 2;
    }
}

fn tag_row(dialog: &SendDialog, canvas: &mut Canvas<'_>, row: Rect) {
    let half = row.width / 2;
    let left = Rect { width: half, ..row };
    let right = Rect {
        x: row.x + half,
        width: row.width - half,
        ..row
    };
    text_field(dialog, canvas, left, Spot::Tag, "Tag", LABEL);
    text_field(dialog, canvas, right, Spot::Keys, "Keys", 6);
}

/// The field that the chosen type needs.
fn type_row(dialog: &SendDialog, canvas: &mut Canvas<'_>, row: Rect) {
    match dialog.kind {
        MessageType::Fifo => text_field(dialog, canvas, row, Spot::Group, "Msg group", LABEL),
        MessageType::Delay => text_field(dialog, canvas, row, Spot::Deliver, "Deliver", LABEL),
        MessageType::Priority => {
            text_field(dialog, canvas, row, Spot::Priority, "Priority", LABEL);
        }
        MessageType::Transaction => {
            label(dialog, canvas, row.x, row.y, "Then", Spot::Then);
            canvas.hit(row, Target::Item(item(Spot::Then)));
            let mut x = row.x + LABEL;
            for (index, then) in THENS.iter().enumerate() {
                let sign = if dialog.then == index { "(•)" } else { "( )" };
                let room = row.right().saturating_sub(x);
                x += canvas.put(x, row.y, room, &format!("{sign} {then}"), Token::Text) + 2;
            }
        }
        MessageType::Normal => {
            let text = "Msg group, Deliver, Priority and Then belong to the other types";
            canvas.put(row.x + LABEL, row.y, row.width - LABEL, text, Token::Muted);
        }
    }
}

fn text_field(
    dialog: &SendDialog,
    canvas: &mut Canvas<'_>,
    row: Rect,
    spot: Spot,
    name: &str,
    width: u16,
) {
    label(dialog, canvas, row.x, row.y, name, spot);
    canvas.hit(row, Target::Item(item(spot)));
    let Some(input) = input_of(dialog, spot) else {
        return;
    };
    let x = row.x + width;
    let mut cells = row.width.saturating_sub(width + 1);
    let note = problem(dialog, spot).map(|text| format!("✖ {text}"));
    if let Some(note) = &note {
        let wide = u16::try_from(safe::width(note)).unwrap_or(cells);
        let typed = u16::try_from(safe::width(input.text())).unwrap_or(cells);
        let keep = (typed + 2).max(8).min(cells);
        let wide = wide.min(cells.saturating_sub(keep + 1));
        cells = cells.saturating_sub(wide + 1).max(1);
        canvas.put(x + cells + 1, row.y, wide, note, Token::Error);
    }
    let underline = Paint::new(Token::Text).underline();
    canvas.put(x, row.y, cells, &" ".repeat(usize::from(cells)), underline);
    input.draw(canvas, x, row.y, cells, dialog.at == spot);
    canvas.repaint(Rect::new(x, row.y, cells, 1), underline);
}

fn input_of(dialog: &SendDialog, spot: Spot) -> Option<&Input> {
    Some(match spot {
        Spot::Tag => &dialog.tag,
        Spot::Keys => &dialog.keys,
        Spot::Group => &dialog.group,
        Spot::Deliver => &dialog.deliver,
        Spot::Priority => &dialog.priority,
        Spot::Properties => &dialog.properties,
        Spot::Repeat => &dialog.repeat,
        Spot::Every => &dialog.every,
        _ => return None,
    })
}

fn body_box(dialog: &SendDialog, canvas: &mut Canvas<'_>, area: Rect) {
    let focus = dialog.at == Spot::Body;
    let state = match (&dialog.verdict.fault, problem(dialog, Spot::Body)) {
        (_, Some(problem)) => Line::of(format!("✖ {problem}"), Token::Error),
        (Some(fault), None) => Line::of(
            format!("✖ line {} col {}", fault.line, fault.column),
            Token::Error,
        ),
        (None, None) if dialog.mode == Mode::Json => Line::of("✓ JSON", Token::Ok),
        _ => Line::new(),
    };
    let size = Line::muted(format!(
        "{} · ",
        numbers::bytes(dialog.verdict.bytes as u64)
    ));
    let title = Line::text("Body").put(format!("  {}", dialog.mode.name()), Token::Muted);
    let inner = Frame::new(title)
        .right(size.join(state))
        .focus(focus)
        .draw(canvas, area);
    let note = note(dialog);
    let text = Rect {
        height: inner
            .height
            .saturating_sub(u16::from(note.is_some()))
            .max(1),
        ..inner
    };
    canvas.hit(text, Target::Item(item(Spot::Body)));
    let metrics = dialog.body.draw(
        canvas,
        text,
        &TextView {
            top: dialog.body_top,
            focus,
            fault: dialog.verdict.fault.as_ref().map(|fault| fault.line - 1),
            colour: dialog.mode == Mode::Json,
        },
    );
    canvas.hits.dialog = Some(metrics);
    crate::ui::widget::frame::scrollbar(
        canvas,
        text,
        metrics.top,
        metrics.rows,
        metrics.end + metrics.rows,
    );
    if let Some(note) = note {
        canvas.line(
            inner.x + 1,
            inner.bottom() - 1,
            inner.width.saturating_sub(2),
            &note,
        );
    }
}

/// What is wrong with the body, or how the first message will look.
fn note(dialog: &SendDialog) -> Option<Line> {
    if let Some(fault) = &dialog.verdict.fault {
        return Some(Line::of(format!("✖ {}", fault.problem), Token::Error));
    }
    if dialog.verdict.fills {
        return Some(
            Line::muted("first message: ").put(dialog.verdict.preview.clone(), Token::Muted),
        );
    }
    None
}

fn result_row(dialog: &SendDialog, canvas: &mut Canvas<'_>, row: Rect) {
    let line = if dialog.sends_as_text {
        Line::of(
            "The body is not JSON. Send it as text? Enter sends.",
            Token::Warn,
        )
    } else {
        match &dialog.result {
            _ if dialog.sending.is_some() && dialog.result.is_none() => Line::muted("sending…"),
            None => Line::new(),
            Some(Ok(report)) => sent(report),
            Some(Err(report)) => {
                let (text, hint) = Notice::of_report(report);
                let line = Line::of(format!("✖ {text}"), Token::Error);
                hint.map_or(line.clone(), |hint| {
                    line.put(format!("   {hint}"), Token::Muted)
                })
            }
        }
    };
    canvas.line(row.x, row.y, row.width, &line);
}

fn sent(report: &crate::ui::effect::SendReport) -> Line {
    let mut line = Line::new();
    if let Some(receipt) = &report.last {
        line = line.put("✓ ", Token::Ok).then(format!(
            "Sent {} · queue {} · offset {} · {}",
            safe::cut_middle(receipt.id.as_str(), 13),
            receipt.queue,
            numbers::count(receipt.offset),
            numbers::millis(report.took_ms)
        ));
    }
    if report.asked > 1 {
        line = line.put(
            format!("   {} of {}", report.sent, report.asked),
            Token::Accent,
        );
    }
    if report.failed > 0 {
        line = line.put(format!("   {} failed", report.failed), Token::Error);
    }
    if let Some(error) = &report.error {
        line = line.put(format!("   ✖ {}", error.headline), Token::Error);
    }
    line
}

fn repeat_row(dialog: &SendDialog, shared: &Shared, canvas: &mut Canvas<'_>, row: Rect) {
    let names = stored::templates(shared);
    let chosen = dialog
        .template
        .checked_sub(1)
        .and_then(|at| names.get(at).cloned())
        .unwrap_or_else(|| "none".to_owned());
    label(dialog, canvas, row.x, row.y, "Template", Spot::Template);
    let text = if dialog.at == Spot::Template {
        format!("‹ {chosen} ›")
    } else {
        format!("{chosen} ▾")
    };
    let used = canvas.put(row.x + LABEL, row.y, 20, &text, Token::Text);
    canvas.hit(
        Rect {
            width: LABEL + used,
            ..row
        },
        Target::Item(item(Spot::Template)),
    );
    let mut x = row.x + LABEL + 20;
    for (spot, name, width, cells) in [(Spot::Repeat, "Repeat", 7, 9), (Spot::Every, "Every", 6, 9)]
    {
        let place = Rect {
            x,
            width: width + cells,
            ..row
        };
        if place.right() < row.right() {
            text_field(dialog, canvas, place, spot, name, width);
        }
        x = place.right() + 2;
    }
    let tick = if dialog.stop_on_error { "[x]" } else { "[ ]" };
    let text = format!("{tick} stop on error");
    let room = row.right().saturating_sub(x);
    if room > 6 {
        let paint = if dialog.at == Spot::StopOnError {
            Paint::new(Token::Focus).bold().underline()
        } else {
            Paint::new(Token::Text)
        };
        canvas.put(x, row.y, room, &text, paint);
        canvas.hit(
            Rect {
                x,
                width: room,
                ..row
            },
            Target::Item(item(Spot::StopOnError)),
        );
    }
}

fn buttons(dialog: &SendDialog, canvas: &mut Canvas<'_>, row: Rect) {
    let ready = dialog.verdict.problems.is_empty() && dialog.sending.is_none();
    let is_json = dialog.mode == Mode::Json && dialog.verdict.fault.is_none();
    let send = if dialog.sends_as_text {
        "Send as text"
    } else {
        "Send"
    };
    let mut x = row.x;
    for (spot, text, enabled) in [
        (Spot::Send, send, ready),
        (Spot::Format, "Format", is_json),
        (Spot::History, "History", true),
        (Spot::SaveTemplate, "Save template", true),
        (Spot::CopyCommand, "Copy as command", true),
    ] {
        if x + 4 > row.right() {
            break;
        }
        x += button(
            canvas,
            x,
            row.y,
            text,
            item(spot),
            dialog.at == spot,
            enabled,
        ) + 1;
    }
}
