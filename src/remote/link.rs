//! What every call shares: the channel, the signature, and the little that is remembered between calls.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::transport::Channel;

use crate::clock::{BrokerClock, RealClock};
use crate::cluster::error::ClusterError;
use crate::cluster::session::{Caller, ServerCommand};
use crate::domain::ids::MessageIdGenerator;
use crate::domain::names::ClientId;
use crate::proto::signature;
use crate::proto::v2;
use crate::proto::v2::messaging_service_client::MessagingServiceClient;
use crate::remote::handles::Handles;
use crate::remote::options::RemoteOptions;
use crate::remote::routes::Routes;

/// A body of the largest size, and what surrounds it.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The state of a client of a cluster elsewhere.
pub(super) struct Link {
    pub(super) options: RemoteOptions,
    pub(super) channel: Channel,
    /// Stamps ids and signatures; nothing waits for it.
    pub(super) broker_clock: BrokerClock,
    pub(super) real_clock: RealClock,
    pub(super) ids: MessageIdGenerator,
    pub(super) routes: Routes,
    pub(super) handles: Handles,
    /// For callers that have no session of their own.
    pub(super) own: ClientId,
    pub(super) sessions: Mutex<HashMap<ClientId, Session>>,
}

/// A client's standing stream.
pub(super) struct Session {
    pub(super) commands: broadcast::Sender<ServerCommand>,
    pub(super) closed: CancellationToken,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

impl Link {
    pub(super) fn client(&self) -> MessagingServiceClient<Channel> {
        MessagingServiceClient::new(self.channel.clone())
            .max_decoding_message_size(LARGEST_ANSWER)
            .max_encoding_message_size(LARGEST_ANSWER)
    }

    /// Whose request it is, as the cluster sees it.
    pub(super) fn client_id(&self, caller: &Caller) -> ClientId {
        caller.client.clone().unwrap_or_else(|| self.own.clone())
    }

    /// A request with everything that surrounds its message; `poll` comes on top of the usual time.
    pub(super) fn request<T>(
        &self,
        caller: &Caller,
        message: T,
        poll: Duration,
    ) -> Result<tonic::Request<T>, ClusterError> {
        let mut request = tonic::Request::new(message);
        request.set_timeout(self.options.timeout + poll);
        self.sign(request.metadata_mut(), &self.client_id(caller))?;
        Ok(request)
    }

    /// A proxy keys sessions by client id and looks the language up by its exact name.
    pub(super) fn sign(
        &self,
        metadata: &mut MetadataMap,
        client: &ClientId,
    ) -> Result<(), ClusterError> {
        let moment = self.moment();
        metadata.insert("x-mq-client-id", value(client.as_str())?);
        metadata.insert("x-mq-language", AsciiMetadataValue::from_static("RUST"));
        metadata.insert("x-mq-protocol", AsciiMetadataValue::from_static("v2"));
        let version = AsciiMetadataValue::from_static(env!("CARGO_PKG_VERSION"));
        metadata.insert("x-mq-client-version", version);
        metadata.insert(signature::SIGNED_HEADER, value(&moment)?);
        if let Some(credentials) = &self.options.credentials {
            let header = signature::header(&credentials.key, &credentials.secret, &moment);
            metadata.insert("authorization", value(&header)?);
        }
        Ok(())
    }

    fn moment(&self) -> String {
        let now = self.broker_clock.now().as_millis();
        jiff::Timestamp::from_millisecond(now)
            .map(|now| now.strftime("%Y%m%dT%H%M%SZ").to_string())
            .unwrap_or_default()
    }

    /// The endpoints this client itself uses, to be echoed by the cluster.
    pub(super) fn access_point(&self) -> v2::Endpoints {
        let (host, port) = self
            .options
            .endpoint
            .rsplit_once(':')
            .unwrap_or((&self.options.endpoint, "8081"));
        let host = host.trim_matches(['[', ']']);
        let scheme = match host.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(_)) => v2::AddressScheme::IPv4,
            Ok(std::net::IpAddr::V6(_)) => v2::AddressScheme::IPv6,
            Err(_) => v2::AddressScheme::DomainName,
        };
        v2::Endpoints {
            scheme: scheme.into(),
            addresses: vec![v2::Address {
                host: host.to_owned(),
                port: port.parse().unwrap_or(8081),
            }],
        }
    }
}

fn value(text: &str) -> Result<AsciiMetadataValue, ClusterError> {
    AsciiMetadataValue::try_from(text)
        .map_err(|_| ClusterError::IllegalRequest(format!("`{text}` cannot be put into a header")))
}

/// What a broken call means.
pub(super) fn broken(status: &tonic::Status) -> ClusterError {
    ClusterError::Unreachable(format!("{:?}: {}", status.code(), status.message()))
}
