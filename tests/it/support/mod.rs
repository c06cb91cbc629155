//! What the tests build their worlds with.

pub(crate) mod broker;
pub(crate) mod program;
pub(crate) mod fake_console;
