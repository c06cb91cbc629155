//! RocketMQ's and Function Compute's nouns: plain values, no IO, no async, no clock.
//!
//! Every name and id is checked when it is made; behind the type it is known to be good.

pub mod circle;
pub mod function;
pub mod group;
pub mod ids;
pub mod instance;
pub mod limits;
pub mod message;
pub mod names;
pub mod receipt;
pub mod record;
pub mod retry_policy;
pub mod span;
pub mod subscription;
pub mod timestamp;
pub mod topic;
pub mod trigger;
