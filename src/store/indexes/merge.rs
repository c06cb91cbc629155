//! Merging the runs of a sealed segment into one, so that a look-up there is one search.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use redb::{ReadTransaction, WriteTransaction};

use crate::store::error::StoreError;
use crate::store::fault::Fault;
use crate::store::indexes::run::{self, LifePacker, NamePacker, Run};
use crate::store::indexes::{Digest, Indexes};
use crate::store::segment::{LIVES, NAMES, RUNS, Segment};

/// Merges all runs of a segment that takes no more commits. The rows of the old runs stay for readers that began before.
pub(in crate::store) fn merge(segment: &Segment, indexes: &Indexes) -> Result<(), StoreError> {
    let old = indexes.runs();
    if old.len() < 2 {
        return Ok(());
    }
    let number = indexes.next_run();
    let mut digest = Digest::default();
    for run in old.iter() {
        digest.merge(&run.digest);
    }
    let merged = Run {
        number,
        until: old.iter().map(|run| run.until).max().unwrap_or(0),
        digest,
        deleted: old.iter().flat_map(|run| run.deleted.clone()).collect(),
    };
    let numbers: Vec<u32> = old.iter().map(|run| run.number).collect();
    let reading = segment.begin_read()?;
    segment.commit(false, |writing| {
        merge_lives(&reading, writing, &numbers, number)?;
        merge_names(&reading, writing, &numbers, number)?;
        let mut runs = writing.open_table(RUNS)?;
        for old in &numbers {
            runs.remove(old)?;
        }
        drop(runs);
        merged.put(writing)
    })?;
    indexes.merged(merged);
    Ok(())
}

fn merge_lives(
    reading: &ReadTransaction,
    writing: &WriteTransaction,
    from: &[u32],
    into: u32,
) -> Result<(), Fault> {
    let source = reading.open_table(LIVES)?;
    let mut target = writing.open_table(LIVES)?;
    let mut packer = LifePacker::default();
    let mut rows = Vec::new();
    for number in from {
        rows.push(source.range((*number, 0, 0)..(*number + 1, 0, 0))?);
    }
    let mut streams: Vec<_> = rows
        .into_iter()
        .map(|rows| Stream::new(rows, |row| run::lives(row).collect()))
        .collect();
    merge_streams(&mut streams, |life| {
        if let Some(((subject, first), row)) = packer.push(life) {
            target.insert((into, subject, first), row.as_slice())?;
        }
        Ok(())
    })?;
    if let Some(((subject, first), row)) = packer.finish() {
        target.insert((into, subject, first), row.as_slice())?;
    }
    Ok(())
}

fn merge_names(
    reading: &ReadTransaction,
    writing: &WriteTransaction,
    from: &[u32],
    into: u32,
) -> Result<(), Fault> {
    let source = reading.open_table(NAMES)?;
    let mut target = writing.open_table(NAMES)?;
    let mut packer = NamePacker::default();
    let mut rows = Vec::new();
    for number in from {
        rows.push(source.range((*number, 0)..(*number + 1, 0))?);
    }
    let mut streams: Vec<_> = rows
        .into_iter()
        .map(|rows| Stream::new(rows, |row| run::names(row).iter().map(run::name).collect()))
        .collect();
    merge_streams(&mut streams, |name| {
        if let Some((hash, row)) = packer.push(name) {
            target.insert((into, hash), row.as_slice())?;
        }
        Ok(())
    })?;
    if let Some((hash, row)) = packer.finish() {
        target.insert((into, hash), row.as_slice())?;
    }
    Ok(())
}

/// The entries of one run, a row in memory at a time.
struct Stream<'a, K: redb::Key + 'static, T> {
    rows: redb::Range<'a, K, &'static [u8]>,
    read: fn(&[u8]) -> Vec<T>,
    entries: std::vec::IntoIter<T>,
}

impl<'a, K: redb::Key + 'static, T> Stream<'a, K, T> {
    fn new(rows: redb::Range<'a, K, &'static [u8]>, read: fn(&[u8]) -> Vec<T>) -> Self {
        Self {
            rows,
            read,
            entries: Vec::new().into_iter(),
        }
    }

    fn next(&mut self) -> Result<Option<T>, Fault> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Ok(Some(entry));
            }
            let Some(row) = self.rows.next() else {
                return Ok(None);
            };
            self.entries = (self.read)(row?.1.value()).into_iter();
        }
    }
}

fn merge_streams<K: redb::Key + 'static, T: Ord>(
    streams: &mut [Stream<'_, K, T>],
    mut push: impl FnMut(T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut heads = BinaryHeap::new();
    for (at, stream) in streams.iter_mut().enumerate() {
        heads.extend(stream.next()?.map(|entry| Reverse((entry, at))));
    }
    while let Some(Reverse((entry, at))) = heads.pop() {
        push(entry)?;
        if let Some(stream) = streams.get_mut(at) {
            heads.extend(stream.next()?.map(|entry| Reverse((entry, at))));
        }
    }
    Ok(())
}
