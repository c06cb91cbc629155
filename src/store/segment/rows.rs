//! Commits as rows of the log table, and back. A record is found by its byte offset in the commit.

use std::ops::RangeInclusive;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable as _, WriteTransaction};

use crate::store::codec::{self, Frame};
use crate::store::fault::Fault;
use crate::store::frame;
use crate::store::journal::Position;
use crate::store::segment::LOG;

/// A value of its own page is rounded up to a power of two pages; this much of the page is redb's.
const OVERHEAD: usize = 64;
const PAGE: usize = 4096;
/// The largest row, just under its page.
const LARGEST: usize = 16 * PAGE - OVERHEAD;

fn key(sequence: u64, offset: u32) -> u128 {
    u128::from(sequence) << 32 | u128::from(offset)
}

fn sequence_of(key: u128) -> u64 {
    (key >> 32) as u64
}

fn offset_of(key: u128) -> usize {
    (key & u128::from(u32::MAX)) as usize
}

/// Writes one commit's frames.
pub(in crate::store) fn append(
    transaction: &WriteTransaction,
    sequence: u64,
    commit: &[u8],
) -> Result<(), Fault> {
    let mut log = transaction.open_table(LOG)?;
    let mut start = 0;
    while start < commit.len() {
        let end = start + piece(commit.len() - start);
        log.insert(key(sequence, start as u32), &commit[start..end])?;
        start = end;
    }
    Ok(())
}

/// Size of the next row when `left` bytes are left: what wastes little of the pages it gets.
fn piece(left: usize) -> usize {
    if left >= LARGEST {
        return LARGEST;
    }
    let mut size = PAGE - OVERHEAD;
    while size < left {
        let next = (size + OVERHEAD) * 2 - OVERHEAD;
        if left < next {
            // In whole when it fills most of the page, else cut where the page below is full.
            return if left * 5 > next * 4 { left } else { size };
        }
        size = next;
    }
    left
}

/// Reads records of one segment inside one transaction.
pub(in crate::store) struct LogReader {
    log: ReadOnlyTable<u128, &'static [u8]>,
}

impl LogReader {
    pub(in crate::store) fn new(transaction: &ReadTransaction) -> Result<Self, Fault> {
        Ok(Self {
            log: transaction.open_table(LOG)?,
        })
    }

    /// Looks at frames in the given order; neighbours in one row cost one look-up.
    pub(in crate::store) fn frames<'a>(
        &self,
        positions: impl IntoIterator<Item = &'a Position>,
        mut visit: impl FnMut(Position, Option<Frame<'_>>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut row: Option<(u128, redb::AccessGuard<'_, &'static [u8]>)> = None;
        for position in positions {
            let wanted = key(position.sequence, position.offset);
            let covers = |at: u128, bytes: &[u8]| {
                at <= wanted
                    && sequence_of(at) == position.sequence
                    && (offset_of(wanted) - offset_of(at)) < bytes.len()
            };
            if !row
                .as_ref()
                .is_some_and(|(at, row)| covers(*at, row.value()))
            {
                row = match self.log.range(..=wanted)?.next_back() {
                    Some(found) => {
                        let (at, bytes) = found?;
                        Some((at.value(), bytes))
                    }
                    None => None,
                };
            }
            let more = match &row {
                Some((at, bytes)) if covers(*at, bytes.value()) => {
                    let rest = &bytes.value()[offset_of(wanted) - offset_of(*at)..];
                    match codec::split(rest) {
                        Ok(frame) => visit(*position, Some(frame))?,
                        Err(frame::Fault::Short(_)) => {
                            let whole = self.rest_of_commit(*at, rest)?;
                            visit(*position, Some(codec::split(&whole)?))?
                        }
                        Err(fault) => return Err(fault.into()),
                    }
                }
                _ => visit(*position, None)?,
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// A frame that goes on in the rows after the one at `at`: `begun` and as much as it takes.
    fn rest_of_commit(&self, at: u128, begun: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut whole = begun.to_vec();
        let last = key(sequence_of(at), u32::MAX);
        let mut rows = self.log.range(at + 1..=last)?;
        loop {
            match codec::split(&whole) {
                Ok(_) => return Ok(whole),
                Err(frame::Fault::Short(needed)) => {
                    let Some(row) = rows.next() else {
                        return Err(frame::Fault::Short(needed).into());
                    };
                    whole.extend_from_slice(row?.1.value());
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Visits whole commits in order, as long as `visit` says so.
    pub(in crate::store) fn commits(
        &self,
        sequences: RangeInclusive<u64>,
        mut visit: impl FnMut(u64, &[u8]) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut commit = Vec::new();
        let mut sequence = None;
        for row in self
            .log
            .range(key(*sequences.start(), 0)..=key(*sequences.end(), u32::MAX))?
        {
            let (at, bytes) = row?;
            let at = at.value();
            if let Some(before) = sequence.filter(|before| *before != sequence_of(at)) {
                if !visit(before, &commit)? {
                    return Ok(());
                }
                commit.clear();
            }
            sequence = Some(sequence_of(at));
            commit.extend_from_slice(bytes.value());
        }
        match sequence {
            Some(last) => visit(last, &commit).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The last commit of the segment.
    pub(in crate::store) fn last(&self) -> Result<Option<u64>, Fault> {
        Ok(self.log.last()?.map(|(at, _)| sequence_of(at.value())))
    }
}

/// Removes the commits after `last`.
pub(in crate::store) fn cut(transaction: &WriteTransaction, last: u64) -> Result<(), Fault> {
    let mut log = transaction.open_table(LOG)?;
    log.retain_in(key(last + 1, 0).., |_, _| false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_waste_less_than_a_quarter_of_their_pages_and_cover_everything() {
        for size in (1..300_000).step_by(97) {
            let (mut left, mut pages) = (size, 0);
            while left > 0 {
                let cut = piece(left);
                assert!(cut > 0 && cut <= left);
                if cut + OVERHEAD > PAGE / 2 {
                    pages += (cut + OVERHEAD).next_power_of_two().max(PAGE);
                }
                left -= cut;
            }
            assert!(pages <= size * 13 / 10 + PAGE, "{size} bytes take {pages}");
        }
    }
}
