//! What the tests build their worlds with.

pub(crate) mod broker;
pub(crate) mod downstream;
pub(crate) mod fake_disk;
pub(crate) mod faults;
pub(crate) mod inspector;
pub(crate) mod live;
pub(crate) mod program;
pub(crate) mod terminal;
pub(crate) mod triggers;
