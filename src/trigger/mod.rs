//! Triggers: a topic's messages become a function's events, and the outcome settles them.
//!
//! One retry layer, the trigger's own: while a batch waits its leases are renewed, and its attempts are written down
//! before the wait starts, so a crash never restarts the count (TR-32). Messages are settled only after success, drop or
//! dead letter (TR-29).

mod batch;
pub mod element;
mod lane;
pub mod memory;
pub mod options;
mod prepare;
pub mod retry;
mod running;
pub mod saved;
pub mod set;
mod settle;
mod shared;
mod status;
mod unit;
mod why;
mod work;
