//! `moonport dlq`: dead letters of groups and of triggers.

use clap::{Args, Subcommand};

use crate::cli::messages::parse_id;
use crate::cli::session::{Session, failed, refused};
use crate::cli::view::dead_letter::{DeadLetterView, ResendView};
use crate::cluster::Cluster;
use crate::cluster::admin::{DeadLetterResend, MessageQuery, ResendTo};
use crate::cluster::error::ClusterError;
use crate::cluster::paging::Page;
use crate::domain::group::DeadLetterTarget;
use crate::domain::ids::MessageId;
use crate::domain::message::Place;
use crate::domain::names::{GroupName, TopicName};
use crate::domain::trigger::TriggerDeadLetter;
use crate::report::{Exit, Report};

/// Rows of one page: with the largest bodies it still fits through the owner's socket.
const PAGE_ROWS: usize = 8;

#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// Dead letters, of one group or all
    List {
        #[arg(long)]
        group: Option<GroupName>,
    },
    /// One dead letter whole
    Show {
        #[arg(value_name = "MESSAGE-ID")]
        id: String,
    },
    /// Send dead letters again
    Resend(Resend),
}

#[derive(Debug, Args)]
pub struct Resend {
    /// Which ones, by the id of the letter or of the message it was
    #[arg(value_name = "MESSAGE-ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// All, or all of `--group`
    #[arg(long)]
    pub all: bool,
    #[arg(long)]
    pub group: Option<GroupName>,
    /// To the origin topic, where every group receives it, instead of the failing group only
    #[arg(long)]
    pub to_topic: bool,
}

impl Dlq {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let cluster = session.cluster().await?;
        match self {
            Self::List { group } => {
                let letters = letters(session, &cluster, group.as_ref()).await?;
                session.out.list(&letters)
            }
            Self::Show { id } => {
                let id = parse_id(&id)?;
                let letters = letters(session, &cluster, None).await?;
                let found = letters.iter().find(|letter| letter.is(&id));
                let letter = found.ok_or_else(|| missing(&id))?;
                if session.out.is_json() {
                    return session.out.json_line(letter);
                }
                let mut lines = letter.message.lines().into_iter();
                lines.try_for_each(|line| session.out.line(&line))
            }
            Self::Resend(resend) => resend.run(session, &cluster).await,
        }
    }
}

impl Resend {
    async fn run(self, session: &Session, cluster: &Cluster) -> Result<(), Report> {
        let kept = letters(session, cluster, self.group.as_ref()).await?;
        let mut places = Vec::new();
        if self.all {
            places.extend(kept.iter().map(DeadLetterView::place));
        }
        for id in &self.ids {
            let id = parse_id(id)?;
            let found = kept.iter().find(|letter| letter.is(&id));
            places.push(found.ok_or_else(|| missing(&id))?.place());
        }
        self.resend(session, cluster, places).await
    }

    async fn resend(
        &self,
        session: &Session,
        cluster: &Cluster,
        letters: Vec<Place>,
    ) -> Result<(), Report> {
        let to = if self.to_topic {
            ResendTo::Topic
        } else {
            ResendTo::Group
        };
        let request = DeadLetterResend {
            letters,
            to,
            edited: None,
        };
        let outcomes = cluster.admin.resend(request).await.map_err(refused)?;
        let rows: Vec<ResendView> = outcomes.iter().map(ResendView::new).collect();
        session.out.list(&rows)?;
        let refusal = outcomes
            .into_iter()
            .find_map(|outcome| outcome.result.err());
        refusal.map_or(Ok(()), |error| Err(refused(error)))
    }
}

fn missing(id: &MessageId) -> Report {
    Report::plain(
        format!("no dead letter `{id}`"),
        Some("`moonport dlq list` shows them".to_owned()),
        Exit::Failed,
    )
}

/// Every dead letter, oldest first in each topic.
async fn letters(
    session: &Session,
    cluster: &Cluster,
    group: Option<&GroupName>,
) -> Result<Vec<DeadLetterView>, Report> {
    let mut letters = Vec::new();
    for topic in topics(session, cluster, group).await? {
        letters.extend(letters_in(cluster, topic).await?);
    }
    Ok(letters)
}

/// The topics that hold dead letters of `group`, or of any.
async fn topics(
    session: &Session,
    cluster: &Cluster,
    group: Option<&GroupName>,
) -> Result<Vec<TopicName>, Report> {
    let groups = cluster.admin.groups(Page::all()).await.map_err(refused)?;
    let triggers = session.control.triggers.triggers().await.map_err(failed)?;
    let mut topics = Vec::new();
    for row in groups.rows {
        if group.is_none_or(|wanted| *wanted == row.definition.name) {
            topics.push(TopicName::dead_letter_of(&row.definition.name));
            if let DeadLetterTarget::Topic(topic) = row.definition.dead_letter {
                topics.push(topic);
            }
        }
    }
    for row in triggers {
        let wanted = group.is_none_or(|wanted| *wanted == row.definition.group);
        if let (true, TriggerDeadLetter::Topic(topic)) = (wanted, row.definition.dead_letter) {
            topics.push(topic);
        }
    }
    topics.sort();
    topics.dedup();
    Ok(topics)
}

async fn letters_in(cluster: &Cluster, topic: TopicName) -> Result<Vec<DeadLetterView>, Report> {
    let query = MessageQuery::Time {
        topic,
        from: None,
        to: None,
        newest_first: false,
    };
    let mut page = Page::first(PAGE_ROWS);
    let mut letters = Vec::new();
    loop {
        let found = match cluster.admin.messages(query.clone(), page.clone()).await {
            Ok(found) => found,
            // The topic is made with its first letter.
            Err(ClusterError::TopicNotFound(_)) => return Ok(letters),
            Err(error) => return Err(refused(error)),
        };
        letters.extend(
            found
                .rows
                .iter()
                .map(|row| DeadLetterView::new(&row.message)),
        );
        page.cursor = found.next;
        if page.cursor.is_none() {
            return Ok(letters);
        }
    }
}
