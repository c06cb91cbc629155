//! One message's life, told from the records about it (K1-K4), however long ago it began (K5).

use crate::broker::core::{Core, Live, cluster_error};
use crate::broker::delivery::admits;
use crate::broker::state::ProgressId;
use crate::broker::state::progress::Stage;
use crate::cluster::Reply;
use crate::cluster::admin::{AttemptTrace, ConsumeStatus, GroupTrace, MessageTrace, TraceStep};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::names::{ClientId, GroupName};
use crate::domain::record::{Postponing, Record, Settling, Subject, Unparking, Until};
use crate::domain::timestamp::Timestamp;

/// Most messages under one id.
const MOST: usize = 32;

impl Core {
    pub(in crate::broker) fn trace(&self, id: &MessageId) -> Reply<Vec<MessageTrace>> {
        self.catch_up();
        let found = self.journal.by_id(id, MOST).map_err(cluster_error)?;
        let mut traces = Vec::new();
        let mut parked_seen = Vec::new();
        for (_, record) in found {
            match &record {
                Record::Parked { number, .. } => {
                    parked_seen.push(*number);
                    let records = self.records(Subject::Parked(*number))?;
                    traces.push(self.told(id, &records));
                }
                Record::Stored {
                    parked: Some(number),
                    ..
                } if parked_seen.contains(number) => {}
                Record::Stored { message, .. } => {
                    let records = self.records(Subject::Place {
                        topic: &message.topic,
                        queue: message.queue,
                        offset: message.offset,
                    })?;
                    traces.push(self.told(id, &records));
                }
                Record::Refused { .. } => traces.push(self.told(id, std::slice::from_ref(&record))),
                _ => {}
            }
        }
        Ok(traces.into_iter().flatten().collect())
    }

    fn records(&self, subject: Subject<'_>) -> Reply<Vec<Record>> {
        let found = self.journal.trace(subject).map_err(cluster_error)?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    fn told(&self, id: &MessageId, records: &[Record]) -> Option<MessageTrace> {
        let topic = records.iter().find_map(|record| match record {
            Record::Stored { message, .. } | Record::Parked { message, .. } => {
                Some(message.topic.clone())
            }
            Record::Refused { topic, .. } => Some(topic.clone()),
            _ => None,
        })?;
        let stored = records.iter().find_map(|record| match record {
            Record::Stored { message, .. } => Some(message.clone()),
            _ => None,
        });
        let parked = records.iter().find_map(|record| match record {
            Record::Parked {
                number, message, ..
            } => Some((*number, message.clone())),
            _ => None,
        });
        let mut steps: Vec<TraceStep> = records.iter().filter_map(step).collect();
        let inherited = self.definition.read().retention;
        let live = self.live();
        let lost_with_topic = stored.is_none()
            && parked
                .as_ref()
                .is_some_and(|(number, _)| !live.state.parked().contains_key(number))
            && !records
                .iter()
                .any(|record| matches!(record, Record::Unparked { .. }));
        if lost_with_topic {
            steps.push(TraceStep {
                at: self.now(),
                what: "gone with its topic".to_owned(),
            });
        }
        if let Some(message) = stored.as_ref().filter(|message| !live.keeps(message)) {
            let topic = live.state.topic(&message.topic);
            let own = topic.and_then(|topic| topic.definition.retention);
            steps.push(TraceStep {
                at: self.now().min(message.stored_at + own.unwrap_or(inherited)),
                what: "left by retention".to_owned(),
            });
        }
        let groups = stored
            .as_ref()
            .map(|message| live.group_traces(message, records, self.now()));
        Some(MessageTrace {
            id: id.clone(),
            topic,
            place: stored.as_ref().map(|message| message.place()),
            message: stored.or(parked.map(|(_, message)| message)),
            steps,
            groups: groups.unwrap_or_default(),
        })
    }
}

impl Live {
    /// What the message is to each group that reads its topic.
    fn group_traces(
        &self,
        message: &Message,
        records: &[Record],
        now: Timestamp,
    ) -> Vec<GroupTrace> {
        let topic = self.state.topic(&message.topic);
        let members = topic
            .map(|topic| topic.members.as_slice())
            .unwrap_or_default();
        let mut traces: Vec<GroupTrace> = members
            .iter()
            .filter_map(|id| {
                let group = self.state.progress(*id)?.group.clone();
                let attempts = attempts(&group, message.offset, records);
                let status = self.status(*id, message, &group, records, now)?;
                Some(GroupTrace {
                    group,
                    status,
                    attempts,
                })
            })
            .collect();
        traces.sort_by(|a, b| a.group.cmp(&b.group));
        traces
    }

