//! Where endpoints listen.

use std::net::SocketAddr;

use crate::app::endpoint::{Doorway, OpenEndpoint};
use crate::cluster::Cluster;
use crate::control::instances::Endpoint;
use crate::domain::instance::InstanceDefinition;

/// Ports tried for an instance whose definition names no address.
const PORTS: std::ops::Range<u16> = 8081..8281;

/// How this process opens endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listening {
    /// Where each definition says; the next free port where it does not, kept for the next time.
    AsDefined,
    /// Here, whatever definitions say: `--listen`. Nothing is kept.
    At(String),
    /// Nowhere, as asked: `--no-listen`.
    Off,
    /// Nowhere; the reason is shown.
    Nowhere(&'static str),
}

/// What became of opening an endpoint.
pub struct Opened {
    pub state: Endpoint,
    pub endpoint: Option<OpenEndpoint>,
    /// An address that was chosen now and is to be kept.
    pub chosen: Option<String>,
}

impl Listening {
    pub async fn open(
        &self,
        doorway: &Doorway,
        definition: &InstanceDefinition,
        cluster: Cluster,
    ) -> Opened {
        match (self, &definition.listen) {
            (Self::Nowhere(reason), _) => failed((*reason).to_owned()),
            (Self::Off, _) => off(),
            (Self::AsDefined, _) if !definition.listens => off(),
            (Self::At(address), _) | (Self::AsDefined, Some(address)) => {
                open_at(doorway, address, cluster).await
            }
            (Self::AsDefined, None) => open_free(doorway, cluster).await,
        }
    }
}

async fn open_at(doorway: &Doorway, address: &str, cluster: Cluster) -> Opened {
    let found = tokio::net::lookup_host(address).await;
    let found = found.map(|mut addresses| addresses.next());
    match found {
        Ok(Some(address)) => match doorway.open(address, cluster).await {
            Ok(endpoint) => opened(endpoint),
            Err(reason) => failed(reason),
        },
        Ok(None) => failed(format!("`{address}` has no address")),
        Err(error) => failed(format!("`{address}` is not an address: {error}")),
    }
}

/// The first free port; another program may take one in between, so opening is the only test.
async fn open_free(doorway: &Doorway, cluster: Cluster) -> Opened {
    let mut last = "no port is free".to_owned();
    for port in PORTS {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        match doorway.open(address, cluster.clone()).await {
            Ok(endpoint) => {
                let chosen = Some(endpoint.address().to_string());
                return Opened {
                    chosen,
                    ..opened(endpoint)
                };
            }
            Err(reason) => last = reason,
        }
    }
    failed(last)
}

fn opened(endpoint: OpenEndpoint) -> Opened {
    Opened {
        state: endpoint.state(),
        endpoint: Some(endpoint),
        chosen: None,
    }
}

fn off() -> Opened {
    Opened {
        state: Endpoint::Off,
        endpoint: None,
        chosen: None,
    }
}

fn failed(reason: String) -> Opened {
    Opened {
        state: Endpoint::NotListening { reason },
        endpoint: None,
        chosen: None,
    }
}
