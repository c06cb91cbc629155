//! The only room that knows redb: the journal of each instance, its segments, indexes and checkpoints; definitions and trigger state; invocation records and log lines. It knows no rules.

pub mod error;
mod intake;
pub mod journal;
pub mod memory;
