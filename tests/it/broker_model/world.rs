//! A broker and its model side by side: each step is done to both, and what the broker answers is held to the model.

use std::time::Duration;

use moonport::cluster::admin::{ResetOffset, ResetTo};
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::{
    Ack, ChangeInvisible, Delivery, EndTransaction, Recall, Receive, Resolution, Send, SendReceipt,
};
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::ids::TransactionId;
use moonport::domain::message::{Draft, HalfDraft};
use moonport::domain::receipt::ReceiptHandle;
use moonport::domain::subscription::FilterExpression;
use moonport::domain::timestamp::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::broker_model::machine::Machine;
use crate::broker_model::model::{
    FIRST_CHECK, GROUPS, Known, Life, Model, RED, RETENTION, TOPICS, is_red,
};
use crate::broker_model::op::{Kind, Op};
use crate::support::broker::{draft, group, receive, seconds, topic};

pub(super) type Outcome = Result<(), TestCaseError>;

/// How long a lease lasts, and how long one that was extended may.
const LEASE: Duration = Duration::from_secs(60);
pub(super) const LONGEST_LEASE: Duration = Duration::from_secs(90);

pub(super) struct World {
    pub machine: Machine,
    pub model: Model,
}

impl World {
    pub(super) fn now(&self) -> Timestamp {
        self.machine.clock.now()
    }

