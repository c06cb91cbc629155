//! The documents of the data directory as the rooms above the store ask for them.

use std::sync::Arc;

use crate::app::wiring::store_failed;
use crate::clock::{BrokerClock, SavedClock};
use crate::control::Reply;
use crate::control::functions::Sample;
use crate::domain::function::FunctionDefinition;
use crate::domain::instance::InstanceDefinition;
use crate::domain::message::Place;
use crate::domain::names::{FunctionName, InstanceId, SampleName, TriggerName};
use crate::domain::trigger::TriggerDefinition;
use crate::function::accepted::{AcceptedEvent, AcceptedStore, AcceptedStoreError};
use crate::store::console::{ConsoleStore, Edits, Kind};
use crate::store::error::StoreError;
use crate::trigger::saved::{SavedAttempt, SavedMode, TriggerStore, TriggerStoreError};

/// The one clock of a data directory.
const CLOCK: &str = "broker";

/// A handle to the documents; cloning gives another.
#[derive(Clone)]
pub struct Documents(pub Arc<ConsoleStore>);

impl Documents {
    pub fn instances(&self) -> Result<Vec<InstanceDefinition>, StoreError> {
        Ok(values(self.0.list(Kind::Instance, "")?))
    }

    pub fn put_instance(&self, definition: &InstanceDefinition) -> Reply<()> {
        let put = self
            .0
            .put(Kind::Instance, definition.id.as_str(), definition);
        put.map_err(store_failed)
    }

    pub fn delete_instance(&self, id: &InstanceId) -> Reply<()> {
        self.0
            .delete(Kind::Instance, id.as_str())
            .map_err(store_failed)
    }

    pub fn functions(&self) -> Result<Vec<FunctionDefinition>, StoreError> {
        Ok(values(self.0.list(Kind::Function, "")?))
    }

    pub fn put_function(&self, definition: &FunctionDefinition) -> Reply<()> {
        let put = self
            .0
            .put(Kind::Function, definition.name.as_str(), definition);
        put.map_err(store_failed)
    }

    /// Its sample events go with it.
    pub fn delete_function(&self, name: &FunctionName) -> Reply<()> {
        let edits = Edits::new().delete(Kind::Function, name.as_str());
        let samples = self.samples(name)?;
        let edits = samples.iter().fold(edits, |edits, sample| {
            edits.delete(Kind::Sample, &sample_key(name, &sample.name))
        });
        self.0.apply(&edits).map_err(store_failed)
    }

    pub fn samples(&self, function: &FunctionName) -> Reply<Vec<Sample>> {
        let rows = self.0.list(Kind::Sample, &samples_of(function));
        rows.map(values).map_err(store_failed)
    }

    pub fn put_sample(&self, sample: &Sample) -> Reply<()> {
        let key = sample_key(&sample.function, &sample.name);
        self.0.put(Kind::Sample, &key, sample).map_err(store_failed)
    }

    pub fn delete_sample(&self, function: &FunctionName, name: &SampleName) -> Reply<()> {
        let deleted = self.0.delete(Kind::Sample, &sample_key(function, name));
        deleted.map_err(store_failed)
    }

    pub fn clock(&self) -> Result<SavedClock, StoreError> {
        Ok(self.0.get(Kind::Clock, CLOCK)?.unwrap_or_default())
    }

    /// Writes broker time down, so that a later process never shows an earlier moment.
    pub fn put_clock(&self, clock: &BrokerClock) -> Result<(), StoreError> {
        self.0.put(Kind::Clock, CLOCK, &clock.saved())
    }
}

fn values<T>(rows: Vec<(String, T)>) -> Vec<T> {
    rows.into_iter().map(|(_, value)| value).collect()
}

/// Samples are told apart within a function; its name holds no `/`.
fn sample_key(function: &FunctionName, name: &SampleName) -> String {
    format!("{}{name}", samples_of(function))
}

fn samples_of(function: &FunctionName) -> String {
    format!("{function}/")
}

