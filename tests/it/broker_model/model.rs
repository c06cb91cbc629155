//! What a broker promised so far, in plain maps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use moonport::domain::ids::TransactionId;
use moonport::domain::receipt::ReceiptHandle;
use moonport::domain::timestamp::Timestamp;

use crate::broker_model::op::Kind;

pub(super) const TOPICS: [&str; 2] = ["mixed", "steps"];
pub(super) const GROUPS: [&str; 3] = ["concurrent", "orderly", "red"];
pub(super) const ORDERLY: usize = 1;
/// This group takes every second message only, and gives one up after its third delivery.
pub(super) const RED: usize = 2;
pub(super) const RED_RETRIES: u32 = 2;
/// How long both topics keep their messages.
pub(super) const RETENTION: Duration = Duration::from_secs(24 * 3600);
pub(super) const FIRST_CHECK: Duration = Duration::from_secs(6);
const CHECK_INTERVAL: Duration = Duration::from_secs(30);
const MAX_CHECKS: u32 = 15;

/// What is known of one message and one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Known {
    /// Never handed out, or put back by a reset.
    Fresh,
    Out {
        attempt: u32,
        until: Timestamp,
    },
    /// Comes again as `attempt` from `due` on.
    Retry {
        attempt: u32,
        due: Timestamp,
    },
    /// Acked, skipped, unwanted, or gone with its retention: it must not come.
    Done,
    /// Given up: it must not come, and a dead letter tells of it.
    Dead,
    /// A crash took the answer, or a lease nobody waited for: it may come, not below this attempt.
    Unsure {
        attempt: u32,
    },
}

/// Where a message is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Life {
    Stored {
        at: Timestamp,
    },
    Delayed {
        due: Timestamp,
        handle: String,
    },
    Half {
        transaction: TransactionId,
        checks: u32,
        next: Timestamp,
    },
    /// Recalled, rolled back, given up, expired, or never stored.
    Nowhere,
}

#[derive(Debug)]
pub(super) struct Sent {
    pub kind: Kind,
    pub life: Life,
    pub groups: [Known; 3],
    /// Dead letters there must be, and how many more there may be.
    pub letters: u32,
    pub maybe_letters: u32,
}

/// Every message by its number, which is its body; and the handles that consumers hold.
#[derive(Default)]
pub(super) struct Model {
    pub sent: BTreeMap<u64, Sent>,
    pub next: u64,
    pub out: Vec<(usize, u64, ReceiptHandle)>,
    /// Handles that were superseded or ran out.
    pub void: Vec<(usize, u64, ReceiptHandle)>,
    /// Leases since the last commit: a crash may take them.
    pub uncommitted: BTreeSet<(usize, u64)>,
}

impl Kind {
    pub(super) fn topic(self) -> usize {
        match self {
            Self::Fifo { topic, .. } => topic,
            Self::Normal | Self::Delay { .. } | Self::Half => 0,
        }
    }

    pub(super) fn message_group(self) -> Option<u8> {
        match self {
            Self::Fifo { of, .. } => Some(of),
            Self::Normal | Self::Delay { .. } | Self::Half => None,
        }
    }
}

pub(super) fn is_red(number: u64) -> bool {
    number.is_multiple_of(2)
}

impl Known {
    /// The attempt of the delivery it waits for.
    pub(super) fn ready(self, now: Timestamp) -> Option<u32> {
        match self {
            Self::Fresh => Some(1),
            Self::Retry { attempt, due } if due <= now => Some(attempt),
            _ => None,
        }
    }

    /// A delivery or its end is certain to come.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Fresh | Self::Out { .. } | Self::Retry { .. })
    }
}

impl Sent {
    fn new(kind: Kind, life: Life) -> Self {
        Self {
            kind,
            life,
            groups: [Known::Done; 3],
            letters: 0,
            maybe_letters: 0,
        }
    }

    /// It is in its queue from now on, fresh for every group that wants it.
    pub(super) fn store(&mut self, number: u64, at: Timestamp) {
        self.life = Life::Stored { at };
        self.groups = [Known::Fresh; 3];
        if !is_red(number) {
            self.groups[RED] = Known::Done;
        }
    }

    /// The delivery `attempt` of a group failed.
    pub(super) fn fail(&mut self, of: usize, attempt: u32, due: Timestamp) {
        self.groups[of] = if of == RED && attempt > RED_RETRIES {
            self.letters += 1;
            Known::Dead
        } else {
            let attempt = attempt + 1;
            Known::Retry { attempt, due }
        };
    }

    /// A crash took what is known of a delivery.
    pub(super) fn doubt(&mut self, of: usize, attempt: u32) {
        if self.groups[of].is_open() {
            self.groups[of] = Known::Unsure { attempt };
            if of == RED && attempt > RED_RETRIES {
                self.maybe_letters += 1;
            }
        }
    }
}

impl Model {
    pub(super) fn add(&mut self, kind: Kind, life: Life) -> u64 {
        let number = self.next;
        self.next += 1;
        self.sent.insert(number, Sent::new(kind, life));
        number
    }

