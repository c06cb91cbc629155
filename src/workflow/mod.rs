//! The workflow file: an instance with its topics, groups, functions and triggers, and what must hold after a run.
//!
//! [`load`](crate::workflow::parse::load) reads and checks a file, [`plan`](crate::workflow::plan::plan) compares it with
//! the present set-up, [`apply`](crate::workflow::apply::apply) carries the plan out, and
//! [`export`](crate::workflow::export::export) writes the present set-up as such a file. Everything goes through the seams.

pub mod apply;
mod entries;
pub mod error;
pub mod export;
pub mod file;
mod nearest;
pub mod parse;
pub mod plan;
pub mod present;
