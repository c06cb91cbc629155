//! Half messages: committed or rolled back by their producer, asked about when no word comes, given up after the last
//! check (X1-X5).

use std::sync::Arc;
use std::time::Duration;

use crate::broker::core::{Core, Entry, cluster_error, durable};
use crate::broker::delay::released;
use crate::broker::state::Wait;
use crate::cluster::Reply;
use crate::cluster::admin::TransactionRow;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{EndTransaction, Resolution};
use crate::cluster::paging::{Page, Paged};
use crate::cluster::session::{Caller, ServerCommand};
use crate::domain::ids::TransactionId;
use crate::domain::message::Message;
use crate::domain::record::{Record, Unparking};
use crate::domain::timestamp::Timestamp;

/// Time between two checks (X3).
const CHECK_INTERVAL: Duration = Duration::from_secs(30);
/// Checks after which a half message is given up (X3).
const MAX_CHECKS: u32 = 15;

impl Core {
    pub(in crate::broker) async fn end_transaction(
        &self,
        caller: &Caller,
        request: EndTransaction,
    ) -> Reply<()> {
        let Some(number) = self.live().state.half(&request.transaction) else {
            return self.ended_before(&request.transaction);
        };
        let message = self.journal.parked(number).map_err(cluster_error)?;
        let message = message.ok_or_else(|| not_found(&request.transaction))?;
        let matches = request.topic.as_ref().is_none_or(|t| *t == message.topic)
            && request
                .message_id
                .as_ref()
                .is_none_or(|id| *id == message.id);
        if !matches {
            return Err(ClusterError::IllegalRequest(format!(
                "transaction `{}` is of another message",
                request.transaction
            )));
        }
        if !caller.principal.may_send(&message.topic) {
            return Err(ClusterError::Forbidden(format!(
                "the caller may not send to topic `{}`",
                message.topic
            )));
        }
        if request.resolution == Resolution::Unknown {
            return Ok(());
        }
        let commit = {
            let mut live = self.live();
            let at = self.now();
            if live.state.half(&request.transaction).is_none() {
                return Ok(());
            }
            let mut entry = self.entry(&mut live);
            let commit = request.resolution == Resolution::Commit;
            entry.push(Record::Ended {
                number,
                commit,
                from_check: request.from_check,
                at,
            });
            let outcome = if commit {
                released(&mut entry.live.state, number, &message, at)
            } else {
                Record::Unparked {
                    number,
                    id: message.id.clone(),
                    why: Unparking::RolledBack,
                    at,
                }
            };
            entry.push(outcome);
            entry.append()
        };
        durable(commit).await
    }

    /// A second end has no effect; a transaction that never was is an error (X4). Ids begin with the number of the half.
    fn ended_before(&self, transaction: &TransactionId) -> Reply<()> {
        let (number, _) = transaction.as_str().split_once('-').unwrap_or_default();
        match u64::from_str_radix(number, 16) {
            Ok(number) if number < self.live().state.next_number() => Ok(()),
            _ => Err(not_found(transaction)),
        }
    }

    /// Asks the producers of these halves, or gives the halves up (X3, X4). A check that nobody hears counts too.
    pub(in crate::broker) fn check_halves(&self, halves: Vec<(u64, Arc<Message>)>, now: Timestamp) {
        if halves.is_empty() {
            return;
        }
        let real = self.real.now();
        let mut live = self.live();
        let mut entry = self.entry(&mut live);
        let mut questions = Vec::new();
        for (number, message) in halves {
            if let Some(question) = check(&mut entry, number, &message, now) {
                let sender =
                    entry
                        .live
                        .sessions
                        .checker(question.client.as_ref(), &message.topic, real);
                questions.extend(sender.map(|sender| (sender, question.command)));
            }
        }
        drop(entry.append());
        drop(live);
        for (sender, command) in questions {
            // A client whose stream is full or gone is asked again at the next check.
            let _ = sender.try_send(command);
        }
    }

    pub(in crate::broker) fn transactions(&self, page: &Page) -> Reply<Paged<TransactionRow>> {
        let half = |wait: &Wait| match wait {
            Wait::Half {
                transaction,
                checks,
                next_check,
                ..
            } => Some((transaction.clone(), *checks, *next_check)),
            Wait::Delay { .. } => None,
        };
        let (rows, scanned, next) = self.parked_page(None, page, half)?;
        let complete = next.is_none();
        let rows = rows.into_iter().map(|(_, half, message)| {
            let (transaction, checks, next_check_at) = half;
            TransactionRow {
                transaction,
                message,
                checks,
                next_check_at,
            }
        });
        Ok(Paged {
            rows: rows.collect(),
            scanned,
            next,
            complete,
        })
    }
}

struct Question {
    client: Option<crate::domain::names::ClientId>,
    command: ServerCommand,
}

/// Records one check, or that the half is given up.
fn check(
    entry: &mut Entry<'_>,
    number: u64,
    message: &Message,
    now: Timestamp,
) -> Option<Question> {
    let parked = entry.live.state.parked().get(&number)?;
    let Wait::Half {
        transaction,
        checks,
        next_check,
        client,
    } = parked.wait.clone()
    else {
        return None;
    };
    if next_check > now {
        return None;
    }
    if checks >= MAX_CHECKS {
        entry.push(Record::Unparked {
            number,
            id: message.id.clone(),
            why: Unparking::GaveUp,
            at: now,
        });
        return None;
    }
    entry.push(Record::Checked {
        number,
        times: checks + 1,
        next: now + CHECK_INTERVAL,
        at: now,
    });
    Some(Question {
        client,
        command: ServerCommand::CheckTransaction {
            transaction,
            message: message.clone(),
            message_id: message.id.clone(),
        },
    })
}

fn not_found(transaction: &TransactionId) -> ClusterError {
    ClusterError::TransactionNotFound(transaction.to_string())
}
