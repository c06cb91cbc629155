//! A set-up in memory behind the seams: enough to plan against and to apply to, and a list of what was asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use moonport::activity::EventPage;
use moonport::cluster::Cluster;
use moonport::cluster::paging::{Page, Paged};
use moonport::control::clock::{ClockCommand, ClockState};
use moonport::control::error::ControlError;
use moonport::control::functions::{
    FunctionRow, FunctionState, Invoke, InvokeReply, PutFunction, Sample,
};
use moonport::control::instances::{
    AccessKeyRow, Endpoint, InstanceRow, InstanceStatus, PutAccessKey, PutInstance, fingerprint,
};
use moonport::control::logs::{InvocationQuery, LogPage, LogQuery};
use moonport::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use moonport::control::{self, Control, Reply};
use moonport::domain::function::{FunctionDefinition, InvocationRecord};
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::names::{FunctionName, InstanceId, SampleName, TriggerName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::trigger::{TriggerDefinition, TriggerState};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::cluster::FakeAdmin;

/// The moment at which everything in this world is made.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_781_272_484_388);

#[derive(Default)]
pub(super) struct World {
    instances: Mutex<BTreeMap<InstanceId, (InstanceDefinition, Arc<FakeAdmin>)>>,
    functions: Mutex<BTreeMap<FunctionName, FunctionDefinition>>,
    triggers: Mutex<BTreeMap<TriggerName, TriggerDefinition>>,
    keys: Mutex<BTreeMap<String, AccessKeyRow>>,
    /// What changed, in order: `put topic a`.
    calls: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn control(self: &Arc<Self>) -> Control {
        Control {
            instances: self.clone(),
            functions: self.clone(),
            triggers: self.clone(),
            logs: self.clone(),
            clock: self.clone(),
            activity: self.clone(),
        }
    }

    /// What was changed since the last look.
    pub(super) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock())
    }

    pub(super) fn admin(&self, id: &str) -> Arc<FakeAdmin> {
        let id = InstanceId::new(id).unwrap();
        self.instances.lock()[&id].1.clone()
    }

    pub(super) fn instance(&self, id: &str) -> InstanceDefinition {
        let id = InstanceId::new(id).unwrap();
        self.instances.lock()[&id].0.clone()
    }

    fn note(&self, call: String) {
        self.calls.lock().push(call);
    }
}

fn unsupported<T>() -> Reply<T> {
    Err(ControlError::Unsupported("this, in this world".to_owned()))
}

#[async_trait]
impl control::Instances for World {
    async fn instances(&self) -> Reply<Vec<InstanceRow>> {
        let instances = self.instances.lock();
        let rows = instances.values().map(|(definition, _)| InstanceRow {
            definition: definition.clone(),
            status: InstanceStatus::Running,
            endpoint: Endpoint::Off,
        });
        Ok(rows.collect())
    }

    async fn put_instance(&self, request: PutInstance) -> Reply<InstanceRow> {
        let definition = request.definition;
        self.note(format!("put instance {}", definition.id));
        let mut instances = self.instances.lock();
        let admin = match instances.remove(&definition.id) {
            Some((_, admin)) => admin,
            None => Arc::new(FakeAdmin::new(self.calls.clone())),
        };
        instances.insert(definition.id.clone(), (definition.clone(), admin));
        Ok(InstanceRow {
            definition,
            status: InstanceStatus::Running,
            endpoint: Endpoint::Off,
        })
    }

    async fn delete_instance(&self, _: InstanceId) -> Reply<()> {
        unsupported()
    }

    async fn access_keys(&self) -> Reply<Vec<AccessKeyRow>> {
        Ok(self.keys.lock().values().cloned().collect())
    }

    async fn put_access_key(&self, request: PutAccessKey) -> Reply<AccessKeyRow> {
        let (key, secret) = (request.key.unwrap(), request.secret.unwrap());
        self.note(format!("put access key {key}"));
        let row = AccessKeyRow {
            key: key.clone(),
            grants: request.grants,
            fingerprint: fingerprint(&secret),
            secret: None,
        };
        self.keys.lock().insert(key, row.clone());
        Ok(row)
    }

    async fn delete_access_key(&self, _: String) -> Reply<()> {
        unsupported()
    }

