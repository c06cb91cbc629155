//! `moonport trace`: one message's life.

use clap::Args;

use crate::cli::absent::absent;
use crate::cli::messages::parse_id;
use crate::cli::output::Output;
use crate::cli::session::{Session, refused};
use crate::cli::value::or_dash;
use crate::cluster::admin::{AttemptTrace, ConsumeStatus, GroupTrace, MessageTrace};
use crate::domain::message::Message;
use crate::report::{Report, counted};

#[derive(Debug, Args)]
pub struct Trace {
    #[arg(value_name = "MESSAGE-ID")]
    pub id: String,
}

impl Trace {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let id = parse_id(&self.id)?;
        let cluster = session.cluster().await?;
        let traces = cluster.admin.trace(id.clone()).await.map_err(refused)?;
        if traces.is_empty() {
            return Err(absent(session, &cluster, &id).await?);
        }
        if session.out.is_json() {
            return session.out.json_line(&traces);
        }
        traces
            .iter()
            .try_for_each(|trace| tell(trace, &session.out))
    }
}

fn tell(trace: &MessageTrace, out: &Output) -> Result<(), Report> {
    let place = trace.place.as_ref().map(|place| format!(", {place}"));
    out.line(&format!(
        "{} of topic `{}`{}",
        trace.id,
        trace.topic,
        place.unwrap_or_default()
    ))?;
    if let Some(message) = &trace.message {
        out.line(&format!("  {}", told_sending(message)))?;
    }
    for step in &trace.steps {
        out.line(&format!("  {}  {}", step.at, step.what))?;
    }
    trace
        .groups
        .iter()
        .try_for_each(|group| tell_group(group, out))
}

/// What its sender said of it (K2).
fn told_sending(message: &Message) -> String {
    let mut told = format!(
        "{} of {}, born {} at {}",
        message.message_type,
        counted(message.body.len() as u64, "byte", "bytes"),
        message.born_at,
        message.born_host,
    );
    if let Some(tag) = &message.tag {
        told.push_str(&format!(", tag {tag}"));
    }
    if !message.keys.is_empty() {
        told.push_str(&format!(", keys {}", message.keys.join(" ")));
    }
    told
}

fn tell_group(group: &GroupTrace, out: &Output) -> Result<(), Report> {
    out.line(&format!(
        "  group `{}`: {}",
        group.group,
        told_status(&group.status)
    ))?;
    group
        .attempts
        .iter()
        .try_for_each(|attempt| tell_attempt(attempt, out))
}

fn tell_attempt(attempt: &AttemptTrace, out: &Output) -> Result<(), Report> {
    out.line(&format!(
        "    attempt {}  {} to {}  {}  client {}",
        attempt.attempt,
        or_dash(attempt.delivered_at.as_ref()),
        or_dash(attempt.ended_at.as_ref()),
        attempt.outcome,
        or_dash(attempt.client.as_ref()),
    ))
}

fn told_status(status: &ConsumeStatus) -> String {
    match status {
        ConsumeStatus::NotSubscribed => "not subscribed, or before its start".to_owned(),
        ConsumeStatus::FilteredOut => "filtered out".to_owned(),
        ConsumeStatus::NotConsumed => "ready, nobody took it yet".to_owned(),
        ConsumeStatus::Blocked { by } => format!("blocked behind offset {by}"),
        ConsumeStatus::InFlight { until } => format!("in flight until {until}"),
        ConsumeStatus::Retrying { attempt, due } => format!("attempt {attempt} is due at {due}"),
        ConsumeStatus::Consumed => "consumed".to_owned(),
        ConsumeStatus::Dead { place } => format!("dead letter at {place}"),
        ConsumeStatus::Discarded => "given up and dropped".to_owned(),
    }
}