/// Places are told apart within a trigger; its name holds no `/`.
fn attempt_key(trigger: &TriggerName, place: &Place) -> String {
    format!(
        "{}{}/{}/{}",
        attempts_of(trigger),
        place.topic,
        place.queue,
        place.offset
    )
}

fn attempts_of(trigger: &TriggerName) -> String {
    format!("{trigger}/")
}

impl TriggerStore for Documents {
    fn put_definition(&self, definition: &TriggerDefinition) -> Result<(), TriggerStoreError> {
        let name = definition.name.as_str();
        self.0.put(Kind::Trigger, name, definition).map_err(failed)
    }

    fn definitions(&self) -> Result<Vec<TriggerDefinition>, TriggerStoreError> {
        self.0.list(Kind::Trigger, "").map(values).map_err(failed)
    }

    fn put_attempts(
        &self,
        trigger: &TriggerName,
        attempts: &[SavedAttempt],
    ) -> Result<(), TriggerStoreError> {
        let edits = attempts.iter().fold(Edits::new(), |edits, attempt| {
            let key = attempt_key(trigger, &attempt.place);
            edits.put(Kind::TriggerAttempt, &key, attempt)
        });
        self.0.apply(&edits).map_err(failed)
    }

    fn forget_attempts(
        &self,
        trigger: &TriggerName,
        places: &[Place],
    ) -> Result<(), TriggerStoreError> {
        let edits = places.iter().fold(Edits::new(), |edits, place| {
            edits.delete(Kind::TriggerAttempt, &attempt_key(trigger, place))
        });
        self.0.apply(&edits).map_err(failed)
    }

    fn attempts(&self, trigger: &TriggerName) -> Result<Vec<SavedAttempt>, TriggerStoreError> {
        let rows = self.0.list(Kind::TriggerAttempt, &attempts_of(trigger));
        rows.map(values).map_err(failed)
    }

    fn put_mode(&self, trigger: &TriggerName, mode: &SavedMode) -> Result<(), TriggerStoreError> {
        let put = self.0.put(Kind::TriggerMode, trigger.as_str(), mode);
        put.map_err(failed)
    }

    fn mode(&self, trigger: &TriggerName) -> Result<SavedMode, TriggerStoreError> {
        let mode = self.0.get(Kind::TriggerMode, trigger.as_str());
        mode.map(Option::unwrap_or_default).map_err(failed)
    }

    fn forget(&self, trigger: &TriggerName) -> Result<(), TriggerStoreError> {
        let name = trigger.as_str();
        let edits = Edits::new()
            .delete(Kind::Trigger, name)
            .delete(Kind::TriggerMode, name);
        let prefix = attempts_of(trigger);
        let attempts: Vec<(String, SavedAttempt)> =
            self.0.list(Kind::TriggerAttempt, &prefix).map_err(failed)?;
        let edits = attempts.iter().fold(edits, |edits, (key, _)| {
            edits.delete(Kind::TriggerAttempt, key)
        });
        self.0.apply(&edits).map_err(failed)
    }
}

impl AcceptedStore for Documents {
    fn put(&self, event: &AcceptedEvent) -> Result<(), AcceptedStoreError> {
        let put = self
            .0
            .put(Kind::AcceptedEvent, &number_key(event.number), event);
        put.map_err(not_kept)
    }

    fn remove(&self, number: u64) -> Result<(), AcceptedStoreError> {
        let removed = self.0.delete(Kind::AcceptedEvent, &number_key(number));
        removed.map_err(not_kept)
    }

    fn all(&self) -> Result<Vec<AcceptedEvent>, AcceptedStoreError> {
        self.0
            .list(Kind::AcceptedEvent, "")
            .map(values)
            .map_err(not_kept)
    }
}

/// Keys are listed in the order of their text.
fn number_key(number: u64) -> String {
    format!("{number:020}")
}

fn not_kept(error: StoreError) -> AcceptedStoreError {
    AcceptedStoreError(error.to_string())
}

fn failed(error: StoreError) -> TriggerStoreError {
    TriggerStoreError(error.to_string())
}
