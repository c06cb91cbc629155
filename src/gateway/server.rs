//! Opening and closing the endpoint, and the loop that takes connections in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{BrokerClock, RealClock};
use crate::cluster::Messaging;
use crate::gateway::connection::Connections;
use crate::gateway::error::GatewayError;
use crate::gateway::gate::{Gate, Shared};
use crate::gateway::options::{GatewayOptions, Identity};
use crate::gateway::sessions::Sessions;
use crate::gateway::tls;

/// Connections the system may hold before they are accepted.
const BACKLOG: u32 = 1024;
/// Pause after a failed accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An open endpoint; dropping it without [`Gateway::shutdown`] lets calls in flight break off.
pub struct Gateway {
    address: SocketAddr,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// Opens an endpoint before `messaging`; it takes connections when this returns.
pub async fn serve(
    options: GatewayOptions,
    messaging: Arc<dyn Messaging>,
    broker_clock: BrokerClock,
    real_clock: RealClock,
) -> Result<Gateway, GatewayError> {
    if !options.listen.ip().is_loopback() && options.keys.is_empty() && !options.anonymous {
        return Err(GatewayError::Exposed(options.listen));
    }
    let acceptor = match &options.identity {
        own @ Identity::Files { .. } => Some(tls::acceptor(own)?),
        Identity::Memory | Identity::Folder(_) => None,
    };
    let listener = listen(options.listen).map_err(|source| GatewayError::Listen {
        address: options.listen,
        source,
    })?;
    let address = listener
        .local_addr()
        .map_err(|source| GatewayError::Listen {
            address: options.listen,
            source,
        })?;
    let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
    let gate = Gate(Arc::new(Shared {
        messaging,
        broker_clock,
        real_clock,
        keys: options.keys,
        anonymous: options.anonymous,
        limits: options.limits,
        sessions: Sessions::default(),
        address,
        stopping: stopping.clone(),
        tasks: tasks.clone(),
    }));
    let connections = Connections::new(gate.clone(), options.identity, acceptor);
    tasks.spawn(accept(listener, gate, connections));
    Ok(Gateway {
        address,
        stopping,
        tasks,
    })
}

impl Gateway {
    /// Where it really listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, answers waiting receives at once, lets other calls finish, then closes.
    pub async fn shutdown(self) {
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// A restart takes its port again at once, so the address may be reused while old connections fade.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, gate: Gate, connections: Connections) {
    let slots = Arc::new(Semaphore::new(gate.limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = gate.stopping.cancelled() => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                    tracing::warn!(%peer, "connection refused: too many are open");
                    continue;
                };
                let connections = connections.clone();
                gate.tasks.spawn(async move {
                    connections.serve(socket, peer).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                gate.real_clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
