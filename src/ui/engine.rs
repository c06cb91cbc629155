//! Carries effects out: questions and deeds on the seams. Runs aside from the screen; knows no terminal.

mod deed;
mod gather;
mod save;
mod send;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::RealClock;
use crate::cluster::Cluster;
use crate::cluster::admin::{DeleteGroup, DeleteTopic};
use crate::cluster::session::Caller;
use crate::control::Control;
use crate::domain::names::InstanceId;
use crate::report::{Exit, Hint, Report};
use crate::ui::effect::{Answer, Query};
use crate::ui::options::{ConsoleOptions, GuideSource};

/// The seams and what the console knows of its surroundings.
pub struct Engine {
    pub(crate) control: Control,
    pub(crate) clock: RealClock,
    /// The instance whose topics and messages are shown.
    instance: Mutex<Option<InstanceId>>,
    guide: Option<Arc<dyn GuideSource>>,
    templates: Option<PathBuf>,
    directory: PathBuf,
    /// Rises when background sending has to end.
    stop: tokio::sync::watch::Sender<u64>,
}

/// What a seam answered, for a person.
pub(crate) fn told<T, E: std::error::Error + Hint>(result: Result<T, E>) -> Result<T, Report> {
    result.map_err(|error| Report::new(&error, Exit::Failed))
}

pub(crate) fn plain(headline: impl Into<String>) -> Report {
    Report::plain(headline, None, Exit::Failed)
}

impl Engine {
    pub fn new(control: Control, options: &ConsoleOptions, clock: RealClock) -> Self {
        Self {
            control,
            clock,
            instance: Mutex::new(None),
            guide: options.guide.clone(),
            templates: options.templates.clone(),
            directory: options.directory.clone(),
            stop: tokio::sync::watch::Sender::new(0),
        }
    }

    /// Shows another instance from now on.
    pub fn use_instance(&self, id: InstanceId) {
        *self.instance.lock() = Some(id);
    }

    pub fn instance(&self) -> Option<InstanceId> {
        self.instance.lock().clone()
    }

    /// Ends what is sent in the background.
    pub fn stop_sending(&self) {
        self.stop.send_modify(|count| *count += 1);
    }

    pub(crate) fn cluster(&self) -> Result<Cluster, Report> {
        let id = self
            .instance()
            .ok_or_else(|| plain("there is no instance to ask"))?;
        told(self.control.instances.cluster(&id))
    }

    pub(crate) fn caller() -> Caller {
        Caller::local()
    }

    /// Answers a question.
    pub async fn answer(&self, query: Query) -> Result<Answer, Report> {
        match query {
            Query::Logs(query) => told(self.control.logs.logs(query).await).map(Answer::Logs),
            Query::Invocations(query, page) => {
                told(self.control.logs.invocations(query, page).await).map(Answer::Invocations)
            }
            Query::Samples(function) => {
                told(self.control.functions.samples(function).await).map(Answer::Samples)
            }
            Query::Guide => self.script().await,
            query => self.ask_cluster(query).await,
        }
    }

    async fn ask_cluster(&self, query: Query) -> Result<Answer, Report> {
        let admin = self.cluster()?.admin;
        Ok(match query {
            Query::Messages(query, page) => {
                Answer::Messages(told(admin.messages(query, page).await)?)
            }
            Query::Pending(topic, page) => Answer::Pending(told(admin.pending(topic, page).await)?),
            Query::Transactions(page) => {
                Answer::Transactions(told(admin.transactions(page).await)?)
            }
            Query::Trace(id) => Answer::Traces(told(admin.trace(id).await)?),
            Query::Progress(group) => Answer::Progress(told(admin.progress(group).await)?),
            Query::DeleteTopic(topic) => {
                let request = DeleteTopic {
                    topic,
                    dry_run: true,
                };
                Answer::WouldDelete(told(admin.delete_topic(request).await)?)
            }
            Query::DeleteGroup(group) => {
                let request = DeleteGroup {
                    group,
                    with_offsets: true,
                    with_dead_letters: true,
                    dry_run: true,
                };
                Answer::WouldDelete(told(admin.delete_group(request).await)?)
            }
            Query::Reset(request) => Answer::WouldReset(told(admin.reset_offset(request).await)?),
            Query::Logs(_) | Query::Invocations(..) | Query::Samples(_) | Query::Guide => {
                return Err(plain("this is no question for a cluster"));
            }
        })
    }

    async fn script(&self) -> Result<Answer, Report> {
        let Some(guide) = &self.guide else {
            return Err(plain("there is no guide here"));
        };
        let script = guide.script().await.map_err(plain)?;
        Ok(Answer::Guide(Box::new(script)))
    }
}
