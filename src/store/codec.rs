//! Records of the journal as frames. A commit is a string of frames; a marked one is a copy that was carried forward from a
//! dropped segment, and its body begins with the position it had first.

use crate::domain::record::Record;
use crate::store::frame::{self, Fault};
use crate::store::journal::Position;

/// Bytes of a position in front of a copy.
const ORIGIN: usize = 12;

/// One record's frame, checksum verified.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    /// Where a copy lay first.
    pub origin: Option<Position>,
    record: &'a [u8],
    /// Bytes of the whole frame.
    pub length: usize,
}

/// Appends one record; on error `out` is as before.
pub(super) fn encode(record: &Record, out: &mut Vec<u8>) -> Result<(), Fault> {
    frame::put_value(out, false, record)
}

/// Appends a copy of `frame`, which lies at `at` or came there as a copy itself.
pub(super) fn copy(frame: &Frame<'_>, at: Position, out: &mut Vec<u8>) -> Result<(), Fault> {
    let origin = frame.origin.unwrap_or(at);
    frame::put(out, true, |out| {
        out.extend_from_slice(&origin.sequence.to_le_bytes());
        out.extend_from_slice(&origin.offset.to_le_bytes());
        out.extend_from_slice(frame.record);
        Ok(())
    })
}

/// Takes the first record off `bytes`.
pub(super) fn split(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    let frame = frame::split(bytes)?;
    let (origin, record) = if frame.marked {
        let (origin, record) = position(frame.body)
            .ok_or_else(|| Fault::Body("a copy does not tell where it was".to_owned()))?;
        (Some(origin), record)
    } else {
        (None, frame.body)
    };
    Ok(Frame {
        origin,
        record,
        length: frame.length,
    })
}

fn position(bytes: &[u8]) -> Option<(Position, &[u8])> {
    let (origin, record) = bytes.split_at_checked(ORIGIN)?;
    let (sequence, offset) = origin.split_first_chunk::<8>()?;
    let origin = Position {
        sequence: u64::from_le_bytes(*sequence),
        offset: u32::from_le_bytes(*offset.first_chunk::<4>()?),
    };
    Some((origin, record))
}

impl Frame<'_> {
    pub(super) fn record(&self) -> Result<Record, Fault> {
        Ok(postcard::from_bytes(self.record)?)
    }
}

/// Visits the frames of a commit: the position each has now, and the frame.
pub(super) fn frames(
    sequence: u64,
    commit: &[u8],
) -> impl Iterator<Item = Result<(Position, Frame<'_>), Fault>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = commit.get(at..).filter(|rest| !rest.is_empty())?;
        let position = Position {
            sequence,
            offset: at as u32,
        };
        let frame = split(rest).map(|frame| (position, frame));
        at = match &frame {
            Ok((_, frame)) => at + frame.length,
            Err(_) => commit.len(),
        };
        Some(frame)
    })
}

#[cfg(test)]
mod tests;
