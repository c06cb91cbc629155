//! The endpoint of an instance: opened, closed, and told where it listens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::access_keys::Kept;
use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Cluster;
use crate::config::settings::Certificate;
use crate::control::instances::Endpoint;
use crate::gateway::{AccessKey, AccessKeys, Gateway, GatewayOptions, Identity, serve};
use crate::report::Report;

/// What every endpoint of a process shares.
#[derive(Clone)]
pub struct Doorway {
    pub keys: KeyTable,
    /// Certificates made on first use are kept here.
    pub folder: PathBuf,
    /// Beyond loopback, clients come in without credentials.
    pub anonymous: bool,
    pub certificate: Option<Certificate>,
    pub clock: BrokerClock,
    pub real: RealClock,
}

/// The keys in force; cloning gives another handle.
#[derive(Debug, Clone, Default)]
pub struct KeyTable(AccessKeys);

impl KeyTable {
    pub fn replace(&self, keys: &BTreeMap<String, Kept>) {
        self.0.replace(keys.iter().map(|(id, kept)| AccessKey {
            id: id.clone(),
            secret: kept.secret.clone(),
            grants: kept.grants.clone(),
        }));
    }
}

/// An endpoint that takes connections.
pub struct OpenEndpoint {
    gateway: Gateway,
    open: bool,
}

impl Doorway {
    /// Opens an endpoint before a cluster; the error is for a person.
    pub async fn open(&self, listen: SocketAddr, cluster: Cluster) -> Result<OpenEndpoint, String> {
        let options = GatewayOptions {
            identity: match self.certificate.clone() {
                Some(Certificate { chain, key }) => Identity::Files { chain, key },
                None => Identity::Folder(self.folder.clone()),
            },
            keys: self.keys.0.clone(),
            anonymous: self.anonymous,
            ..GatewayOptions::new(listen)
        };
        let open = self.anonymous && !listen.ip().is_loopback();
        let (clock, real) = (self.clock.clone(), self.real.clone());
        match serve(options, cluster.messaging, clock, real).await {
            Ok(gateway) => Ok(OpenEndpoint { gateway, open }),
            Err(error) => Err(told(&error)),
        }
    }
}

/// On one line, causes included.
fn told<E: std::error::Error + crate::report::Hint>(error: &E) -> String {
    let report = Report::new(error, crate::report::Exit::Usage);
    let mut parts = vec![report.headline];
    parts.extend(report.causes);
    parts.join(": ")
}

impl OpenEndpoint {
    pub fn state(&self) -> Endpoint {
        Endpoint::Listening {
            address: self.gateway.local_addr().to_string(),
            open: self.open,
        }
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    /// Lets calls in flight finish, then closes.
    pub async fn close(self) {
        self.gateway.shutdown().await;
    }
}
