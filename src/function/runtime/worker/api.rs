//! The runtime API that workers poll: Function Compute's own, on the loopback interface, with a secret path segment per
//! instance (WK-1, WK-2).

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::function::invocation::MAX_EVENT;
use crate::function::runtime::worker::slot::{Posted, Slot};

const VERSION: &str = "2020-11-11";
/// Says in an error's post that the code handled it, as Function Compute says it to callers (ND-5).
const ERROR_KIND: &str = "x-fc-error-type";
const HANDLED: &str = "HandledInvocationError";
/// Set by a bootstrap that ends its process after this answer.
const LEAVING: &str = "x-moonport-leaving";

type Slots = Arc<Mutex<HashMap<String, Arc<Slot>>>>;
type Reply = Response<Full<Bytes>>;

/// The running service; dropping it closes every connection.
pub struct RuntimeApi {
    address: SocketAddr,
    slots: Slots,
    _stop: DropGuard,
}

/// One instance's place in the service; dropping it makes the secret unknown.
pub(super) struct Registration {
    pub(super) slot: Arc<Slot>,
    secret: String,
    address: SocketAddr,
    slots: Slots,
}

impl RuntimeApi {
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let slots = Slots::default();
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, slots.clone(), stop.clone()));
        Ok(Self {
            address,
            slots,
            _stop: stop.drop_guard(),
        })
    }

    pub(super) fn register(&self, secret: String) -> Registration {
        let slot = Arc::new(Slot::new());
        self.slots.lock().insert(secret.clone(), slot.clone());
        Registration {
            slot,
            secret,
            address: self.address,
            slots: self.slots.clone(),
        }
    }
}

impl Registration {
    /// The value of `FC_RUNTIME_API`.
    pub(super) fn address(&self) -> String {
        format!("{}/{}", self.address, self.secret)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.slots.lock().remove(&self.secret);
    }
}

async fn accept(listener: TcpListener, slots: Slots, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (slots, stop) = (slots.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = serve(stream, slots) => {}
                        () = stop.cancelled() => {}
                    }
                });
            }
            // Out of descriptors, most likely: others are served meanwhile.
            Err(error) => {
                tracing::warn!(%error, "the runtime API cannot accept a connection");
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn serve(stream: TcpStream, slots: Slots) {
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let slots = slots.clone();
        async move { Ok::<_, Infallible>(answer(request, &slots).await) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a worker's connection ended");
    }
}

async fn answer(request: Request<Incoming>, slots: &Slots) -> Reply {
    let path = request.uri().path().to_owned();
    let mut segments = path.trim_start_matches('/').splitn(3, '/');
    let (secret, version, rest) = (segments.next(), segments.next(), segments.next());
    let slot = secret.and_then(|secret| slots.lock().get(secret).cloned());
    let (Some(slot), Some(VERSION), Some(rest)) = (slot, version, rest) else {
        return refused(StatusCode::NOT_FOUND, "unknown path");
    };
    let segments: Vec<&str> = rest.split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["runtime", "invocation", "next"]) => next(&slot).await,
        (&Method::GET, ["runtime", "hold"]) => std::future::pending().await,
        (&Method::POST, ["runtime", "init", "error"]) => init_error(request, &slot).await,
        (&Method::POST, ["runtime", "invocation", id, "response"]) => {
            post(request, &slot, id, Posted::Response).await
        }
        (&Method::POST, ["runtime", "invocation", id, "error"]) => {
            let kind = request.headers().get(ERROR_KIND);
            let handled = kind.is_some_and(|kind| kind.as_bytes() == HANDLED.as_bytes());
            let leaving = request.headers().contains_key(LEAVING);
            post(request, &slot, id, |payload| Posted::Error {
                payload,
                handled,
                leaving,
            })
            .await
        }
        _ => refused(StatusCode::NOT_FOUND, "unknown path"),
    }
}

async fn next(slot: &Slot) -> Reply {
    let Some(pending) = slot.next().await else {
        return refused(StatusCode::GONE, "this instance has ended");
    };
    let mut reply = Response::builder().header("content-type", "application/octet-stream");
    for (name, value) in pending.headers {
        // A value that no header can hold, such as one with a line break, is sent empty.
        let value = hyper::header::HeaderValue::from_str(&value)
            .unwrap_or_else(|_| hyper::header::HeaderValue::from_static(""));
        reply = reply.header(name, value);
    }
    let built = reply.body(Full::new(pending.event));
    built.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "bad headers"))
}

async fn post(
    request: Request<Incoming>,
    slot: &Slot,
    id: &str,
    posted: impl FnOnce(Bytes) -> Posted,
) -> Reply {
    let (posted, status) = match body(request).await {
        Body::Whole(payload) => (posted(payload), StatusCode::OK),
        Body::TooLarge => (Posted::TooLarge, StatusCode::PAYLOAD_TOO_LARGE),
        Body::Broken => return refused(StatusCode::BAD_REQUEST, "the body was cut off"),
    };
    if !slot.post(id, posted) {
        tracing::info!(id, "an answer for a request that is not in flight");
        return refused(StatusCode::BAD_REQUEST, "no such request is in flight");
    }
    plain(status, Bytes::new())
}

async fn init_error(request: Request<Incoming>, slot: &Slot) -> Reply {
    match body(request).await {
        Body::Whole(payload) => {
            slot.post_init_error(payload);
            plain(StatusCode::OK, Bytes::new())
        }
        Body::TooLarge | Body::Broken => refused(StatusCode::BAD_REQUEST, "no error object"),
    }
}

enum Body {
    Whole(Bytes),
    TooLarge,
    Broken,
}

/// Reads a body of at most [`MAX_EVENT`] bytes (SAFE-11).
async fn body(request: Request<Incoming>) -> Body {
    match Limited::new(request.into_body(), MAX_EVENT).collect().await {
        Ok(body) => Body::Whole(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Body::TooLarge,
        Err(_) => Body::Broken,
    }
}

fn refused(status: StatusCode, why: &'static str) -> Reply {
    plain(status, Bytes::from_static(why.as_bytes()))
}

fn plain(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply
}
