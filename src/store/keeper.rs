//! The second thread of a journal, for what need not hold up a commit: packing and merging indexes, filling holes, letting
//! segments go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use crate::store::error::StoreError;
use crate::store::indexes::buffer::Buffer;
use crate::store::indexes::run::Packed;
use crate::store::indexes::{Indexes, merge};
use crate::store::intake::Intake;
use crate::store::journal::Live;
use crate::store::log::Log;
use crate::store::shelf::Volume;
use crate::store::trim;
use crate::store::writer::Work;

/// One thing to do.
pub(super) enum Task {
    /// Make a run of the entries that these indexes set aside.
    Pack(Arc<Indexes>, Arc<Buffer>),
    /// Give the file of the active segment its blocks ahead of need.
    Fill(Arc<Volume>),
    /// Merge the runs of a segment that was sealed, and close it.
    Merge(Arc<Volume>),
    /// Let segments go.
    Trim(Live),
    /// End the thread.
    Stop,
}

/// The handle on the thread.
pub(super) struct Keeper {
    tasks: Sender<Task>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works on.
struct Chores {
    log: Arc<Log>,
    intake: Arc<Intake<Work>>,
    stopping: Arc<AtomicBool>,
    tasks: Receiver<Task>,
}

impl Keeper {
    pub(super) fn start(log: Arc<Log>, intake: Arc<Intake<Work>>) -> std::io::Result<Self> {
        let (sender, tasks) = channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let chores = Chores {
            log,
            intake,
            stopping: stopping.clone(),
            tasks,
        };
        let thread = std::thread::Builder::new()
            .name("journal-keeper".to_owned())
            .spawn(move || chores.run())?;
        Ok(Self {
            tasks: sender,
            stopping,
            thread: Some(thread),
        })
    }

    /// Another way to ask the same thread.
    pub(super) fn tasks(&self) -> Sender<Task> {
        self.tasks.clone()
    }

    pub(super) fn ask(&self, task: Task) {
        // A thread that is gone has nothing to keep.
        let _ = self.tasks.send(task);
    }

    /// Ends the thread after the task in hand.
    pub(super) fn stop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.ask(Task::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Chores {
    fn run(self) {
        let mut filling: Option<Arc<Volume>> = None;
        loop {
            let task = match &filling {
                None => self.tasks.recv().map_err(|_| TryRecvError::Disconnected),
                Some(_) => self.tasks.try_recv(),
            };
            match task {
                Ok(Task::Fill(volume)) => filling = Some(volume),
                Ok(Task::Stop) | Err(TryRecvError::Disconnected) => return,
                Ok(task) => self.work(task),
                Err(TryRecvError::Empty) => {
                    filling = filling.filter(|volume| volume.segment.fill_holes());
                }
            }
        }
    }

    fn work(&self, task: Task) {
        let done = match task {
            Task::Pack(indexes, buffer) => {
                indexes.pack_done(Packed::of(&buffer));
                Ok(())
            }
            Task::Merge(volume) => self.merge(&volume),
            Task::Trim(live) => trim::trim(&self.log, &self.intake, &live, &self.stopping),
            Task::Fill(_) | Task::Stop => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "upkeep of the store failed; it is tried again later");
        }
    }

    fn merge(&self, volume: &Volume) -> Result<(), StoreError> {
        if self.stopping.load(Ordering::Relaxed) {
            return Ok(());
        }
        let indexes = self.log.shelf.indexes(volume)?;
        let merged = merge::merge(&volume.segment, &indexes);
        self.log.shelf.shut(volume);
        merged
    }
}
