//! The owner's socket beside whatever the owner does.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::error::AppError;
use crate::app::socket::wire::{Hello, PROTOCOL};
use crate::app::socket::{place, server};
use crate::cluster::{Capabilities, Capability};
use crate::config::paths::DataDir;
use crate::control::Control;

/// A socket that is being served; [`OwnersSocket::close`] ends it.
pub(super) struct OwnersSocket {
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl OwnersSocket {
    pub(super) fn open(data: &DataDir, control: Control) -> Result<Self, AppError> {
        let bound = place::bind(data).map_err(|source| AppError::SocketUnusable {
            path: data.root().to_owned(),
            source,
        })?;
        let hello = Hello {
            moonport: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
            pid: std::process::id(),
            // The embedded broker can do everything.
            capabilities: Capabilities(Capability::ALL.into()),
        };
        let stopping = CancellationToken::new();
        let serving = server::serve(bound, hello, control, stopping.clone());
        let task = tokio::spawn(serving);
        Ok(Self { stopping, task })
    }

    /// Breaks calls off and waits until the socket's file is gone.
    pub(super) async fn close(self) {
        self.stopping.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the owner's socket failed");
        }
    }
}
