//! Random lives of a broker against a small model: nothing acknowledged is lost, nothing acked comes back, the order of
//! message groups never breaks, also across restarts and crashes.
//!
//! Commits happen by hand, so a crash takes exactly the appends that no commit covered. `MOONPORT_MODEL_SEQUENCES` sets
//! how many sequences are run. Three planted faults show that the model can fail.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::admin::{PutGroup, PutMode, PutTopic, ResetOffset, ResetTo};
use moonport::cluster::messaging::{Ack, ChangeInvisible, Delivery, Send};
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::message::Draft;
use moonport::domain::names::InstanceId;
use moonport::domain::receipt::ReceiptHandle;
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::store::journal::Recovery;
use moonport::store::memory::MemoryStore;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::support::broker::{START, group, receive, topic};
use crate::support::faults::{self, Fault};

/// One step of a broker's life.
#[derive(Debug, Clone)]
enum Op {
    /// Stores a message of one of three message groups, or of none.
    Send {
        of: u8,
    },
    Receive {
        orderly: bool,
        max: usize,
    },
    /// Settles one of the deliveries that are out.
    Ack {
        which: usize,
    },
    Nack {
        which: usize,
        seconds: u64,
    },
    /// Lets leases run out and retries come.
    Step {
        seconds: u64,
    },
    Reset {
        orderly: bool,
        latest: bool,
    },
    Roll,
    Restart,
    /// Begins a send or an ack and dies before the answer; of what was appended so many pieces reached the disk.
    Crash {
        kept: usize,
        send: Option<u8>,
        ack: Option<usize>,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..4_u8).prop_map(|of| Op::Send { of }),
        6 => (any::<bool>(), 1..5_usize).prop_map(|(orderly, max)| Op::Receive { orderly, max }),
        6 => any::<usize>().prop_map(|which| Op::Ack { which }),
        2 => (any::<usize>(), 0..40_u64).prop_map(|(which, seconds)| Op::Nack { which, seconds }),
        2 => (1..80_u64).prop_map(|seconds| Op::Step { seconds }),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(orderly, latest)| Op::Reset { orderly, latest }),
        1 => Just(Op::Roll),
        1 => Just(Op::Restart),
        2 => (0..4_usize, proptest::option::of(0..4_u8), proptest::option::of(any::<usize>()))
            .prop_map(|(kept, send, ack)| Op::Crash { kept, send, ack }),
    ]
}

/// What is known of one message and one group.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    /// Ready, or held until some moment.
    Open {
        attempt: u32,
        until: Option<Timestamp>,
    },
    /// Its ack was answered: it must not come again.
    Acked,
    /// An ack or a skip whose answer never came: it may come again or not.
    Unsure { attempt: u32 },
}

/// One group's view of the topic.
#[derive(Default)]
struct GroupModel {
    messages: BTreeMap<u64, Known>,
    out: Vec<ReceiptHandle>,
    /// Leases since the last commit: a crash may take them.
    uncommitted: Vec<u64>,
}

struct World {
    broker: Broker,
    store: MemoryStore,
    clock: BrokerClock,
    fault: Fault,
    /// Message group of every message that is known to be stored, by offset.
    stored: BTreeMap<u64, Option<u8>>,
    /// Indexed by order: concurrent, orderly.
    groups: [GroupModel; 2],
}

const GROUPS: [&str; 2] = ["concurrent", "orderly"];
const TOPIC: &str = "events";
const LEASE: Duration = Duration::from_secs(60);

fn definition() -> InstanceDefinition {
    let id = InstanceId::new("rmq-model").unwrap();
    InstanceDefinition::new(id, "model".to_owned(), "r".to_owned(), START)
}

fn open(store: &MemoryStore, clock: &BrokerClock, fault: Fault) -> Broker {
    let journal: Box<dyn Recovery> = faults::wrap(store.open(), fault);
    let options = BrokerOptions {
        definition: definition(),
        journal,
        clock: clock.clone(),
        real: RealClock::manual(),
        ids: Arc::new(MessageIdGenerator::new([2, 0, 0, 0, 0, 1], 1, 0)),
        host_name: "h".to_owned(),
        feed: Feed::new(1),
    };
    Broker::open(options).unwrap()
}

type Outcome = Result<(), TestCaseError>;