    pub(super) async fn apply(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Send(kind) => self.send(*kind).await,
            Op::Receive { of, topic, max } => self.receive(*of, *topic, *max).await,
            Op::Ack { which } => self.ack(*which).await,
            Op::AckLate { which } => self.ack_late(*which).await,
            Op::Nack { which, seconds } => self.change(*which, *seconds, false).await,
            Op::Extend { which, seconds } => self.change(*which, *seconds, true).await,
            Op::EndHalf { which, commit } => self.end_half(*which, *commit).await,
            Op::Recall { which } => self.recall(*which).await,
            Op::Step { seconds } => self.step(Duration::from_secs(*seconds)).await,
            Op::Outlive => self.step(RETENTION).await,
            Op::Reset { of, topic, latest } => self.reset(*of, *topic, *latest).await,
            Op::Roll => {
                self.machine.roll();
                Ok(())
            }
            Op::Restart => {
                self.machine.restart().await;
                self.settle().await?;
                self.observe(&[]).await
            }
            Op::Crash { kept, begun } => self.crash(*kept, begun).await,
        }
    }

    /// Lets the timers and the retention do what is due, durably.
    pub(super) async fn settle(&mut self) -> Outcome {
        let now = self.now();
        self.model.pass(now);
        self.machine.settle().await;
        self.model.uncommitted.clear();
        let over = |life: &Life| matches!(life, Life::Stored { at } if *at + RETENTION <= now);
        let expired = self.model.living(over);
        if !expired.is_empty() {
            self.await_retention(&expired).await?;
            self.model.outlive(now);
            self.model.pass(now);
        }
        Ok(())
    }

    async fn send(&mut self, kind: Kind) -> Outcome {
        let number = self.model.next;
        let request = self.draft(kind, number);
        let sending = self.machine.broker.send(&self.machine.caller, request);
        let sent = self.machine.done(sending).await;
        let receipt = sent.unwrap().pop().unwrap().unwrap();
        self.model.uncommitted.clear();
        let now = self.now();
        let life = sent_life(kind, &receipt, now);
        self.model.add(kind, Life::Nowhere);
        let sent = self.model.sent.get_mut(&number).unwrap();
        match life {
            Life::Stored { at } => sent.store(number, at),
            life => sent.life = life,
        }
        Ok(())
    }

    pub(super) fn draft(&self, kind: Kind, number: u64) -> Send {
        let mut draft: Draft = draft(TOPICS[kind.topic()], &number.to_string());
        let tone = if is_red(number) { "red" } else { "blue" };
        draft.properties = [("tone".to_owned(), tone.to_owned())].into_iter().collect();
        match kind {
            Kind::Normal => {}
            Kind::Fifo { of, .. } => draft.message_group = Some(of.to_string()),
            Kind::Delay { seconds } => {
                draft.deliver_at = Some(self.now() + Duration::from_secs(seconds));
            }
            Kind::Half => draft.transaction = Some(HalfDraft::default()),
        }
        Send::one(draft)
    }

    pub(super) async fn receive(&mut self, of: usize, on: usize, max: usize) -> Outcome {
        let filter = if of == RED {
            FilterExpression::Sql("tone = 'red'".to_owned())
        } else {
            FilterExpression::all()
        };
        let request = Receive {
            max,
            filter,
            ..receive(GROUPS[of], TOPICS[on])
        };
        let receiving = self.machine.broker.receive(&self.machine.caller, request);
        let received = self.machine.done(receiving).await.unwrap();
        let now = self.now();
        self.check_deliveries(of, on, max, &received, now)?;
        for delivery in received {
            self.delivered(of, delivery, now);
        }
        Ok(())
    }

    fn delivered(&mut self, of: usize, delivery: Delivery, now: Timestamp) {
        let number = number_of(&delivery);
        let sent = self.model.sent.get_mut(&number).unwrap();
        let was = std::mem::replace(
            &mut sent.groups[of],
            Known::Out {
                attempt: delivery.attempt,
                until: now + LEASE,
            },
        );
        if matches!(was, Known::Unsure { .. }) {
            // The lease that a crash took had the same attempt: its handle may still be good.
            let mine = |held: &(usize, u64, ReceiptHandle)| (held.0, held.1) == (of, number);
            self.model.out.retain(|held| !mine(held));
        } else {
            self.model.forget_out(of, number);
        }
        self.model.uncommitted.insert((of, number));
        self.model.out.push((of, number, delivery.handle));
    }

    pub(super) async fn ack(&mut self, which: usize) -> Outcome {
        let Some((of, number, handle)) = self.pick(which) else {
            return Ok(());
        };
        let now = self.now();
        let result = self.try_ack(&handle).await;
        self.model.uncommitted.clear();
        let sent = self.model.sent.get_mut(&number).unwrap();
        if let Known::Out { attempt, until } = sent.groups[of]
            && attempt == handle.attempt
            && until > now
        {
            prop_assert_eq!(&result, &Ok(()), "a live handle of {} failed", number);
        }
        if result.is_ok() {
            sent.groups[of] = Known::Done;
        }
        Ok(())
    }

    async fn ack_late(&mut self, which: usize) -> Outcome {
        let void = &mut self.model.void;
        if void.is_empty() {
            return Ok(());
        }
        let (of, number, handle) = void.swap_remove(which % void.len());
        let result = self.try_ack(&handle).await;
        self.model.uncommitted.clear();
        let is_open = self.model.sent[&number].groups[of].is_open();
        prop_assert!(
            result.is_err() || !is_open,
            "a void handle settled {number}: {handle:?}"
        );
        Ok(())
    }

    async fn try_ack(&self, handle: &ReceiptHandle) -> Result<(), ClusterError> {
        let acking = self.machine.broker.ack(&self.machine.caller, ack(handle));
        let outcomes = self.machine.done(acking).await;
        outcomes.unwrap().remove(0).result
    }

    async fn change(&mut self, which: usize, seconds: u64, extends: bool) -> Outcome {
        let Some((of, number, handle)) = self.pick(which) else {
            return Ok(());
        };
        let request = change(&handle, seconds, extends);
        let broker = &self.machine.broker;
        let changing = broker.change_invisible(&self.machine.caller, request);
        let changed = self.machine.done(changing).await;
        let until = self.now() + Duration::from_secs(seconds);
        if let Ok(new) = changed {
            let sent = self.model.sent.get_mut(&number).unwrap();
            let attempt = handle.attempt;
            // As with a delivery: the handle of a lease that a crash took may still be good.
            let may_be_good = extends && matches!(sent.groups[of], Known::Unsure { .. });
            if extends {
                sent.groups[of] = Known::Out { attempt, until };
                self.model.out.push((of, number, new));
                // A lease rides in the next commit, and so does its new end.
                self.model.uncommitted.insert((of, number));
            } else {
                self.model.uncommitted.clear();
                sent.fail(of, attempt, until);
            }
            if !may_be_good {
                self.model.void.push((of, number, handle));
            }
        }
        Ok(())
    }

    async fn end_half(&mut self, which: usize, commit: bool) -> Outcome {
        let Some((number, request)) = self.half(which, commit) else {
            return Ok(());
        };
        let broker = &self.machine.broker;
        let ending = broker.end_transaction(&self.machine.caller, request);
        let ended = self.machine.done(ending).await;
        self.model.uncommitted.clear();
        prop_assert_eq!(&ended, &Ok(()), "the half {} did not end", number);
        let now = self.now();
        let sent = self.model.sent.get_mut(&number).unwrap();
        if commit {
            sent.store(number, now);
        } else {
            sent.life = Life::Nowhere;
        }
        Ok(())
    }

    async fn recall(&mut self, which: usize) -> Outcome {
        let Some((number, request)) = self.delayed(which) else {
            return Ok(());
        };
        let recalling = self.machine.broker.recall(&self.machine.caller, request);
        let recalled = self.machine.done(recalling).await;
        self.model.uncommitted.clear();
        prop_assert!(recalled.is_ok(), "{} could not be recalled", number);
        self.model.sent.get_mut(&number).unwrap().life = Life::Nowhere;
        Ok(())
    }

    pub(super) async fn step(&mut self, span: Duration) -> Outcome {
        self.machine.clock.step(span);
        self.settle().await
    }

    async fn reset(&mut self, of: usize, on: usize, latest: bool) -> Outcome {
        let to = if latest {
            ResetTo::Latest
        } else {
            ResetTo::Earliest
        };
        let request = ResetOffset {
            group: group(GROUPS[of]),
            topic: topic(TOPICS[on]),
            queue: None,
            to,
            dry_run: false,
        };
        let resetting = self.machine.broker.reset_offset(request);
        let report = self.machine.done(resetting).await;
        prop_assert!(report.is_ok(), "{report:?}");
        self.model.uncommitted.clear();
        self.model.reset(of, on, latest);
        Ok(())
    }

    /// One of the handles that are out.
    pub(super) fn pick(&mut self, which: usize) -> Option<(usize, u64, ReceiptHandle)> {
        let out = &mut self.model.out;
        (!out.is_empty()).then(|| out.swap_remove(which % out.len()))
    }

    pub(super) fn half(&self, which: usize, commit: bool) -> Option<(u64, EndTransaction)> {
        let is_half = |life: &Life| matches!(life, Life::Half { .. });
        let number = choose(&self.model.living(is_half), which)?;
        let Life::Half { transaction, .. } = &self.model.sent[&number].life else {
            return None;
        };
        let request = EndTransaction {
            topic: Some(topic(TOPICS[0])),
            transaction: transaction.clone(),
            message_id: None,
            resolution: if commit {
                Resolution::Commit
            } else {
                Resolution::Rollback
            },
            from_check: false,
        };
        Some((number, request))
    }

    pub(super) fn delayed(&self, which: usize) -> Option<(u64, Recall)> {
        let is_delayed = |life: &Life| matches!(life, Life::Delayed { .. });
        let number = choose(&self.model.living(is_delayed), which)?;
        let Life::Delayed { handle, .. } = &self.model.sent[&number].life else {
            return None;
        };
        let topic = topic(TOPICS[0]);
        let handle = handle.clone();
        Some((number, Recall { topic, handle }))
    }
}

