//! A small HTTP client for programs on the loopback interface that serve their calls themselves: connections are kept
//! and used again.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;

use crate::function::invocation::MAX_EVENT;

/// Bytes of all response headers together (CU-8).
const MAX_HEADERS: usize = 8 * 1024;

type Connection = SendRequest<Full<Bytes>>;

/// Connections to one port.
pub(super) struct Client {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
}

/// An answer within its limits.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("cannot connect to port {port}")]
    Connect {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("the connection broke: {0}")]
    Broken(#[source] hyper::Error),
    #[error("BadResponse: the response headers are {0} bytes, at most {MAX_HEADERS} are allowed")]
    HeadersTooLarge(usize),
    #[error("the response is cut off or over {MAX_EVENT} bytes")]
    BadBody,
    #[error("the request cannot be written")]
    BadRequest(#[from] hyper::http::Error),
}

impl Client {
    pub(super) fn new(port: u16) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            idle: Mutex::default(),
        }
    }

    /// Whether something listens.
    pub(super) async fn can_connect(&self) -> bool {
        TcpStream::connect(self.address).await.is_ok()
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answered, ClientError> {
        let mut connection = self.connection().await?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/octet-stream");
        for (name, value) in headers {
            // A value that no header can hold, such as one with a line break, is sent empty.
            let value =
                HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""));
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body))?;
        let response = connection
            .send_request(request)
            .await
            .map_err(ClientError::Broken)?;
        let (parts, body) = response.into_parts();
        let size = header_bytes(&parts.headers);
        if size > MAX_HEADERS {
            return Err(ClientError::HeadersTooLarge(size));
        }
        let body = Limited::new(body, MAX_EVENT).collect().await;
        let body = body.map_err(|_| ClientError::BadBody)?.to_bytes();
        self.idle.lock().push(connection);
        Ok(Answered {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// A kept connection that is still good, else a new one.
    async fn connection(&self) -> Result<Connection, ClientError> {
        loop {
            let kept = self.idle.lock().pop();
            match kept {
                Some(mut connection) => {
                    if connection.ready().await.is_ok() {
                        return Ok(connection);
                    }
                }
                None => return self.connect().await,
            }
        }
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let connected = TcpStream::connect(self.address).await;
        let stream = connected.map_err(|source| ClientError::Connect {
            port: self.address.port(),
            source,
        })?;
        // Small requests must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let (connection, driver) = handshake(TokioIo::new(stream))
            .await
            .map_err(ClientError::Broken)?;
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to a custom runtime ended");
            }
        });
        Ok(connection)
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    sizes.sum()
}
