//! What must hold: of each delivery, of everything listed, of a crash, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use moonport::cluster::admin::MessageQuery;
use moonport::cluster::messaging::Delivery;
use moonport::cluster::paging::Page;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::message::Message;
use moonport::domain::timestamp::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::broker_model::model::{GROUPS, Known, Life, ORDERLY, RED, TOPICS};
use crate::broker_model::op::{Begun, Kind};
use crate::broker_model::world::{
    LONGEST_LEASE, Outcome, World, ack, change, half_life, number_of,
};
use crate::support::broker::topic;

/// A message whose life a crash left open, and the life it has if the call came through.
pub(super) struct Doubt {
    number: u64,
    otherwise: Otherwise,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Otherwise {
    Stored,
    Delayed,
    Half,
    Nowhere,
}

/// Where the broker says its messages are.
#[derive(Default)]
struct Listed {
    stored: BTreeMap<u64, Timestamp>,
    delayed: BTreeMap<u64, (Timestamp, String)>,
    halves: BTreeMap<u64, (Life, Timestamp)>,
    letters: BTreeMap<u64, u32>,
}

impl World {
    pub(super) fn check_deliveries(
        &self,
        of: usize,
        on: usize,
        max: usize,
        received: &[Delivery],
        now: Timestamp,
    ) -> Outcome {
        let batch: Vec<u64> = received.iter().map(number_of).collect();
        for (at, delivery) in received.iter().enumerate() {
            self.check_delivery(of, delivery, now)?;
            if of == ORDERLY {
                self.check_order(batch[at], &batch[..at])?;
            }
        }
        // Candidates are taken before filter and order are looked at: such a receive may give fewer, but not none.
        let most = if of == RED || of == ORDERLY { 1 } else { max };
        let expected = self.receivable(of, on, now).map(|ready| ready.min(most));
        prop_assert!(
            expected.is_none_or(|expected| received.len() >= expected),
            "{} of {expected:?} ready messages came",
            received.len()
        );
        Ok(())
    }

    fn check_delivery(&self, of: usize, delivery: &Delivery, now: Timestamp) -> Outcome {
        let number = number_of(delivery);
        let (group, attempt) = (GROUPS[of], delivery.attempt);
        let sent = &self.model.sent[&number];
        prop_assert!(
            matches!(sent.life, Life::Stored { .. }),
            "{number} came, which is {:?}",
            sent.life
        );
        match sent.groups[of] {
            known @ (Known::Fresh | Known::Retry { .. }) => {
                prop_assert_eq!(known.ready(now), Some(attempt), "attempt of {}", number);
            }
            Known::Out { until, .. } => {
                prop_assert!(false, "{number} is out to {group} until {until}");
            }
            Known::Done => prop_assert!(false, "{number} was done for {group} and came again"),
            Known::Dead => prop_assert!(false, "{number} was dead for {group} and came again"),
            Known::Unsure { attempt: least } => prop_assert!(
                (least..=least + 1).contains(&attempt),
                "attempt {attempt} of {number} after {least}"
            ),
        }
        Ok(())
    }

    /// Nothing of the same message group that was sent earlier is unsettled, save in the same batch.
    fn check_order(&self, number: u64, ahead: &[u64]) -> Outcome {
        let overtaken = self.before(number);
        for earlier in overtaken {
            prop_assert!(
                ahead.contains(&earlier),
                "{number} overtook {earlier} of its message group"
            );
        }
        Ok(())
    }

    /// Earlier messages of the same message group that the orderly group is not done with.
    fn before(&self, number: u64) -> Vec<u64> {
        let kind = self.model.sent[&number].kind;
        if kind.message_group().is_none() {
            return Vec::new();
        }
        let earlier = self.model.sent.range(..number);
        let of_kind = earlier.filter(|(_, sent)| sent.kind == kind);
        let open = of_kind.filter(|(_, sent)| sent.groups[ORDERLY].is_open());
        open.map(|(number, _)| *number).collect()
    }

    /// How many messages a group must be given, if there is no doubt about any.
    fn receivable(&self, of: usize, on: usize, now: Timestamp) -> Option<usize> {
        let on_topic = || {
            let sent = self.model.sent.iter();
            sent.filter(move |(_, sent)| sent.kind.topic() == on)
        };
        let is_unsure = |known: &Known| matches!(known, Known::Unsure { .. });
        if on_topic().any(|(_, sent)| is_unsure(&sent.groups[of])) {
            return None;
        }
        let ready = on_topic().filter(|(_, sent)| sent.groups[of].ready(now).is_some());
        let free = ready.filter(|(number, _)| of != ORDERLY || self.before(**number).is_empty());
        Some(free.count())
    }

