//! A stream of bytes split into lines and framed records.
//!
//! A bootstrap frames each log record, so that a multi-line record stays one (LOG-13): magic, payload length, payload.
//! A frame is at most [`MAX_FRAME`] bytes, which a pipe takes in one piece; a longer record continues in further frames
//! of the same writer. Payload: flags, writer's pid, label length, label, message.

use std::collections::BTreeMap;

use crate::function::log::{MAX_RECORD, Prefix};

/// Opens a frame; no valid UTF-8 text holds it.
const MAGIC: [u8; 4] = [0xED, 0xDB, 0xAC, 0x9B];
/// Magic, length and payload together.
const MAX_FRAME: usize = 4096;
const HEADER: usize = 8;
/// Flags, pid and label length before label and message.
const PAYLOAD_HEADER: usize = 6;
/// The record goes on in the writer's next frame.
const FLAG_MORE: u8 = 1;
/// The record is written with [`Prefix::SpacedTime`].
const FLAG_SPACED: u8 = 2;
/// Writers whose records may be unfinished at once; a process that was killed inside a record leaves one behind.
const MAX_WRITERS: usize = 64;
/// Bytes of a line that are kept: one more than a record holds, so that it shows as cut.
const KEPT: usize = MAX_RECORD + 1;

/// One thing a worker printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A line without its line break.
    Line(String),
    /// A record of a runtime's logger.
    Record {
        prefix: Prefix,
        label: String,
        message: String,
    },
}

/// Takes bytes as they come and holds what is not finished, never more than a bounded amount.
#[derive(Debug, Default)]
pub struct Splitter {
    /// Bytes not yet understood; shorter than a frame.
    rest: Vec<u8>,
    line: Vec<u8>,
    /// The first half of records in several frames, by writer.
    records: BTreeMap<u32, Half>,
}

#[derive(Debug, Default)]
struct Half {
    label: Vec<u8>,
    message: Vec<u8>,
}

/// What stands at the start of some bytes.
enum Head {
    /// A whole frame of this length.
    Frame(usize),
    /// A frame may begin here, more bytes are needed.
    Unsure,
    /// Text up to the next place where a frame could begin.
    Text(usize),
}

impl Splitter {
    /// Splits a chunk and hands on each finished piece.
    pub fn feed(&mut self, chunk: &[u8], mut out: impl FnMut(Piece)) {
        let mut held = std::mem::take(&mut self.rest);
        let joined = !held.is_empty();
        if joined {
            held.extend_from_slice(chunk);
        }
        let mut bytes = if joined { held.as_slice() } else { chunk };
        while !bytes.is_empty() {
            match head(bytes) {
                Head::Unsure => {
                    self.rest = bytes.to_vec();
                    return;
                }
                Head::Frame(length) => {
                    let (frame, after) = bytes.split_at(length.min(bytes.len()));
                    self.end_line(&mut out);
                    self.frame(frame.get(HEADER..).unwrap_or_default(), &mut out);
                    bytes = after;
                }
                Head::Text(length) => {
                    let (text, after) = bytes.split_at(length.min(bytes.len()));
                    self.text(text, &mut out);
                    bytes = after;
                }
            }
        }
    }

    /// Hands on a line that has no end yet.
    pub fn flush(&mut self, mut out: impl FnMut(Piece)) {
        self.end_line(&mut out);
    }

    /// Hands on what is left at the end of the stream. A frame that was cut off is not text.
    pub fn finish(&mut self, mut out: impl FnMut(Piece)) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.starts_with(&MAGIC) {
            self.text(&rest, &mut out);
        }
        self.end_line(&mut out);
    }

    fn text(&mut self, text: &[u8], out: &mut impl FnMut(Piece)) {
        let mut lines = text.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            append_bounded(&mut self.line, part);
            if lines.peek().is_some() {
                let line = std::mem::take(&mut self.line);
                out(Piece::Line(text_of(&line)));
            }
        }
    }

    fn end_line(&mut self, out: &mut impl FnMut(Piece)) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            out(Piece::Line(text_of(&line)));
        }
    }

    fn frame(&mut self, payload: &[u8], out: &mut impl FnMut(Piece)) {
        let Some((header, body)) = payload.split_at_checked(PAYLOAD_HEADER) else {
            return;
        };
        let [flags, pid @ .., label_length] = header else {
            return;
        };
        let writer = pid.iter().fold(0, |pid, byte| pid << 8 | u32::from(*byte));
        let Some((label, message)) = body.split_at_checked(usize::from(*label_length)) else {
            return;
        };
        let mut half = self.records.remove(&writer).unwrap_or_default();
        label.clone_into(&mut half.label);
        append_bounded(&mut half.message, message);
        if flags & FLAG_MORE == 0 {
            let spaced = flags & FLAG_SPACED != 0;
            out(Piece::Record {
                prefix: if spaced {
                    Prefix::SpacedTime
                } else {
                    Prefix::IsoTime
                },
                label: text_of(&half.label),
                message: text_of(&half.message),
            });
            return;
        }
        if self.records.len() >= MAX_WRITERS {
            self.records.pop_first();
        }
        self.records.insert(writer, half);
    }
}

