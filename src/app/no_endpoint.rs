//! In a build without the endpoint: none ever opens, and says why.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::access_keys::Kept;
use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Cluster;
use crate::config::settings::Certificate;
use crate::control::instances::Endpoint;

/// What every endpoint of a process would share.
#[derive(Clone)]
pub struct Doorway {
    pub keys: KeyTable,
    pub folder: PathBuf,
    pub anonymous: bool,
    pub certificate: Option<Certificate>,
    pub clock: BrokerClock,
    pub real: RealClock,
}

/// Keys nobody looks at.
#[derive(Debug, Clone, Default)]
pub struct KeyTable;

impl KeyTable {
    pub fn replace(&self, _keys: &BTreeMap<String, Kept>) {}
}

/// Has no value.
pub enum OpenEndpoint {}

impl Doorway {
    pub async fn open(&self, _: SocketAddr, _: Cluster) -> Result<OpenEndpoint, String> {
        Err("moonport was built without `gateway`".to_owned())
    }
}

impl OpenEndpoint {
    pub fn state(&self) -> Endpoint {
        match *self {}
    }

    pub fn address(&self) -> SocketAddr {
        match *self {}
    }

    pub async fn close(self) {
        match self {}
    }
}
