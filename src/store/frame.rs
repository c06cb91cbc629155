//! Frames: bytes with a length and a checksum in front, so that a torn or changed one is noticed.
//!
//! `length u32`, `checksum u32`, body; little endian. The checksum covers length and body. The top bit of the length is a
//! mark for whoever writes the body.

use std::fmt;

/// Bytes before a frame's body.
pub(super) const HEADER: usize = 8;
const MARK: u32 = 1 << 31;

/// A frame taken apart, checksum verified.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub marked: bool,
    pub body: &'a [u8],
    /// Bytes of the whole frame.
    pub length: usize,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The frame needs this many bytes, header included.
    Short(usize),
    Checksum,
    /// The body is not what it should be.
    Body(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(needed) => write!(f, "a record of {needed} bytes is cut off"),
            Self::Checksum => write!(f, "a record's checksum is wrong"),
            Self::Body(why) => write!(f, "a record cannot be read: {why}"),
        }
    }
}

impl From<postcard::Error> for Fault {
    fn from(error: postcard::Error) -> Self {
        Self::Body(error.to_string())
    }
}

/// Appends a frame whose body `write` appends; on error `out` is as before.
pub(super) fn put(
    out: &mut Vec<u8>,
    marked: bool,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    if let Err(fault) = write(out) {
        out.truncate(start);
        return Err(fault);
    }
    let body = out.len() - start - HEADER;
    let mark = if marked { MARK } else { 0 };
    let length = (body as u32 | mark).to_le_bytes();
    let (header, body) = out[start..].split_at_mut(HEADER);
    header[..4].copy_from_slice(&length);
    let checksum = checksum(length, body);
    header[4..].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// Appends `value` as the postcard bytes of a frame's body.
pub(super) fn put_value(
    out: &mut Vec<u8>,
    marked: bool,
    value: &impl serde::Serialize,
) -> Result<(), Fault> {
    put(out, marked, |out| {
        *out = postcard::to_extend(value, std::mem::take(out))?;
        Ok(())
    })
}

/// Takes the first frame off `bytes`.
pub(super) fn split(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    let (length, rest) = number(bytes).ok_or(Fault::Short(HEADER))?;
    let (expected, rest) = number(rest).ok_or(Fault::Short(HEADER))?;
    let size = (length & !MARK) as usize;
    let body = rest.get(..size).ok_or(Fault::Short(HEADER + size))?;
    if checksum(length.to_le_bytes(), body) != expected {
        return Err(Fault::Checksum);
    }
    Ok(Frame {
        marked: length & MARK != 0,
        body,
        length: HEADER + size,
    })
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*head), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_missing_byte_is_noticed() {
        let mut bytes = Vec::new();
        put_value(&mut bytes, true, &("text", 7_u64)).unwrap();
        let frame = split(&bytes).unwrap();
        assert!(frame.marked);
        assert_eq!(frame.length, bytes.len());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            assert!(split(&changed).is_err(), "byte {at}");
            assert!(split(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_body_that_cannot_be_written_leaves_nothing() {
        let mut bytes = vec![1, 2, 3];
        let failed = put(&mut bytes, false, |out| {
            out.push(9);
            Err(Fault::Checksum)
        });
        assert!(failed.is_err());
        assert_eq!(bytes, [1, 2, 3]);
    }
}