impl World {
    async fn new(fault: Fault) -> Self {
        let store = MemoryStore::by_hand();
        let clock = BrokerClock::still(START);
        let world = Self {
            broker: open(&store, &clock, fault),
            store,
            clock,
            fault,
            stored: BTreeMap::new(),
            groups: Default::default(),
        };
        let definition = TopicDefinition::new(topic(TOPIC), TopicType::Mixed, 1, START);
        let mode = PutMode::Either;
        world
            .done(world.broker.put_topic(PutTopic { definition, mode }))
            .await
            .unwrap();
        for (name, order) in GROUPS
            .iter()
            .zip([DeliveryOrder::Concurrent, DeliveryOrder::Orderly])
        {
            let mut definition = GroupDefinition::new(group(name), order, START);
            definition.max_retries = 1000;
            definition.first_seen = FirstSeen::Earliest;
            let join = vec![topic(TOPIC)];
            let request = PutGroup {
                definition,
                mode,
                join,
            };
            world.done(world.broker.put_group(request)).await.unwrap();
        }
        world
    }

    /// Runs a call to its end, with a commit whenever it waits.
    async fn done<F: Future>(&self, call: F) -> F::Output {
        let mut call = std::pin::pin!(call);
        loop {
            if let std::task::Poll::Ready(output) = futures_util::poll!(&mut call) {
                return output;
            }
            self.store.commit();
            tokio::task::yield_now().await;
        }
    }

    /// Lets the timers do what is due, durably.
    async fn settle(&mut self) {
        self.broker.statistics().await.unwrap();
        self.store.commit();
        self.broker.statistics().await.unwrap();
        self.store.commit();
        for model in &mut self.groups {
            model.uncommitted.clear();
        }
    }

