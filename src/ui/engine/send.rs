//! Sending: one message or many, placeholders filled in per message, ended early when asked.

use std::time::Duration;

use bytes::Bytes;

use crate::cluster::messaging::{EndTransaction, Resolution, Send, SendReceipt};
use crate::domain::message::Draft;
use crate::report::Report;
use crate::ui::effect::{SendPlan, SendReport};
use crate::ui::engine::{Engine, plain, told};
use crate::ui::placeholder::{Filling, fill};

/// Least real time between two words on progress.
const TELL_EVERY: Duration = Duration::from_millis(250);

impl Engine {
    /// Sends what is planned and tells how it went; an error only when the first of one failed.
    pub(super) async fn send(
        &self,
        plan: SendPlan,
        progress: &(dyn Fn(SendReport) + std::marker::Send + Sync),
    ) -> Result<SendReport, Report> {
        let mut stop = self.stop.subscribe();
        stop.mark_unchanged();
        let mut report = SendReport {
            asked: plan.repeat,
            running: plan.repeat > 1,
            ..SendReport::default()
        };
        let mut told_at = self.clock.now();
        for index in 0..u64::from(plan.repeat) {
            if index > 0 {
                let pause = self.clock.sleep(plan.every);
                tokio::select! {
                    _ = stop.changed() => break,
                    () = pause => {}
                }
            }
            let begun = self.clock.now();
            match self.send_one(&plan, plan.first + index).await {
                Ok(receipt) => {
                    report.sent += 1;
                    report.last = Some(receipt);
                    let took = self.clock.now().saturating_duration_since(begun);
                    report.took_ms = took.as_secs_f64() * 1e3;
                }
                Err(error) if plan.repeat == 1 => return Err(error),
                Err(error) => {
                    report.failed += 1;
                    report.error = Some(error);
                    if plan.stop_on_error {
                        break;
                    }
                }
            }
            if self.clock.now().saturating_duration_since(told_at) >= TELL_EVERY {
                told_at = self.clock.now();
                progress(report.clone());
            }
        }
        report.running = false;
        Ok(report)
    }

    async fn send_one(&self, plan: &SendPlan, number: u64) -> Result<SendReceipt, Report> {
        let cluster = self.cluster()?;
        let caller = Self::caller();
        let draft = if plan.fill {
            let now = told(self.control.clock.clock().await)?.now;
            filled(&plan.template, number, now)
        } else {
            plan.template.clone()
        };
        let topic = draft.topic.clone();
        let mut receipts = told(cluster.messaging.send(&caller, Send::one(draft)).await)?;
        let receipt = match receipts.pop() {
            Some(result) => told(result)?,
            None => return Err(plain("the cluster gave no receipt")),
        };
        let ends = plan.then.filter(|then| *then != Resolution::Unknown);
        if let (Some(resolution), Some(transaction)) = (ends, &receipt.transaction) {
            let request = EndTransaction {
                topic: Some(topic),
                transaction: transaction.clone(),
                message_id: Some(receipt.id.clone()),
                resolution,
                from_check: false,
            };
            told(cluster.messaging.end_transaction(&caller, request).await)?;
        }
        Ok(receipt)
    }
}

/// The draft with its placeholders filled in; bodies that are no text stay.
fn filled(template: &Draft, number: u64, now: crate::domain::timestamp::Timestamp) -> Draft {
    let mut draft = template.clone();
    let mut random = |below: u64| fastrand::u64(..below.max(1));
    let mut filling = Filling {
        number,
        now,
        random: &mut random,
    };
    if let Ok(text) = std::str::from_utf8(&template.body)
        && text.contains("{{")
    {
        draft.body = Bytes::from(fill(text, &mut filling));
    }
    draft.keys = template
        .keys
        .iter()
        .map(|key| fill(key, &mut filling))
        .collect();
    draft.tag = template.tag.as_ref().map(|tag| fill(tag, &mut filling));
    draft.message_group = template
        .message_group
        .as_ref()
        .map(|group| fill(group, &mut filling));
    draft.properties = template
        .properties
        .iter()
        .map(|(name, value)| (name.to_owned(), fill(value, &mut filling)))
        .collect();
    draft
}
