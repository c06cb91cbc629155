//! The same bytes written plainly on the same disk: what a broker's figures are compared with.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::cli::bench::measure::{Latencies, Measured};
use crate::clock::RealClock;
use crate::report::{Exit, Report};

/// Writes of the run that syncs each of them.
const SINGLE: u64 = 2000;
/// Groups, and messages of each, of the run that syncs many at once.
const GROUPS: u64 = 2000;
const GROUP: u64 = 32;

/// Measures plain files.
pub struct Baseline;

impl Baseline {
    /// One message per sync in a growing file, and a write-ahead file written in advance with 32 messages per sync: what
    /// 64 waiting producers settle at.
    pub fn measure(
        directory: &Path,
        real: &RealClock,
        size: usize,
    ) -> Result<[Measured; 2], Report> {
        let path = directory.join("bench-baseline.tmp");
        let measured = Self::single(&path, real, size)
            .and_then(|single| Ok([single, Self::grouped(&path, real, size)?]));
        let _ = std::fs::remove_file(&path);
        measured.map_err(|error| {
            Report::plain(
                format!("cannot write to `{}`: {error}", directory.display()),
                None,
                Exit::Usage,
            )
        })
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

    fn grouped(path: &Path, real: &RealClock, size: usize) -> io::Result<Measured> {
        let mut file = File::create(path)?;
        let group = vec![0x5a; size * GROUP as usize];
        for _ in 0..GROUPS {
            file.write_all(&group)?;
        }
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let mut latencies = Latencies::default();
        let mut spent = Duration::ZERO;
        for _ in 0..GROUPS {
            let sent = real.now();
            file.write_all(&group)?;
            file.sync_data()?;
            let latency = real.now() - sent;
            spent += latency;
            latencies.record(latency);
        }
        let mut measured = latencies.measured("plain file, sync 32", GROUPS * GROUP, spent);
        measured.is_reference = true;
        Ok(measured)
    }
}
