//! `tracing` inside closures: events become records of the request they happen in (RS-6).

use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::function::log::{Prefix, RequestLog};

tokio::task_local! {
    static CURRENT: Arc<RequestLog>;
}

pub(crate) async fn scope<F: Future>(log: Arc<RequestLog>, future: F) -> F::Output {
    CURRENT.scope(log, future).await
}

pub(crate) fn within<T>(log: Arc<RequestLog>, code: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(log, code)
}

/// A `tracing` layer that writes events inside a closure to the function's log; events elsewhere are left alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct FunctionLayer;

impl<S: tracing::Subscriber> Layer<S> for FunctionLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let _ = CURRENT.try_with(|log| {
            let mut text = EventText::default();
            event.record(&mut text);
            let label = match *event.metadata().level() {
                tracing::Level::ERROR => "ERROR",
                tracing::Level::WARN => "WARNING",
                tracing::Level::INFO => "INFO",
                _ => "DEBUG",
            };
            log.record(Prefix::IsoTime, label, &text.join());
        });
    }
}

/// The message first, then the other fields as `name=value`.
#[derive(Default)]
struct EventText {
    message: String,
    fields: String,
}

impl EventText {
    fn join(mut self) -> String {
        self.message.push_str(&self.fields);
        self.message
    }
}

impl Visit for EventText {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
