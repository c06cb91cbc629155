//! Lines of bounded length.

use std::io;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// Longest line to the owner: the largest event of a function in base64, with room for what goes around it.
pub const MAX_REQUEST: usize = 48 * 1024 * 1024;
/// Longest line from the owner.
pub const MAX_ANSWER: usize = 128 * 1024 * 1024;

/// Reads one line without its end into `line`; false at the end of the stream. A line over `limit` bytes is an error
/// as soon as it is too long, however long it would have become.
pub async fn read_line<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<bool> {
    line.clear();
    loop {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return if line.is_empty() {
                Ok(false)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = end.unwrap_or(chunk.len());
        if line.len() + part > limit {
            let problem = format!("a line is over {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        line.extend_from_slice(chunk.get(..part).unwrap_or_default());
        reader.consume(part + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// One value as a line with its end.
pub fn line<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    #[tokio::test]
    async fn lines_come_whole_whatever_the_chunks() {
        let mut reader = BufReader::with_capacity(2, &b"abc\n\nde\n"[..]);
        let mut line = Vec::new();
        let mut lines = Vec::new();
        while read_line(&mut reader, &mut line, 10).await.unwrap() {
            lines.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(lines, ["abc", "", "de"]);
    }

    #[tokio::test]
    async fn a_long_line_and_a_torn_one_are_errors() {
        let mut line = Vec::new();
        let mut long = BufReader::new(&b"abcdef\n"[..]);
        assert!(read_line(&mut long, &mut line, 5).await.is_err());
        let mut torn = BufReader::new(&b"abc"[..]);
        assert!(read_line(&mut torn, &mut line, 5).await.is_err());
    }
}
