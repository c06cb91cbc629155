//! The endpoint that RocketMQ 5 clients connect to: gRPC over plaintext and TLS on one port, before any cluster.
//!
//! A call is: wire to domain, one call on the seam, domain to wire. No rule of messaging lives here; what lives here is
//! who may come in, how many at once, and what a client version must be told to work.

mod access;
mod body;
mod connection;
mod context;
mod error;
mod gate;
mod options;
mod rpc;
mod server;
mod service;
mod sessions;
mod tls;

pub use access::{AccessKey, AccessKeys};
pub use error::GatewayError;
pub use options::{GatewayOptions, Identity, Limits};
pub use server::{Gateway, serve};
