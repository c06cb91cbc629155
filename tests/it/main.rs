//! One integration test binary: a module per behaviour, named by what it promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test panics"
)]
mod crash_kill;
mod proto_generated;
mod send_receive;
mod support;
mod tidy;
mod workflow_files;
