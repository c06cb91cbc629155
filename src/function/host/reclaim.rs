//! The one task that ends instances nobody used for their idle timeout (LC-6).

use std::sync::Arc;
use std::time::Instant;

use crate::function::host::Inner;

/// Runs until the host stops.
pub(super) async fn reclaim_idle(host: Arc<Inner>) {
    loop {
        let next = host.next_reclaim();
        tokio::select! {
            () = host.stopping.cancelled() => return,
            () = host.freed.notified() => {}
            () = until(&host, next) => {
                for (entry, instances) in host.idle_instances() {
                    for live in instances {
                        host.end(&entry, live);
                    }
                }
            }
        }
    }
}

async fn until(host: &Inner, moment: Option<Instant>) {
    match moment {
        Some(moment) => host.options.real.sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
