//! `moonport trigger`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::group::first_seen;
use crate::cli::session::{Session, failed, usage};
use crate::cli::value;
use crate::cli::view::trigger::TriggerView;
use crate::control::error::ControlError;
use crate::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use crate::domain::group::FirstSeen;
use crate::domain::names::{FunctionName, GroupName, TopicName, TriggerName};
use crate::domain::subscription::FilterExpression;
use crate::domain::trigger::{Tolerance, TriggerDeadLetter, TriggerDefinition, TriggerRetry};
use crate::report::Report;

#[derive(Debug, Subcommand)]
pub enum Trigger {
    /// All triggers
    List,
    /// One trigger
    Show { name: TriggerName },
    /// Bind a topic to a function
    Create(Create),
    /// Change a trigger
    Update(Update),
    /// Remove a trigger; its group keeps its place
    Delete { name: TriggerName },
    /// Stop before the next batch
    Pause { name: TriggerName },
    /// Go on
    Resume { name: TriggerName },
    /// Give up the batch that waits: dead letter, then go on
    Skip { name: TriggerName },
    /// Start the next attempt of waiting batches now
    RetryNow { name: TriggerName },
}

#[derive(Debug, Args)]
pub struct Create {
    pub name: TriggerName,
    #[arg(long)]
    pub function: FunctionName,
    #[arg(long)]
    pub topic: TopicName,
    /// A consumer group of its own
    #[arg(long)]
    pub group: GroupName,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Args)]
pub struct Update {
    pub name: TriggerName,
    #[arg(long)]
    pub function: Option<FunctionName>,
    #[command(flatten)]
    pub limits: Limits,
}

/// What may be given when a trigger is made and when it is changed.
#[derive(Debug, Args)]
pub struct Limits {
    /// Tags wanted, as in `a || b`
    #[arg(long, value_name = "TAGS", conflicts_with = "sql")]
    pub tag: Option<String>,
    /// An SQL92 condition over properties
    #[arg(long, value_name = "EXPR")]
    pub sql: Option<String>,
    /// Where a group without a place begins: latest, earliest, or a moment
    #[arg(long, value_name = "PLACE", value_parser = first_seen)]
    pub offset: Option<FirstSeen>,
    /// Messages per batch
    #[arg(long, value_name = "COUNT")]
    pub batch_size: Option<u32>,
    /// Longest wait for a full batch
    #[arg(long, value_name = "SPAN", value_parser = value::span)]
    pub batch_window: Option<Duration>,
    /// backoff or exponential-decay
    #[arg(long, value_parser = retry)]
    pub retry: Option<TriggerRetry>,
    /// all: dead letter and go on; none: stop at the first error
    #[arg(long, value_parser = tolerance)]
    pub tolerance: Option<Tolerance>,
    /// A topic for dead letters, or `none` to drop them [default: the group's own]
    #[arg(long, value_name = "TOPIC", value_parser = dead_letter)]
    pub dead_letter_topic: Option<TriggerDeadLetter>,
    /// Batches in work at once
    #[arg(long, value_name = "COUNT")]
    pub concurrency: Option<u32>,
    /// Ack a batch once the function accepted it, and leave retries to the function's own settings
    #[arg(long = "async", value_name = "BOOL")]
    pub asynchronous: Option<bool>,
}

impl Trigger {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        match self {
            Self::List => {
                let rows = session.control.triggers.triggers().await.map_err(failed)?;
                let rows: Vec<TriggerView> = rows.iter().map(TriggerView::new).collect();
                session.out.list(&rows)
            }
            Self::Show { name } => {
                let row = find(session, &name).await?;
                session.out.show(&TriggerView::new(&row))
            }
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete { name } => {
                let gone = session.control.triggers.delete_trigger(name.clone()).await;
                gone.map_err(failed)?;
                session
                    .out
                    .done(&format!("removed trigger `{name}`"), &name)
            }
            Self::Pause { name } => command(session, name, TriggerCommand::Pause, "paused").await,
            Self::Resume { name } => {
                command(session, name, TriggerCommand::Resume, "resumed").await
            }
            Self::Skip { name } => {
                command(session, name, TriggerCommand::Skip, "skipped the batch of").await
            }
            Self::RetryNow { name } => {
                command(session, name, TriggerCommand::RetryNow, "retries now:").await
            }
        }
    }
}

async fn find(session: &Session, name: &TriggerName) -> Result<TriggerRow, Report> {
    let rows = session.control.triggers.triggers().await.map_err(failed)?;
    let found = rows.into_iter().find(|row| row.definition.name == *name);
    found.ok_or_else(|| usage(&ControlError::TriggerNotFound(name.clone())))
}

async fn command(
    session: &Session,
    name: TriggerName,
    command: TriggerCommand,
    done: &str,
) -> Result<(), Report> {
    let triggers = &session.control.triggers;
    triggers
        .command(name.clone(), command)
        .await
        .map_err(failed)?;
    let row = find(session, &name).await?;
    let told = format!("{done} trigger `{name}`");
    session.out.done(&told, &TriggerView::new(&row))
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let instance = session.instance().await?.definition.id;
        let mut definition =
            TriggerDefinition::new(self.name, instance, self.function, self.topic, self.group);
        self.limits.write_to(&mut definition);
        put(session, definition, "created").await
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let mut definition = find(session, &self.name).await?.definition;
        if let Some(function) = self.function {
            definition.function = function;
        }
        self.limits.write_to(&mut definition);
        put(session, definition, "updated").await
    }
}

impl Limits {
    fn write_to(self, definition: &mut TriggerDefinition) {
        if let Some(tag) = self.tag {
            definition.filter = FilterExpression::Tag(tag);
        }
        if let Some(sql) = self.sql {
            definition.filter = FilterExpression::Sql(sql);
        }
        if let Some(target) = self.dead_letter_topic {
            definition.dead_letter = target;
        }
        definition.offset = self.offset.unwrap_or(definition.offset);
        definition.batch_size = self.batch_size.unwrap_or(definition.batch_size);
        definition.batch_window = self.batch_window.unwrap_or(definition.batch_window);
        definition.retry = self.retry.unwrap_or(definition.retry);
        definition.tolerance = self.tolerance.unwrap_or(definition.tolerance);
        definition.concurrency = self.concurrency.unwrap_or(definition.concurrency);
        definition.asynchronous = self.asynchronous.unwrap_or(definition.asynchronous);
    }
}

async fn put(session: &Session, definition: TriggerDefinition, done: &str) -> Result<(), Report> {
    let triggers = &session.control.triggers;
    let row = triggers.put_trigger(PutTrigger { definition }).await;
    let row = row.map_err(failed)?;
    let told = format!("{done} trigger `{}`", row.definition.name);
    session.out.done(&told, &TriggerView::new(&row))
}

fn retry(text: &str) -> Result<TriggerRetry, String> {
    match text {
        "backoff" => Ok(TriggerRetry::Backoff),
        "exponential-decay" => Ok(TriggerRetry::ExponentialDecay),
        _ => Err("expected backoff or exponential-decay".to_owned()),
    }
}

fn tolerance(text: &str) -> Result<Tolerance, String> {
    match text {
        "all" => Ok(Tolerance::All),
        "none" => Ok(Tolerance::None),
        _ => Err("expected all or none".to_owned()),
    }
}

fn dead_letter(text: &str) -> Result<TriggerDeadLetter, String> {
    if text == "none" {
        return Ok(TriggerDeadLetter::Dropped);
    }
    let topic = TopicName::new(text).map_err(|error| error.to_string())?;
    Ok(TriggerDeadLetter::Topic(topic))
}
