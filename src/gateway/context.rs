//! What a request says beside its message: whose it is, and until when an answer is of use.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tonic::metadata::MetadataMap;

use crate::cluster::session::Caller;
use crate::domain::names::ClientId;
use crate::gateway::gate::Gate;
use crate::proto::refusal::Refusal;

/// The other end of a connection, put into the extensions of its requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// One request's surroundings.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) caller: Caller,
    pub(super) client: ClientId,
    /// When the client gives up, by its `grpc-timeout`.
    pub(super) deadline: Option<Instant>,
}

impl Context {
    /// Lets the request in or refuses it.
    pub(super) fn of<T>(gate: &Gate, request: &tonic::Request<T>) -> Result<Self, Refusal> {
        let metadata = request.metadata();
        let principal = gate.principal(metadata)?;
        let client = metadata
            .get("x-mq-client-id")
            .and_then(|id| id.to_str().ok())
            .and_then(|id| ClientId::new(id).ok())
            .ok_or(Refusal::ClientId)?;
        let host = request
            .extensions()
            .get::<Peer>()
            .map(|Peer(address)| address.ip().to_string());
        Ok(Self {
            caller: Caller {
                principal,
                client: Some(client.clone()),
                host,
            },
            client,
            deadline: timeout(metadata).map(|span| gate.real_clock.now() + span),
        })
    }
}

/// The `grpc-timeout` header: at most eight digits and a unit.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.len() > 8 {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_a_grpc_timeout_is_read_and_nonsense_is_none() {
        let read = |text: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", text.parse().unwrap());
            timeout(&metadata)
        };
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("23000m"), Some(Duration::from_secs(23)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
        for text in ["", "S", "1", "x1S", "123456789S", "-1S"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
