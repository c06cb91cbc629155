//! A client's standing stream: its settings out, the cluster's commands in. It is opened again when it breaks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use crate::cluster::error::ClusterError;
use crate::cluster::session::{ClientSettings, ServerCommand};
use crate::domain::ids::TransactionId;
use crate::domain::names::ClientId;
use crate::proto::convert::{delivery, settings};
use crate::proto::status::{self, Subject};
use crate::proto::v2;
use crate::proto::v2::telemetry_command::Command;
use crate::remote::link::{Link, Session, broken};

/// Commands kept for a reader that is busy.
const BACKLOG: usize = 64;
/// Pause before a broken stream is opened again.
const AGAIN: Duration = Duration::from_secs(1);
/// Real time for a cluster to answer settings.
const ANSWER: Duration = Duration::from_secs(6);

type Told = Result<v2::Settings, ClusterError>;

/// Opens a client's stream and waits for the settings in force.
pub(super) async fn open(
    link: &Arc<Link>,
    client: ClientId,
    asked: ClientSettings,
) -> Result<ClientSettings, ClusterError> {
    let (answer, told) = oneshot::channel();
    let (commands, _) = broadcast::channel(BACKLOG);
    let closed = CancellationToken::new();
    let stream = Stand {
        link: Arc::clone(link),
        client: client.clone(),
        asked: asked.clone(),
        commands: commands.clone(),
    };
    let stop = closed.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stream.keep(answer) => {}
            () = stop.cancelled() => {}
        }
    });
    let session = Session { commands, closed };
    link.sessions.lock().insert(client, session);
    let late = || ClusterError::Unreachable("the settings were not answered in time".to_owned());
    let told = tokio::select! {
        told = told => told.map_err(|_| late())?,
        () = link.real_clock.sleep(ANSWER) => Err(late()),
    };
    Ok(settings::held(asked, &told?))
}

/// What the cluster wants of a client from now on; nothing without a session.
pub(super) fn commands(link: &Link, client: &ClientId) -> BoxStream<'static, ServerCommand> {
    let sessions = link.sessions.lock();
    let Some(session) = sessions.get(client) else {
        return stream::empty().boxed();
    };
    let receiver = session.commands.subscribe();
    stream::unfold(receiver, |mut receiver| async {
        loop {
            match receiver.recv().await {
                Ok(command) => return Some((command, receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
    .boxed()
}

struct Stand {
    link: Arc<Link>,
    client: ClientId,
    asked: ClientSettings,
    commands: broadcast::Sender<ServerCommand>,
}

impl Stand {
    async fn keep(self, answer: oneshot::Sender<Told>) {
        let mut answer = Some(answer);
        loop {
            if let Err(error) = self.stand(&mut answer).await {
                tracing::debug!(client = %self.client, %error, "telemetry broke");
                if let Some(answer) = answer.take() {
                    // Nobody waits any more when the caller gave up.
                    let _ = answer.send(Err(error));
                    return;
                }
            }
            self.link.real_clock.sleep(AGAIN).await;
        }
    }

    async fn stand(&self, answer: &mut Option<oneshot::Sender<Told>>) -> Result<(), ClusterError> {
        let (outbound, told) = mpsc::channel(1);
        let first = v2::TelemetryCommand {
            status: Some(status::ok()),
            command: Some(Command::Settings(settings::to_settings(
                &self.asked,
                self.link.access_point(),
            ))),
        };
        // Before the call: some clusters begin to answer only when they have heard the settings.
        let _ = outbound.send(first).await;
        let mut inbound = self.call(told).await?;
        while let Some(command) = inbound.message().await.map_err(|error| broken(&error))? {
            self.hear(command, answer);
        }
        Ok(())
    }

    async fn call(
        &self,
        told: mpsc::Receiver<v2::TelemetryCommand>,
    ) -> Result<Streaming<v2::TelemetryCommand>, ClusterError> {
        let outbound = stream::unfold(told, |mut told| async {
            told.recv().await.map(|command| (command, told))
        });
        let mut request = tonic::Request::new(outbound);
        self.link.sign(request.metadata_mut(), &self.client)?;
        let stream = self.link.client().telemetry(request).await;
        Ok(stream.map_err(|error| broken(&error))?.into_inner())
    }

    fn hear(&self, command: v2::TelemetryCommand, answer: &mut Option<oneshot::Sender<Told>>) {
        let subject = Subject {
            topic: self.asked.publishing.first().cloned(),
            group: self.asked.group.clone(),
        };
        match command.command {
            Some(Command::Settings(told)) => {
                if let Some(answer) = answer.take() {
                    // Nobody waits any more when the caller gave up.
                    drop(answer.send(Ok(told)));
                } else {
                    let changed = settings::held(self.asked.clone(), &told);
                    self.pass_on(ServerCommand::SettingsChanged(changed));
                }
            }
            Some(Command::RecoverOrphanedTransactionCommand(check)) => {
                let half = check.message.and_then(delivery::stored);
                if let Some(message) = half {
                    self.pass_on(ServerCommand::CheckTransaction {
                        transaction: TransactionId::new(check.transaction_id),
                        message_id: message.id.clone(),
                        message,
                    });
                }
            }
            _ => {
                let outcome = status::outcome(command.status.as_ref(), &subject);
                if let Err(error) = outcome
                    && let Some(answer) = answer.take()
                {
                    // Nobody waits any more when the caller gave up.
                    let _ = answer.send(Err(error));
                }
            }
        }
    }

    fn pass_on(&self, command: ServerCommand) {
        // Without a listener a command is lost; the cluster asks again.
        let _ = self.commands.send(command);
    }
}
