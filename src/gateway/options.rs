//! What an endpoint is told when it is opened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::gateway::access::AccessKeys;

/// How to open an endpoint.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    pub identity: Identity,
    /// Whose requests are accepted; without any key a loopback endpoint is open.
    pub keys: AccessKeys,
    /// Unsigned requests are accepted everywhere, even beside keys.
    pub anonymous: bool,
    pub limits: Limits,
}

impl GatewayOptions {
    /// An open endpoint with a certificate of its own, if it listens on loopback.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            identity: Identity::Memory,
            keys: AccessKeys::default(),
            anonymous: false,
            limits: Limits::default(),
        }
    }
}

/// The certificate shown to clients that speak TLS.
#[derive(Debug, Clone)]
pub enum Identity {
    /// Self-signed, made at the first TLS connection and gone with the process.
    Memory,
    /// Self-signed, made at the first TLS connection and kept in this folder.
    Folder(PathBuf),
    /// The owner's own, in PEM.
    Files { chain: PathBuf, key: PathBuf },
}

/// What no client can go beyond.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at once; more are closed at once.
    pub connections: usize,
    /// Calls in flight on one connection.
    pub streams: u32,
    /// TLS handshakes going on at once.
    pub handshakes: usize,
    /// Real time for a client's first byte, and for its TLS handshake.
    pub handshake: Duration,
    /// Real time after which a connection without any call in flight is closed.
    pub idle: Duration,
    /// Largest request message, in bytes.
    pub request: usize,
    /// Largest header list of a request, in bytes.
    pub headers: u32,
    /// Bytes of request bodies held at once, over all connections.
    pub inbound: usize,
    /// Longest long poll.
    pub poll: Duration,
    /// Real time that calls in flight get to finish when the endpoint closes.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            streams: 1024,
            handshakes: 64,
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            request: 16 * 1024 * 1024,
            headers: 32 * 1024,
            inbound: 256 * 1024 * 1024,
            poll: Duration::from_secs(60),
            grace: Duration::from_secs(5),
        }
    }
}
