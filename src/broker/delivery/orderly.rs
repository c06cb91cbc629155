//! The choice for an orderly group: of each message group, nothing is handed out while an earlier message of it is
//! unsettled, unless both go in the same delivery (F1-F4). Other message groups go on.

use std::sync::Arc;

use crate::broker::delivery::claim::{QueueClaim, Wanted};
use crate::broker::delivery::hand::{Chosen, returning};
use crate::broker::delivery::{Contents, admits};
use crate::broker::state::progress::QueueProgress;
use crate::domain::message::Message;
use crate::filter::Filter;

/// What of a claim still stands, keeps the order and is wanted, at most `room` messages.
pub(in crate::broker) fn choose(
    progress: &mut QueueProgress,
    claim: &QueueClaim,
    contents: &Contents,
    filter: &Filter,
    wanted: Wanted,
    room: usize,
) -> Chosen {
    let mut chosen = Chosen::default();
    for (offset, _) in &claim.single {
        if let Some(attempt) = returning(progress, *offset, wanted) {
            again(progress, *offset, attempt, contents, room, &mut chosen);
        }
    }
    for (from, to) in &claim.ranges {
        // Unless somebody moved the offset since, what was read is next in line.
        if progress.line().scanned() == *from {
            read_on(progress, (*from, *to), contents, filter, room, &mut chosen);
        }
    }
    take_from_line(progress, contents, filter, room, &mut chosen);
    chosen
}

fn again(
    progress: &QueueProgress,
    offset: u64,
    attempt: u32,
    contents: &Contents,
    room: usize,
    chosen: &mut Chosen,
) {
    let group = progress
        .held(offset)
        .and_then(|held| held.message_group.as_deref());
    let in_order = group.is_none_or(|group| {
        let mut ahead = progress.line().ahead_of(group, offset);
        ahead.all(|earlier| chosen.has(earlier))
    });
    match contents.get(&offset) {
        Some(message) if in_order && chosen.count() < room => {
            chosen.lease(message.clone(), attempt);
        }
        Some(_) => {}
        None => chosen.give_up(offset, attempt),
    }
}

/// Lets messages that were read take their place in line; those without a message group go at once.
fn read_on(
    progress: &mut QueueProgress,
    (from, to): (u64, u64),
    contents: &Contents,
    filter: &Filter,
    room: usize,
    chosen: &mut Chosen,
) {
    for offset in from..to {
        if !progress.fresh().contains(offset) {
            progress.line_mut().pass(offset + 1);
            continue;
        }
        let message = match contents.get(&offset) {
            Some(message) => message,
            None if offset == from => {
                chosen.skip(offset);
                progress.line_mut().pass(offset + 1);
                continue;
            }
            None => return,
        };
        match message.message_group.as_deref() {
            _ if !admits(filter, message) => {
                chosen.skip(offset);
                progress.line_mut().pass(offset + 1);
            }
            Some(group) => progress.line_mut().join(&Arc::from(group), offset),
            None if chosen.count() < room => {
                chosen.lease(message.clone(), 1);
                progress.line_mut().pass(offset + 1);
            }
            None => return,
        }
    }
}

/// Takes from each message group that nothing blocks, in order, as long as there is room.
fn take_from_line(
    progress: &mut QueueProgress,
    contents: &Contents,
    filter: &Filter,
    room: usize,
    chosen: &mut Chosen,
) {
    let mut stale: Vec<(Arc<str>, u64)> = Vec::new();
    let line = progress.line();
    for group in line.free() {
        for offset in line.behind(group) {
            if !progress.fresh().contains(offset) {
                stale.push((group.clone(), offset));
                continue;
            }
            let Some(message) = contents.get(&offset).filter(|m| is_of(m, group)) else {
                break;
            };
            if !admits(filter, message) {
                chosen.skip(offset);
                stale.push((group.clone(), offset));
            } else if chosen.count() < room {
                chosen.lease(message.clone(), 1);
            } else {
                break;
            }
        }
    }
    for (group, offset) in stale {
        progress.line_mut().leave(&group, offset);
    }
}

fn is_of(message: &Message, group: &str) -> bool {
    message.message_group.as_deref() == Some(group)
}
