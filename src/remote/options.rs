//! Where a cluster is and how to get in.

use std::path::PathBuf;
use std::time::Duration;

/// How to reach a cluster.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// `host:port` of its gRPC endpoint.
    pub endpoint: String,
    pub security: Security,
    pub credentials: Option<Credentials>,
    /// Real time for one call, polling apart.
    pub timeout: Duration,
}

impl RemoteOptions {
    /// A plaintext endpoint that asks nobody who they are.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            security: Security::Plain,
            credentials: None,
            timeout: Duration::from_secs(3),
        }
    }
}

/// Whether the connection is encrypted, and whose certificates are believed.
#[derive(Debug, Clone)]
pub enum Security {
    Plain,
    /// Any certificate will do, as with most official clients.
    Unverified,
    /// Certificates signed by one of these, in PEM.
    Verified(PathBuf),
}

/// An access key and its secret.
#[derive(Clone)]
pub struct Credentials {
    pub key: String,
    pub secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
