//! One message in full: its fields, its life, its body as JSON, text or hex. Shared by every list of messages.

use std::sync::Arc;

use crate::cluster::admin::{ConsumeStatus, GroupTrace, MessageTrace};
use crate::domain::ids::MessageId;
use crate::domain::message::{BodyEncoding, Message};
use crate::domain::timestamp::Timestamp;
use crate::ui::pane::functions::outcome;
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::document::{Block, Document};
use crate::ui::widget::hex;
use crate::ui::widget::json;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;
use crate::ui::widget::safe;

/// Rows of a body laid out at most; the rest is counted.
const BODY_ROWS: usize = 2_000;
/// Bodies over this are shown as text without a JSON check.
const JSON_LIMIT: usize = 1024 * 1024;
/// Largest body that is unpacked for the screen.
const UNPACK_LIMIT: u64 = 4 * 1024 * 1024;
/// Bytes of one line that are looked at for the screen.
const LINE_LIMIT: usize = 8 * 1024;

/// In which form a body is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyForm {
    /// JSON laid out where it is JSON, else text, else hex.
    #[default]
    Auto,
    Text,
    Hex,
}

impl BodyForm {
    pub const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Text,
            Self::Text => Self::Hex,
            Self::Hex => Self::Auto,
        }
    }
}

/// A body laid out once and kept until another is shown.
#[derive(Debug, Default)]
pub struct BodyView {
    pub form: BodyForm,
    shown: Option<(MessageId, BodyForm, bool)>,
    /// JSON nodes below the first level are folded.
    pub folded: bool,
    title: Line,
    blocks: Vec<Block>,
}

impl BodyView {
    /// Lays the body of `message` out unless it is the one shown.
    pub fn show(&mut self, message: &Message) {
        let key = (message.id.clone(), self.form, self.folded);
        if self.shown.as_ref() == Some(&key) {
            return;
        }
        self.shown = Some(key);
        let bytes = unpacked(message);
        let packed = if message.encoding == BodyEncoding::Gzip {
            " · gzip"
        } else {
            ""
        };
        let size = numbers::bytes(message.body.len() as u64);
        let (kind, blocks) = self.laid_out(&bytes);
        self.title = Line::text("Body").put(format!("  {kind} {size}{packed}"), Token::Muted);
        self.blocks = blocks;
    }

    fn laid_out(&self, bytes: &[u8]) -> (&'static str, Vec<Block>) {
        let text = std::str::from_utf8(bytes).ok();
        let is_json = self.form == BodyForm::Auto
            && bytes.len() <= JSON_LIMIT
            && text.is_some_and(|text| json::check(text).is_none());
        match (self.form, text) {
            (BodyForm::Auto, Some(text)) if is_json => ("JSON ✓", json_blocks(text, self.folded)),
            (BodyForm::Auto | BodyForm::Text, Some(text)) => ("text", text_blocks(text)),
            (BodyForm::Text, None) => ("text, not UTF-8", text_blocks(&safe::decode(bytes))),
            (BodyForm::Auto | BodyForm::Hex, _) => ("hex", hex_blocks(bytes)),
        }
    }

    /// Appends the body to a detail.
    pub fn write(&self, document: &mut Document) {
        document.rule(self.title.clone());
        document.blocks.extend(self.blocks.iter().cloned());
    }
}

/// The bytes as the sender wrote them.
pub fn unpacked(message: &Message) -> Vec<u8> {
    use std::io::Read as _;
    if message.encoding == BodyEncoding::Gzip {
        let mut bytes = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(&*message.body).take(UNPACK_LIMIT);
        if reader.read_to_end(&mut bytes).is_ok() {
            return bytes;
        }
    }
    message.body.to_vec()
}

fn json_blocks(text: &str, folded: bool) -> Vec<Block> {
    let rows = json::layout(text, BODY_ROWS);
    let total = rows.len();
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(row) = rows.get(at).filter(|_| at < BODY_ROWS) {
        let line = json::paint_line(&row.text);
        if let Some(end) = row.closes_at.filter(|_| folded && at > 0) {
            let close = rows.get(end).map_or("", |row| row.text.trim_start());
            blocks.push(Block::Line(
                line.put(format!(" … {} rows ", end - at - 1), Token::Muted)
                    .then(close.to_owned()),
            ));
            at = end + 1;
        } else {
            blocks.push(Block::Line(line));
            at += 1;
        }
    }
    if total > BODY_ROWS {
        blocks.push(more());
    }
    blocks
}

