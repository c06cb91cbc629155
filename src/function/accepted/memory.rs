//! Accepted events in memory: for tests, and for hosts without a data directory.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::function::accepted::{AcceptedEvent, AcceptedStore, AcceptedStoreError};

/// Forgets everything when dropped.
#[derive(Debug, Default)]
pub struct MemoryAcceptedStore(Mutex<BTreeMap<u64, AcceptedEvent>>);

impl AcceptedStore for MemoryAcceptedStore {
    fn put(&self, event: &AcceptedEvent) -> Result<(), AcceptedStoreError> {
        self.0.lock().insert(event.number, event.clone());
        Ok(())
    }

    fn remove(&self, number: u64) -> Result<(), AcceptedStoreError> {
        self.0.lock().remove(&number);
        Ok(())
    }

    fn all(&self) -> Result<Vec<AcceptedEvent>, AcceptedStoreError> {
        Ok(self.0.lock().values().cloned().collect())
    }
}