    /// Retention lets go of what is over.
    pub(super) async fn await_retention(&self, expired: &[u64]) -> Outcome {
        let started = Instant::now();
        loop {
            let listed = self.list().await;
            if !expired
                .iter()
                .any(|number| listed.stored.contains_key(number))
            {
                return Ok(());
            }
            prop_assert!(
                started.elapsed() < Duration::from_secs(20),
                "{expired:?} were kept longer than they should be"
            );
            self.machine.breathe().await;
        }
    }

    /// Everything listed is what the model knows; what a crash left open is decided by what is there.
    pub(super) async fn observe(&mut self, doubts: &[Doubt]) -> Outcome {
        let listed = self.list().await;
        for doubt in doubts {
            self.decide(doubt, &listed);
        }
        for (number, sent) in &self.model.sent {
            let (stored, delayed, half) = (
                listed.stored.contains_key(number),
                listed.delayed.get(number),
                listed.halves.get(number),
            );
            let holds = match &sent.life {
                Life::Stored { .. } => stored && delayed.is_none() && half.is_none(),
                Life::Delayed { due, .. } => !stored && delayed.is_some_and(|(at, _)| at == due),
                Life::Half { .. } => !stored && half.is_some_and(|(life, _)| *life == sent.life),
                Life::Nowhere => !stored && delayed.is_none() && half.is_none(),
            };
            prop_assert!(
                holds,
                "{number} is lost or changed: {:?}; stored: {stored}, delayed: {delayed:?}, half: {half:?}",
                sent.life
            );
            let letters = listed.letters.get(number).copied().unwrap_or(0);
            let allowed = sent.letters..=sent.letters + sent.maybe_letters;
            prop_assert!(
                allowed.contains(&letters),
                "{letters} dead letters of {number}, not {allowed:?}"
            );
        }
        Ok(())
    }

    fn decide(&mut self, doubt: &Doubt, listed: &Listed) {
        let number = doubt.number;
        let sent = self.model.sent.get_mut(&number).unwrap();
        match doubt.otherwise {
            Otherwise::Stored => {
                if let Some(at) = listed.stored.get(&number) {
                    sent.store(number, *at);
                }
            }
            Otherwise::Delayed => {
                if let Some((due, handle)) = listed.delayed.get(&number).cloned() {
                    sent.life = Life::Delayed { due, handle };
                }
            }
            Otherwise::Half => {
                if let Some((Life::Half { transaction, .. }, at)) = listed.halves.get(&number) {
                    sent.life = half_life(transaction.clone(), *at);
                }
            }
            Otherwise::Nowhere => {
                let found =
                    listed.delayed.contains_key(&number) || listed.halves.contains_key(&number);
                if !found {
                    sent.life = Life::Nowhere;
                }
            }
        }
    }

    async fn list(&self) -> Listed {
        let broker = &self.machine.broker;
        let mut listed = Listed::default();
        let whole = || Page::first(10_000);
        for name in TOPICS {
            for message in self.stored(name).await {
                let number = number(&message);
                let again = listed.stored.insert(number, message.stored_at);
                assert!(again.is_none(), "{number} is stored twice");
            }
        }
        for row in broker.pending(None, whole()).await.unwrap().rows {
            let entry = (row.due, row.recall_handle);
            listed.delayed.insert(number(&row.message), entry);
        }
        for row in broker.transactions(whole()).await.unwrap().rows {
            let life = Life::Half {
                transaction: row.transaction,
                checks: row.checks,
                next: row.next_check_at,
            };
            let entry = (life, row.message.stored_at);
            listed.halves.insert(number(&row.message), entry);
        }
        for letter in self.stored(&format!("%DLQ%{}", GROUPS[RED])).await {
            *listed.letters.entry(number(&letter)).or_default() += 1;
        }
        listed
    }

    async fn stored(&self, name: &str) -> Vec<std::sync::Arc<Message>> {
        let query = MessageQuery::Time {
            topic: topic(name),
            from: None,
            to: None,
            newest_first: false,
        };
        let found = self.machine.broker.messages(query, Page::first(10_000));
        // The dead letter topic is made by the first letter.
        let rows = found.await.map_or_else(|_| Vec::new(), |page| page.rows);
        rows.into_iter().map(|row| row.message).collect()
    }