fn text_blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = text
        .split('\n')
        .take(BODY_ROWS)
        .map(|row| Block::Line(long_line(row)))
        .collect();
    if text.split('\n').nth(BODY_ROWS).is_some() {
        blocks.push(more());
    }
    blocks
}

/// A line cut where it is longer than a screen could use, with what is missing.
pub fn long_line(row: &str) -> Line {
    if row.len() <= LINE_LIMIT {
        return Line::text(row.to_owned());
    }
    let mut end = LINE_LIMIT;
    while !row.is_char_boundary(end) {
        end -= 1;
    }
    let missing = numbers::bytes((row.len() - end) as u64);
    Line::text(row[..end].to_owned()).put(format!("… +{missing}"), Token::Warn)
}

fn hex_blocks(bytes: &[u8]) -> Vec<Block> {
    let rows = hex::rows(bytes);
    let mut blocks: Vec<Block> = (0..rows.min(BODY_ROWS))
        .map(|row| Block::Line(hex::row(bytes, row)))
        .collect();
    if rows > BODY_ROWS {
        blocks.push(more());
    }
    blocks
}

fn more() -> Block {
    Block::Line(Line::of(
        "… the body goes on: yb copies it, x saves it to a file",
        Token::Warn,
    ))
}

/// The fields of a message.
pub fn fields(message: &Message, shared: &Shared, document: &mut Document) {
    document.field("id", message.id.to_string());
    document.field(
        "place",
        format!(
            "{}   queue {}   offset {}",
            message.topic,
            message.queue,
            numbers::count(message.offset)
        ),
    );
    document.field(
        "born",
        Line::text(shared.times.full(message.born_at))
            .put(format!("   {}", message.born_host), Token::Muted),
    );
    document.field("stored", shared.times.full(message.stored_at));
    document.field(
        "tag",
        Line::text(message.tag.clone().unwrap_or_else(|| "-".to_owned()))
            .put("   keys ", Token::Muted)
            .then(if message.keys.is_empty() {
                "-".to_owned()
            } else {
                message.keys.join(" ")
            })
            .put("   type ", Token::Muted)
            .then(message.message_type.as_str()),
    );
    if let Some(group) = &message.message_group {
        document.field("msg group", group.clone());
    }
    if let Some(at) = message.deliver_at {
        document.field("deliver at", shared.times.full(at));
    }
    if let Some(priority) = message.priority {
        document.field("priority", priority.to_string());
    }
    for (name, value) in message.properties.iter() {
        document.field("property", format!("{name}={value}"));
    }
}

/// What the broker and the senders' libraries noted beside the properties.
pub fn system(message: &Message, document: &mut Document) {
    let mut names = message.system.iter().peekable();
    if names.peek().is_some() {
        document.rule("System properties");
    }
    for (name, value) in names {
        document.flow(Line::muted(format!("{name}=")).then(value.to_owned()), 2);
    }
}

/// What became of a message, as one cell: from its last invocation.
pub fn state(id: &MessageId, shared: &Shared) -> Line {
    match shared.runs.of_message(id) {
        None => Line::muted("-"),
        Some(record) if record.error.is_some() => {
            Line::of(format!("✖ attempt {}", record.attempt), Token::Error)
        }
        Some(record) => Line::of("✓ done", Token::Ok).put(
            format!(" {}", numbers::millis(record.duration_ms)),
            Token::Muted,
        ),
    }
}

/// The first bytes of a body on one line.
pub fn preview(message: &Message) -> Line {
    if message.encoding == BodyEncoding::Gzip {
        return Line::muted("gzip");
    }
    let head = &message.body[..message.body.len().min(200)];
    let text: String = safe::decode(head)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Line::muted(text)
}

/// A stretch of a message's life.
struct Step {
    at: Timestamp,
    label: String,
    millis: Option<f64>,
    note: Line,
}

/// Cells of a life line's bar.
const BAR: usize = 8;
/// Cells of a step's name.
const STEP: usize = 12;

/// A message's life: stored, delivered to each group, invoked, and what comes next.
pub fn life(
    traces: &[MessageTrace],
    message: Option<&Arc<Message>>,
    shared: &Shared,
    document: &mut Document,
) {
    for (index, trace) in traces.iter().enumerate() {
        let title = if traces.len() > 1 {
            format!("Trace {} of {}", index + 1, traces.len())
        } else {
            "Trace".to_owned()
        };
        document.rule(Line::text(title).put(format!("  {}", trace.topic), Token::Muted));
        let steps = steps(trace, message.or(trace.message.as_ref()), shared);
        bars(&steps, shared.look.plain, document);
        for group in &trace.groups {
            verdict(group, shared, document);
        }
    }
    if traces.is_empty() {
        document.rule("Trace");
        document.note(Line::muted("no trace is kept of this message"));
    }
}

