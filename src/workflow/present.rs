//! The present set-up of one instance, as the seams tell it.

use crate::cluster::paging::{Page, Paged};
use crate::control::Control;
use crate::control::error::ControlError;
use crate::domain::function::FunctionDefinition;
use crate::domain::group::GroupDefinition;
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::InstanceId;
use crate::domain::topic::TopicDefinition;
use crate::domain::trigger::TriggerDefinition;

/// What there is now.
#[derive(Debug, Clone, Default)]
pub struct SetUp {
    /// `None`: the instance is not there, and neither are topics, groups and triggers.
    pub instance: Option<InstanceDefinition>,
    /// Without those the broker made for itself.
    pub topics: Vec<TopicDefinition>,
    /// Without those the broker made for itself.
    pub groups: Vec<GroupDefinition>,
    /// Those of this instance's triggers, and those no trigger uses.
    pub functions: Vec<FunctionDefinition>,
    pub triggers: Vec<TriggerDefinition>,
}

impl SetUp {
    /// Reads the set-up of `id`; an instance that is not there gives one with functions only.
    pub async fn read(control: &Control, id: &InstanceId) -> Result<Self, ControlError> {
        let instances = control.instances.instances().await?;
        let instance = instances
            .into_iter()
            .map(|row| row.definition)
            .find(|definition| definition.id == *id);
        let (topics, groups) = match &instance {
            Some(_) => names_of(control, id).await?,
            None => (Vec::new(), Vec::new()),
        };
        let all = control.triggers.triggers().await?;
        let (triggers, elsewhere): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|row| row.definition)
            .partition(|trigger| trigger.instance == *id);
        let is_here = |function: &FunctionDefinition| {
            let mut others = elsewhere.iter();
            triggers.iter().any(|t| t.function == function.name)
                || !others.any(|t| t.function == function.name)
        };
        let rows = control.functions.functions().await?;
        let functions = rows
            .into_iter()
            .map(|row| row.definition)
            .filter(is_here)
            .collect();
        Ok(Self {
            instance,
            topics,
            groups,
            functions,
            triggers,
        })
    }
}

async fn names_of(
    control: &Control,
    id: &InstanceId,
) -> Result<(Vec<TopicDefinition>, Vec<GroupDefinition>), ControlError> {
    let admin = control.instances.cluster(id)?.admin;
    let topics: Paged<_> = admin.topics(Page::all()).await?;
    let groups: Paged<_> = admin.groups(Page::all()).await?;
    let topics = topics.rows.into_iter().map(|row| row.definition);
    let groups = groups.rows.into_iter().map(|row| row.definition);
    Ok((
        topics
            .filter(|topic| topic.name.check_user_topic().is_ok())
            .collect(),
        groups
            .filter(|group| group.name.check_user_group().is_ok())
            .collect(),
    ))
}
