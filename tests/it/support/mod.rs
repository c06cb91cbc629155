//! What the tests build their worlds with.

pub(crate) mod broker;