    async fn apply(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Send { of } => self.send(*of).await,
            Op::Receive { orderly, max } => self.receive(usize::from(*orderly), *max).await,
            Op::Ack { which } => self.ack(*which).await,
            Op::Nack { which, seconds } => self.nack(*which, *seconds).await,
            Op::Step { seconds } => {
                self.clock.step(Duration::from_secs(*seconds));
                self.settle().await;
                self.expire();
                Ok(())
            }
            Op::Reset { orderly, latest } => self.reset(usize::from(*orderly), *latest).await,
            Op::Roll => {
                self.store.roll();
                Ok(())
            }
            Op::Restart => {
                self.done(self.broker.close()).await;
                self.broker = open(&self.store, &self.clock, self.fault);
                self.settle().await;
                Ok(())
            }
            Op::Crash { kept, send, ack } => {
                self.crash(*kept, *send, *ack).await;
                Ok(())
            }
        }
    }

    async fn send(&mut self, of: u8) -> Outcome {
        let request = Send::one(draft(of));
        let sent = self.done(self.broker.send(&Caller::local(), request)).await;
        let offset = sent.unwrap().pop().unwrap().unwrap().offset;
        self.uncommitted_are_safe();
        let known = self.stored.insert(offset, message_group(of));
        prop_assert!(known.is_none(), "offset {offset} was given out twice");
        for model in &mut self.groups {
            model.messages.insert(offset, FRESH);
        }
        Ok(())
    }

    fn uncommitted_are_safe(&mut self) {
        for model in &mut self.groups {
            model.uncommitted.clear();
        }
    }

    async fn receive(&mut self, of: usize, max: usize) -> Outcome {
        let request = moonport::cluster::messaging::Receive {
            max,
            ..receive(GROUPS[of], TOPIC)
        };
        let received = self
            .done(self.broker.receive(&Caller::local(), request))
            .await
            .unwrap();
        let now = self.clock.now();
        self.check_delivery(of, max, &received, now)?;
        let model = &mut self.groups[of];
        for delivery in received {
            let offset = delivery.message.offset;
            // A message that a crash left in doubt is known to be there once it is seen.
            self.stored
                .entry(offset)
                .or_insert_with(|| group_of(&delivery));
            let attempt = delivery.attempt;
            let until = Some(now + LEASE);
            model
                .messages
                .insert(offset, Known::Open { attempt, until });
            model.uncommitted.push(offset);
            // An earlier handle of the same message is superseded.
            model.out.retain(|handle| handle.offset != offset);
            model.out.push(delivery.handle);
        }
        Ok(())
    }

    fn check_delivery(
        &self,
        of: usize,
        max: usize,
        received: &[Delivery],
        now: Timestamp,
    ) -> Outcome {
        let model = &self.groups[of];
        let ready = |known: &Known| matches!(known, Known::Open { until, .. } if until.is_none_or(|at| at <= now));
        let batch: Vec<u64> = received
            .iter()
            .map(|delivery| delivery.message.offset)
            .collect();
        for (at, delivery) in received.iter().enumerate() {
            let offset = delivery.message.offset;
            match model.messages.get(&offset) {
                Some(Known::Acked) => prop_assert!(false, "{offset} was acked and came again"),
                Some(Known::Open { attempt, until }) => {
                    prop_assert!(
                        until.is_none_or(|until| until <= now),
                        "{offset} is out until {until:?}"
                    );
                    prop_assert_eq!(delivery.attempt, *attempt, "attempt of {}", offset);
                }
                Some(Known::Unsure { attempt }) => prop_assert!(delivery.attempt >= *attempt),
                None => {}
            }
            if of == 1
                && let Some(group) = group_of(delivery)
            {
                let earlier = model.messages.range(..offset).filter(|(earlier, known)| {
                    matches!(known, Known::Open { .. })
                        && self.stored.get(earlier) == Some(&Some(group))
                });
                for (earlier, _) in earlier {
                    prop_assert!(
                        batch[..at].contains(earlier),
                        "{offset} overtook {earlier} in group {group}"
                    );
                }
            }
        }
        let unsure = model
            .messages
            .values()
            .any(|known| matches!(known, Known::Unsure { .. }));
        if of == 0 && !unsure {
            let expected = model
                .messages
                .values()
                .filter(|known| ready(known))
                .count()
                .min(max);
            prop_assert!(
                received.len() >= expected,
                "{} of {expected} ready messages came",
                received.len()
            );
        }
        Ok(())
    }

    /// One of the handles that are out, of either group.
    fn pick(&mut self, which: usize) -> Option<(usize, ReceiptHandle)> {
        let total: usize = self.groups.iter().map(|model| model.out.len()).sum();
        let mut at = which % total.max(1);
        for (of, model) in self.groups.iter_mut().enumerate() {
            if at < model.out.len() {
                return Some((of, model.out.swap_remove(at)));
            }
            at -= model.out.len();
        }
        None
    }

    async fn ack(&mut self, which: usize) -> Outcome {
        let Some((of, handle)) = self.pick(which) else {
            return Ok(());
        };
        let outcomes = self
            .done(self.broker.ack(&Caller::local(), ack_of(&handle)))
            .await;
        let result = outcomes.unwrap().remove(0).result;
        self.uncommitted_are_safe();
        let now = self.clock.now();
        let model = &mut self.groups[of];
        let known = model.messages.get(&handle.offset).copied();
        if let Some(Known::Open {
            attempt,
            until: Some(until),
        }) = known
            && attempt == handle.attempt
            && until > now
            && handle.deadline > now
        {
            prop_assert_eq!(
                &result,
                &Ok(()),
                "a live handle of {} failed",
                handle.offset
            );
        }
        if result.is_ok() {
            model.messages.insert(handle.offset, Known::Acked);
        }
        Ok(())
    }

    async fn nack(&mut self, which: usize, seconds: u64) -> Outcome {
        let Some((of, handle)) = self.pick(which) else {
            return Ok(());
        };
        let request = ChangeInvisible {
            group: handle.group.clone(),
            topic: handle.topic.clone(),
            handle: handle.clone(),
            invisible: Duration::from_secs(seconds),
            extends: false,
        };
        let nacked = self
            .done(self.broker.change_invisible(&Caller::local(), request))
            .await;
        if nacked.is_ok() {
            self.uncommitted_are_safe();
            let until = Some(self.clock.now() + Duration::from_secs(seconds));
            let attempt = handle.attempt + 1;
            let messages = &mut self.groups[of].messages;
            messages.insert(handle.offset, Known::Open { attempt, until });
        }
        Ok(())
    }

    /// Leases that ran out count as failed: the next delivery has the next attempt.
    fn expire(&mut self) {
        let now = self.clock.now();
        for model in &mut self.groups {
            for handle in &model.out {
                if let Some(Known::Open { attempt, until }) = model.messages.get_mut(&handle.offset)
                    && *attempt == handle.attempt
                    && until.is_some_and(|until| until <= now)
                {
                    *attempt += 1;
                    *until = None;
                }
            }
            let messages = &model.messages;
            model.out.retain(|handle| {
                matches!(messages.get(&handle.offset), Some(Known::Open { attempt, .. }) if *attempt == handle.attempt)
            });
        }
    }

    async fn reset(&mut self, of: usize, latest: bool) -> Outcome {
        let request = ResetOffset {
            group: group(GROUPS[of]),
            topic: topic(TOPIC),
            queue: None,
            to: if latest {
                ResetTo::Latest
            } else {
                ResetTo::Earliest
            },
            dry_run: false,
        };
        let report = self.done(self.broker.reset_offset(request)).await;
        prop_assert!(report.is_ok());
        self.uncommitted_are_safe();
        let model = &mut self.groups[of];
        model.out.clear();
        for known in model.messages.values_mut() {
            *known = match *known {
                _ if !latest => FRESH,
                // Messages in retry stay in retry (Z3); what is skipped may as well have been.
                Known::Open { attempt, .. } => Known::Unsure {
                    attempt: attempt.min(1),
                },
                known => known,
            };
        }
        Ok(())
    }

    async fn crash(&mut self, kept: usize, send: Option<u8>, ack: Option<usize>) {
        let local = Caller::local();
        if let Some(of) = send {
            let mut call = std::pin::pin!(self.broker.send(&local, Send::one(draft(of))));
            let _ = futures_util::poll!(&mut call);
        }
        let acked = ack.and_then(|which| self.pick(which));
        if let Some((_, handle)) = &acked {
            let mut call = std::pin::pin!(self.broker.ack(&local, ack_of(handle)));
            let _ = futures_util::poll!(&mut call);
        }
        self.store.crash(kept);
        let now = self.clock.now();
        if let Some((of, handle)) = acked {
            let known = self.groups[of].messages.get_mut(&handle.offset);
            if let Some(known) = known.filter(|known| **known != Known::Acked) {
                *known = Known::Unsure { attempt: 1 };
            }
        }
        for model in &mut self.groups {
            for offset in model.uncommitted.drain(..) {
                if let Some(Known::Open { attempt, .. }) = model.messages.get(&offset).copied() {
                    model.messages.insert(offset, Known::Unsure { attempt });
                }
            }
            model.out.retain(|handle| handle.deadline > now);
        }
        self.done(self.broker.close()).await;
        self.broker = open(&self.store, &self.clock, self.fault);
        self.settle().await;
    }

    /// In the end every message that was acknowledged to its sender reaches every group that did not ack it.
    async fn drain(mut self) -> Outcome {
        for _ in 0..200 {
            self.clock.step(Duration::from_secs(7200));
            self.settle().await;
            self.expire();
            for of in 0..2 {
                self.receive(of, 32).await?;
                while !self.groups[of].out.is_empty() {
                    let first: usize = if of == 0 { 0 } else { self.groups[0].out.len() };
                    self.ack(first).await?;
                }
            }
            let open = |model: &GroupModel| {
                model
                    .messages
                    .values()
                    .any(|known| matches!(known, Known::Open { .. }))
            };
            if !self.groups.iter().any(open) {
                return Ok(());
            }
        }
        let left: Vec<_> = self
            .groups
            .iter()
            .map(|model| model.messages.clone())
            .collect();
        Err(TestCaseError::fail(format!(
            "acknowledged messages never came: {left:?}"
        )))
    }
}

