//! Signals that ask the program to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports of a program that a Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A token that SIGINT, SIGTERM and SIGHUP cancel. A second signal ends the process at once: what was acknowledged is on
/// disk, and workers end with their supervisors.
pub fn stop_token() -> CancellationToken {
    let token = CancellationToken::new();
    tokio::spawn(watch(token.clone()));
    token
}

async fn watch(token: CancellationToken) {
    let signals = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = signals.map(signal) else {
        tracing::error!("signals cannot be watched");
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if token.is_cancelled() {
            std::process::exit(INTERRUPTED);
        }
        token.cancel();
    }
}
