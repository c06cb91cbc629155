//! `moonport topic`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::confirm::confirm;
use crate::cli::session::{Session, refused};
use crate::cli::value;
use crate::cli::view::topic::{QueueView, TopicView};
use crate::cluster::admin::{DeleteTopic, PutMode, PutTopic};
use crate::cluster::paging::Page;
use crate::domain::names::TopicName;
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{DEFAULT_QUEUES, TopicDefinition, TopicType};
use crate::report::{Report, count, counted};

#[derive(Debug, Subcommand)]
pub enum Topic {
    /// All topics
    List,
    /// One topic with its queues
    Show { name: TopicName },
    /// Make a topic
    Create(Create),
    /// Change a topic
    Update(Update),
    /// Remove a topic with its messages
    Delete(Delete),
}

#[derive(Debug, Args)]
pub struct Create {
    pub name: TopicName,
    /// NORMAL, FIFO, DELAY, TRANSACTION, PRIORITY or MIXED
    #[arg(long = "type", value_name = "TYPE", value_parser = topic_type, default_value = "NORMAL")]
    pub topic_type: TopicType,
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_QUEUES)]
    pub queues: u32,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Args)]
pub struct Update {
    pub name: TopicName,
    /// Queues that take new messages
    #[arg(long, value_name = "COUNT")]
    pub queues: Option<u32>,
    #[command(flatten)]
    pub limits: Limits,
}

/// What may be given when a topic is made and when it is changed.
#[derive(Debug, Args)]
pub struct Limits {
    /// How long messages stay
    #[arg(long, value_name = "SPAN", value_parser = value::span)]
    pub retention: Option<Duration>,
    /// Most messages taken per second
    #[arg(long, value_name = "COUNT")]
    pub max_tps: Option<u32>,
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
}

#[derive(Debug, Args)]
pub struct Delete {
    pub name: TopicName,
    /// Only count what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

impl Topic {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        match self {
            Self::List => list(session).await,
            Self::Show { name } => show(session, name).await,
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete(delete) => delete.run(session).await,
        }
    }
}

async fn list(session: &Session) -> Result<(), Report> {
    let cluster = session.cluster().await?;
    let topics = cluster.admin.topics(Page::all()).await.map_err(refused)?;
    let rows: Vec<TopicView> = topics.rows.iter().map(TopicView::new).collect();
    session.out.list(&rows)
}

async fn show(session: &Session, name: TopicName) -> Result<(), Report> {
    let cluster = session.cluster().await?;
    let topic = cluster.admin.topic(name).await.map_err(refused)?;
    let queues: Vec<QueueView> = topic.queues.iter().map(QueueView::new).collect();
    let view = TopicView::new(&topic);
    if session.out.is_json() {
        return session
            .out
            .json_line(&serde_json::json!({ "topic": view, "queues": queues }));
    }
    session.out.show(&view)?;
    session.out.line("")?;
    session.out.list(&queues)
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let mut definition =
            TopicDefinition::new(self.name, self.topic_type, self.queues, Timestamp::EPOCH);
        self.limits.write_to(&mut definition);
        put(session, definition, PutMode::Create, "created").await
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let cluster = session.cluster().await?;
        let topic = cluster.admin.topic(self.name).await.map_err(refused)?;
        let mut definition = topic.definition;
        if let Some(queues) = self.queues {
            definition.write_queues = queues;
            definition.read_queues = definition.read_queues.max(queues);
        }
        self.limits.write_to(&mut definition);
        put(session, definition, PutMode::Update, "updated").await
    }
}

impl Limits {
    fn write_to(self, definition: &mut TopicDefinition) {
        definition.retention = self.retention.or(definition.retention);
        definition.max_send_tps = self.max_tps.or(definition.max_send_tps);
        if let Some(remark) = self.remark {
            definition.remark = remark;
        }
    }
}

async fn put(
    session: &Session,
    definition: TopicDefinition,
    mode: PutMode,
    done: &str,
) -> Result<(), Report> {
    let cluster = session.cluster().await?;
    let put = cluster.admin.put_topic(PutTopic { definition, mode });
    let topic = put.await.map_err(refused)?;
    let told = format!("{done} topic `{}`", topic.definition.name);
    session.out.done(&told, &TopicView::new(&topic))
}

impl Delete {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let cluster = session.cluster().await?;
        let request = |dry_run| DeleteTopic {
            topic: self.name.clone(),
            dry_run,
        };
        let tried = cluster.admin.delete_topic(request(true)).await;
        let report = tried.map_err(refused)?;
        let what = format!(
            "{}, {} pending and {} of topic `{}`",
            counted(report.messages, "message", "messages"),
            count(report.pending),
            counted(report.offsets, "offset", "offsets"),
            self.name
        );
        if self.dry_run {
            return session.out.done(&format!("would remove {what}"), &report);
        }
        if !confirm(&format!("remove {what}?"), self.yes)? {
            return session.out.line("nothing was removed");
        }
        let report = cluster.admin.delete_topic(request(false)).await;
        let report = report.map_err(refused)?;
        session.out.done(&format!("removed {what}"), &report)
    }
}

pub fn topic_type(text: &str) -> Result<TopicType, String> {
    let wanted = text.to_ascii_uppercase();
    TopicType::ALL
        .into_iter()
        .find(|kind| kind.as_str() == wanted)
        .ok_or_else(|| {
            let names: Vec<&str> = TopicType::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("expected one of {}", names.join(", "))
        })
}
