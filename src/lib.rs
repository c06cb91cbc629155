//! moonport: event workflows on RocketMQ and Function Compute in one program.
//!
//! # The map
//!
//! A *room* is a top-level module. A room imports rooms on lower rows only, never one beside it; a test holds that line.
//!
//! | row | rooms | what they are for |
//! |---|---|---|
//! | 5 | [`app`] | wiring: builds the parts, starts and stops them in order |
//! | 4 | [`ui`], [`cli`] | the console, the commands |
//! | 3½ | [`workflow`] | the workflow file |
//! | 3 | [`gateway`], [`remote`], [`trigger`] | the endpoint, the client of other clusters, topics bound to functions |
//! | 2 | [`broker`], [`function`], [`proto`] | the rules of messaging, the function host, the wire format |
//! | 1 | [`cluster`], [`control`], [`store`], [`filter`], [`activity`], [`config`] | the two seams, what is on disk, filter expressions, the feed of what happened, settings |
//! | 0 | [`domain`], [`clock`], [`report`] | nouns, time, how errors are told |
//!
//! Data moves one way: a message enters through [`cluster`], is journaled by [`store`], is leased to a consumer, and is
//! settled; what the screen shows comes back through [`control`] and [`activity`]. Only [`app`] knows which
//! implementation stands behind a seam.
//!
//! # In another program
//!
//! [`Host`] runs closures as functions, with the console over them:
//!
//! ```no_run
//! use moonport::app::embed::RocketMqTrigger;
//! use moonport::function::runtime::closure::{Context, RocketMqBatch, batch};
//! use serde_json::Value;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), moonport::report::Report> {
//!     let audit = batch(|orders: RocketMqBatch<Value>, context: Context| async move {
//!         context.logger().info(format!("{} orders", orders.len()));
//!         Ok(orders.len())
//!     });
//!     moonport::Host::builder()
//!         .function("audit", audit)
//!         .trigger("audit", RocketMqTrigger::topic("orders").group("audit"))
//!         .console()
//!         .await
//! }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a failed test panics"
    )
)]

pub mod activity;
pub mod app;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod control;
pub mod domain;
pub mod filter;
pub mod function;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(any(feature = "gateway", feature = "remote"))]
pub mod proto;
#[cfg(feature = "remote")]
pub mod remote;
pub mod report;
pub mod store;
pub mod trigger;
pub mod ui;
pub mod workflow;

/// The way in for programs that bring their own functions.
pub use app::embed::Host;
