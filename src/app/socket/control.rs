//! `control` over the socket.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::activity::EventPage;
use crate::app::socket::client::Client;
use crate::app::socket::cluster::OwnersCluster;
use crate::app::socket::wire::Call;
use crate::cluster::Cluster;
use crate::cluster::paging::{Page, Paged};
use crate::control::clock::{ClockCommand, ClockState};
use crate::control::functions::{FunctionRow, Invoke, InvokeReply, PutFunction, Sample};
use crate::control::instances::{AccessKeyRow, InstanceRow, PutAccessKey, PutInstance};
use crate::control::logs::{InvocationQuery, LogPage, LogQuery};
use crate::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use crate::control::{Activity, Clock, Control, Functions, Instances, Logs, Reply, Triggers};
use crate::domain::function::InvocationRecord;
use crate::domain::names::{FunctionName, InstanceId, SampleName, TriggerName};

/// Everything the owner offers, through one connection.
pub fn control(client: Client) -> Control {
    let owner = Arc::new(Owner(client));
    Control {
        instances: owner.clone(),
        functions: owner.clone(),
        triggers: owner.clone(),
        logs: owner.clone(),
        clock: owner.clone(),
        activity: owner,
    }
}

struct Owner(Client);

#[async_trait]
impl Instances for Owner {
    async fn instances(&self) -> Reply<Vec<InstanceRow>> {
        self.0.ask(Call::Instances).await
    }

    async fn put_instance(&self, request: PutInstance) -> Reply<InstanceRow> {
        self.0.ask(Call::PutInstance(request)).await
    }

    async fn delete_instance(&self, id: InstanceId) -> Reply<()> {
        self.0.ask(Call::DeleteInstance(id)).await
    }

    async fn access_keys(&self) -> Reply<Vec<AccessKeyRow>> {
        self.0.ask(Call::AccessKeys).await
    }

    async fn put_access_key(&self, request: PutAccessKey) -> Reply<AccessKeyRow> {
        self.0.ask(Call::PutAccessKey(request)).await
    }

    async fn delete_access_key(&self, key: String) -> Reply<()> {
        self.0.ask(Call::DeleteAccessKey(key)).await
    }

    /// An unknown instance is found out by the first call on its cluster.
    fn cluster(&self, id: &InstanceId) -> Reply<Cluster> {
        let cluster = Arc::new(OwnersCluster::new(self.0.clone(), id.clone()));
        Ok(Cluster {
            messaging: cluster.clone(),
            admin: cluster,
        })
    }
}

#[async_trait]
impl Functions for Owner {
    async fn functions(&self) -> Reply<Vec<FunctionRow>> {
        self.0.ask(Call::Functions).await
    }

    async fn put_function(&self, request: PutFunction) -> Reply<FunctionRow> {
        self.0.ask(Call::PutFunction(request)).await
    }

    async fn delete_function(&self, name: FunctionName) -> Reply<()> {
        self.0.ask(Call::DeleteFunction(name)).await
    }

    async fn invoke(&self, request: Invoke) -> Reply<InvokeReply> {
        self.0.ask(Call::Invoke(request)).await
    }

    async fn restart(&self, name: FunctionName) -> Reply<()> {
        self.0.ask(Call::Restart(name)).await
    }

    async fn samples(&self, function: FunctionName) -> Reply<Vec<Sample>> {
        self.0.ask(Call::Samples(function)).await
    }

    async fn put_sample(&self, sample: Sample) -> Reply<()> {
        self.0.ask(Call::PutSample(sample)).await
    }

    async fn delete_sample(&self, function: FunctionName, name: SampleName) -> Reply<()> {
        self.0.ask(Call::DeleteSample(function, name)).await
    }
}

#[async_trait]
impl Triggers for Owner {
    async fn triggers(&self) -> Reply<Vec<TriggerRow>> {
        self.0.ask(Call::Triggers).await
    }

    async fn put_trigger(&self, request: PutTrigger) -> Reply<TriggerRow> {
        self.0.ask(Call::PutTrigger(request)).await
    }

    async fn delete_trigger(&self, name: TriggerName) -> Reply<()> {
        self.0.ask(Call::DeleteTrigger(name)).await
    }

    async fn command(&self, name: TriggerName, command: TriggerCommand) -> Reply<()> {
        self.0.ask(Call::TriggerCommand(name, command)).await
    }
}

#[async_trait]
impl Logs for Owner {
    async fn logs(&self, query: LogQuery) -> Reply<LogPage> {
        self.0.ask(Call::Logs(query)).await
    }

    async fn invocations(
        &self,
        query: InvocationQuery,
        page: Page,
    ) -> Reply<Paged<InvocationRecord>> {
        self.0.ask(Call::Invocations(query, page)).await
    }

    fn latest(&self) -> watch::Receiver<u64> {
        self.0.latest_log()
    }
}

#[async_trait]
impl Clock for Owner {
    async fn clock(&self) -> Reply<ClockState> {
        self.0.ask(Call::Clock).await
    }

    async fn move_clock(&self, command: ClockCommand) -> Reply<ClockState> {
        self.0.ask(Call::MoveClock(command)).await
    }
}

#[async_trait]
impl Activity for Owner {
    async fn since(&self, since: u64, limit: usize) -> Reply<EventPage> {
        self.0.ask(Call::Activity { since, limit }).await
    }

    fn latest(&self) -> watch::Receiver<u64> {
        self.0.latest_event()
    }
}