fn append_bounded(kept: &mut Vec<u8>, more: &[u8]) {
    let room = KEPT.saturating_sub(kept.len());
    kept.extend_from_slice(more.get(..room).unwrap_or(more));
}

/// Text with a carriage return at its end left out, and bytes that are no UTF-8 replaced.
fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

fn head(bytes: &[u8]) -> Head {
    let seen = bytes.len().min(MAGIC.len());
    if bytes.iter().zip(MAGIC).take(seen).any(|(a, b)| *a != b) {
        let next = bytes.iter().skip(1).position(|byte| *byte == MAGIC[0]);
        return Head::Text(next.map_or(bytes.len(), |at| at + 1));
    }
    let length = bytes.get(4..HEADER).map(|length| {
        length
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte))
    });
    match length {
        None => Head::Unsure,
        // Not a frame of ours: the bytes are output like any other.
        Some(length) if length > MAX_FRAME - HEADER => Head::Text(MAGIC.len()),
        Some(length) if bytes.len() < HEADER + length => Head::Unsure,
        Some(length) => Head::Frame(HEADER + length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(more: u8, writer: u32, label: &str, message: &str) -> Vec<u8> {
        let mut payload = vec![more];
        payload.extend(writer.to_be_bytes());
        payload.push(u8::try_from(label.len()).unwrap());
        payload.extend(label.bytes());
        payload.extend(message.bytes());
        let mut frame = MAGIC.to_vec();
        frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend(payload);
        frame
    }

    fn split(stream: &[u8], step: usize) -> Vec<Piece> {
        let mut splitter = Splitter::default();
        let mut pieces = Vec::new();
        for chunk in stream.chunks(step) {
            splitter.feed(chunk, |piece| pieces.push(piece));
        }
        splitter.finish(|piece| pieces.push(piece));
        pieces
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    fn record(label: &str, message: &str) -> Piece {
        Piece::Record {
            prefix: Prefix::IsoTime,
            label: label.to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn lines_and_frames_mix_at_any_chunk_size_log13() {
        let mut stream = b"one\r\ntwo".to_vec();
        stream.extend(frame(0, 7, "INFO", "a\nb"));
        stream.extend(b"three\n\nlast");
        let expected = [
            line("one"),
            line("two"),
            record("INFO", "a\nb"),
            line("three"),
            line(""),
            line("last"),
        ];
        for step in [1, 2, 3, 5, 64] {
            assert_eq!(split(&stream, step), expected, "step {step}");
        }
    }

    #[test]
    fn records_in_several_frames_of_two_writers_are_joined() {
        let mut stream = frame(1, 1, "INFO", "a");
        stream.extend(frame(1, 2, "WARNING", "x"));
        stream.extend(frame(0, 1, "INFO", "b"));
        stream.extend(frame(0, 2, "WARNING", "y"));
        assert_eq!(
            split(&stream, 10),
            [record("INFO", "ab"), record("WARNING", "xy")]
        );
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_reader_goes_on_log12_safe7() {
        let mut stream = vec![b'x'; 50 * 1024 * 1024];
        stream.extend(b"\nnext\n");
        let pieces = split(&stream, 64 * 1024);
        let Piece::Line(cut) = &pieces[0] else {
            panic!("{pieces:?}")
        };
        assert_eq!(cut.len(), KEPT);
        assert_eq!(pieces[1], line("next"));
    }

    #[test]
    fn invalid_utf8_and_foreign_magic_never_stop_the_stream() {
        let mut stream = vec![0xff, 0xfe, b'a', b'\n'];
        stream.extend(MAGIC);
        stream.extend([0xff, 0xff, 0xff, 0xff, b'\n']);
        stream.extend(b"ok\n");
        let pieces = split(&stream, 3);
        assert_eq!(pieces[0], line("\u{fffd}\u{fffd}a"));
        assert_eq!(pieces.last().unwrap(), &line("ok"));
    }

    #[test]
    fn frames_with_nonsense_inside_are_left_out() {
        let mut stream = MAGIC.to_vec();
        stream.extend([0, 0, 0, 2, 9, 9]);
        stream.extend(b"ok\n");
        assert_eq!(split(&stream, 4), [line("ok")]);
    }
}
