//! Why an endpoint cannot be opened.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::report::Hint;

/// Why [`crate::gateway::serve`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    #[error("cannot listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("`{0}` can be reached from other machines, and no access key is set")]
    Exposed(SocketAddr),
    #[error("cannot read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` holds no usable certificate or key: {reason}")]
    Certificate { path: PathBuf, reason: String },
    #[error("cannot make a certificate: {0}")]
    Generate(String),
}

impl Hint for GatewayError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another program listens there; choose another port with `--listen`, or port 0 for any"
            }
            Self::Listen { .. } => "choose an address of this machine with `--listen`",
            Self::Exposed(_) => {
                "make a key with `moonport access-key create`, listen on 127.0.0.1, or say `--anonymous`"
            }
            Self::Certificate { .. } => {
                "give a PEM file with the chain and one with its private key"
            }
            Self::Read { .. } | Self::Write { .. } | Self::Generate(_) => return None,
        };
        Some(hint.to_owned())
    }
}
