//! Adaptors that make a [`Function`] of a closure (RS-1).

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::function::runtime::closure::{Context, Function, FunctionError, fence, trace};

/// An async closure over the event's bytes. What it returns is passed on as it is: `Bytes`, `Vec<u8>`, `String`, `&str`.
pub fn bytes<F, Fut, R>(closure: F) -> Arc<dyn Function>
where
    F: Fn(Bytes, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, FunctionError>> + Send + 'static,
    R: Into<Bytes> + Send + 'static,
{
    Arc::new(OverBytes(closure))
}

/// An async closure over any value that can be read from JSON; its result is written as JSON (RS-3).
pub fn json<F, Fut, T, R>(closure: F) -> Arc<dyn Function>
where
    F: Fn(T, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, FunctionError>> + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
{
    Arc::new(OverJson(closure, PhantomData::<fn(T)>))
}

/// An ordinary closure over the event's bytes, on a thread of its own. It cannot be stopped at its deadline: the thread
/// is left behind and counted (RS-5).
pub fn blocking<F, R>(closure: F) -> Arc<dyn Function>
where
    F: Fn(Bytes, Context) -> Result<R, FunctionError> + Send + Sync + 'static,
    R: Into<Bytes> + Send + 'static,
{
    Arc::new(Blocking {
        closure: Arc::new(closure),
        threads: Arc::new(()),
        calls: Arc::new(()),
    })
}

struct OverBytes<F>(F);

#[async_trait]
impl<F, Fut, R> Function for OverBytes<F>
where
    F: Fn(Bytes, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, FunctionError>> + Send + 'static,
    R: Into<Bytes> + Send + 'static,
{
    async fn invoke(&self, event: Bytes, context: Context) -> Result<Bytes, FunctionError> {
        Ok((self.0)(event, context).await?.into())
    }
}

struct OverJson<F, T>(F, PhantomData<fn(T)>);

#[async_trait]
impl<F, Fut, T, R> Function for OverJson<F, T>
where
    F: Fn(T, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, FunctionError>> + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
{
    async fn invoke(&self, event: Bytes, context: Context) -> Result<Bytes, FunctionError> {
        let value = (self.0)(serde_json::from_slice(&event)?, context).await?;
        Ok(serde_json::to_vec(&value)?.into())
    }
}

/// Threads left behind by timeouts after which a blocking function takes no more calls (RS-5).
const MAX_STUCK_THREADS: usize = 4;

struct Blocking<F> {
    closure: Arc<F>,
    /// Each running thread holds a clone, each call somebody waits for holds one of `calls`.
    threads: Arc<()>,
    calls: Arc<()>,
}

impl<F> Blocking<F> {
    /// Threads that run although nobody waits for them any more.
    fn stuck(&self) -> usize {
        Arc::strong_count(&self.threads).saturating_sub(Arc::strong_count(&self.calls))
    }
}

#[async_trait]
impl<F, R> Function for Blocking<F>
where
    F: Fn(Bytes, Context) -> Result<R, FunctionError> + Send + Sync + 'static,
    R: Into<Bytes> + Send + 'static,
{
    async fn invoke(&self, event: Bytes, context: Context) -> Result<Bytes, FunctionError> {
        let stuck = self.stuck();
        if stuck >= MAX_STUCK_THREADS {
            return Err(FunctionError::new(
                "StuckThreads",
                format!("{stuck} stuck threads: earlier calls never returned"),
            ));
        }
        let _call = self.calls.clone();
        let thread = self.threads.clone();
        let closure = self.closure.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            let log = context.log.clone();
            fence::fenced(|| trace::within(log, || closure(event, context)))
        });
        match task.await {
            Ok(answer) => Ok(answer??.into()),
            Err(cancelled) => Err(cancelled.into()),
        }
    }
}
