//! `moonport instance`.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::confirm::confirm;
use crate::cli::session::{Session, bad_name, failed, refused};
use crate::cli::value;
use crate::cli::view::instance::InstanceView;
use crate::control::instances::PutInstance;
use crate::control::snippets::{self, SNIPPETS, Snippet};
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::InstanceId;
use crate::domain::timestamp::Timestamp;
use crate::report::{Report, counted};

#[derive(Debug, Subcommand)]
pub enum Instance {
    /// All instances
    List,
    /// One instance with its figures
    Show {
        /// Name or id [default: the only one]
        name: Option<String>,
    },
    /// A program to paste that sends through the endpoint: java, python, go, node or rust
    Snippet {
        #[arg(value_name = "LANGUAGE", value_parser = snippet)]
        language: &'static Snippet,
        /// Name or id [default: the only one]
        name: Option<String>,
    },
    /// Make an instance
    Create(Create),
    /// Change an instance
    Update(Update),
    /// Remove an instance with all its messages
    Delete(Delete),
}

#[derive(Debug, Args)]
pub struct Create {
    pub name: String,
    /// Id [default: made from the name]
    #[arg(long)]
    pub id: Option<InstanceId>,
    /// Region stamped on messages
    #[arg(long)]
    pub region: Option<String>,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Args)]
pub struct Update {
    /// Name or id
    pub name: String,
    #[command(flatten)]
    pub limits: Limits,
}

/// What may be given when an instance is made and when it is changed.
#[derive(Debug, Args)]
pub struct Limits {
    /// Address of its endpoint [default: the next free port from 8081]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_listen")]
    pub listen: Option<String>,
    /// No endpoint
    #[arg(long)]
    pub no_listen: bool,
    /// Whether missing topics and groups are made on first use
    #[arg(long, value_name = "BOOL")]
    pub auto_create: Option<bool>,
    /// How long messages stay
    #[arg(long, value_name = "SPAN", value_parser = value::span)]
    pub retention: Option<Duration>,
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
}

#[derive(Debug, Args)]
pub struct Delete {
    /// Name or id
    pub name: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

impl Instance {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        match self {
            Self::List => {
                let rows = session
                    .control
                    .instances
                    .instances()
                    .await
                    .map_err(failed)?;
                let rows: Vec<InstanceView> = rows.iter().map(InstanceView::new).collect();
                session.out.list(&rows)
            }
            Self::Show { name } => show(&named(session, name)).await,
            Self::Snippet { language, name } => print(&named(session, name), language).await,
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete(delete) => delete.run(session).await,
        }
    }
}

/// The session with `name` in place of `--instance`, where one is given.
fn named(session: &Session, name: Option<String>) -> Session {
    let mut session = session.clone();
    session.instance = name.or(session.instance);
    session
}

fn snippet(language: &str) -> Result<&'static Snippet, String> {
    let known = || SNIPPETS.map(|snippet| snippet.language).join(", ");
    Snippet::named(language).ok_or_else(|| format!("there is one for {}", known()))
}

async fn print(session: &Session, snippet: &Snippet) -> Result<(), Report> {
    let row = session.instance().await?;
    let text = snippet.at(&snippets::address(&row));
    let view = SnippetView {
        language: snippet.language,
        file: snippet.file,
        text: &text,
    };
    session.out.done(text.trim_end(), &view)
}

#[derive(Debug, Serialize)]
struct SnippetView<'a> {
    language: &'a str,
    file: &'a str,
    text: &'a str,
}

async fn show(session: &Session) -> Result<(), Report> {
    let row = session.instance().await?;
    let admin = session.cluster().await?.admin;
    let statistics = admin.statistics().await.map_err(refused)?;
    let view = InstanceView::new(&row);
    if session.out.is_json() {
        return session
            .out
            .json_line(&serde_json::json!({ "instance": view, "statistics": statistics }));
    }
    session.out.show(&view)?;
    for (name, figure) in [
        ("topics", statistics.topics),
        ("groups", statistics.groups),
        ("messages", statistics.messages),
        ("file bytes", statistics.file_bytes),
        ("ready", statistics.ready),
        ("in flight", statistics.in_flight),
        ("retrying", statistics.retrying),
        ("parked", statistics.parked),
        ("dead letters", statistics.dead_letters),
        ("clients", statistics.clients),
    ] {
        session
            .out
            .line(&format!("{name:<12}  {}", value::grouped(figure)))?;
    }
    Ok(())
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let region = self
            .region
            .unwrap_or_else(|| InstanceDefinition::DEFAULT_REGION.to_owned());
        let id = match self.id {
            Some(id) => id,
            None => InstanceId::of_name(&self.name).map_err(bad_name)?,
        };
        let mut definition = InstanceDefinition::new(id, self.name, region, Timestamp::EPOCH);
        self.limits.write_to(&mut definition);
        put(session, definition, "created").await
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let row = named(session, Some(self.name)).instance().await?;
        let mut definition = row.definition;
        self.limits.write_to(&mut definition);
        put(session, definition, "updated").await
    }
}

impl Limits {
    fn write_to(self, definition: &mut InstanceDefinition) {
        if let Some(address) = self.listen {
            definition.listen = Some(address);
            definition.listens = true;
        }
        if self.no_listen {
            definition.listens = false;
        }
        definition.auto_create = self.auto_create.unwrap_or(definition.auto_create);
        definition.retention = self.retention.unwrap_or(definition.retention);
        if let Some(remark) = self.remark {
            definition.remark = remark;
        }
    }
}

async fn put(session: &Session, definition: InstanceDefinition, done: &str) -> Result<(), Report> {
    let instances = &session.control.instances;
    let row = instances.put_instance(PutInstance { definition }).await;
    let row = row.map_err(failed)?;
    let told = format!(
        "{done} instance `{}` as {}",
        row.definition.name, row.definition.id
    );
    session.out.done(&told, &InstanceView::new(&row))
}

impl Delete {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let session = named(session, Some(self.name));
        let definition = session.instance().await?.definition;
        let admin = session.cluster().await?.admin;
        let statistics = admin.statistics().await.map_err(refused)?;
        let what = format!(
            "instance `{}` with {}, {} and {}",
            definition.name,
            counted(statistics.topics, "topic", "topics"),
            counted(statistics.groups, "group", "groups"),
            counted(statistics.messages, "message", "messages")
        );
        if !confirm(&format!("remove {what}?"), self.yes)? {
            return session.out.line("nothing was removed");
        }
        let instances = &session.control.instances;
        instances
            .delete_instance(definition.id.clone())
            .await
            .map_err(failed)?;
        session.out.done(&format!("removed {what}"), &definition.id)
    }
}
