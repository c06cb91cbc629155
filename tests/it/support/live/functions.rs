//! The closures behind the triggers of a live console.

use std::sync::Arc;

use bytes::Bytes;
use moonport::domain::names::FunctionName;
use moonport::function::runtime::closure::{Context, Function, FunctionError, bytes};

use crate::support::triggers::function;

pub(super) fn all() -> Vec<(FunctionName, Arc<dyn Function>)> {
    vec![
        (function("order-logger"), bytes(log_order)),
        (function("order-audit"), bytes(audit)),
        (function("invoice-bot"), bytes(invoice)),
    ]
}

/// The article's handler.
async fn log_order(event: Bytes, context: Context) -> Result<&'static str, FunctionError> {
    let event = String::from_utf8_lossy(&event);
    context.logger().info("===== MESSAGE RECEIVED =====");
    context.logger().info(format!("Message Body: {event}"));
    if event.contains("\"amount\"") {
        Ok("OK")
    } else {
        context.logger().warning("amount missing, using 0");
        Err(FunctionError::new("KeyError", "'amount'"))
    }
}

async fn audit(event: Bytes, context: Context) -> Result<&'static str, FunctionError> {
    let text = format!("audited {} bytes", event.len());
    context.logger().info(text);
    Ok("OK")
}

/// Logs at every level, in two scripts, with escape sequences that a terminal would obey.
async fn invoice(_: Bytes, context: Context) -> Result<&'static str, FunctionError> {
    let log = context.logger();
    log.debug("looking up the customer");
    log.info("发票 已创建 for 顧客 Zoë");
    log.warning(
        "\u{1b}[31mnot a colour\u{1b}[0m, \u{1b}]0;not a title\u{7}, \u{202e}not turned round",
    );
    log.error("the printer is out of paper");
    Ok("OK")
}
