//! `moonport run` and `moonport demo --headless`: a workflow once, with events, until nothing is due.

mod print;
mod settle;
mod verdict;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::cli::output::remark;
use crate::cli::send::read_body;
use crate::cli::session::{Session, failed, refused, usage};
use crate::cli::value;
use crate::clock::RealClock;
use crate::cluster::messaging::Send;
use crate::cluster::session::Caller;
use crate::domain::message::Draft;
use crate::domain::names::TopicName;
use crate::report::{Exit, Report, counted};
use crate::workflow::apply::apply;
use crate::workflow::error::WorkflowError;
use crate::workflow::file::Workflow;
use crate::workflow::plan::plan;

use settle::Settling;
use verdict::judge;

#[derive(Debug, Args)]
pub struct Run {
    /// The workflow file
    pub file: PathBuf,
    /// A file that is the body of a message; `-` is standard input
    #[arg(long = "send", value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Where events go [default: the only topic that triggers read]
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<TopicName>,
    #[command(flatten)]
    pub manner: Manner,
}

/// How a run goes.
#[derive(Debug, Clone, Args)]
pub struct Manner {
    /// Let broker time follow the wall clock instead of jumping to the next due thing
    #[arg(long)]
    pub real_time: bool,
    /// Every attempt must succeed, not only the last
    #[arg(long)]
    pub strict: bool,
    /// Most real time it may take
    #[arg(long, value_name = "SPAN", value_parser = value::span, default_value = "5m")]
    pub timeout: Duration,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Without a terminal: send the sample event and print the functions' logs
    #[arg(long)]
    pub headless: bool,
}

impl Run {
    /// What a demonstration without a terminal does: `file` with `event`, nothing else.
    pub fn once(file: &Path, event: &Path) -> Self {
        Self {
            file: file.to_owned(),
            events: vec![event.to_owned()],
            topic: None,
            manner: Manner {
                real_time: false,
                strict: false,
                timeout: Duration::from_secs(300),
            },
        }
    }

    /// Applies, sends `drafts`, waits until nothing is due, judges. The session's set-up must be a throwaway one.
    pub async fn run(
        &self,
        session: &Session,
        workflow: &Workflow,
        drafts: Vec<Draft>,
        real: &RealClock,
    ) -> Result<(), Report> {
        let deadline = real.now() + self.manner.timeout;
        let plan = plan(&session.control, workflow, false).await;
        let plan = plan.map_err(|error| told(&error))?;
        apply(&session.control, &plan)
            .await
            .map_err(|error| told(&error))?;
        let session = Session {
            instance: Some(plan.instance.to_string()),
            ..session.clone()
        };
        let began = real.now();
        send(&session, drafts).await?;
        let mut settling = Settling::new(&session, real, &self.manner);
        let settled = settling.run(deadline).await?;
        let triggers = session.control.triggers.triggers().await.map_err(failed)?;
        let delivered: u64 = triggers.iter().map(|row| row.invoked_total).sum();
        remark(&format!(
            "{}, {}, {}",
            counted(self.events.len() as u64, "event", "events"),
            counted(delivered, "invocation", "invocations"),
            value::told_span(real.now() - began)
        ));
        let functions = session
            .control
            .functions
            .functions()
            .await
            .map_err(failed)?;
        let strict = self.manner.strict;
        judge(&session, workflow, &triggers, &functions, settled, strict).await
    }

    /// The messages to send; made before anything is started, so that a mistake costs nothing.
    pub fn drafts(&self, workflow: &Workflow) -> Result<Vec<Draft>, Report> {
        if self.events.is_empty() {
            return Ok(Vec::new());
        }
        let topic = match &self.topic {
            Some(topic) => topic.clone(),
            None => only_topic(workflow)?,
        };
        let draft = |file: &PathBuf| {
            let body = read_body(file)?;
            Ok(Draft::new(topic.clone(), body))
        };
        self.events.iter().map(draft).collect()
    }
}

/// The topic that events go to where none is named.
fn only_topic(workflow: &Workflow) -> Result<TopicName, Report> {
    let mut topics: Vec<&TopicName> = workflow.triggers.iter().map(|t| &t.value.topic).collect();
    topics.sort();
    topics.dedup();
    match topics.as_slice() {
        [only] => Ok((*only).clone()),
        topics => {
            let names: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
            let read = if names.is_empty() {
                "no topic is read by a trigger".to_owned()
            } else {
                format!("triggers read {}", names.join(", "))
            };
            let hint = Some(format!("name one with `--topic`; {read}"));
            Err(Report::plain("the events need a topic", hint, Exit::Usage))
        }
    }
}

async fn send(session: &Session, drafts: Vec<Draft>) -> Result<(), Report> {
    let cluster = session.cluster().await?;
    for draft in drafts {
        let sent = cluster
            .messaging
            .send(&Caller::local(), Send::one(draft))
            .await;
        for outcome in sent.map_err(refused)? {
            outcome.map_err(refused)?;
        }
    }
    Ok(())
}

/// A mistake in the file is wrong use; a step that the set-up refused has failed.
pub fn told(error: &WorkflowError) -> Report {
    match error {
        WorkflowError::Unreadable { .. } | WorkflowError::Invalid(_) => usage(error),
        _ => Report::new(error, Exit::Failed),
    }
}
