//! The choice for a concurrent group: whatever is ready, order aside (G4).

use crate::broker::delivery::claim::{QueueClaim, Wanted};
use crate::broker::delivery::hand::{Chosen, returning};
use crate::broker::delivery::{Contents, admits};
use crate::broker::state::progress::QueueProgress;
use crate::filter::Filter;

/// What of a claim still stands and is wanted, at most `room` messages.
pub(in crate::broker) fn choose(
    progress: &QueueProgress,
    claim: &QueueClaim,
    contents: &Contents,
    filter: &Filter,
    wanted: Wanted,
    room: usize,
) -> Chosen {
    let mut chosen = Chosen::default();
    for (offset, _) in &claim.single {
        let Some(attempt) = returning(progress, *offset, wanted) else {
            continue;
        };
        match contents.get(offset) {
            // What comes again passed the filter before (P13).
            Some(message) if chosen.count() < room => chosen.lease(message.clone(), attempt),
            Some(_) => break,
            None => chosen.give_up(*offset, attempt),
        }
    }
    for (from, to) in &claim.ranges {
        choose_fresh(progress, (*from, *to), contents, filter, room, &mut chosen);
    }
    chosen
}

fn choose_fresh(
    progress: &QueueProgress,
    (from, to): (u64, u64),
    contents: &Contents,
    filter: &Filter,
    room: usize,
    chosen: &mut Chosen,
) {
    for offset in from..to {
        if !progress.fresh().contains(offset) {
            continue;
        }
        match contents.get(&offset) {
            Some(message) if !admits(filter, message) => chosen.skip(offset),
            Some(message) if chosen.count() < room => chosen.lease(message.clone(), 1),
            // The first of a range is missing only when its content is gone for good; later ones were not read yet.
            None if offset == from => chosen.skip(offset),
            Some(_) | None => return,
        }
    }
}
