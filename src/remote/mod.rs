//! A RocketMQ 5 cluster elsewhere, spoken to over gRPC: the [`crate::cluster::Messaging`] half of the seam.
//!
//! Every call goes to the access point, which for a proxy leads everywhere. What the wire does not tell, such as the queue
//! of a sent message, is left at zero.

mod calls;
mod channel;
mod handles;
mod link;
mod messaging;
mod options;
mod routes;
mod telemetry;

pub use messaging::{RemoteMessaging, connect};
pub use options::{Credentials, RemoteOptions, Security};
