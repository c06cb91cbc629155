//! Reads the engine aside for the screen, faster while something happens. A screen that does not take what is read, as
//! while an editor has the terminal, makes the reading wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::clock::RealClock;
use crate::ui::engine::Engine;
use crate::ui::event::Event;
use crate::ui::state::overview::Overview;

/// Least time between readings of the engine while something happens, and while nothing does.
const BUSY_READING: Duration = Duration::from_millis(250);
const IDLE_READING: Duration = Duration::from_secs(1);

/// Reads the engine again and again, faster while something happens; slow readers skip versions.
pub(super) fn read_on(
    handle: &Handle,
    engine: &Arc<Engine>,
    nudge: &watch::Sender<u64>,
    sender: &mpsc::Sender<Event>,
    started: Instant,
) -> watch::Receiver<Arc<Overview>> {
    let (publish, receiver) = watch::channel(Arc::new(Overview::default()));
    let engine = engine.clone();
    let sender = sender.clone();
    let mut nudged = nudge.subscribe();
    let mut activity = engine.control.activity.latest();
    handle.spawn(async move {
        let (mut seen_event, mut seen_run) = (0, 0);
        let clock = RealClock::system();
        while !sender.is_closed() && !publish.is_closed() {
            let begun = clock.now();
            let uptime = begun.saturating_duration_since(started);
            let last = publish.borrow().clone();
            let overview = engine.gather(&last, uptime).await;
            let (events, next) = engine.happened(seen_event).await;
            let ran =
                events.iter().any(crate::ui::state::feed::Happened::is_run) || seen_event == 0;
            seen_event = next;
            if !events.is_empty() {
                let _ = sender.send(Event::Happened(events)).await;
            }
            if ran {
                let records = engine.invocations(seen_run).await;
                seen_run = records.first().map_or(seen_run, |record| record.number);
                if !records.is_empty() {
                    let _ = sender.send(Event::Invocations(records)).await;
                }
            }
            let _ = publish.send(Arc::new(overview));
            let busy = clock.sleep_until(begun + BUSY_READING);
            tokio::select! {
                () = busy => {}
                _ = nudged.changed() => continue,
            }
            tokio::select! {
                () = clock.sleep_until(begun + IDLE_READING) => {}
                _ = nudged.changed() => {}
                _ = activity.changed() => {}
            }
        }
    });
    receiver
}
