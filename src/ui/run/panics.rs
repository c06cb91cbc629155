//! Panics while the console has the terminal: its own give it back first, those of the engine become notices.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::ui::event::Event;
use crate::ui::terminal::{Entered, restore};

/// While the console runs: a panic on its own thread gives the terminal back first; one elsewhere becomes a notice.
pub(super) struct PanicHook {
    before: Arc<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync>,
}

impl PanicHook {
    pub(super) fn install(entered: Entered, sender: mpsc::Sender<Event>) -> Self {
        let before: Arc<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync> =
            Arc::from(std::panic::take_hook());
        let inner = before.clone();
        let own = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == own {
                let _ = restore(&entered);
                inner(info);
            } else {
                tracing::error!("{info}");
                let text = crate::report::printable(&info.to_string()).replace('\n', " ");
                // Full, it is told in the log only: nobody waits in a panic.
                let _ = sender.try_send(Event::WorkerPanicked(text));
            }
        }));
        Self { before }
    }
}

impl Drop for PanicHook {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let before = self.before.clone();
            std::panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// What a panic said, for a person.
pub(super) fn told(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    crate::report::printable(&text.unwrap_or_else(|| "no message".to_owned()))
}
