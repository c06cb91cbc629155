//! Carries a plan out, step by step, through the seams.

use std::sync::Arc;

use crate::cluster::Admin;
use crate::cluster::admin::{DeleteGroup, DeleteTopic, PutGroup, PutMode, PutTopic};
use crate::control::Control;
use crate::control::error::ControlError;
use crate::control::functions::PutFunction;
use crate::control::instances::{PutAccessKey, PutInstance};
use crate::control::triggers::PutTrigger;
use crate::domain::names::InstanceId;
use crate::workflow::error::WorkflowError;
use crate::workflow::file::AccessKeyDefinition;
use crate::workflow::plan::{Mark, Plan, Step, Subject};

/// Takes every step in order and stops at the first that is refused. Once it returns, the start offset of every trigger
/// is durable: a message sent from now on reaches it.
pub async fn apply(control: &Control, plan: &Plan) -> Result<(), WorkflowError> {
    for step in &plan.steps {
        let (verb, done) = match step.mark {
            Mark::Leave => continue,
            Mark::Create => ("create", put(control, plan, step).await),
            Mark::Change => ("change", put(control, plan, step).await),
            Mark::Remove => ("remove", remove(control, plan, step).await),
        };
        done.map_err(|source| WorkflowError::Refused {
            at: match step.line {
                Some(line) => format!("{}:{line}", plan.file),
                None => plan.file.clone(),
            },
            verb,
            subject: format!("{} `{}`", step.subject.kind(), step.subject.name()),
            source: Box::new(source),
        })?;
    }
    Ok(())
}

async fn put(control: &Control, plan: &Plan, step: &Step) -> Result<(), ControlError> {
    match step.subject.clone() {
        Subject::Instance(definition) => {
            let request = PutInstance { definition };
            control.instances.put_instance(request).await.map(drop)
        }
        Subject::Topic(definition) => {
            let mode = PutMode::Either;
            let request = PutTopic { definition, mode };
            let admin = admin(control, &plan.instance)?;
            Ok(admin.put_topic(request).await.map(drop)?)
        }
        Subject::Group(definition) => {
            let request = PutGroup {
                definition,
                mode: PutMode::Either,
                join: Vec::new(),
            };
            let admin = admin(control, &plan.instance)?;
            Ok(admin.put_group(request).await.map(drop)?)
        }
        Subject::Function(definition) => {
            let request = PutFunction { definition };
            control.functions.put_function(request).await.map(drop)
        }
        Subject::Trigger(definition) => {
            let definition = *definition;
            let request = PutTrigger { definition };
            control.triggers.put_trigger(request).await.map(drop)
        }
        Subject::AccessKey(definition) => {
            let request = PutAccessKey {
                secret: Some(
                    definition
                        .secret()
                        .map_err(|problem| no_secret(&definition, problem))?,
                ),
                key: Some(definition.key),
                grants: definition.grants,
            };
            control.instances.put_access_key(request).await.map(drop)
        }
    }
}

fn no_secret(key: &AccessKeyDefinition, problem: String) -> ControlError {
    ControlError::IllegalDefinition {
        what: format!("access key `{}`", key.key),
        field: "secret-env".to_owned(),
        problem,
    }
}

async fn remove(control: &Control, plan: &Plan, step: &Step) -> Result<(), ControlError> {
    match step.subject.clone() {
        // A file names its instance, so none is ever left over; keys belong to the whole data directory.
        Subject::Instance(_) | Subject::AccessKey(_) => Ok(()),
        Subject::Topic(topic) => {
            let request = DeleteTopic {
                topic: topic.name,
                dry_run: false,
            };
            let admin = admin(control, &plan.instance)?;
            Ok(admin.delete_topic(request).await.map(drop)?)
        }
        Subject::Group(group) => {
            let request = DeleteGroup {
                group: group.name,
                with_offsets: true,
                with_dead_letters: false,
                dry_run: false,
            };
            let admin = admin(control, &plan.instance)?;
            Ok(admin.delete_group(request).await.map(drop)?)
        }
        Subject::Function(function) => control.functions.delete_function(function.name).await,
        Subject::Trigger(trigger) => control.triggers.delete_trigger(trigger.name).await,
    }
}

fn admin(control: &Control, id: &InstanceId) -> Result<Arc<dyn Admin>, ControlError> {
    Ok(control.instances.cluster(id)?.admin)
}
