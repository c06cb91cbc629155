//! The same bytes written plainly on the same disk: what a broker's figures are compared with.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli::bench::measure::{Latencies, Measured};
use crate::clock::RealClock;
use crate::report::{Exit, Report};

/// Writes of the run that syncs each of them.
const SINGLE: u64 = 2000;
/// Messages of the run whose producers share syncs.
const SHARED: u64 = 200_000;
/// Bytes of the write-ahead file, written before the run and then over and over.
const AHEAD: u64 = 64 * 1024 * 1024;

/// Producers, each with one message in flight.
#[derive(Debug, Clone, Copy)]
pub struct Producers {
    pub count: usize,
    pub messages: u64,
    /// Bytes of each message.
    pub size: usize,
}

/// A message on its way to a thread that commits, and where its producer waits.
type Waiting = (Bytes, oneshot::Sender<()>);

/// Measures plain files: one message per sync in a growing file, then a write-ahead file written in advance, which
/// `producers` producers share. The second is what rates are compared with.
pub async fn plain_files(
    directory: &Path,
    real: &RealClock,
    size: usize,
    producers: usize,
) -> Result<Vec<Measured>, Report> {
    let path = directory.join("bench-baseline.tmp");
    let measured = both(&path, real, size, producers).await;
    let _ = std::fs::remove_file(&path);
    measured.map_err(|error| {
        let problem = format!("cannot write to `{}`: {error}", directory.display());
        Report::plain(problem, None, Exit::Usage)
    })
}

async fn both(
    path: &Path,
    real: &RealClock,
    size: usize,
    count: usize,
) -> io::Result<Vec<Measured>> {
    let single = single(path, real, size)?;
    let load = Producers {
        count,
        messages: SHARED,
        size,
    };
    let write_ahead = write_ahead(path)?;
    let mut shared = group_commit("plain write-ahead file", load, real, write_ahead).await?;
    shared.is_reference = true;
    Ok(vec![single, shared])
}

fn single(path: &Path, real: &RealClock, size: usize) -> io::Result<Measured> {
    let mut file = File::create(path)?;
    let body = vec![0x5a; size];
    let mut latencies = Latencies::default();
    let begun = real.now();
    for _ in 0..SINGLE {
        let sent = real.now();
        file.write_all(&body)?;
        file.sync_data()?;
        latencies.record(real.now() - sent);
    }
    Ok(latencies.measured("plain file, sync each", SINGLE, real.now() - begun))
}

/// Writes and syncs groups of messages in a file that has its blocks already.
fn write_ahead(path: &Path) -> io::Result<impl FnMut(&[Bytes]) -> io::Result<()> + Send + 'static> {
    let mut file = File::create(path)?;
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..AHEAD / zeros.len() as u64 {
        file.write_all(&zeros)?;
    }
    file.sync_all()?;
    let mut at = 0;
    Ok(move |group: &[Bytes]| {
        let bytes = group.concat();
        if at + bytes.len() as u64 > AHEAD {
            at = 0;
        }
        file.write_all_at(&bytes, at)?;
        at += bytes.len() as u64;
        file.sync_data()
    })
}

/// What every durable log has to do: producers hand messages to one thread, which commits all that wait at once and then
/// tells their producers.
pub async fn group_commit(
    name: &'static str,
    load: Producers,
    real: &RealClock,
    commit: impl FnMut(&[Bytes]) -> io::Result<()> + Send + 'static,
) -> io::Result<Measured> {
    let (queue, waiting) = channel();
    let writer = std::thread::spawn(move || write_groups(&waiting, commit));
    let taken = Arc::new(AtomicU64::new(0));
    let begun = real.now();
    let mut tasks = JoinSet::new();
    for _ in 0..load.count {
        tasks.spawn(produce(load, queue.clone(), taken.clone(), real.clone()));
    }
    drop(queue);
    let mut latencies = Latencies::default();
    while let Some(done) = tasks.join_next().await {
        latencies.merge(done.unwrap_or_default());
    }
    let measured = latencies.measured(name, load.messages, real.now() - begun);
    match writer.join() {
        Ok(written) => written.map(|()| measured),
        Err(_) => Err(io::Error::other("the writing thread ended early")),
    }
}

async fn produce(
    load: Producers,
    queue: Sender<Waiting>,
    taken: Arc<AtomicU64>,
    real: RealClock,
) -> Latencies {
    let body = Bytes::from(vec![0x5a; load.size]);
    let mut latencies = Latencies::default();
    while taken.fetch_add(1, Ordering::Relaxed) < load.messages {
        let sent = real.now();
        let (done, answer) = oneshot::channel();
        if queue.send((body.clone(), done)).is_err() || answer.await.is_err() {
            break;
        }
        latencies.record(real.now() - sent);
    }
    latencies
}

fn write_groups(
    waiting: &Receiver<Waiting>,
    mut commit: impl FnMut(&[Bytes]) -> io::Result<()>,
) -> io::Result<()> {
    while let Ok(first) = waiting.recv() {
        let group = std::iter::once(first).chain(waiting.try_iter());
        let (bodies, answers): (Vec<Bytes>, Vec<_>) = group.unzip();
        commit(&bodies)?;
        for answer in answers {
            let _ = answer.send(());
        }
    }
    Ok(())
}
