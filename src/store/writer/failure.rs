//! After a failed commit: tell everybody, open the file again, stay alive for reads.

use crate::store::error::StoreError;
use crate::store::journal::CommitSender;
use crate::store::segment::{self, LogReader};
use crate::store::writer::Writer;

impl Writer {
    /// Answers a failed commit and everything queued behind it; the observer decides when appends are taken again.
    pub(super) fn fail(&mut self, error: &StoreError, answers: Vec<CommitSender>) {
        tracing::warn!(%error, "a commit failed");
        let behind = self.intake.refuse(error);
        // Reads of this segment need the file; when it cannot be opened now, the next commit tries again.
        if let Err(error) = self.mend() {
            tracing::warn!(%error, "the segment cannot be opened again yet");
        }
        let intake = &self.intake;
        self.observer.failed(error, &|| intake.resume());
        intake.resume();
        let behind = behind.into_iter().filter_map(|job| job.answer);
        for answer in answers.into_iter().chain(behind) {
            let _ = answer.send(Err(error.clone()));
        }
    }

    /// Opens the active segment again if a failure left it unusable.
    pub(super) fn mend(&mut self) -> Result<(), StoreError> {
        if !self.progress.broken {
            return Ok(());
        }
        let segment = &self.active.segment;
        segment.open_writable(self.log.shelf.share.active())?;
        // A commit that was answered as failed may have reached the disk after all.
        let last = segment.view(|transaction| LogReader::new(transaction)?.last())?;
        if last.is_some_and(|last| last > self.sequence) {
            segment.commit(false, |transaction| {
                segment::cut(transaction, self.sequence)
            })?;
        }
        self.progress.broken = false;
        Ok(())
    }
}
