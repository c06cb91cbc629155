//! `moonport function`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::later::Later;
use crate::cli::sample::SampleCommand;
use crate::cli::session::{Session, failed, usage};
use crate::cli::value;
use crate::cli::view::function::{FunctionView, InvocationView};
use crate::cluster::paging::Page;
use crate::control::error::ControlError;
use crate::control::functions::{FunctionRow, PutFunction};
use crate::control::logs::InvocationQuery;
use crate::domain::function::{EventAs, FunctionDefinition, Runtime};
use crate::domain::names::FunctionName;
use crate::report::{Exit, Report};

/// Invocations that `function show` lists.
const SHOWN_INVOCATIONS: usize = 20;

#[derive(Debug, Subcommand)]
pub enum Function {
    /// All functions
    List,
    /// One function with its last invocations
    Show { name: FunctionName },
    /// Make a function
    Create(Create),
    /// Change a function
    Update(Update),
    /// Remove a function
    Delete { name: FunctionName },
    /// End its idle instances, so that the next request starts afresh
    Restart { name: FunctionName },
    /// Sample events for test runs
    Sample {
        #[command(subcommand)]
        command: SampleCommand,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    pub name: FunctionName,
    /// python3, python3.12, nodejs, js or custom
    #[arg(long, value_parser = runtime, default_value = "python3")]
    pub runtime: Runtime,
    /// Folder of the code
    #[arg(long, value_name = "DIR")]
    pub code: PathBuf,
    /// File and function
    #[arg(long, default_value = "index.handler")]
    pub handler: String,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Args)]
pub struct Update {
    pub name: FunctionName,
    /// Folder of the code
    #[arg(long, value_name = "DIR")]
    pub code: Option<PathBuf>,
    #[arg(long)]
    pub handler: Option<String>,
    #[command(flatten)]
    pub limits: Limits,
}

/// What may be given when a function is made and when it is changed.
#[derive(Debug, Args)]
pub struct Limits {
    /// Seconds
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u32>,
    /// MB, in steps of 64
    #[arg(long, value_name = "MB")]
    pub memory: Option<u32>,
    /// Instances running at once
    #[arg(long, value_name = "COUNT")]
    pub max_instances: Option<u32>,
    /// A variable of its environment
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = value::pair)]
    pub environment: Vec<(String, String)>,
    /// A file of KEY=value lines
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// The Python interpreter, or a virtual environment
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// auto, bytes or object
    #[arg(long, value_name = "FORM", value_parser = event_as)]
    pub event_as: Option<EventAs>,
    /// A folder searched after the code; may be given more than once
    #[arg(long = "layer", value_name = "DIR")]
    pub layers: Vec<PathBuf>,
    /// Port for a debugger of Python or Node.js; while it is set nothing times out
    #[arg(long, value_name = "PORT")]
    pub debug: Option<u16>,
    #[command(flatten)]
    pub later: Later,
}

impl Function {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let functions = &session.control.functions;
        match self {
            Self::List => {
                let rows = functions.functions().await.map_err(failed)?;
                let rows: Vec<FunctionView> = rows.iter().map(FunctionView::new).collect();
                session.out.list(&rows)
            }
            Self::Show { name } => show(session, name).await,
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete { name } => {
                let gone = functions.delete_function(name.clone()).await;
                gone.map_err(failed)?;
                session
                    .out
                    .done(&format!("removed function `{name}`"), &name)
            }
            Self::Sample { command } => command.run(session).await,
            Self::Restart { name } => {
                functions.restart(name.clone()).await.map_err(failed)?;
                session
                    .out
                    .done(&format!("restarted function `{name}`"), &name)
            }
        }
    }
}

async fn find(session: &Session, name: &FunctionName) -> Result<FunctionRow, Report> {
    let rows = session
        .control
        .functions
        .functions()
        .await
        .map_err(failed)?;
    let found = rows.into_iter().find(|row| row.definition.name == *name);
    found.ok_or_else(|| usage(&ControlError::FunctionNotFound(name.clone())))
}

