//! moonport inside another program: its closures as functions, with the console over them or without a terminal.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::app::listening::Listening;
use crate::app::mode::Launch;
use crate::app::owner::take;
use crate::app::throwaway::Throwaway;
use crate::app::wiring::{Engine, EngineOptions};
use crate::cli::session::{bad_name, failed, refused};
use crate::cluster::Cluster;
use crate::cluster::admin::{PutMode, PutTopic};
use crate::cluster::messaging::Send;
use crate::cluster::paging::Page;
use crate::cluster::session::Caller;
use crate::config::paths::DataDir;
use crate::control::Control;
use crate::control::functions::PutFunction;
use crate::control::instances::PutInstance;
use crate::control::logs::InvocationQuery;
use crate::control::triggers::PutTrigger;
use crate::domain::function::{FunctionDefinition, InvocationRecord, Runtime};
use crate::domain::ids::MessageId;
use crate::domain::instance::InstanceDefinition;
use crate::domain::message::Draft;
use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};
use crate::domain::subscription::FilterExpression;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{DEFAULT_QUEUES, TopicDefinition, TopicType};
use crate::domain::trigger::TriggerDefinition;
use crate::function::runtime::closure::Function;
use crate::function::runtime::worker::supervisor::{SUBCOMMAND, supervise};
use crate::report::{Exit, Report};

/// Name of the instance that embedded functions live in.
const INSTANCE: &str = "embedded";
/// Real time that running invocations get at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where to begin: [`Host::builder`].
pub struct Host;

/// Functions and triggers of a program.
#[derive(Default)]
pub struct HostBuilder {
    data_dir: Option<PathBuf>,
    program: Option<PathBuf>,
    functions: Vec<(String, Arc<dyn Function>)>,
    triggers: Vec<(String, RocketMqTrigger)>,
}

/// A topic bound to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RocketMqTrigger {
    topic: String,
    group: Option<String>,
    filter: FilterExpression,
}

impl RocketMqTrigger {
    /// Every message of a topic; it is made when it is missing.
    pub fn topic(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            group: None,
            filter: FilterExpression::all(),
        }
    }

    /// The consumer group; named after the function when not given.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Only some of the messages.
    #[must_use]
    pub fn filter(mut self, filter: FilterExpression) -> Self {
        self.filter = filter;
        self
    }
}

impl Host {
    /// Begins a set-up. Call it first in `main`: moonport starts this same program again as the supervisor of worker
    /// processes, and such a start ends here.
    pub fn builder() -> HostBuilder {
        let mut words = std::env::args_os().skip(1);
        if words
            .next()
            .is_some_and(|word: OsString| word == SUBCOMMAND)
        {
            let _ = supervise(words);
            std::process::exit(0);
        }
        HostBuilder::default()
    }
}

impl HostBuilder {
    /// Keeps everything here; without it, all goes away with the program.
    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// The program that supervises workers, where it is not this one.
    #[must_use]
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Registers a closure (RS-7); see [`crate::function::runtime::closure`] for what makes one.
    #[must_use]
    pub fn function(mut self, name: impl Into<String>, function: Arc<dyn Function>) -> Self {
        self.functions.push((name.into(), function));
        self
    }

    /// Binds a topic to the function of this name.
    #[must_use]
    pub fn trigger(mut self, function: impl Into<String>, trigger: RocketMqTrigger) -> Self {
        self.triggers.push((function.into(), trigger));
        self
    }

    /// Opens the console over the functions and returns when the person quits.
    pub async fn console(self) -> Result<(), Report> {
        let launch = Launch::embedded(self.data_dir.clone())?;
        launch.needs_terminal()?;
        let running = self.start().await?;
        let Running {
            engine, throwaway, ..
        } = running;
        let data = engine.data.clone();
        let shown = launch.over(engine, &data, None, false).await;
        drop(throwaway);
        shown.map(drop)
    }

    /// Starts without a terminal (RS-8).
    pub async fn start(self) -> Result<Running, Report> {
        let (throwaway, root) = if let Some(path) = self.data_dir {
            (None, path)
        } else {
            let throwaway = Throwaway::new()?;
            let path = throwaway.path().to_owned();
            (Some(throwaway), path)
        };
        let data = DataDir::new(root).map_err(|error| Report::new(&error, Exit::Usage))?;
        let lock = take(&data)?;
        let mut options = EngineOptions::new(data)?;
        options.listening = Listening::AsDefined;
        options.program = self.program.unwrap_or(options.program);
        let mut names = Vec::new();
        for (name, function) in self.functions {
            let name = FunctionName::new(name).map_err(bad_name)?;
            options.functions.push((name.clone(), function));
            names.push(name);
        }
        let engine = Engine::start(options, lock).await?;
        match set_up(&engine.control, names, self.triggers).await {
            Ok(instance) => Ok(Running {
                engine,
                instance,
                throwaway,
            }),
            Err(report) => {
                engine.stop(Duration::ZERO).await;
                Err(report)
            }
        }
    }
}

