//! The owner's socket: every other process on this data directory works through it.
//!
//! One JSON object a line, the structs of the seams inside. Requests carry a number and are answered in any order; some
//! are answered by a stream that ends or is cancelled. Lines and connections are bounded on both sides.

pub mod client;
pub mod cluster;
pub mod control;
pub mod dispatch;
pub mod frame;
pub mod place;
pub mod server;
pub mod wire;
