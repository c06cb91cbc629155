//! Records as bytes: frames with a length and a checksum, one after the other. A commit is a string of frames.
//!
//! A frame is `length u32`, `checksum u32`, body; little endian. The checksum covers length and body. The top bit of the
//! length marks a copy that was carried forward from a dropped segment: its body begins with the position it had first.

use std::fmt;

use crate::domain::record::Record;
use crate::store::journal::Position;

/// The version of everything under an instance's directory. A store with a higher one is refused.
pub(super) const FORMAT: u32 = 1;

/// Bytes before a frame's body.
pub(super) const FRAME_HEADER: usize = 8;
const COPY: u32 = 1 << 31;
const ORIGIN: usize = 12;

/// A frame taken apart, checksum verified.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    /// Where a copy lay first.
    pub origin: Option<Position>,
    record: &'a [u8],
    /// Bytes of the whole frame.
    pub length: usize,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The frame needs this many bytes, header included.
    Short(usize),
    Checksum,
    /// Not a record of this format.
    Record(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(needed) => write!(f, "a record of {needed} bytes is cut off"),
            Self::Checksum => write!(f, "a record's checksum is wrong"),
            Self::Record(why) => write!(f, "a record cannot be read: {why}"),
        }
    }
}

/// Appends one frame to `out`; on error `out` is as before.
pub(super) fn encode(record: &Record, out: &mut Vec<u8>) -> Result<(), Fault> {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEADER]);
    match postcard::to_extend(record, std::mem::take(out)) {
        Ok(written) => *out = written,
        Err(error) => return Err(Fault::Record(error.to_string())),
    }
    close(out, start, 0);
    Ok(())
}

/// Appends a copy of `frame`, which lies or first lay at `origin`.
pub(super) fn copy(frame: &Frame<'_>, at: Position, out: &mut Vec<u8>) {
    let origin = frame.origin.unwrap_or(at);
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEADER]);
    out.extend_from_slice(&origin.sequence.to_le_bytes());
    out.extend_from_slice(&origin.offset.to_le_bytes());
    out.extend_from_slice(frame.record);
    close(out, start, COPY);
}

/// Writes the header of the frame that begins at `start` and ends with `out`.
fn close(out: &mut [u8], start: usize, mark: u32) {
    let body = out.len() - start - FRAME_HEADER;
    let length = (body as u32 | mark).to_le_bytes();
    let (header, body) = out[start..].split_at_mut(FRAME_HEADER);
    header[..4].copy_from_slice(&length);
    let checksum = checksum(length, body);
    header[4..].copy_from_slice(&checksum.to_le_bytes());
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

/// Takes the first frame off `bytes`.
pub(super) fn split(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    let (length, rest) = number(bytes).ok_or(Fault::Short(FRAME_HEADER))?;
    let (expected, rest) = number(rest).ok_or(Fault::Short(FRAME_HEADER))?;
    let size = (length & !COPY) as usize;
    let body = rest.get(..size).ok_or(Fault::Short(FRAME_HEADER + size))?;
    if checksum(length.to_le_bytes(), body) != expected {
        return Err(Fault::Checksum);
    }
    let (origin, record) = if length & COPY == 0 {
        (None, body)
    } else {
        let (origin, record) = body.split_at_checked(ORIGIN).ok_or(Fault::Checksum)?;
        (Some(position(origin).ok_or(Fault::Checksum)?), record)
    };
    Ok(Frame {
        origin,
        record,
        length: FRAME_HEADER + size,
    })
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*head), rest))
}

fn position(bytes: &[u8]) -> Option<Position> {
    let (sequence, rest) = bytes.split_first_chunk::<8>()?;
    let (offset, _) = rest.split_first_chunk::<4>()?;
    Some(Position {
        sequence: u64::from_le_bytes(*sequence),
        offset: u32::from_le_bytes(*offset),
    })
}

impl Frame<'_> {
    pub(super) fn record(&self) -> Result<Record, Fault> {
        postcard::from_bytes(self.record).map_err(|error| Fault::Record(error.to_string()))
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