fn choose(numbers: &[u64], which: usize) -> Option<u64> {
    numbers.get(which % numbers.len().max(1)).copied()
}

fn sent_life(kind: Kind, receipt: &SendReceipt, now: Timestamp) -> Life {
    match kind {
        Kind::Normal | Kind::Fifo { .. } => Life::Stored { at: now },
        Kind::Delay { seconds: span } => Life::Delayed {
            due: now + seconds(span),
            handle: receipt.recall_handle.clone().unwrap(),
        },
        Kind::Half => half_life(receipt.transaction.clone().unwrap(), now),
    }
}

pub(super) fn half_life(transaction: TransactionId, sent_at: Timestamp) -> Life {
    Life::Half {
        transaction,
        checks: 0,
        next: sent_at + FIRST_CHECK,
    }
}

pub(super) fn number_of(delivery: &Delivery) -> u64 {
    std::str::from_utf8(&delivery.message.body)
        .unwrap()
        .parse()
        .unwrap()
}

pub(super) fn ack(handle: &ReceiptHandle) -> Ack {
    Ack {
        group: handle.group.clone(),
        topic: handle.topic.clone(),
        handles: vec![handle.clone()],
    }
}

pub(super) fn change(handle: &ReceiptHandle, seconds: u64, extends: bool) -> ChangeInvisible {
    ChangeInvisible {
        group: handle.group.clone(),
        topic: handle.topic.clone(),
        handle: handle.clone(),
        invisible: Duration::from_secs(seconds),
        extends,
    }
}
