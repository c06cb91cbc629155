//! Asynchronous invocation: accepted at once, run when there is room, tried again after a failure (section 9).

use std::time::Duration;

use crate::domain::names::FunctionName;
use crate::function::error::HostError;
use crate::function::host::Host;
use crate::function::invocation::{Invocation, Invoker, MAX_ASYNC_EVENT};

/// Most retries one may ask for.
const MAX_RETRIES: u32 = 8;
/// The wait before the first retry; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long and how often an accepted event is tried (IV-4, IV-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsyncPolicy {
    /// Tries after the first, at most 8.
    pub retries: u32,
    /// An event that has waited longer in broker time is dropped unrun.
    pub max_age: Duration,
}

impl Default for AsyncPolicy {
    fn default() -> Self {
        Self {
            retries: 3,
            max_age: Duration::from_secs(86_400),
        }
    }
}

impl Host {
    /// Accepts an event and returns; each try leaves a record. Accepted events do not outlive the host.
    pub fn enqueue(&self, invocation: Invocation, policy: AsyncPolicy) -> Result<(), HostError> {
        let size = invocation.event.len();
        if size > MAX_ASYNC_EVENT {
            return Err(HostError::EventTooLarge {
                size,
                limit: MAX_ASYNC_EVENT,
            });
        }
        self.row(&invocation.function)?;
        let host = self.clone();
        self.spawn(async move { host.run_later(invocation, policy).await });
        Ok(())
    }

    async fn run_later(&self, mut invocation: Invocation, policy: AsyncPolicy) {
        let clock = self.options().clock.clone();
        let accepted = clock.now();
        let mut wait = FIRST_WAIT;
        for retry in 0..=policy.retries.min(MAX_RETRIES) {
            if clock.now().since(accepted) > policy.max_age {
                self.expire(&invocation);
                return;
            }
            invocation.attempt = retry + 1;
            match self.invoke(invocation.clone()).await {
                Ok(outcome) if outcome.succeeded() => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, id = %invocation.request_id, "an accepted event cannot run");
                    return;
                }
            }
            if retry < policy.retries {
                clock
                    .sleep_until(clock.now() + wait, "asynchronous retry")
                    .await;
                wait *= 2;
            }
        }
    }

    fn expire(&self, invocation: &Invocation) {
        let name: &FunctionName = &invocation.function;
        let id = invocation.request_id.clone();
        let log = self.options().log(name, Some(id.clone()));
        log.platform(format!("Expired RequestId: {id}"));
    }
}
