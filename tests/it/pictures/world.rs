//! An order workflow at work: a whole engine in a folder, functions that take known time, and a console over it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use moonport::app::identity::Identity;
use moonport::app::wiring::EngineOptions;
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::messaging::Send;
use moonport::cluster::session::Caller;
use moonport::domain::message::Draft;
use moonport::domain::names::{FunctionName, TopicName};
use moonport::domain::timestamp::Timestamp;
use moonport::domain::trigger::TriggerState;
use moonport::function::runtime::closure::{Context, Function, FunctionError};
use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;
use moonport::ui::theme::Depth;
use moonport::workflow::apply::apply;
use moonport::workflow::parse::load;
use moonport::workflow::plan::plan;
use serde_json::Value;

use crate::support::live::Live;

const WORKFLOW: &str = r#"
[instance]
name = "orders"

[[topic]]
name = "message-processing"
[[topic]]
name = "invoice-steps"
type = "FIFO"
queues = 4
[[topic]]
name = "reminders"
type = "DELAY"
queues = 4
[[topic]]
name = "payments-tx"
type = "TRANSACTION"
queues = 4
[[topic]]
name = "audit-events"

[[group]]
name = "message-processing"
[[group]]
name = "invoices"
order = "orderly"
max-retries = 3
[[group]]
name = "audit"

[[function]]
name = "order-logger"
runtime = "rust"
handler = "order-logger"
[[function]]
name = "invoice-bot"
runtime = "rust"
handler = "invoice-bot"

[[trigger]]
name = "order-created"
function = "order-logger"
topic = "message-processing"
group = "message-processing"
[[trigger]]
name = "on-invoice"
function = "invoice-bot"
topic = "invoice-steps"
group = "invoices"
"#;

/// Looks at an engine at rest in a row before it counts as one.
const CALM: usize = 20;

/// A function that logs what the order workflow's handler logs; what it does takes known time.
struct Worker {
    clock: BrokerClock,
    real: RealClock,
}

impl Worker {
    fn takes(&self, micros: u64) {
        self.real.advance(Duration::from_micros(micros));
        self.clock.pass(Duration::from_millis(micros / 1000));
    }
}

#[async_trait]
impl Function for Worker {
    async fn invoke(&self, event: Bytes, context: Context) -> Result<Bytes, FunctionError> {
        let log = context.logger();
        let messages: Value = serde_json::from_slice(&event).unwrap();
        log.info("===== MESSAGE RECEIVED =====");
        for message in messages.as_array().unwrap() {
            let body = &message["body"];
            self.takes(1_300);
            log.info(format!("Message Body: {body}"));
            let Some(amount) = body["amount"].as_u64() else {
                log.warning("amount missing, nothing to charge");
                self.takes(2_100);
                return Err(FunctionError::new("KeyError", "'amount'"));
            };
            self.takes(900 + amount * 17);
            if amount > 900 {
                log.error(format!("{amount} is over the limit of 900"));
                return Err(FunctionError::new(
                    "LimitExceeded",
                    "amount is over the limit",
                ));
            }
        }
        Ok(Bytes::from_static(b"OK"))
    }
}

fn change(options: &mut EngineOptions) {
    let worker = Worker {
        clock: options.clock.clone().unwrap(),
        real: options.real.clone(),
    };
    let worker: Arc<dyn Function> = Arc::new(worker);
    options.functions = ["order-logger", "invoice-bot"]
        .map(|name| (FunctionName::new(name).unwrap(), worker.clone()))
        .to_vec();
    options.identity = Identity {
        mac: [2, 0x42, 0xac, 0x11, 0, 2],
        pid: 1,
        first: 0,
        host_name: "console".to_owned(),
    };
    options.random = Arc::new(|bytes: &mut [u8]| bytes.fill(0x21));
    options.function_instance_id = Some("c-660c0000-1".to_owned());
}

pub(crate) struct World {
    pub(crate) stage: Stage,
    live: Live,
    clock: BrokerClock,
    sent: u64,
}

impl World {
    pub(crate) async fn new() -> Self {
        let start = Timestamp::parse("2026-06-12T18:32:07.120Z").unwrap();
        let live = Live::with(start, change).await;
        let file = live.folder().join("moonport.toml");
        std::fs::write(&file, WORKFLOW).unwrap();
        let workflow = load(&file).unwrap();
        let plan = plan(&live.control, &workflow, false).await.unwrap();
        apply(&live.control, &plan).await.unwrap();
        let options = ConsoleOptions::new(Depth::True);
        let (control, real) = (live.control.clone(), live.real.clone());
        let mut stage = Stage::new(control, &options, real, 120, 32);
        stage.pass(Duration::from_secs(1)).await;
        Self {
            stage,
            clock: live.clock.clone(),
            live,
            sent: 0,
        }
    }

