//! Clusters elsewhere, as the load of `bench --endpoint` needs them.

use std::sync::Arc;

use crate::cli::session::refused;
use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Messaging;
use crate::remote::{RemoteOptions, connect};
use crate::report::Report;

/// The messaging of a RocketMQ 5 endpoint, in plaintext and without credentials.
pub fn messaging(endpoint: &str, real: &RealClock) -> Result<Arc<dyn Messaging>, Report> {
    let options = RemoteOptions::new(endpoint);
    let remote = connect(options, BrokerClock::system(), real.clone());
    Ok(Arc::new(remote.map_err(refused)?))
}
