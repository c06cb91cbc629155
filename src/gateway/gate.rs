//! What every call shares: the cluster behind the endpoint, who may pass, and the clocks.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::metadata::MetadataMap;

use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Messaging;
use crate::cluster::error::ClusterError;
use crate::cluster::session::Principal;
use crate::gateway::access::AccessKeys;
use crate::gateway::options::Limits;
use crate::gateway::sessions::Sessions;
use crate::proto::v2;

/// A handle; clones share everything.
#[derive(Clone)]
pub(super) struct Gate(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) messaging: Arc<dyn Messaging>,
    pub(super) broker_clock: BrokerClock,
    pub(super) real_clock: RealClock,
    pub(super) keys: AccessKeys,
    pub(super) anonymous: bool,
    pub(super) limits: Limits,
    pub(super) sessions: Sessions,
    /// Where the endpoint really listens.
    pub(super) address: SocketAddr,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Deref for Gate {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// On whose behalf a request comes. Without keys a loopback endpoint asks nobody who they are.
    pub(super) fn principal(&self, metadata: &MetadataMap) -> Result<Principal, ClusterError> {
        if self.keys.is_empty() && (self.anonymous || self.address.ip().is_loopback()) {
            return Ok(Principal::Anonymous);
        }
        match self.keys.verify(metadata)? {
            Some(principal) => Ok(principal),
            None if self.anonymous => Ok(Principal::Anonymous),
            None => Err(ClusterError::Unauthenticated(
                "this endpoint takes signed requests only".to_owned(),
            )),
        }
    }

    /// Endpoints for a route: those the client used, which it can surely reach.
    pub(super) fn endpoints(&self, asked: Option<v2::Endpoints>) -> v2::Endpoints {
        let used = asked.filter(|endpoints| {
            !endpoints.addresses.is_empty() && endpoints.scheme() != v2::AddressScheme::Unspecified
        });
        used.unwrap_or_else(|| v2::Endpoints {
            scheme: match self.address {
                SocketAddr::V4(_) => v2::AddressScheme::IPv4.into(),
                SocketAddr::V6(_) => v2::AddressScheme::IPv6.into(),
            },
            addresses: vec![v2::Address {
                host: self.address.ip().to_string(),
                port: self.address.port().into(),
            }],
        })
    }
}