    /// Numbers whose life is of one sort, oldest first.
    pub(super) fn living(&self, fits: impl Fn(&Life) -> bool) -> Vec<u64> {
        let fitting = self.sent.iter().filter(|(_, sent)| fits(&sent.life));
        fitting.map(|(number, _)| *number).collect()
    }

    /// What happens by itself until `now`.
    pub(super) fn pass(&mut self, now: Timestamp) {
        for (number, sent) in &mut self.sent {
            for of in 0..GROUPS.len() {
                if let Known::Out { attempt, until } = sent.groups[of]
                    && until <= now
                {
                    sent.fail(of, attempt, now);
                }
            }
            match &mut sent.life {
                Life::Delayed { due, .. } if *due <= now => sent.store(*number, now),
                Life::Half { checks, next, .. } if *next <= now && *checks < MAX_CHECKS => {
                    *checks += 1;
                    *next = now + CHECK_INTERVAL;
                }
                Life::Half { next, .. } if *next <= now => sent.life = Life::Nowhere,
                _ => {}
            }
        }
        for (of, number, handle) in std::mem::take(&mut self.out) {
            let known = self.sent[&number].groups[of];
            let holds = matches!(known, Known::Out { attempt, .. } if attempt == handle.attempt)
                || matches!(known, Known::Unsure { .. });
            match (holds, handle.deadline > now) {
                (true, true) => self.out.push((of, number, handle)),
                _ => self.void.push((of, number, handle)),
            }
        }
    }

    /// Retention takes everything stored so long ago; whether a delivery that ended at that moment died first is open.
    pub(super) fn outlive(&mut self, now: Timestamp) {
        for sent in self.sent.values_mut() {
            if matches!(sent.life, Life::Stored { at } if at + RETENTION <= now) {
                if sent.groups[RED] == Known::Dead && sent.letters > 0 {
                    sent.letters -= 1;
                    sent.maybe_letters += 1;
                }
                sent.life = Life::Nowhere;
                sent.groups = [Known::Done; 3];
            }
        }
    }

    /// The earliest moment at which something is certain to happen.
    pub(super) fn next_event(&self) -> Option<Timestamp> {
        let moments = self.sent.values().flat_map(|sent| {
            let life = match sent.life {
                Life::Delayed { due, .. } => Some(due),
                Life::Half { next, .. } => Some(next),
                Life::Stored { .. } | Life::Nowhere => None,
            };
            let groups = sent.groups.iter().filter_map(|known| match known {
                Known::Out { until, .. } => Some(*until),
                Known::Retry { due, .. } => Some(*due),
                _ => None,
            });
            groups.chain(life).collect::<Vec<_>>()
        });
        moments.min()
    }

    /// A crash took the leases since the last commit, or not. An earlier handle of the same attempt may be good again.
    pub(super) fn lose_uncommitted(&mut self) {
        for (of, number) in std::mem::take(&mut self.uncommitted) {
            let Some(sent) = self.sent.get_mut(&number) else {
                continue;
            };
            if let Known::Out { attempt, .. } = sent.groups[of] {
                sent.doubt(of, attempt);
            }
        }
        let sent = &self.sent;
        let is_sure = |of: usize, number| !matches!(sent[&number].groups[of], Known::Unsure { .. });
        self.void.retain(|(of, number, _)| is_sure(*of, *number));
    }

    /// Handles of a message that is handed out again are void.
    pub(super) fn forget_out(&mut self, of: usize, number: u64) {
        let mut kept = Vec::new();
        for held in std::mem::take(&mut self.out) {
            if (held.0, held.1) == (of, number) {
                self.void.push(held);
            } else {
                kept.push(held);
            }
        }
        self.out = kept;
    }
}

impl Model {
    /// A person moved a group's offsets on one topic. Messages in retry stay in retry when offsets pass them (Z3), save
    /// those of a message group, whose blocks are lifted (Z2).
    pub(super) fn reset(&mut self, of: usize, on: usize, latest: bool) {
        let stored = |sent: &&mut Sent| matches!(sent.life, Life::Stored { .. });
        let is_unsure = |sent: &Sent| matches!(sent.groups[of], Known::Unsure { .. });
        let held = self.out.iter().map(|(_, number, _)| *number);
        // The handle of a lease that a crash took is that of a message which was never handed out: nothing voids it.
        let untold: BTreeSet<u64> = held
            .filter(|number| is_unsure(&self.sent[number]))
            .collect();
        let concerned = self
            .sent
            .iter_mut()
            .filter(|(_, sent)| sent.kind.topic() == on);
        for (number, sent) in concerned {
            if !stored(&sent) || (of == RED && !is_red(*number)) {
                continue;
            }
            let blocks = of == ORDERLY && sent.kind.message_group().is_some();
            sent.groups[of] = match sent.groups[of] {
                _ if !latest => Known::Fresh,
                Known::Retry { attempt, due } if !blocks => Known::Retry { attempt, due },
                Known::Unsure { attempt } => Known::Unsure { attempt },
                Known::Dead => Known::Dead,
                _ => Known::Done,
            };
        }
        for held in std::mem::take(&mut self.out) {
            let sent = &self.sent[&held.1];
            if held.0 == of && sent.kind.topic() == on {
                if !untold.contains(&held.1) {
                    self.void.push(held);
                }
            } else {
                self.out.push(held);
            }
        }
    }
}