    fn cluster(&self, id: &InstanceId) -> Reply<Cluster> {
        let instances = self.instances.lock();
        let (_, admin) = instances
            .get(id)
            .ok_or_else(|| ControlError::InstanceNotFound(id.to_string()))?;
        Ok(admin.clone().cluster())
    }
}

#[async_trait]
impl control::Functions for World {
    async fn functions(&self) -> Reply<Vec<FunctionRow>> {
        Ok(self
            .functions
            .lock()
            .values()
            .cloned()
            .map(function_row)
            .collect())
    }

    async fn put_function(&self, request: PutFunction) -> Reply<FunctionRow> {
        let definition = *request.definition;
        self.note(format!("put function {}", definition.name));
        let mut functions = self.functions.lock();
        functions.insert(definition.name.clone(), definition.clone());
        Ok(function_row(definition))
    }

    async fn delete_function(&self, name: FunctionName) -> Reply<()> {
        self.note(format!("delete function {name}"));
        self.functions.lock().remove(&name);
        Ok(())
    }

    async fn invoke(&self, _: Invoke) -> Reply<InvokeReply> {
        unsupported()
    }

    async fn restart(&self, _: FunctionName) -> Reply<()> {
        unsupported()
    }

    async fn samples(&self, _: FunctionName) -> Reply<Vec<Sample>> {
        unsupported()
    }

    async fn put_sample(&self, _: Sample) -> Reply<()> {
        unsupported()
    }

    async fn delete_sample(&self, _: FunctionName, _: SampleName) -> Reply<()> {
        unsupported()
    }
}

#[async_trait]
impl control::Triggers for World {
    async fn triggers(&self) -> Reply<Vec<TriggerRow>> {
        Ok(self
            .triggers
            .lock()
            .values()
            .cloned()
            .map(trigger_row)
            .collect())
    }

    async fn put_trigger(&self, request: PutTrigger) -> Reply<TriggerRow> {
        let definition = request.definition;
        let mut triggers = self.triggers.lock();
        let mut others = triggers.values();
        let taken = others.find(|t| t.group == definition.group && t.name != definition.name);
        if let Some(owner) = taken {
            let (group, owner) = (definition.group, owner.name.clone());
            return Err(ControlError::GroupInUse(group, owner));
        }
        self.note(format!("put trigger {}", definition.name));
        triggers.insert(definition.name.clone(), definition.clone());
        Ok(trigger_row(definition))
    }

    async fn delete_trigger(&self, name: TriggerName) -> Reply<()> {
        self.note(format!("delete trigger {name}"));
        self.triggers.lock().remove(&name);
        Ok(())
    }

    async fn command(&self, _: TriggerName, _: TriggerCommand) -> Reply<()> {
        unsupported()
    }
}

#[async_trait]
impl control::Logs for World {
    async fn logs(&self, _: LogQuery) -> Reply<LogPage> {
        unsupported()
    }

    async fn invocations(&self, _: InvocationQuery, _: Page) -> Reply<Paged<InvocationRecord>> {
        unsupported()
    }

    fn latest(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }
}

#[async_trait]
impl control::Clock for World {
    async fn clock(&self) -> Reply<ClockState> {
        Ok(ClockState {
            now: NOW,
            held: true,
            ahead: std::time::Duration::ZERO,
            next: None,
        })
    }

    async fn move_clock(&self, _: ClockCommand) -> Reply<ClockState> {
        unsupported()
    }
}

#[async_trait]
impl control::Activity for World {
    async fn since(&self, _: u64, _: usize) -> Reply<EventPage> {
        unsupported()
    }

    fn latest(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }
}

fn function_row(definition: FunctionDefinition) -> FunctionRow {
    FunctionRow {
        definition,
        state: FunctionState::Idle,
        instances: 0,
        busy: 0,
        invocations_total: 0,
        errors_total: 0,
        log_lines_dropped: 0,
        p50_ms: None,
        p99_ms: None,
        last_error: None,
        last_invoked_at: None,
        accepted: 0,
        retrying: 0,
        given_up_total: 0,
    }
}

fn trigger_row(definition: TriggerDefinition) -> TriggerRow {
    TriggerRow {
        definition,
        state: TriggerState::Running,
        since: NOW,
        last_error: None,
        in_work: 0,
        retrying: 0,
        next_attempt_at: None,
        lag: 0,
        invoked_total: 0,
        failed_total: 0,
        dead_total: 0,
        why_idle: None,
    }
}
