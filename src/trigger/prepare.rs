//! What must hold before a trigger runs: its definition is sound, its topic and group are there, its start is durable.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::admin::{PutGroup, PutMode};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::RouteRequest;
use crate::cluster::session::{Caller, ClientKind, ClientSettings};
use crate::control::Reply;
use crate::control::error::ControlError;
use crate::control::functions::FunctionRow;
use crate::domain::group::{DeliveryOrder, GroupDefinition};
use crate::domain::limits::{MAX_TRIGGERED_TIMEOUT, check_trigger};
use crate::domain::names::{ClientId, TopicName};
use crate::domain::retry_policy::RetryPolicy;
use crate::domain::subscription::{FilterExpression, Subscription};
use crate::domain::timestamp::Timestamp;
use crate::domain::topic::{TopicDefinition, TopicType};
use crate::domain::trigger::{TriggerDeadLetter, TriggerDefinition};
use crate::filter::{Filter, FilterKind};

/// Refuses what is wrong with the definition itself, the field named.
pub(super) fn check_definition(definition: &TriggerDefinition) -> Reply<()> {
    if let Some(problem) = check_trigger(definition).into_iter().next() {
        return Err(illegal(definition, problem.field, problem.problem));
    }
    let (kind, text) = match &definition.filter {
        FilterExpression::Tag(text) => (FilterKind::Tag, text),
        FilterExpression::Sql(text) => (FilterKind::Sql, text),
    };
    let filter = Filter::parse(kind, text);
    filter.map(drop).map_err(|error| {
        let problem = format!("cannot be used: {error}\n{}", error.caret(text));
        illegal(definition, "filter", problem)
    })
}

/// Refuses a function that runs longer than a trigger waits.
pub(super) fn check_function(definition: &TriggerDefinition, function: &FunctionRow) -> Reply<()> {
    let timeout = function.definition.timeout;
    if timeout <= MAX_TRIGGERED_TIMEOUT {
        return Ok(());
    }
    let problem = format!(
        "`{}` has a timeout of {timeout} s, at most {MAX_TRIGGERED_TIMEOUT} s are allowed behind a trigger",
        definition.function
    );
    Err(illegal(definition, "function", problem))
}

fn illegal(definition: &TriggerDefinition, field: &str, problem: String) -> ControlError {
    ControlError::IllegalDefinition {
        what: format!("trigger `{}`", definition.name),
        field: field.to_owned(),
        problem,
    }
}

/// Makes what the trigger needs: its topic exists or is made, its group exists and has joined, durably.
pub(super) async fn prepare(
    definition: &TriggerDefinition,
    cluster: &Cluster,
    now: Timestamp,
) -> Reply<()> {
    let topic = definition.topic.clone();
    let request = RouteRequest { topic };
    let route = cluster.messaging.route(&Caller::local(), request).await?;
    if let TriggerDeadLetter::Topic(target) = &definition.dead_letter {
        let target = cluster.admin.topic(target.clone()).await?;
        check_dead_letter_topic(definition, &target.definition)?;
    }
    join(definition, cluster, &route.topic, now).await
}

/// Dead letters carry neither a message group nor a time.
fn check_dead_letter_topic(definition: &TriggerDefinition, target: &TopicDefinition) -> Reply<()> {
    if matches!(target.topic_type, TopicType::Normal | TopicType::Mixed) {
        return Ok(());
    }
    let problem = format!(
        "`{}` takes {} messages; dead letters need a NORMAL or MIXED topic",
        target.name, target.topic_type
    );
    Err(illegal(definition, "dead-letter-topic", problem))
}

/// A group that has an offset on the topic keeps it; another joins where the trigger says.
async fn join(
    definition: &TriggerDefinition,
    cluster: &Cluster,
    topic: &TopicDefinition,
    now: Timestamp,
) -> Reply<()> {
    match cluster.admin.group(definition.group.clone()).await {
        Ok(row) if row.topics.contains(&topic.name) => Ok(()),
        Ok(row) => {
            let starting = GroupDefinition {
                first_seen: definition.offset,
                ..row.definition.clone()
            };
            let borrowed = starting != row.definition;
            put_group(cluster, starting, vec![topic.name.clone()]).await?;
            if borrowed {
                // The trigger's start is for this topic; the group's own is for others.
                put_group(cluster, row.definition, Vec::new()).await?;
            }
            Ok(())
        }
        Err(ClusterError::GroupNotFound(name)) => {
            let order = match topic.topic_type {
                TopicType::Fifo => DeliveryOrder::Orderly,
                _ => DeliveryOrder::Concurrent,
            };
            let mut group = GroupDefinition::new(name, order, now);
            group.first_seen = definition.offset;
            put_group(cluster, group, vec![topic.name.clone()]).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn put_group(
    cluster: &Cluster,
    definition: GroupDefinition,
    join: Vec<TopicName>,
) -> Reply<()> {
    let request = PutGroup {
        definition,
        mode: PutMode::Either,
        join,
    };
    cluster.admin.put_group(request).await?;
    Ok(())
}

/// Who the trigger is to its cluster.
pub(super) fn caller(definition: &TriggerDefinition) -> Reply<Caller> {
    let client = ClientId::new(format!("moonport-trigger-{}", definition.name));
    Ok(Caller::local_client(client.map_err(ClusterError::from)?))
}

/// What the trigger's session says of itself.
pub(super) fn settings(definition: &TriggerDefinition) -> ClientSettings {
    ClientSettings {
        kind: ClientKind::Trigger,
        language: "RUST".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        publishing: Vec::new(),
        group: Some(definition.group.clone()),
        subscriptions: vec![Subscription {
            topic: definition.topic.clone(),
            filter: definition.filter.clone(),
        }],
        fifo: false,
        retry_policy: RetryPolicy::default(),
        max_attempts: 1,
        long_poll: Duration::from_secs(20),
    }
}
