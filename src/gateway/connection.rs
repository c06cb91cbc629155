//! One connection: plaintext or TLS by its first byte, then HTTP/2 until either side has had enough.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, Semaphore};
use tokio_rustls::TlsAcceptor;
use tonic::codegen::Service as _;

use crate::gateway::body::{Budget, Calls, Counted};
use crate::gateway::context::Peer;
use crate::gateway::gate::Gate;
use crate::gateway::options::{Identity, Limits};
use crate::gateway::service::MessagingCalls;
use crate::gateway::tls;
use crate::proto::v2::messaging_service_server::MessagingServiceServer;

/// First byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;
/// How often a connection is asked whether it still lives, and how long it has to answer.
const PING_EVERY: Duration = Duration::from_secs(60);
const PING_ANSWER: Duration = Duration::from_secs(20);
/// HTTP/2 windows: what one call and one connection may send before being read.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// Bytes of answers one call may have waiting for a slow reader.
const SEND_BUFFER: usize = 256 * 1024;

/// Serves connections; clones share limits and certificate.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    gate: Gate,
    service: MessagingServiceServer<MessagingCalls>,
    identity: Identity,
    acceptor: OnceCell<TlsAcceptor>,
    handshakes: Semaphore,
    budget: Budget,
    http: http2::Builder<TokioExecutor>,
}

impl Connections {
    pub(super) fn new(gate: Gate, identity: Identity, acceptor: Option<TlsAcceptor>) -> Self {
        let limits = gate.limits.clone();
        let service = MessagingServiceServer::new(MessagingCalls::new(gate.clone()))
            .max_decoding_message_size(limits.request);
        Self(Arc::new(Shared {
            gate,
            service,
            identity,
            acceptor: OnceCell::new_with(acceptor),
            handshakes: Semaphore::new(limits.handshakes),
            budget: Budget::new(limits.inbound),
            http: http(&limits),
        }))
    }

    /// Serves one connection to its end. Whatever goes wrong is the client's to notice.
    pub(super) async fn serve(&self, socket: TcpStream, peer: SocketAddr) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let shared = &self.0;
        let opening = self.open(socket);
        let opened = tokio::select! {
            opened = opening => opened,
            () = shared.gate.real_clock.sleep(shared.gate.limits.handshake) => {
                Err(Unopened::Silent)
            }
            () = shared.gate.stopping.cancelled() => return,
        };
        match opened {
            Ok(Opened::Plain(socket)) => self.speak(TokioIo::new(socket), peer).await,
            Ok(Opened::Tls(stream)) => self.speak(TokioIo::new(*stream), peer).await,
            Err(error) => tracing::debug!(%peer, %error, "connection not opened"),
        }
    }

    async fn open(&self, socket: TcpStream) -> Result<Opened, Unopened> {
        let mut first = [0];
        let read = socket.peek(&mut first).await?;
        if read == 0 {
            return Err(Unopened::Silent);
        }
        if first != [TLS_HANDSHAKE] {
            return Ok(Opened::Plain(socket));
        }
        let acceptor = self.acceptor().await?;
        let _permit = self.0.handshakes.acquire().await;
        let stream = acceptor.accept(socket).await?;
        Ok(Opened::Tls(Box::new(stream)))
    }

    async fn acceptor(&self) -> Result<&TlsAcceptor, Unopened> {
        let make = || async {
            let identity = self.0.identity.clone();
            let made = tokio::task::spawn_blocking(move || tls::acceptor(&identity)).await;
            match made {
                Ok(Ok(acceptor)) => Ok(acceptor),
                Ok(Err(error)) => Err(Unopened::Certificate(error.to_string())),
                Err(error) => Err(Unopened::Certificate(error.to_string())),
            }
        };
        self.0.acceptor.get_or_try_init(make).await
    }

    async fn speak<I>(&self, io: I, peer: SocketAddr)
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let shared = &self.0;
        let calls = Calls::new(shared.gate.real_clock.clone());
        let service = ConnectionCalls {
            connections: self.clone(),
            calls: calls.clone(),
            peer,
        };
        let mut connection = std::pin::pin!(shared.http.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = shared.gate.stopping.cancelled() => None,
            () = idle(&shared.gate, &calls) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = shared.gate.real_clock.sleep(shared.gate.limits.grace) => Ok(()),
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "connection ended");
        }
    }
}

/// Why a connection never came to speak HTTP/2.
#[derive(Debug, thiserror::Error)]
enum Unopened {
    #[error("the client said nothing in time")]
    Silent,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("no certificate: {0}")]
    Certificate(String),
}

enum Opened {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Returns once no call has been in flight for the idle limit.
async fn idle(gate: &Gate, calls: &Calls) {
    loop {
        let now = gate.real_clock.now();
        let until = match calls.quiet_since() {
            Some(since) if now >= since + gate.limits.idle => return,
            Some(since) => since + gate.limits.idle,
            None => now + gate.limits.idle,
        };
        gate.real_clock.sleep_until(until).await;
    }
}

fn http(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.headers)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER);
    http
}

/// The calls of one connection, each told whom it comes from.
struct ConnectionCalls {
    connections: Connections,
    calls: Calls,
    peer: SocketAddr,
}

type Answer = http::Response<Counted>;

impl hyper::service::Service<http::Request<Incoming>> for ConnectionCalls {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        let call = self.calls.begin();
        let shared = &self.connections.0;
        let mut request = request.map(|body| shared.budget.meter(body));
        request.extensions_mut().insert(Peer(self.peer));
        let answering = shared.service.clone().call(request);
        Box::pin(async move {
            let answer = answering.await?;
            Ok(answer.map(|body| Counted::new(body, call)))
        })
    }
}
