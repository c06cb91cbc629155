//! Code in processes: Python, Node.js, and any executable, each under a supervisor that leaves nothing behind.
//!
//! A worker polls the runtime API for its calls, or serves HTTP itself; what it prints becomes the log of the request in
//! progress.

pub mod api;
pub mod control;
pub mod custom;
mod folder;
mod ground;
mod headers;
mod health;
mod http;
mod instance;
mod interpreter;
pub mod list;
pub mod node;
pub mod output;
mod ports;
pub mod process;
pub mod python;
mod running;
mod slot;
pub mod supervisor;
mod sweep;
pub mod workshop;