    /// What a message is to a group; never inferred from offsets alone (K4).
    fn status(
        &self,
        id: ProgressId,
        message: &Message,
        group: &GroupName,
        records: &[Record],
        now: Timestamp,
    ) -> Option<ConsumeStatus> {
        let progress = self.state.progress(id)?;
        let queue = progress.queues.get(message.queue as usize)?;
        let offset = message.offset;
        if let Some(held) = queue.held(offset) {
            return Some(match held.stage {
                Stage::InFlight { deadline, .. } => ConsumeStatus::InFlight { until: deadline },
                Stage::Returning { due } if held.attempt > 1 || due > now => {
                    ConsumeStatus::Retrying {
                        attempt: held.attempt,
                        due,
                    }
                }
                Stage::Returning { .. } => ConsumeStatus::NotConsumed,
            });
        }
        if queue.fresh().contains(offset) {
            let unwanted = self.filters.get(&id).is_some_and(|f| !admits(f, message));
            let blocker = message.message_group.as_deref().and_then(|group| {
                let mut ahead = queue.line().ahead_of(group, offset);
                ahead.next()
            });
            return Some(match blocker {
                _ if unwanted => ConsumeStatus::FilteredOut,
                Some(by) => ConsumeStatus::Blocked { by },
                None => ConsumeStatus::NotConsumed,
            });
        }
        let settled = records.iter().rev().find_map(|record| match record {
            Record::Settled { group: of, how, .. } if of == group => Some(how),
            _ => None,
        });
        Some(match settled {
            Some(Settling::Acked) => ConsumeStatus::Consumed,
            Some(Settling::Dead(place)) => ConsumeStatus::Dead {
                place: place.clone(),
            },
            Some(Settling::Discarded) => ConsumeStatus::Discarded,
            None if progress.pulls => ConsumeStatus::Consumed,
            None if offset < queue.start => ConsumeStatus::NotSubscribed,
            None => ConsumeStatus::FilteredOut,
        })
    }
}

/// The deliveries of the message at `offset` to one group, each with how it ended.
fn attempts(group: &GroupName, offset: u64, records: &[Record]) -> Vec<AttemptTrace> {
    let mut told = Attempts::default();
    for record in records {
        match record {
            Record::Leased {
                group: of,
                client,
                at,
                deliveries,
                ..
            } if of == group => {
                let of_message = deliveries.iter().find(|leased| leased.offset == offset);
                if let Some(leased) = of_message {
                    told.begin(leased.attempt, *at, client.clone());
                }
            }
            Record::Postponed {
                group: of,
                attempt,
                at,
                why,
                ..
            } if of == group => match why {
                Postponing::Nacked => told.end(attempt - 1, *at, "nacked"),
                Postponing::Expired => told.end(attempt - 1, *at, "expired"),
                Postponing::Released => told.end(*attempt, *at, "released"),
                Postponing::Requeued(_) => {}
            },
            Record::Settled {
                group: of,
                how,
                at,
                deliveries,
                ..
            } if of == group => {
                let outcome = match how {
                    Settling::Acked => "acked",
                    Settling::Dead(_) => "dead",
                    Settling::Discarded => "discarded",
                };
                let of_message = deliveries.iter().find(|(at, _)| *at == offset);
                if let Some((_, attempt)) = of_message {
                    told.end(*attempt, *at, outcome);
                }
            }
            _ => {}
        }
    }
    told.0
}

#[derive(Default)]
struct Attempts(Vec<AttemptTrace>);

impl Attempts {
    /// A delivery, or the renewal of the one that is open.
    fn begin(&mut self, attempt: u32, at: Timestamp, client: Option<ClientId>) {
        let open = self.0.last().filter(|last| last.ended_at.is_none());
        if open.is_none_or(|last| last.attempt != attempt) {
            self.0.push(AttemptTrace {
                attempt,
                delivered_at: Some(at),
                ended_at: None,
                outcome: "in flight".to_owned(),
                client,
            });
        }
    }

    /// How a delivery ended; one whose lease got lost in a crash is told without its beginning.
    fn end(&mut self, attempt: u32, at: Timestamp, outcome: &str) {
        let open = self.0.last_mut();
        match open.filter(|last| last.attempt == attempt && last.ended_at.is_none()) {
            Some(last) => {
                last.ended_at = Some(at);
                outcome.clone_into(&mut last.outcome);
            }
            None => self.0.push(AttemptTrace {
                attempt,
                delivered_at: None,
                ended_at: Some(at),
                outcome: outcome.to_owned(),
                client: None,
            }),
        }
    }
}

/// What happened to the message itself.
fn step(record: &Record) -> Option<TraceStep> {
    let (at, what) = match record {
        Record::Stored { message, parked } => {
            let what = match parked {
                Some(_) => format!("delivered to {}", message.place()),
                None => "stored".to_owned(),
            };
            (message.stored_at, what)
        }
        Record::Parked { message, until, .. } => {
            let what = match until {
                Until::Due(due) => format!("parked until {due}"),
                Until::Ended { check, .. } => format!("half message, first check at {check}"),
            };
            (message.stored_at, what)
        }
        Record::Checked { times: 1, at, .. } => (*at, "checked once".to_owned()),
        Record::Checked { times, at, .. } => (*at, format!("checked {times} times")),
        Record::Ended {
            commit,
            from_check,
            at,
            ..
        } => {
            let word = if *commit { "committed" } else { "rolled back" };
            let by = if *from_check {
                "in answer to a check"
            } else {
                "by its producer"
            };
            (*at, format!("{word} {by}"))
        }
        Record::Unparked { why, at, .. } => {
            let what = match why {
                Unparking::Recalled => "recalled",
                // The word of the producer is a step of its own.
                Unparking::RolledBack => return None,
                Unparking::GaveUp => "given up after the last check",
            };
            (*at, what.to_owned())
        }
        Record::Refused { why, at, .. } => (*at, format!("refused: {why}")),
        _ => return None,
    };
    Some(TraceStep { at, what })
}
