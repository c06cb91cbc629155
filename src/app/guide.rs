//! The order workflow for the console's guide, step by step.

use std::path::PathBuf;

use async_trait::async_trait;

use crate::app::order_workflow::{EVENT, HANDLER, WORKFLOW_FILE, write};
use crate::cluster::admin::{PutGroup, PutMode, PutTopic};
use crate::control::functions::PutFunction;
use crate::control::instances::PutInstance;
use crate::control::triggers::PutTrigger;
use crate::domain::message::Draft;
use crate::ui::options::{GuideScript, GuideSource};
use crate::workflow::parse::load;

/// Writes the sample's code below this folder when the guide is opened.
pub struct OrderGuide(pub PathBuf);

#[async_trait]
impl GuideSource for OrderGuide {
    async fn script(&self) -> Result<GuideScript, String> {
        let folder = write(&self.0).map_err(|error| error.to_string())?;
        let workflow = load(&folder.join(WORKFLOW_FILE)).map_err(|error| error.to_string())?;
        let first = || "the sample is incomplete".to_owned();
        let topic = workflow.topics.into_iter().next().ok_or_else(first)?.value;
        let group = workflow.groups.into_iter().next().ok_or_else(first)?.value;
        let function = workflow
            .functions
            .into_iter()
            .next()
            .ok_or_else(first)?
            .value;
        let trigger = workflow
            .triggers
            .into_iter()
            .next()
            .ok_or_else(first)?
            .value;
        Ok(GuideScript {
            instance: PutInstance {
                definition: workflow.instance.value,
            },
            event: Draft::new(topic.name.clone(), EVENT),
            topic: PutTopic {
                definition: topic,
                mode: PutMode::Either,
            },
            group: PutGroup {
                definition: group,
                mode: PutMode::Either,
                join: Vec::new(),
            },
            function: PutFunction {
                definition: Box::new(function),
            },
            trigger: PutTrigger {
                definition: trigger,
            },
            code: HANDLER.to_owned(),
        })
    }
}
