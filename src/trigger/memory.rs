//! A trigger store in memory: for tests, and for embedding without a disk.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::message::Place;
use crate::domain::names::TriggerName;
use crate::domain::trigger::TriggerDefinition;
use crate::trigger::saved::{SavedAttempt, SavedMode, TriggerStore, TriggerStoreError};

/// Forgets everything when dropped.
#[derive(Debug, Default)]
pub struct MemoryTriggerStore(Mutex<HashMap<TriggerName, Kept>>);

#[derive(Debug, Default)]
struct Kept {
    definition: Option<TriggerDefinition>,
    attempts: HashMap<Place, SavedAttempt>,
    mode: SavedMode,
}

impl TriggerStore for MemoryTriggerStore {
    fn put_definition(&self, definition: &TriggerDefinition) -> Result<(), TriggerStoreError> {
        let mut kept = self.0.lock();
        let kept = kept.entry(definition.name.clone()).or_default();
        kept.definition = Some(definition.clone());
        Ok(())
    }

    fn definitions(&self) -> Result<Vec<TriggerDefinition>, TriggerStoreError> {
        let kept = self.0.lock();
        Ok(kept
            .values()
            .filter_map(|kept| kept.definition.clone())
            .collect())
    }

    fn put_attempts(
        &self,
        trigger: &TriggerName,
        attempts: &[SavedAttempt],
    ) -> Result<(), TriggerStoreError> {
        let mut kept = self.0.lock();
        let kept = kept.entry(trigger.clone()).or_default();
        for attempt in attempts {
            kept.attempts.insert(attempt.place.clone(), attempt.clone());
        }
        Ok(())
    }

    fn forget_attempts(
        &self,
        trigger: &TriggerName,
        places: &[Place],
    ) -> Result<(), TriggerStoreError> {
        if let Some(kept) = self.0.lock().get_mut(trigger) {
            for place in places {
                kept.attempts.remove(place);
            }
        }
        Ok(())
    }

    fn attempts(&self, trigger: &TriggerName) -> Result<Vec<SavedAttempt>, TriggerStoreError> {
        let kept = self.0.lock();
        let attempts = kept
            .get(trigger)
            .map(|kept| kept.attempts.values().cloned().collect());
        Ok(attempts.unwrap_or_default())
    }

    fn put_mode(&self, trigger: &TriggerName, mode: &SavedMode) -> Result<(), TriggerStoreError> {
        self.0.lock().entry(trigger.clone()).or_default().mode = mode.clone();
        Ok(())
    }

    fn mode(&self, trigger: &TriggerName) -> Result<SavedMode, TriggerStoreError> {
        let kept = self.0.lock();
        Ok(kept
            .get(trigger)
            .map(|kept| kept.mode.clone())
            .unwrap_or_default())
    }

    fn forget(&self, trigger: &TriggerName) -> Result<(), TriggerStoreError> {
        self.0.lock().remove(trigger);
        Ok(())
    }
}
