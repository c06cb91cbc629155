//! Rust closures as functions: the trait they are held by, and adaptors from ordinary closures (RS-1…RS-8).

mod adapt;
mod batch;
mod context;
mod error;
pub(crate) mod fence;
mod instance;
mod trace;

use async_trait::async_trait;
use bytes::Bytes;

pub use adapt::{blocking, bytes, json};
pub use batch::{RocketMqBatch, RocketMqMessage, batch};
pub use context::{Context, FunctionInfo, Logger};
pub use error::FunctionError;
pub use fence::fence_panics;
pub use instance::ClosureRuntime;
pub use trace::FunctionLayer;

/// A function written in Rust. `println!` inside it cannot be captured and would disturb the console: log through
/// [`Context::logger`], or through `tracing` with [`FunctionLayer`].
///
/// Panics are caught and become failed invocations; a program built with `panic = "abort"` gives that up.
#[async_trait]
pub trait Function: Send + Sync + 'static {
    async fn invoke(&self, event: Bytes, context: Context) -> Result<Bytes, FunctionError>;

    /// Runs once per instance, before the first request, when the definition has an initializer.
    async fn initialize(&self, _context: Context) -> Result<(), FunctionError> {
        Ok(())
    }

    /// Runs once per instance, before it goes away, when the definition has a pre-stop hook.
    async fn pre_stop(&self, _context: Context) -> Result<(), FunctionError> {
        Ok(())
    }
}
