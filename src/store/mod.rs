//! The only room that knows redb: the journal of each instance, its segments, indexes and checkpoints; definitions and trigger state; invocation records and log lines. It knows no rules.

pub mod cache;
mod checkpoint;
mod codec;
pub mod console;
pub mod disk;
mod durable;
pub mod error;
mod fault;
mod format;
mod frame;
mod indexes;
mod intake;
pub mod journal;
mod keeper;
mod log;
pub mod memory;
pub mod open;
mod port;
mod recent;
pub mod runs;
#[cfg(test)]
mod samples;
mod segment;
mod shelf;
#[cfg(test)]
mod tests;
mod trim;
mod writer;
