//! Requests and replies of [`crate::control::Instances`].

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use crate::cluster::session::Grant;
use crate::domain::instance::InstanceDefinition;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutInstance {
    pub definition: InstanceDefinition,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRow {
    pub definition: InstanceDefinition,
    pub status: InstanceStatus,
    pub endpoint: Endpoint,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceStatus {
    Starting,
    Running,
    /// It answers reads; why it takes no writes.
    ReadOnly {
        reason: String,
    },
    Failed {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// `127.0.0.1:8081`; `open` when it answers beyond loopback without credentials.
    Listening {
        address: String,
        open: bool,
    },
    /// Switched off.
    Off,
    NotListening {
        reason: String,
    },
}

/// An access key; its secret never leaves the process that owns the data directory, but for the moment of its making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKeyRow {
    pub key: String,
    pub grants: Vec<Grant>,
    /// Of the secret; see [`fingerprint`].
    pub fingerprint: String,
    /// Only in the answer that made it.
    pub secret: Option<String>,
}

/// Eight hexadecimal digits that tell secrets apart and do not lead back to one.
pub fn fingerprint(secret: &str) -> String {
    let digest = Sha1::new_with_prefix("access key secret: ").chain_update(secret);
    let [a, b, c, d, ..] = digest.finalize().0;
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAccessKey {
    /// Made when absent.
    pub key: Option<String>,
    /// Made when absent.
    pub secret: Option<String>,
    pub grants: Vec<Grant>,
}
