//! A run of numbered frames over several files; when the budget is used, the oldest file goes.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::store::disk::file::Directory;
use crate::store::disk::{Disk as _, Medium};
use crate::store::error::StoreError;
use crate::store::frame;

/// Files that a budget is split into.
const FILES: u64 = 16;
/// A mark every so many bytes lets a reader begin in the middle of a file.
const BLOCK: u64 = 32 * 1024;
const SUFFIX: &str = ".run";

/// Which way a scan goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    /// From the first number above this one, up.
    Up(u64),
    /// From the last number below this one, down.
    Down(u64),
}

/// Frames numbered from 1 on without gaps.
#[derive(Debug)]
pub(super) struct Rolling {
    directory: Arc<Directory>,
    prefix: &'static str,
    budget: u64,
    volumes: Mutex<VecDeque<Arc<Volume>>>,
}

/// One file.
#[derive(Debug)]
struct Volume {
    /// Number of its first frame.
    first: u64,
    name: String,
    file: Arc<dyn Medium>,
    extent: Mutex<Extent>,
}

/// What is known of a file.
#[derive(Debug, Clone, Default)]
struct Extent {
    /// Bytes of whole frames.
    bytes: u64,
    /// Number of frames; the marks and this are known once the file was read through.
    frames: u64,
    marks: Vec<Mark>,
    read: bool,
}

/// Where the frame with a number begins.
#[derive(Debug, Clone, Copy)]
struct Mark {
    number: u64,
    offset: u64,
}

impl Rolling {
    pub(super) fn open(
        directory: Arc<Directory>,
        prefix: &'static str,
        budget: u64,
    ) -> io::Result<Self> {
        let mut firsts: Vec<u64> = directory
            .list()?
            .iter()
            .filter_map(|name| first_of(name, prefix))
            .collect();
        firsts.sort_unstable();
        let mut volumes = VecDeque::new();
        for first in &firsts {
            volumes.push_back(Arc::new(Volume::open(&directory, prefix, *first)?));
        }
        match volumes.back() {
            // What a crash left half written at the end is cut off.
            Some(newest) => newest.cut_tail()?,
            None => volumes.push_back(Arc::new(Volume::create(&directory, prefix, 1)?)),
        }
        Ok(Self {
            directory,
            prefix,
            budget,
            volumes: Mutex::new(volumes),
        })
    }

    /// The oldest number kept; one above the newest when there is none.
    pub(super) fn oldest(&self) -> u64 {
        self.volumes.lock().front().map_or(1, |volume| volume.first)
    }

    /// The newest number given out.
    pub(super) fn newest(&self) -> u64 {
        let volumes = self.volumes.lock();
        volumes.back().map_or(0, |volume| volume.end() - 1)
    }

    /// Appends frames of these lengths and returns the number of the last. On error nothing was appended.
    pub(super) fn append(&self, frames: &[u8], lengths: &[usize]) -> io::Result<u64> {
        let mut volumes = self.volumes.lock();
        let Some(mut active) = volumes.back().cloned() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if active.extent.lock().bytes >= self.budget / FILES {
            active = Arc::new(Volume::create(&self.directory, self.prefix, active.end())?);
            volumes.push_back(active.clone());
            self.drop_oldest(&mut volumes)?;
        }
        active.append(frames, lengths)
    }

    /// Keeps the files within the budget; the newest stays in any case.
    fn drop_oldest(&self, volumes: &mut VecDeque<Arc<Volume>>) -> io::Result<()> {
        let mut total: u64 = volumes
            .iter()
            .map(|volume| volume.extent.lock().bytes)
            .sum();
        // The new file may fill up before the next look.
        while total + self.budget / FILES > self.budget && volumes.len() > 1 {
            let Some(oldest) = volumes.pop_front() else {
                break;
            };
            total -= oldest.extent.lock().bytes;
            self.directory.remove(&oldest.name)?;
        }
        Ok(())
    }

