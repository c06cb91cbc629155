//! What the host and a worker's supervisor say to each other: one line each, over the supervisor's standard input, which
//! is a socket.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::function::runtime::Exit;

/// The host's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// A request runs: watch memory closely.
    Busy,
    /// No request runs.
    Idle,
    /// No request runs, and the worker's process group stands still until one does (LC-6).
    Freeze,
    /// Ask the worker to end, then after this long end it and all its descendants.
    End(Duration),
}

/// The supervisor's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The worker's process id.
    Started(i32),
    /// The worker could not be started at all.
    Failed(String),
    /// A new peak of memory of the worker and its descendants, in KiB.
    Memory(u64),
    /// The worker is gone; its descendants follow before the supervisor ends.
    Exited(Exit),
}

/// A line that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not understood")]
pub struct BadLine(String);

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("busy"),
            Self::Idle => f.write_str("idle"),
            Self::Freeze => f.write_str("freeze"),
            Self::End(grace) => write!(f, "end {}", grace.as_millis()),
        }
    }
}

impl FromStr for Command {
    type Err = BadLine;

    fn from_str(line: &str) -> Result<Self, BadLine> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest.parse()) {
            ("busy", _) => Ok(Self::Busy),
            ("idle", _) => Ok(Self::Idle),
            ("freeze", _) => Ok(Self::Freeze),
            ("end", Ok(millis)) => Ok(Self::End(Duration::from_millis(millis))),
            _ => Err(BadLine(line.to_owned())),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(pid) => write!(f, "started {pid}"),
            Self::Failed(reason) => write!(f, "failed {}", reason.replace('\n', " ")),
            Self::Memory(kib) => write!(f, "memory {kib}"),
            Self::Exited(Exit::Code(code)) => write!(f, "code {code}"),
            Self::Exited(Exit::Signal(name)) => write!(f, "signal {name}"),
            Self::Exited(Exit::OutOfMemory) => f.write_str("memory-limit"),
        }
    }
}

impl FromStr for Report {
    type Err = BadLine;

    fn from_str(line: &str) -> Result<Self, BadLine> {
        let bad = |_| BadLine(line.to_owned());
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Ok(match word {
            "started" => Self::Started(rest.parse().map_err(bad)?),
            "failed" => Self::Failed(rest.to_owned()),
            "memory" => Self::Memory(rest.parse().map_err(bad)?),
            "code" => Self::Exited(Exit::Code(rest.parse().map_err(bad)?)),
            "signal" => Self::Exited(Exit::Signal(rest.to_owned())),
            "memory-limit" => Self::Exited(Exit::OutOfMemory),
            _ => return Err(BadLine(line.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for command in [
            Command::Busy,
            Command::Idle,
            Command::Freeze,
            Command::End(Duration::from_millis(500)),
        ] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
        for report in [
            Report::Started(7),
            Report::Failed("no such file".to_owned()),
            Report::Memory(1024),
            Report::Exited(Exit::Code(143)),
            Report::Exited(Exit::Signal("SIGKILL".to_owned())),
            Report::Exited(Exit::OutOfMemory),
        ] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        assert!("hello".parse::<Report>().is_err());
    }
}