/// Functions at work; [`Running::stop`] ends them in order.
pub struct Running {
    engine: Engine,
    instance: InstanceId,
    throwaway: Option<Throwaway>,
}

impl Running {
    /// Everything the console and the commands may ask.
    pub fn control(&self) -> &Control {
        &self.engine.control
    }

    /// The messages of the instance.
    pub fn cluster(&self) -> Result<Cluster, Report> {
        let instances = &self.engine.control.instances;
        instances.cluster(&self.instance).map_err(failed)
    }

    /// Sends a message; it is durable when this returns.
    pub async fn publish(&self, topic: &str, body: impl Into<Bytes>) -> Result<MessageId, Report> {
        let topic = TopicName::new(topic).map_err(bad_name)?;
        let request = Send::one(Draft::new(topic, body));
        let sent = self
            .cluster()?
            .messaging
            .send(&Caller::local(), request)
            .await;
        let first = sent.map_err(refused)?.into_iter().next();
        match first {
            Some(outcome) => outcome.map(|receipt| receipt.id).map_err(refused),
            None => Err(Report::plain(
                "the message has no outcome",
                None,
                Exit::Failed,
            )),
        }
    }

    /// Waits for the first invocation that a message led to (RS-8).
    pub async fn invocation_of(&self, id: &MessageId) -> Result<InvocationRecord, Report> {
        let mut events = self.engine.control.activity.latest();
        loop {
            // Marked before looking, so that what happens meanwhile wakes the wait.
            events.mark_unchanged();
            let query = InvocationQuery {
                message_id: Some(id.clone()),
                ..InvocationQuery::default()
            };
            let logs = &self.engine.control.logs;
            let found = logs.invocations(query, Page::all()).await.map_err(failed)?;
            if let Some(record) = found.rows.into_iter().last() {
                return Ok(record);
            }
            if events.changed().await.is_err() {
                return Err(Report::plain(
                    "the functions have stopped",
                    None,
                    Exit::Failed,
                ));
            }
        }
    }

    /// Ends everything in order.
    pub async fn stop(self) {
        self.engine.stop(PATIENCE).await;
        drop(self.throwaway);
    }
}

/// The same checks as for a workflow file: everything goes through the seams.
async fn set_up(
    control: &Control,
    functions: Vec<FunctionName>,
    triggers: Vec<(String, RocketMqTrigger)>,
) -> Result<InstanceId, Report> {
    let instance = InstanceId::of_name(INSTANCE).map_err(bad_name)?;
    let definition = InstanceDefinition::new(
        instance.clone(),
        INSTANCE.to_owned(),
        InstanceDefinition::DEFAULT_REGION.to_owned(),
        Timestamp::EPOCH,
    );
    let put = control
        .instances
        .put_instance(PutInstance { definition })
        .await;
    put.map_err(failed)?;
    for name in functions {
        let definition =
            FunctionDefinition::new(name, Runtime::Rust, PathBuf::new(), String::new());
        let definition = Box::new(definition);
        let put = control
            .functions
            .put_function(PutFunction { definition })
            .await;
        put.map_err(failed)?;
    }
    let now = control.clock.clock().await.map_err(failed)?.now;
    for (function, trigger) in triggers {
        put_trigger(control, &instance, function, trigger, now).await?;
    }
    Ok(instance)
}

async fn put_trigger(
    control: &Control,
    instance: &InstanceId,
    function: String,
    trigger: RocketMqTrigger,
    now: Timestamp,
) -> Result<(), Report> {
    let group = trigger.group.unwrap_or_else(|| function.clone());
    let name = TriggerName::new(format!("{function}-{}", trigger.topic)).map_err(bad_name)?;
    let function = FunctionName::new(function).map_err(bad_name)?;
    let topic = TopicName::new(trigger.topic).map_err(bad_name)?;
    let group = GroupName::new(group).map_err(bad_name)?;
    let admin = control.instances.cluster(instance).map_err(failed)?.admin;
    if admin.topic(topic.clone()).await.is_err() {
        let definition =
            TopicDefinition::new(topic.clone(), TopicType::Normal, DEFAULT_QUEUES, now);
        let mode = PutMode::Either;
        let put = admin.put_topic(PutTopic { definition, mode }).await;
        put.map_err(refused)?;
    }
    let mut definition = TriggerDefinition::new(name, instance.clone(), function, topic, group);
    definition.filter = trigger.filter;
    let put = control
        .triggers
        .put_trigger(PutTrigger { definition })
        .await;
    put.map(drop).map_err(failed)
}
