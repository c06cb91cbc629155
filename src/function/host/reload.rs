//! Saved code restarts its function: requests that run finish on the old instances, the next meets a fresh one (LC-9).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::function::host::Inner;

/// An editor saves in several steps; this long without another counts as done (SAFE-13).
const QUIET: Duration = Duration::from_millis(200);
/// Code that is written without a pause is loaded as it is after this.
const LONGEST: Duration = Duration::from_secs(2);

/// Runs until the host stops.
pub(super) async fn follow_saves(host: Arc<Inner>, mut saved: UnboundedReceiver<PathBuf>) {
    loop {
        let first = tokio::select! {
            path = saved.recv() => path,
            () = host.stopping.cancelled() => return,
        };
        let Some(first) = first else { return };
        let mut touched = BTreeMap::new();
        note(&host, first, &mut touched);
        if touched.is_empty() {
            continue;
        }
        let until = host.options.real.now() + LONGEST;
        while host.options.real.now() < until {
            tokio::select! {
                path = saved.recv() => match path {
                    Some(path) => note(&host, path, &mut touched),
                    None => return,
                },
                () = host.options.real.sleep(QUIET) => break,
                () = host.stopping.cancelled() => return,
            }
        }
        for (function, path) in touched {
            host.reload(&function, &path);
        }
    }
}

fn note(
    host: &Inner,
    path: PathBuf,
    touched: &mut BTreeMap<crate::domain::names::FunctionName, PathBuf>,
) {
    let mut watch = host.watch.lock();
    for function in watch.functions_of(&path) {
        touched.insert(function, path.clone());
    }
    if path.is_dir()
        && let Err(error) = watch.add(&path)
    {
        tracing::warn!(%error, path = %path.display(), "a new folder is not watched");
    }
}