async fn show(session: &Session, name: FunctionName) -> Result<(), Report> {
    let view = FunctionView::new(&find(session, &name).await?);
    let query = InvocationQuery {
        function: Some(name),
        ..InvocationQuery::default()
    };
    let logs = &session.control.logs;
    let invocations = logs
        .invocations(query, Page::first(SHOWN_INVOCATIONS))
        .await;
    let invocations = invocations.map_err(failed)?.rows;
    let invocations: Vec<InvocationView> = invocations.iter().map(InvocationView::new).collect();
    if session.out.is_json() {
        return session
            .out
            .json_line(&serde_json::json!({ "function": view, "invocations": invocations }));
    }
    session.out.show(&view)?;
    session.out.line("")?;
    session.out.list(&invocations)
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let code = absolute(&self.code)?;
        let mut definition = FunctionDefinition::new(self.name, self.runtime, code, self.handler);
        self.limits.write_to(&mut definition, session).await?;
        put(session, definition, "created").await
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let mut definition = find(session, &self.name).await?.definition;
        if let Some(code) = &self.code {
            definition.code = absolute(code)?;
        }
        if let Some(handler) = self.handler {
            definition.handler = handler;
        }
        self.limits.write_to(&mut definition, session).await?;
        put(session, definition, "updated").await
    }
}

impl Limits {
    async fn write_to(
        self,
        definition: &mut FunctionDefinition,
        session: &Session,
    ) -> Result<(), Report> {
        definition.timeout = self.timeout.unwrap_or(definition.timeout);
        definition.memory = self.memory.unwrap_or(definition.memory);
        definition.max_instances = self.max_instances.unwrap_or(definition.max_instances);
        definition.event_as = self.event_as.unwrap_or(definition.event_as);
        definition.environment.extend(self.environment);
        if let Some(file) = &self.env_file {
            definition.env_file = Some(absolute(file)?);
        }
        if let Some(python) = &self.python {
            definition.python = Some(absolute(python)?);
        }
        if !self.layers.is_empty() {
            let layers = self.layers.iter().map(absolute);
            definition.layers = layers.collect::<Result<_, _>>()?;
        }
        definition.debug = self.debug.or(definition.debug);
        let settings = &mut definition.asynchronous;
        self.later.write_to(settings, session).await
    }
}

async fn put(session: &Session, definition: FunctionDefinition, done: &str) -> Result<(), Report> {
    let functions = &session.control.functions;
    let definition = Box::new(definition);
    let row = functions.put_function(PutFunction { definition }).await;
    let row = row.map_err(failed)?;
    let told = format!("{done} function `{}`", row.definition.name);
    session.out.done(&told, &FunctionView::new(&row))
}

/// The owner may run in another folder, so paths travel absolute.
fn absolute(path: &PathBuf) -> Result<PathBuf, Report> {
    std::path::absolute(path).map_err(|error| {
        Report::plain(
            format!("cannot use the path `{}`: {error}", path.display()),
            None,
            Exit::Usage,
        )
    })
}

fn runtime(text: &str) -> Result<Runtime, String> {
    let offered = Runtime::ALL
        .into_iter()
        .filter(|kind| *kind != Runtime::Rust);
    let mut names = offered.map(|kind| (kind.as_str(), kind));
    let found = names.clone().find(|(name, _)| *name == text);
    found.map(|(_, kind)| kind).ok_or_else(|| {
        let first = names.next().map_or("", |(name, _)| name);
        let rest: Vec<&str> = names.map(|(name, _)| name).collect();
        format!("expected one of {first}, {}", rest.join(", "))
    })
}

fn event_as(text: &str) -> Result<EventAs, String> {
    match text {
        "auto" => Ok(EventAs::Auto),
        "bytes" => Ok(EventAs::Bytes),
        "object" => Ok(EventAs::Object),
        _ => Err("expected auto, bytes or object".to_owned()),
    }
}
