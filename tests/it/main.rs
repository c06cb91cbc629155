//! One integration test binary: a module per behaviour, named by what it promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test panics"
)]
mod acceptance;
mod crash_kill;
mod dead_letter;
mod fifo_order;
mod function_python;
mod function_support;
mod hostile_kill;
mod hostile_output;
mod hostile_process;
mod proto_generated;
mod retry_backoff;
mod send_receive;
mod support;
mod tidy;
mod workflow_files;
