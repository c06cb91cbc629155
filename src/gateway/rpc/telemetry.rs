//! Telemetry: the standing stream of a client. Settings are answered at once, and the cluster's commands are handed on.
//! The stream is never ended from this side while the endpoint is open: some clients would not come back.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::cluster::error::ClusterError;
use crate::cluster::session::{ClientSettings, ServerCommand};
use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::{delivery, settings};
use crate::proto::refusal::Refusal;
use crate::proto::status;
use crate::proto::v2;
use crate::proto::v2::telemetry_command::Command;

/// Commands that may wait for a slow client before further ones are dropped; the cluster asks again.
const BACKLOG: usize = 64;
/// Node.js waits for settings only some time after it asked, so it is told again.
const TOLD_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

type Outbound = BoxStream<'static, Result<v2::TelemetryCommand, Status>>;

/// Serves a client's stream until it ends it or the endpoint closes.
pub(in crate::gateway) fn open(
    gate: &Gate,
    context: Context,
    inbound: Streaming<v2::TelemetryCommand>,
) -> Outbound {
    let (outbound, told) = mpsc::channel(BACKLOG);
    let session = Session {
        stream: gate.sessions.stream(),
        gate: gate.clone(),
        context,
        outbound,
    };
    gate.tasks.spawn(session.run(inbound));
    stream::unfold(told, |mut told| async {
        let command = told.recv().await?;
        Some((Ok(command), told))
    })
    .boxed()
}

/// A stream that only says why there is none.
pub(in crate::gateway) fn refused(refusal: &Refusal) -> Outbound {
    let only = v2::TelemetryCommand {
        status: Some(refusal.status()),
        command: None,
    };
    stream::once(async { Ok(only) }).boxed()
}

struct Session {
    gate: Gate,
    context: Context,
    stream: u64,
    outbound: mpsc::Sender<v2::TelemetryCommand>,
}

impl Session {
    async fn run(self, mut inbound: Streaming<v2::TelemetryCommand>) {
        let mut commands: Option<BoxStream<'static, ServerCommand>> = None;
        let mut superseded = CancellationToken::new();
        loop {
            tokio::select! {
                next = inbound.next() => match next {
                    Some(Ok(command)) => {
                        if let Some(token) = self.hear(command, commands.is_none()).await {
                            superseded = token;
                            commands.get_or_insert_with(|| {
                                self.gate.messaging.commands(&self.context.client)
                            });
                        }
                    }
                    Some(Err(_)) | None => break,
                },
                Some(command) = next(&mut commands) => self.hand_on(command),
                () = superseded.cancelled() => {
                    superseded = CancellationToken::new();
                    commands = Some(stream::pending().boxed());
                }
                () = self.outbound.closed() => break,
                () = self.gate.stopping.cancelled() => break,
            }
        }
        let now = self.gate.real_clock.now();
        self.gate
            .sessions
            .leave(&self.context.client, self.stream, now);
    }

    /// Takes in what the client says. For settings in force: the token that fires when another stream takes over.
    async fn hear(&self, command: v2::TelemetryCommand, first: bool) -> Option<CancellationToken> {
        let Some(Command::Settings(asked)) = command.command else {
            return None;
        };
        match self.settle(asked).await {
            Ok((answer, token)) => {
                if first && misses_first_settings(&answer) {
                    self.tell_again(&answer);
                }
                self.tell(status::ok(), Some(Command::Settings(answer)));
                Some(token)
            }
            Err(refusal) => {
                self.tell(refusal.status(), None);
                None
            }
        }
    }

    async fn settle(
        &self,
        asked: v2::Settings,
    ) -> Result<(v2::Settings, CancellationToken), Refusal> {
        let client = settings::client(&asked)?;
        let caller = &self.context.caller;
        let held = match self
            .gate
            .messaging
            .open_session(caller, client.clone())
            .await
        {
            Ok(held) => held,
            // The client starts; each receive then says that the group is missing, and how to make it.
            Err(ClusterError::GroupNotFound(_)) => without_group(client),
            Err(error) => return Err(error.into()),
        };
        let answer = settings::answer(&asked, &held);
        let now = self.gate.real_clock.now();
        let sessions = &self.gate.sessions;
        let token = sessions.put(&self.context.client, self.stream, asked, held, now);
        Ok((answer, token))
    }

    fn hand_on(&self, command: ServerCommand) {
        let command = match command {
            ServerCommand::CheckTransaction {
                transaction,
                message,
                ..
            } => {
                let store_host = self.gate.address.to_string();
                Command::RecoverOrphanedTransactionCommand(v2::RecoverOrphanedTransactionCommand {
                    message: Some(delivery::to_message(&message, &store_host)),
                    transaction_id: transaction.to_string(),
                })
            }
            ServerCommand::SettingsChanged(held) => {
                let Some(asked) = self.gate.sessions.asked(&self.context.client) else {
                    return;
                };
                Command::Settings(settings::answer(&asked, &held))
            }
        };
        self.tell(status::ok(), Some(command));
    }

    fn tell(&self, status: v2::Status, command: Option<Command>) {
        let told = self.outbound.try_send(v2::TelemetryCommand {
            status: Some(status),
            command,
        });
        if told.is_err() {
            tracing::debug!(client = %self.context.client, "a command for a slow client is dropped");
        }
    }

    fn tell_again(&self, answer: &v2::Settings) {
        for pause in TOLD_AGAIN {
            let (gate, outbound) = (self.gate.clone(), self.outbound.clone());
            let again = v2::TelemetryCommand {
                status: Some(status::ok()),
                command: Some(Command::Settings(answer.clone())),
            };
            self.gate.tasks.spawn(async move {
                tokio::select! {
                    () = gate.real_clock.sleep(pause) => {}
                    () = outbound.closed() => return,
                    () = gate.stopping.cancelled() => return,
                }
                // A stream that closed meanwhile needs no settings.
                let _ = outbound.try_send(again);
            });
        }
    }
}

async fn next(commands: &mut Option<BoxStream<'static, ServerCommand>>) -> Option<ServerCommand> {
    match commands {
        Some(commands) => commands.next().await,
        None => std::future::pending().await,
    }
}

fn misses_first_settings(settings: &v2::Settings) -> bool {
    let agent = settings.user_agent.as_ref();
    agent.is_some_and(|agent| agent.language() == v2::Language::NodeJs)
}

/// The settings of a consumer whose group does not exist: those of a new group.
fn without_group(client: ClientSettings) -> ClientSettings {
    ClientSettings {
        max_attempts: crate::domain::retry_policy::DEFAULT_MAX_RETRIES + 1,
        ..client
    }
}