fn steps(trace: &MessageTrace, message: Option<&Arc<Message>>, shared: &Shared) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(message) = message {
        steps.push(Step {
            at: message.born_at,
            label: "produced".to_owned(),
            millis: None,
            note: Line::muted(message.born_host.clone()),
        });
    }
    for step in &trace.steps {
        steps.push(Step {
            at: step.at,
            label: step.what.clone(),
            millis: None,
            note: Line::new(),
        });
    }
    for group in &trace.groups {
        // With one group, it is named once, where its verdict stands.
        let of = if trace.groups.len() > 1 {
            format!(" · {}", group.group)
        } else {
            String::new()
        };
        for attempt in &group.attempts {
            let Some(at) = attempt.delivered_at else {
                continue;
            };
            let failed = matches!(attempt.outcome.as_str(), "nacked" | "expired" | "dead");
            let token = if failed { Token::Error } else { Token::Muted };
            steps.push(Step {
                at,
                label: format!("delivery {}", attempt.attempt),
                millis: attempt
                    .ended_at
                    .map(|end| end.since(at).as_secs_f64() * 1e3),
                note: Line::of(format!("{}{of}", attempt.outcome), token),
            });
        }
    }
    for record in shared
        .runs
        .all()
        .filter(|record| record.message_ids.contains(&trace.id))
    {
        steps.push(Step {
            at: record.started_at,
            label: format!("invoke {}", record.attempt),
            millis: Some(record.duration_ms),
            note: outcome(record).put(format!(" · {}", record.function), Token::Muted),
        });
    }
    steps.sort_by_key(|step| step.at);
    steps
}

fn bars(steps: &[Step], plain: bool, document: &mut Document) {
    let Some(first) = steps.first().map(|step| step.at) else {
        return;
    };
    let end = steps
        .iter()
        .map(|step| step.at.since(first).as_secs_f64() * 1e3 + step.millis.unwrap_or(0.0))
        .fold(1.0, f64::max);
    for step in steps {
        let offset = step.at.since(first).as_secs_f64() * 1e3;
        let from = (offset / end * BAR as f64) as usize;
        let from = from.min(BAR - 1);
        let cells =
            ((step.millis.unwrap_or(0.0) / end * BAR as f64).ceil() as usize).clamp(1, BAR - from);
        let bar = if plain {
            String::new()
        } else if step.millis.is_some() {
            "█".repeat(cells)
        } else {
            "▏".to_owned()
        };
        let width = safe::width(&bar);
        let bar = format!(
            "{}{bar}{}",
            " ".repeat(from),
            " ".repeat(BAR - from - width.min(BAR - from))
        );
        let label = safe::cut_end(&step.label, STEP - 1).into_owned();
        let pad = STEP - safe::width(&label);
        document.flow(
            Line::text(format!("{label}{}", " ".repeat(pad)))
                .put(bar, Token::Chart)
                .put(format!(" +{:>7}  ", numbers::millis(offset)), Token::Muted)
                .join(step.note.clone()),
            STEP,
        );
    }
}

/// Where a message stands with a group, and why it is not delivered now.
fn verdict(trace: &GroupTrace, shared: &Shared, document: &mut Document) {
    let times = &shared.times;
    let line = match &trace.status {
        ConsumeStatus::NotSubscribed => Line::muted("○ before the group's start offset"),
        ConsumeStatus::FilteredOut => Line::muted("○ the group's filter does not want it"),
        ConsumeStatus::NotConsumed => Line::text("◐ ready; nobody has taken it yet"),
        ConsumeStatus::Blocked { by } => Line::of(
            format!(
                "▲ waits behind offset {} of its message group",
                numbers::count(*by)
            ),
            Token::Warn,
        ),
        ConsumeStatus::InFlight { until } => Line::text(format!(
            "◐ in flight; comes back {} unless it is acked",
            times.until(*until)
        )),
        ConsumeStatus::Retrying { attempt, due } => Line::of(
            format!("◐ attempt {attempt} {}", times.until(*due)),
            Token::Warn,
        ),
        ConsumeStatus::Consumed => Line::of("✓ consumed", Token::Ok),
        ConsumeStatus::Dead { place } => {
            Line::of(format!("✖ dead letter in {place}"), Token::Error)
        }
        ConsumeStatus::Discarded => Line::of("✖ discarded; no dead letter kept", Token::Error),
    };
    document.field(
        "group",
        Line::text(format!("{}   ", trace.group)).join(line),
    );
}
