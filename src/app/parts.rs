//! What triggers see of the process, and [`Instances`] over its parts.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::app::access_keys::Keyring;
use crate::app::instances::InstanceSet;
use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::Send;
use crate::cluster::session::Caller;
use crate::control::functions::FunctionRow;
use crate::control::instances::{
    AccessKeyRow, InstanceRow, InstanceStatus, PutAccessKey, PutInstance,
};
use crate::control::{Instances, Reply, Triggers as _};
use crate::domain::message::Draft;
use crate::domain::names::{FunctionName, InstanceId, TopicName};
use crate::function::accepted::Outlet;
use crate::function::host::Host;
use crate::trigger::options::Surroundings;
use crate::trigger::set::TriggerSet;

/// What a trigger may look up.
pub struct OwnSurroundings {
    pub instances: InstanceSet,
    pub host: Host,
}

impl Surroundings for OwnSurroundings {
    fn cluster(&self, instance: &InstanceId) -> Option<(InstanceRow, Cluster)> {
        let row = self.instances.row(instance)?;
        Some((row, self.instances.cluster(instance).ok()?))
    }

    fn function(&self, function: &FunctionName) -> Option<FunctionRow> {
        self.host.row(function).ok()
    }
}

/// The way of outcomes to topics.
pub struct OwnOutlet(pub InstanceSet);

#[async_trait]
impl Outlet for OwnOutlet {
    async fn send(
        &self,
        instance: &InstanceId,
        topic: &TopicName,
        body: Bytes,
    ) -> Result<(), ClusterError> {
        let cluster = self.0.cluster(instance);
        let cluster = cluster.map_err(|_| ClusterError::TopicNotFound(topic.clone()))?;
        let request = Send::one(Draft::new(topic.clone(), body));
        let sent = cluster.messaging.send(&Caller::local(), request).await?;
        sent.into_iter().try_for_each(|outcome| outcome.map(drop))
    }
}

/// The instances of this process with the keys to them.
pub struct OwnInstances {
    pub instances: InstanceSet,
    pub triggers: TriggerSet,
    pub keyring: Arc<Keyring>,
}

#[async_trait]
impl Instances for OwnInstances {
    async fn instances(&self) -> Reply<Vec<InstanceRow>> {
        let mut rows = self.instances.rows();
        for row in &mut rows {
            row.status = self.status(row).await;
        }
        Ok(rows)
    }

    async fn put_instance(&self, request: PutInstance) -> Reply<InstanceRow> {
        self.instances.put(request.definition).await
    }

    /// Its triggers go first: they have nothing to read any more.
    async fn delete_instance(&self, id: InstanceId) -> Reply<()> {
        for row in self.triggers.triggers().await? {
            if row.definition.instance == id {
                self.triggers.delete_trigger(row.definition.name).await?;
            }
        }
        self.instances.delete(&id).await
    }

    async fn access_keys(&self) -> Reply<Vec<AccessKeyRow>> {
        Ok(self.keyring.rows())
    }

    async fn put_access_key(&self, request: PutAccessKey) -> Reply<AccessKeyRow> {
        self.keyring.put(request)
    }

    async fn delete_access_key(&self, key: String) -> Reply<()> {
        self.keyring.delete(&key)
    }

    fn cluster(&self, id: &InstanceId) -> Reply<Cluster> {
        self.instances.cluster(id)
    }
}

impl OwnInstances {
    async fn status(&self, row: &InstanceRow) -> InstanceStatus {
        let Ok(cluster) = self.instances.cluster(&row.definition.id) else {
            return row.status.clone();
        };
        match cluster.admin.statistics().await {
            Ok(statistics) if statistics.read_only => InstanceStatus::ReadOnly {
                reason: "the store refuses writes".to_owned(),
            },
            _ => row.status.clone(),
        }
    }
}
