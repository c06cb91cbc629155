//! Asking a custom runtime again and again whether it is well (CU-10). One that is not gets no more requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use tokio_util::task::AbortOnDropHandle;

use crate::clock::RealClock;
use crate::domain::function::HealthCheck;
use crate::function::log::RequestLog;
use crate::function::runtime::worker::http::Client;

/// What the last answers say; the questions end when it is dropped.
pub(super) struct Health {
    well: Arc<AtomicBool>,
    _asking: AbortOnDropHandle<()>,
}

/// The asking side.
struct Asker {
    check: HealthCheck,
    client: Arc<Client>,
    real: RealClock,
    log: Arc<RequestLog>,
    well: Arc<AtomicBool>,
}

impl Health {
    pub(super) fn watch(
        check: HealthCheck,
        client: Arc<Client>,
        real: RealClock,
        log: Arc<RequestLog>,
    ) -> Self {
        let well = Arc::new(AtomicBool::new(true));
        let asker = Asker {
            check,
            client,
            real,
            log,
            well: well.clone(),
        };
        Self {
            well,
            _asking: AbortOnDropHandle::new(tokio::spawn(asker.ask())),
        }
    }

    pub(super) fn is_well(&self) -> bool {
        self.well.load(Ordering::Relaxed)
    }
}

impl Asker {
    async fn ask(self) {
        self.real.sleep(seconds(self.check.initial_delay)).await;
        let mut in_a_row = 0;
        loop {
            let well = self.well.load(Ordering::Relaxed);
            let answer = self.once().await;
            // Only answers against what is believed count.
            in_a_row = if answer.is_ok() == well {
                0
            } else {
                in_a_row + 1
            };
            let enough = if well {
                self.check.failure_threshold
            } else {
                self.check.success_threshold
            };
            if in_a_row >= enough {
                in_a_row = 0;
                self.well.store(!well, Ordering::Relaxed);
                self.tell(answer);
            }
            self.real.sleep(seconds(self.check.period)).await;
        }
    }

    /// The error is what was wrong.
    async fn once(&self) -> Result<(), String> {
        let asked = self
            .client
            .send(Method::GET, &self.check.path, &[], Bytes::new());
        tokio::select! {
            answered = asked => match answered {
                Ok(answered) if answered.status < StatusCode::BAD_REQUEST => Ok(()),
                Ok(answered) => Err(format!("status {}", answered.status.as_u16())),
                Err(error) => Err(error.to_string()),
            },
            () = self.real.sleep(seconds(self.check.timeout)) => {
                Err(format!("no answer within {} s", self.check.timeout))
            }
        }
    }

    fn tell(&self, answer: Result<(), String>) {
        let path = &self.check.path;
        self.log.platform(match answer {
            Ok(()) => format!("health check of {path}: well again"),
            Err(problem) => {
                let times = self.check.failure_threshold;
                format!(
                    "health check of {path} failed {times} times in a row ({problem}): the instance gets no more requests"
                )
            }
        });
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}
