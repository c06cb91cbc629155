//! `moonport send`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use serde::Serialize;

use crate::cli::output::{Output, remark};
use crate::cli::session::{Session, failed, read_input, refused};
use crate::cli::value;
use crate::cluster::Cluster;
use crate::cluster::messaging::{Send, SendReceipt};
use crate::cluster::session::Caller;
use crate::domain::ids::MessageId;
use crate::domain::message::{Draft, HalfDraft, MAX_BODY};
use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;
use crate::report::{Exit, Report};

/// Messages of one request: small enough that one answer is never long in coming.
const BATCH: usize = 256;
/// Bytes of bodies in one request, so that it fits through the owner's socket.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Args)]
pub struct SendArgs {
    #[arg(long)]
    pub topic: TopicName,
    /// The body as text
    #[arg(long, value_name = "TEXT", group = "source")]
    pub body: Option<String>,
    /// A file that is the body, byte for byte
    #[arg(long, value_name = "FILE", group = "source")]
    pub body_file: Option<PathBuf>,
    /// Files that are a body each; `-` is standard input
    #[arg(value_name = "FILE", group = "source")]
    pub files: Vec<PathBuf>,
    /// Each line of the body is a message
    #[arg(long)]
    pub lines: bool,
    /// Send it so many times
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub repeat: u32,
    /// Refuse a body that is not JSON
    #[arg(long)]
    pub expect_json: bool,
    /// NORMAL, FIFO, DELAY, TRANSACTION or PRIORITY; refused when the other flags make it something else
    #[arg(long = "type", value_name = "TYPE")]
    pub message_type: Option<String>,
    #[arg(long)]
    pub tag: Option<String>,
    /// A key to find it by
    #[arg(long = "key", value_name = "KEY")]
    pub keys: Vec<String>,
    /// A user property
    #[arg(long = "property", value_name = "KEY=VALUE", value_parser = value::pair)]
    pub properties: Vec<(String, String)>,
    /// Makes it FIFO
    #[arg(long, value_name = "GROUP")]
    pub message_group: Option<String>,
    /// Makes it DELAY: not before this much broker time
    #[arg(long, value_name = "SPAN", value_parser = value::span, conflicts_with = "at")]
    pub delay: Option<Duration>,
    /// Makes it DELAY: not before this moment of broker time
    #[arg(long, value_name = "MOMENT", value_parser = value::moment)]
    pub at: Option<Timestamp>,
    /// Makes it PRIORITY; higher first
    #[arg(long, value_name = "LEVEL")]
    pub priority: Option<u32>,
}

/// A sent message as it is told.
#[derive(Debug, Serialize)]
struct Sent {
    message_id: MessageId,
    topic: TopicName,
    queue: u32,
    offset: u64,
    stored_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recall_handle: Option<String>,
}

impl SendArgs {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let bodies = self.bodies()?;
        let cluster = session.cluster().await?;
        let now = match self.delay {
            Some(_) => session.control.clock.clock().await.map_err(failed)?.now,
            None => Timestamp::EPOCH,
        };
        let model = self.model(now)?;
        let mut drafts = Vec::new();
        for _ in 0..self.repeat {
            for body in &bodies {
                drafts.push(Draft {
                    body: body.clone(),
                    ..model.clone()
                });
            }
        }
        send_all(&cluster, drafts, &session.out).await
    }

    fn bodies(&self) -> Result<Vec<Bytes>, Report> {
        let mut bodies: Vec<Bytes> = Vec::new();
        if let Some(text) = &self.body {
            bodies.push(text.clone().into());
        }
        for file in self.body_file.iter().chain(&self.files) {
            bodies.push(read_body(file)?.into());
        }
        if bodies.is_empty() {
            bodies.push(read_body(Path::new("-"))?.into());
        }
        if self.lines {
            bodies = bodies.iter().flat_map(lines).collect();
        }
        bodies.iter().try_for_each(|body| self.check(body))?;
        Ok(bodies)
    }

    fn check(&self, body: &Bytes) -> Result<(), Report> {
        if body.len() > MAX_BODY {
            return Err(Report::plain(
                format!(
                    "the body is {} bytes, at most {MAX_BODY} are allowed",
                    body.len()
                ),
                Some("store the payload elsewhere and send a reference".to_owned()),
                Exit::Failed,
            ));
        }
        if self.expect_json {
            check_json(body)?;
        }
        Ok(())
    }

    /// The message without its body.
    fn model(&self, now: Timestamp) -> Result<Draft, Report> {
        let mut draft = Draft::new(self.topic.clone(), Bytes::new());
        draft.tag.clone_from(&self.tag);
        draft.keys.clone_from(&self.keys);
        draft.properties = self.properties.iter().cloned().collect();
        draft.message_group.clone_from(&self.message_group);
        draft.deliver_at = self.at.or(self.delay.map(|span| now + span));
        draft.priority = self.priority;
        let Some(wanted) = &self.message_type else {
            return Ok(draft);
        };
        if wanted.eq_ignore_ascii_case("TRANSACTION") {
            draft.transaction = Some(HalfDraft::default());
        }
        let made = draft.message_type();
        if wanted.eq_ignore_ascii_case(made.as_str()) {
            return Ok(draft);
        }
        Err(Report::plain(
            format!(
                "the flags make a {made} message, not {}",
                wanted.to_uppercase()
            ),
            Some(
                "FIFO needs `--message-group`, DELAY `--delay` or `--at`, PRIORITY `--priority`"
                    .to_owned(),
            ),
            Exit::Usage,
        ))
    }
}

