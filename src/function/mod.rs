//! The function host: runs a handler for an event, under limits, and keeps its log.
//!
//! [`host::Host`] owns instances, permits, timeouts and records; a [`runtime::Runtime`] only runs code. User code that
//! fails is an [`invocation::Outcome`], never an error; an error means the host could not run it at all.

pub mod accepted;
pub mod error;
pub mod host;
pub mod invocation;
pub mod log;
pub mod runtime;