    /// Begins calls, dies before their answers, and compares what is left with what was promised.
    pub(super) async fn crash(&mut self, kept: usize, begun: &[Begun]) -> Outcome {
        let mut doubts = Vec::new();
        for begun in begun {
            let doubt = self.begin(begun, &doubts);
            doubts.extend(doubt);
        }
        self.machine.crash(kept).await;
        self.model.lose_uncommitted();
        self.settle().await?;
        self.observe(&doubts).await
    }

    /// One call that gets as far as its append; whose life it leaves open.
    fn begin(&mut self, begun: &Begun, doubts: &[Doubt]) -> Option<Doubt> {
        let broker = self.machine.broker.clone();
        let caller = self.machine.caller.clone();
        let is_sure = |number: u64| doubts.iter().all(|doubt| doubt.number != number);
        match begun {
            Begun::Send(kind) => {
                let number = self.model.add(*kind, Life::Nowhere);
                let request = self.draft(*kind, number);
                begin(broker.send(&caller, request));
                let otherwise = match kind {
                    Kind::Delay { .. } => Otherwise::Delayed,
                    Kind::Half => Otherwise::Half,
                    Kind::Normal | Kind::Fifo { .. } => Otherwise::Stored,
                };
                Some(Doubt { number, otherwise })
            }
            Begun::Ack { which } => {
                let (of, number, handle) = self.pick(*which)?;
                begin(broker.ack(&caller, ack(&handle)));
                self.leave_open(of, number, handle.attempt);
                None
            }
            Begun::Nack { which, seconds } => {
                let (of, number, handle) = self.pick(*which)?;
                begin(broker.change_invisible(&caller, change(&handle, *seconds, false)));
                self.leave_open(of, number, handle.attempt);
                None
            }
            Begun::EndHalf { which, commit } => {
                let half = self.half(*which, *commit);
                let (number, request) = half.filter(|(number, _)| is_sure(*number))?;
                begin(broker.end_transaction(&caller, request));
                let otherwise = if *commit {
                    Otherwise::Stored
                } else {
                    Otherwise::Nowhere
                };
                Some(Doubt { number, otherwise })
            }
            Begun::Recall { which } => {
                let delayed = self.delayed(*which);
                let (number, request) = delayed.filter(|(number, _)| is_sure(*number))?;
                begin(broker.recall(&caller, request));
                let otherwise = Otherwise::Nowhere;
                Some(Doubt { number, otherwise })
            }
        }
    }

    fn leave_open(&mut self, of: usize, number: u64, attempt: u32) {
        let sent = self.model.sent.get_mut(&number).unwrap();
        sent.doubt(of, attempt);
    }

    /// In the end every message reaches every group that wants it and is not done with it, once.
    pub(super) async fn drain(mut self) -> Outcome {
        for _ in 0..100 {
            for of in 0..GROUPS.len() {
                for on in 0..TOPICS.len() {
                    self.receive(of, on, 32).await?;
                }
            }
            while !self.model.out.is_empty() {
                self.ack(0).await?;
            }
            let now = self.now();
            let lives = self.model.sent.values();
            if !lives.flat_map(|sent| sent.groups).any(Known::is_open)
                && self.model.next_event().is_none()
            {
                return self.look_again().await;
            }
            let next = self.model.next_event().filter(|next| *next > now);
            // What a crash left open comes back with the lease that it may have.
            let span = next.map_or(LONGEST_LEASE, |next| next.since(now));
            self.step(span).await?;
        }
        let open = self.model.sent.iter();
        let open: BTreeSet<u64> = open
            .filter(|(_, sent)| sent.groups.into_iter().any(Known::is_open))
            .map(|(number, _)| *number)
            .collect();
        Err(TestCaseError::fail(format!(
            "acknowledged messages never came: {open:?}"
        )))
    }

    /// After every lease and retry that could be left nothing comes that was done.
    async fn look_again(mut self) -> Outcome {
        self.step(LONGEST_LEASE).await?;
        for of in 0..GROUPS.len() {
            for on in 0..TOPICS.len() {
                self.receive(of, on, 32).await?;
            }
        }
        self.observe(&[]).await?;
        self.machine.close().await;
        Ok(())
    }
}

/// Polls a call once and drops it.
fn begin<F: Future>(call: F) {
    use futures_util::FutureExt as _;
    drop(call.now_or_never());
}

fn number(message: &Message) -> u64 {
    let body = std::str::from_utf8(&message.body).unwrap();
    body.parse().unwrap()
}