/// Reads a body; a file whose name says JSON must hold JSON.
pub fn read_body(file: &Path) -> Result<Vec<u8>, Report> {
    let body = read_input(file)?;
    if file.extension().is_some_and(|name| name == "json") {
        check_json(&body)
            .map_err(|report| report.context(format!("cannot send `{}`", file.display())))?;
    }
    Ok(body)
}

/// A body that is not JSON is told with the place of the mistake.
pub fn check_json(body: &[u8]) -> Result<(), Report> {
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(body);
    parsed.map(drop).map_err(|error| {
        Report::plain(
            format!("the body is not JSON: {error}"),
            Some(
                "correct it, or pass it through `-` to send it as it is; nothing was sent"
                    .to_owned(),
            ),
            Exit::Failed,
        )
    })
}

fn lines(body: &Bytes) -> Vec<Bytes> {
    body.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(Bytes::copy_from_slice)
        .collect()
}

/// Sends in bounded batches, telling each receipt; the first refusal becomes the failure once all are tried.
async fn send_all(cluster: &Cluster, drafts: Vec<Draft>, out: &Output) -> Result<(), Report> {
    let total = drafts.len();
    let mut sent = 0;
    let mut first_refusal = None;
    let mut rest = drafts.into_iter().peekable();
    while rest.peek().is_some() {
        let batch = next_batch(&mut rest);
        let topics: Vec<TopicName> = batch.iter().map(|draft| draft.topic.clone()).collect();
        let request = Send { drafts: batch };
        let outcomes = cluster.messaging.send(&Caller::local(), request).await;
        for (outcome, topic) in outcomes.map_err(refused)?.into_iter().zip(topics) {
            match outcome {
                Ok(receipt) => {
                    sent += 1;
                    tell(receipt, topic, out)?;
                }
                Err(error) => first_refusal = first_refusal.or(Some(error)),
            }
        }
    }
    let Some(error) = first_refusal else {
        return Ok(());
    };
    if total > 1 {
        remark(&format!("{sent} of {total} messages were sent"));
    }
    Err(refused(error))
}

fn next_batch(rest: &mut std::iter::Peekable<std::vec::IntoIter<Draft>>) -> Vec<Draft> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while let Some(draft) = rest.next_if(|draft| {
        batch.is_empty() || (batch.len() < BATCH && bytes + draft.body.len() <= BATCH_BYTES)
    }) {
        bytes += draft.body.len();
        batch.push(draft);
    }
    batch
}

fn tell(receipt: SendReceipt, topic: TopicName, out: &Output) -> Result<(), Report> {
    let sent = Sent {
        message_id: receipt.id,
        topic,
        queue: receipt.queue,
        offset: receipt.offset,
        stored_at: receipt.stored_at,
        transaction: receipt.transaction.map(|id| id.to_string()),
        recall_handle: receipt.recall_handle,
    };
    let place = match (&sent.transaction, &sent.recall_handle) {
        (Some(id), _) => format!("half message of transaction {id}"),
        (None, Some(handle)) => {
            format!("pending, recall with `moonport messages --recall {handle}`")
        }
        (None, None) => format!("queue {} offset {}", sent.queue, sent.offset),
    };
    out.done(
        &format!("sent {} to `{}`: {place}", sent.message_id, sent.topic),
        &sent,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_by_count_and_bytes() {
        let topic = TopicName::new("t").unwrap();
        let big = Draft::new(topic.clone(), vec![0; MAX_BODY]);
        let small = Draft::new(topic, vec![0; 1]);
        let mut rest = vec![small.clone(), big.clone(), big, small]
            .into_iter()
            .peekable();
        let sizes: Vec<usize> = std::iter::from_fn(|| {
            rest.peek()?;
            Some(next_batch(&mut rest).len())
        })
        .collect();
        assert_eq!(sizes, [1, 1, 1, 1]);
    }

    #[test]
    fn lines_leave_out_empty_ones() {
        let body = Bytes::from_static(b"a\r\n\nb\n");
        assert_eq!(lines(&body), ["a", "b"]);
    }
}