const FRESH: Known = Known::Open {
    attempt: 1,
    until: None,
};

fn draft(of: u8) -> Draft {
    let mut draft = Draft::new(topic(TOPIC), of.to_string());
    draft.message_group = message_group(of).map(|group| group.to_string());
    draft
}

/// The last of the four kinds has no message group.
fn message_group(of: u8) -> Option<u8> {
    (of < 3).then_some(of)
}

fn group_of(delivery: &Delivery) -> Option<u8> {
    delivery.message.message_group.as_ref()?.parse().ok()
}

fn ack_of(handle: &ReceiptHandle) -> Ack {
    Ack {
        group: handle.group.clone(),
        topic: handle.topic.clone(),
        handles: vec![handle.clone()],
    }
}

/// Runs `sequences` random lives; the error is the shrunk one that failed.
fn run(sequences: u32, fault: Fault) -> Result<(), TestError<Vec<Op>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let config = Config {
        cases: sequences,
        failure_persistence: None,
        ..Config::default()
    };
    let lives = proptest::collection::vec(op(), 1..40);
    TestRunner::new(config).run(&lives, |ops| {
        runtime.block_on(async {
            let mut world = World::new(fault).await;
            for op in &ops {
                world.apply(op).await?;
            }
            world.drain().await
        })
    })
}

#[test]
fn random_lives_keep_every_promise() {
    let sequences = std::env::var("MOONPORT_MODEL_SEQUENCES");
    let sequences = sequences.ok().and_then(|text| text.parse().ok());
    if let Err(error) = run(sequences.unwrap_or(2_000), Fault::None) {
        panic!("{error}");
    }
}

/// A fault must be noticed by what it breaks.
fn assert_caught(fault: Fault, expected: &[&str]) {
    match run(2_000, fault) {
        Err(TestError::Fail(reason, _)) => {
            let found = expected.iter().any(|text| reason.message().contains(text));
            assert!(found, "noticed for another reason: {reason}");
        }
        other => panic!("not noticed: {other:?}"),
    }
}

#[test]
fn an_ack_before_the_fsync_is_caught() {
    let lost = [
        "never came",
        "ready messages came",
        "given out twice",
        "came again",
    ];
    assert_caught(Fault::AnswersEarly, &lost);
}

#[test]
fn a_record_skipped_on_replay_is_caught() {
    assert_caught(Fault::SkipsSettled, &["came again"]);
}

#[test]
fn a_lost_block_of_a_message_group_is_caught() {
    assert_caught(Fault::LosesBlocks, &["overtook"]);
}
