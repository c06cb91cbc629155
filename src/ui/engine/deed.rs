//! Deeds: one call on a seam each, and what it came to in a few words.

use crate::control::clock::{ClockCommand, ClockState};
use crate::report::Report;
use crate::ui::effect::{Deed, Done, SendReport};
use crate::ui::engine::{Engine, told};

impl Engine {
    /// Does it. `progress` hears how a long sending goes.
    pub async fn act(
        &self,
        deed: Deed,
        progress: &(dyn Fn(SendReport) + Send + Sync),
    ) -> Result<Done, Report> {
        match deed {
            Deed::GuideStep(guide) => {
                let mut done = Done::Put("done".to_owned());
                for step in guide.steps {
                    done = self.one(step, progress).await?;
                }
                Ok(done)
            }
            deed => self.one(deed, progress).await,
        }
    }

    async fn one(
        &self,
        deed: Deed,
        progress: &(dyn Fn(SendReport) + Send + Sync),
    ) -> Result<Done, Report> {
        match deed {
            Deed::Send(plan) => self.send(plan, progress).await.map(Done::Sent),
            Deed::PutFunction(_)
            | Deed::DeleteFunction(_)
            | Deed::RestartFunction(_)
            | Deed::Invoke(_) => self.on_functions(deed).await,
            Deed::PutTrigger(_) | Deed::DeleteTrigger(_) | Deed::TriggerCommand(..) => {
                self.on_triggers(deed).await
            }
            Deed::PutInstance(request) => {
                let row = told(self.control.instances.put_instance(request).await)?;
                if self.instance().is_none() {
                    self.use_instance(row.definition.id.clone());
                }
                Ok(Done::Put(format!(
                    "instance {} is ready",
                    row.definition.name
                )))
            }
            Deed::DeleteInstance(id) => {
                told(self.control.instances.delete_instance(id.clone()).await)?;
                Ok(Done::Put(format!("instance {id} is deleted")))
            }
            Deed::Clock(command) => {
                let clock = told(self.control.clock.move_clock(command).await)?;
                Ok(Done::Put(moved(command, &clock)))
            }
            deed => self.on_cluster(deed).await,
        }
    }

    async fn on_functions(&self, deed: Deed) -> Result<Done, Report> {
        let functions = &self.control.functions;
        Ok(match deed {
            Deed::PutFunction(request) => {
                let row = told(functions.put_function(request).await)?;
                Done::Put(format!("function {} is saved", row.definition.name))
            }
            Deed::DeleteFunction(name) => {
                told(functions.delete_function(name.clone()).await)?;
                Done::Put(format!("function {name} is deleted"))
            }
            Deed::RestartFunction(name) => {
                told(functions.restart(name.clone()).await)?;
                Done::Put(format!("{name} starts anew with its next request"))
            }
            Deed::Invoke(request) => {
                let reply = told(functions.invoke(request).await)?;
                Done::Invoked(Box::new(reply))
            }
            _ => Done::Put(String::new()),
        })
    }

    async fn on_triggers(&self, deed: Deed) -> Result<Done, Report> {
        let triggers = &self.control.triggers;
        Ok(Done::Put(match deed {
            Deed::PutTrigger(request) => {
                let row = told(triggers.put_trigger(request).await)?;
                format!("trigger {} is saved", row.definition.name)
            }
            Deed::DeleteTrigger(name) => {
                told(triggers.delete_trigger(name.clone()).await)?;
                format!("trigger {name} is deleted")
            }
            Deed::TriggerCommand(name, command) => {
                use crate::control::triggers::TriggerCommand as T;
                told(triggers.command(name.clone(), command).await)?;
                match command {
                    T::Pause => format!("trigger {name} is paused"),
                    T::Resume => format!("trigger {name} runs again"),
                    T::Skip => format!("the waiting batch of {name} is skipped"),
                    T::RetryNow => format!("{name} tries again now"),
                }
            }
            _ => String::new(),
        }))
    }

    async fn on_cluster(&self, deed: Deed) -> Result<Done, Report> {
        let cluster = self.cluster()?;
        let caller = Self::caller();
        Ok(match deed {
            Deed::PutTopic(request) => {
                let row = told(cluster.admin.put_topic(request).await)?;
                Done::Put(format!("topic {} is saved", row.definition.name))
            }
            Deed::DeleteTopic(request) => {
                Done::Deleted(told(cluster.admin.delete_topic(request).await)?)
            }
            Deed::PutGroup(request) => {
                let row = told(cluster.admin.put_group(request).await)?;
                Done::Put(format!("consumer group {} is saved", row.definition.name))
            }
            Deed::DeleteGroup(request) => {
                Done::Deleted(told(cluster.admin.delete_group(request).await)?)
            }
            Deed::Reset(request) => Done::Reset(told(cluster.admin.reset_offset(request).await)?),
            Deed::Resend(request) => Done::Resent(told(cluster.admin.resend(request).await)?),
            Deed::Recall(request) => {
                Done::Recalled(told(cluster.messaging.recall(&caller, request).await)?)
            }
            Deed::EndTransaction(request) => {
                told(cluster.messaging.end_transaction(&caller, request).await)?;
                Done::Put("the transaction is ended".to_owned())
            }
            _ => Done::Put(String::new()),
        })
    }
}

fn moved(command: ClockCommand, clock: &ClockState) -> String {
    match command {
        ClockCommand::Hold => format!("broker time stands at {}", clock.now),
        ClockCommand::Resume => "broker time runs again".to_owned(),
        ClockCommand::Step(_) | ClockCommand::Next => format!("broker time is {}", clock.now),
    }
}
