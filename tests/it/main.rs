//! One integration test binary: a module per behaviour, named by what it promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test panics"
)]
mod acceptance;
mod broker_model;
mod cli_commands;
mod cli_offline;
mod console_pty;
mod crash_disk;
mod crash_kill;
mod dead_letter;
mod definitions;
mod delay_and_recall;
mod demo_headless;
mod fifo_order;
mod function_custom;
mod function_debug;
mod function_go;
mod function_js;
mod function_life;
mod function_node;
mod function_python;
mod function_reload;
mod function_start;
mod function_support;
mod gateway_endpoint;
mod gateway_limits;
mod gateway_protocol;
mod gateway_remote;
mod headless_host;
mod headless_run;
mod hostile_kill;
mod hostile_output;
mod hostile_process;
mod hostile_triggers;
mod interop;
mod offsets_and_lag;
mod order_workflow;
mod pictures;
mod proto_generated;
mod retention;
mod retry_backoff;
mod sample_functions;
mod screens;
mod send_receive;
mod socket_owner;
mod store_environment;
mod support;
mod tidy;
mod trace;
mod transaction_check;
mod trigger_async;
mod trigger_batches;
mod trigger_events;
mod trigger_full_store;
mod trigger_order;
mod trigger_retries;
mod trigger_starts;
mod workflow_files;