    /// Three minutes of orders, and invoices of which some fail.
    pub(crate) async fn work(&mut self) {
        for minute in 0..10_u64 {
            for part in 0..6_u64 {
                let orders = 2 + (minute * 7 + part * part * 3) % 6;
                for _ in 0..orders {
                    self.order().await;
                }
                if (6..9).contains(&minute) && part == 2 {
                    self.invoice(minute * 160).await;
                }
                self.pause(10_000 - orders * 130).await;
            }
        }
        self.delayed("REM-1", 600).await;
        self.delayed("REM-2", 7_200).await;
        for _ in 0..3 {
            self.order().await;
        }
        self.invoice(0).await;
        self.pause(2_000).await;
        // Stored behind all that the broker noted by itself, so that a screen after it shows that too.
        self.delayed("REM-3", 86_400).await;
        self.stage.pass(Duration::from_secs(1)).await;
    }

    async fn order(&mut self) {
        self.sent += 1;
        let number = 1000 + self.sent;
        let amount = 20 + self.sent * 37 % 400;
        let body = format!(
            r#"{{"event":"OrderCreated","orderId":"ORD-{number}","customerId":"CUS-{}","amount":{amount},"currency":"USD"}}"#,
            10_000 + number % 7
        );
        let mut draft = Draft::new(TopicName::new("message-processing").unwrap(), body);
        draft.tag = Some("order".to_owned());
        draft.keys = vec![format!("ORD-{number}")];
        self.send(draft).await;
        self.clock.pass(Duration::from_millis(120));
    }

    /// An invoice over 900 fails, and one without an amount does too.
    async fn invoice(&mut self, amount: u64) {
        self.sent += 1;
        let number = 2000 + self.sent;
        let body = if amount == 0 {
            format!(r#"{{"event":"InvoiceDue","invoiceId":"INV-{number}"}}"#)
        } else {
            format!(r#"{{"event":"InvoiceDue","invoiceId":"INV-{number}","amount":{amount}}}"#)
        };
        let mut draft = Draft::new(TopicName::new("invoice-steps").unwrap(), body);
        draft.tag = Some("invoice".to_owned());
        draft.keys = vec![format!("INV-{number}")];
        draft.message_group = Some("eu".to_owned());
        self.send(draft).await;
    }

    async fn delayed(&mut self, key: &str, seconds: u64) {
        let topic = TopicName::new("reminders").unwrap();
        let mut draft = Draft::new(topic, r#"{"event":"PaymentReminder"}"#);
        draft.keys = vec![key.to_owned()];
        draft.deliver_at = Some(self.clock.now() + Duration::from_secs(seconds));
        self.send(draft).await;
    }

    async fn send(&mut self, draft: Draft) {
        let instances = self.live.control.instances.instances().await.unwrap();
        let cluster = self
            .live
            .control
            .instances
            .cluster(&instances[0].definition.id);
        let cluster = cluster.unwrap();
        let sent = cluster
            .messaging
            .send(&Caller::local(), Send::one(draft))
            .await;
        for receipt in sent.unwrap() {
            receipt.unwrap();
        }
        self.settle().await;
    }

    /// Lets time pass; what becomes due in it happens at its moment.
    async fn pause(&mut self, millis: u64) {
        for _ in 0..(millis / 1000).max(1) {
            self.clock.pass(Duration::from_secs(1));
            self.settle().await;
            self.stage.pass(Duration::from_secs(1)).await;
        }
    }

    /// Waits until no trigger has anything to do before time moves on.
    async fn settle(&self) {
        let quiet = async {
            let mut calm = 0;
            while calm < CALM {
                calm = if self.is_idle().await { calm + 1 } else { 0 };
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), quiet).await;
        waited.expect("the triggers come to rest");
    }

    async fn is_idle(&self) -> bool {
        let now = self.clock.now();
        let due = self.clock.next_due().is_some_and(|next| next.at <= now);
        let rows = self.live.control.triggers.triggers().await.unwrap();
        let idle = rows.iter().all(|row| match &row.state {
            TriggerState::Retrying { due, .. } => *due > now,
            _ => row.lag == 0 && row.in_work == 0,
        });
        idle && !due
    }

    /// Closes what a picture opened.
    pub(crate) async fn back_to_the_root(&mut self) {
        self.stage.keys("Esc Esc Esc").await;
    }

    pub(crate) async fn end(self) {
        self.live.stop().await;
    }
}