    /// Visits frames in a direction until `visit` breaks off. A damaged frame hides the rest of its file.
    pub(super) fn scan(
        &self,
        direction: Direction,
        mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        // The files are shared with the appender, the list is not: nobody waits for anybody below.
        let volumes: Vec<Arc<Volume>> = self.volumes.lock().iter().cloned().collect();
        let failed = |volume: &Volume, error| {
            StoreError::from_io("read", &self.directory.path(&volume.name), error)
        };
        match direction {
            Direction::Up(after) => {
                for volume in &volumes {
                    let flow = volume.up(after, &mut visit);
                    if flow.map_err(|error| failed(volume, error))?.is_break() {
                        break;
                    }
                }
            }
            Direction::Down(before) => {
                for volume in volumes.iter().rev() {
                    let flow = volume.down(before, &mut visit);
                    if flow.map_err(|error| failed(volume, error))?.is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn name(prefix: &str, first: u64) -> String {
    format!("{prefix}-{first:020}{SUFFIX}")
}

fn first_of(name: &str, prefix: &str) -> Option<u64> {
    let rest = name.strip_prefix(prefix)?.strip_prefix('-')?;
    rest.strip_suffix(SUFFIX)?.parse().ok()
}

impl Volume {
    fn create(directory: &Directory, prefix: &str, first: u64) -> io::Result<Self> {
        let name = name(prefix, first);
        Ok(Self {
            first,
            file: directory.create(&name)?,
            name,
            extent: Mutex::new(Extent {
                read: true,
                ..Extent::default()
            }),
        })
    }

    /// Opens a file without reading it.
    fn open(directory: &Directory, prefix: &str, first: u64) -> io::Result<Self> {
        let name = name(prefix, first);
        let file = directory.open(&name)?;
        let extent = Extent {
            bytes: file.size()?,
            ..Extent::default()
        };
        Ok(Self {
            first,
            name,
            file,
            extent: Mutex::new(extent),
        })
    }

    /// One above the number of its last frame; right only once it was read through.
    fn end(&self) -> u64 {
        self.first + self.extent.lock().frames
    }

    fn cut_tail(&self) -> io::Result<()> {
        let extent = self.read_through()?;
        if extent.bytes < self.file.size()? {
            self.file.set_size(extent.bytes)?;
        }
        Ok(())
    }

    /// What the file holds, read through if that was not done yet.
    fn read_through(&self) -> io::Result<Extent> {
        let known = self.extent.lock().clone();
        if known.read {
            return Ok(known);
        }
        let mut bytes = vec![0; known.bytes as usize];
        self.file.read(0, &mut bytes)?;
        let mut extent = Extent {
            read: true,
            ..Extent::default()
        };
        while let Ok(frame) = frame::split(&bytes[extent.bytes as usize..]) {
            extent.add(self.first, frame.length as u64);
        }
        *self.extent.lock() = extent.clone();
        Ok(extent)
    }

    fn append(&self, frames: &[u8], lengths: &[usize]) -> io::Result<u64> {
        let start = self.extent.lock().bytes;
        if let Err(error) = self.file.write(start, frames) {
            // Half a frame at the end would hide what comes after; if this fails too, the next append writes over it.
            let _ = self.file.set_size(start);
            return Err(error);
        }
        let mut extent = self.extent.lock();
        for length in lengths {
            extent.add(self.first, *length as u64);
        }
        Ok((self.first + extent.frames).saturating_sub(1))
    }

    fn up(
        &self,
        after: u64,
        visit: &mut impl FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        let extent = self.read_through()?;
        let start = extent.marks.partition_point(|mark| mark.number <= after);
        for at in start.saturating_sub(1)..extent.marks.len() {
            let flow = self.block(&extent, at, |frames| {
                for (number, body) in frames.iter().filter(|(number, _)| *number > after) {
                    visit(*number, body)?;
                }
                ControlFlow::Continue(())
            })?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn down(
        &self,
        before: u64,
        visit: &mut impl FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        if self.first >= before {
            return Ok(ControlFlow::Continue(()));
        }
        let extent = self.read_through()?;
        let end = extent.marks.partition_point(|mark| mark.number < before);
        for at in (0..end).rev() {
            let flow = self.block(&extent, at, |frames| {
                let below = frames.iter().rev().filter(|(number, _)| *number < before);
                for (number, body) in below {
                    visit(*number, body)?;
                }
                ControlFlow::Continue(())
            })?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads the frames from one mark to the next.
    fn block(
        &self,
        extent: &Extent,
        at: usize,
        look: impl FnOnce(&[(u64, &[u8])]) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        let Some(mark) = extent.marks.get(at) else {
            return Ok(ControlFlow::Continue(()));
        };
        let end = extent
            .marks
            .get(at + 1)
            .map_or(extent.bytes, |next| next.offset);
        let mut bytes = vec![0; (end - mark.offset) as usize];
        self.file.read(mark.offset, &mut bytes)?;
        let mut frames = Vec::new();
        let mut rest = bytes.as_slice();
        while let Ok(frame) = frame::split(rest) {
            frames.push((mark.number + frames.len() as u64, frame.body));
            rest = &rest[frame.length..];
        }
        Ok(look(&frames))
    }
}

impl Extent {
    /// Counts the next frame.
    fn add(&mut self, first: u64, length: u64) {
        let due = self
            .marks
            .last()
            .is_none_or(|last| self.bytes - last.offset >= BLOCK);
        if due {
            self.marks.push(Mark {
                number: first + self.frames,
                offset: self.bytes,
            });
        }
        self.frames += 1;
        self.bytes += length;
    }
}
