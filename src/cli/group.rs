//! `moonport group`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::confirm::confirm;
use crate::cli::session::{Session, refused};
use crate::cli::value;
use crate::cli::view::group::{ClientView, GroupView, ProgressView, ResetView};
use crate::cluster::admin::{DeleteGroup, PutGroup, PutMode, ResetOffset, ResetTo};
use crate::cluster::paging::Page;
use crate::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use crate::domain::names::{GroupName, TopicName};
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::timestamp::Timestamp;
use crate::report::{Report, count, counted};

#[derive(Debug, Subcommand)]
pub enum Group {
    /// All consumer groups
    List,
    /// One group with its offsets and clients
    Show { name: GroupName },
    /// Make a group
    Create(Create),
    /// Change a group
    Update(Update),
    /// Remove a group
    Delete(Delete),
    /// Move a group to another place of a topic
    ResetOffset(Reset),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Order {
    Concurrent,
    Orderly,
}

#[derive(Debug, Args)]
pub struct Create {
    pub name: GroupName,
    #[arg(long, value_enum, default_value = "concurrent")]
    pub order: Order,
    /// Topics it joins now, so that no message is missed
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<TopicName>,
    /// Where it begins on a new topic: latest, earliest, or a moment
    #[arg(long, value_name = "PLACE", value_parser = first_seen, default_value = "latest")]
    pub offset: FirstSeen,
    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Args)]
pub struct Update {
    pub name: GroupName,
    /// Whether messages are handed out
    #[arg(long, value_name = "BOOL")]
    pub consume: Option<bool>,
    #[command(flatten)]
    pub limits: Limits,
}

/// What may be given when a group is made and when it is changed.
#[derive(Debug, Args)]
pub struct Limits {
    /// Deliveries after the first, 0-1000
    #[arg(long, value_name = "COUNT")]
    pub max_retries: Option<u32>,
    /// Retry after this span each time, instead of the table
    #[arg(long, value_name = "SPAN", value_parser = value::span)]
    pub retry_every: Option<Duration>,
    /// Most messages handed out per second
    #[arg(long, value_name = "COUNT")]
    pub max_tps: Option<u32>,
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
}

#[derive(Debug, Args)]
pub struct Delete {
    pub name: GroupName,
    /// Keep offsets, so that a group made again under this name goes on
    #[arg(long)]
    pub keep_offsets: bool,
    /// The dead letters go too
    #[arg(long)]
    pub with_dead_letters: bool,
    /// Only count what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct Reset {
    pub name: GroupName,
    #[arg(long, value_name = "TOPIC")]
    pub topic: TopicName,
    /// latest, earliest, an offset as `@17`, or a moment
    #[arg(long, value_name = "PLACE", value_parser = reset_to)]
    pub to: ResetTo,
    /// One queue only
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<u32>,
    /// Show what would happen
    #[arg(long)]
    pub dry_run: bool,
}

impl Group {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        match self {
            Self::List => list(session).await,
            Self::Show { name } => show(session, name).await,
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete(delete) => delete.run(session).await,
            Self::ResetOffset(reset) => reset.run(session).await,
        }
    }
}

async fn list(session: &Session) -> Result<(), Report> {
    let cluster = session.cluster().await?;
    let groups = cluster.admin.groups(Page::all()).await.map_err(refused)?;
    let rows: Vec<GroupView> = groups.rows.iter().map(GroupView::new).collect();
    session.out.list(&rows)
}

