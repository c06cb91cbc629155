//! Triggers: a topic's messages become a function's events, and the outcome settles them.
//!
//! One retry layer, the trigger's own: while a batch waits its leases are renewed, and its attempts are written down
//! before the wait starts, so a crash never restarts the count (TR-32). Messages are settled only after success, drop or
//! dead letter (TR-29).

pub mod batch;
pub mod element;
pub mod lane;
pub mod memory;
pub mod options;
pub mod retry;
pub mod saved;
pub mod set;
pub mod settle;
pub mod status;
pub mod unit;
mod why;