async fn show(session: &Session, name: GroupName) -> Result<(), Report> {
    let admin = session.cluster().await?.admin;
    let group = admin.group(name.clone()).await.map_err(refused)?;
    let progress = admin.progress(name.clone()).await.map_err(refused)?;
    let clients = admin.clients(Some(name)).await.map_err(refused)?;
    let view = GroupView::new(&group);
    let progress: Vec<ProgressView> = progress.iter().flat_map(ProgressView::of).collect();
    let clients: Vec<ClientView> = clients.iter().map(ClientView::new).collect();
    if session.out.is_json() {
        return session.out.json_line(&serde_json::json!({
            "group": view, "progress": progress, "clients": clients,
        }));
    }
    session.out.show(&view)?;
    session.out.line("")?;
    session.out.list(&progress)?;
    session.out.line("")?;
    session.out.list(&clients)
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let order = match self.order {
            Order::Concurrent => DeliveryOrder::Concurrent,
            Order::Orderly => DeliveryOrder::Orderly,
        };
        let mut definition = GroupDefinition::new(self.name, order, Timestamp::EPOCH);
        definition.first_seen = self.offset;
        self.limits.write_to(&mut definition);
        let request = PutGroup {
            definition,
            mode: PutMode::Create,
            join: self.topics,
        };
        put(session, request, "created").await
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let admin = session.cluster().await?.admin;
        let mut definition = admin.group(self.name).await.map_err(refused)?.definition;
        definition.consume_enabled = self.consume.unwrap_or(definition.consume_enabled);
        self.limits.write_to(&mut definition);
        let request = PutGroup {
            definition,
            mode: PutMode::Update,
            join: Vec::new(),
        };
        put(session, request, "updated").await
    }
}

impl Limits {
    fn write_to(self, definition: &mut GroupDefinition) {
        definition.max_retries = self.max_retries.unwrap_or(definition.max_retries);
        definition.max_receive_tps = self.max_tps.or(definition.max_receive_tps);
        if let Some(interval) = self.retry_every {
            definition.retry_policy = RetryPolicy::Fixed(interval);
        }
        if let Some(remark) = self.remark {
            definition.remark = remark;
        }
    }
}

async fn put(session: &Session, request: PutGroup, done: &str) -> Result<(), Report> {
    let cluster = session.cluster().await?;
    let group = cluster.admin.put_group(request).await.map_err(refused)?;
    let told = format!("{done} group `{}`", group.definition.name);
    session.out.done(&told, &GroupView::new(&group))
}

impl Delete {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let admin = session.cluster().await?.admin;
        let request = |dry_run| DeleteGroup {
            group: self.name.clone(),
            with_offsets: !self.keep_offsets,
            with_dead_letters: self.with_dead_letters,
            dry_run,
        };
        let report = admin.delete_group(request(true)).await.map_err(refused)?;
        let what = format!(
            "group `{}` with {}, {} in flight, {} retrying and {}",
            self.name,
            counted(report.offsets, "offset", "offsets"),
            count(report.in_flight),
            count(report.retrying),
            counted(report.dead_letters, "dead letter", "dead letters")
        );
        if self.dry_run {
            return session.out.done(&format!("would remove {what}"), &report);
        }
        if !confirm(&format!("remove {what}?"), self.yes)? {
            return session.out.line("nothing was removed");
        }
        let report = admin.delete_group(request(false)).await.map_err(refused)?;
        session.out.done(&format!("removed {what}"), &report)
    }
}

impl Reset {
    async fn run(self, session: &Session) -> Result<(), Report> {
        let admin = session.cluster().await?.admin;
        let request = ResetOffset {
            group: self.name,
            topic: self.topic,
            queue: self.queue,
            to: self.to,
            dry_run: self.dry_run,
        };
        let report = admin.reset_offset(request).await.map_err(refused)?;
        let rows: Vec<ResetView> = report.queues.iter().map(ResetView::new).collect();
        session.out.list(&rows)?;
        if !report.applied && !session.out.is_json() {
            session
                .out
                .line("nothing was changed: this was a dry run")?;
        }
        Ok(())
    }
}

pub fn first_seen(text: &str) -> Result<FirstSeen, String> {
    match text {
        "latest" => Ok(FirstSeen::Latest),
        "earliest" => Ok(FirstSeen::Earliest),
        moment => value::moment(moment)
            .map(FirstSeen::At)
            .map_err(|problem| format!("{problem}; or `latest`, or `earliest`")),
    }
}

fn reset_to(text: &str) -> Result<ResetTo, String> {
    if let Some(offset) = text.strip_prefix('@') {
        let offset = offset.parse();
        return offset
            .map(ResetTo::Offset)
            .map_err(|_| "expected an offset after `@`".to_owned());
    }
    first_seen(text).map(|place| match place {
        FirstSeen::Latest => ResetTo::Latest,
        FirstSeen::Earliest => ResetTo::Earliest,
        FirstSeen::At(moment) => ResetTo::Time(moment),
    })
}
