//! From the send of a message to the end of its function, on an idle system: one message at a time.

use std::path::PathBuf;
use std::sync::Arc;

use moonport::activity::Happening;
use moonport::app::embed::{RocketMqTrigger, Running};
use moonport::cli::bench::measure::{Latencies, Measured};
use moonport::clock::RealClock;
use moonport::control::Activity;
use moonport::control::functions::PutFunction;
use moonport::control::triggers::PutTrigger;
use moonport::domain::function::{FunctionDefinition, Runtime};
use moonport::domain::names::{FunctionName, GroupName, TriggerName};
use moonport::domain::trigger::TriggerDefinition;
use moonport::function::runtime::closure::{Context, RocketMqBatch, batch};
use tokio::sync::watch;

use crate::goals::Goal;
use crate::setup::topic;

/// Rounds that start workers and fill caches.
const WARM_UP: u64 = 20;
const ROUNDS: u64 = 500;
const BODY: &str = r#"{"orderId":"ORD-1","amount":100}"#;

pub(crate) async fn measure(real: &RealClock) -> (Vec<Measured>, Vec<Goal>) {
    let closure = batch(
        |orders: RocketMqBatch<serde_json::Value>, _: Context| async move { Ok(orders.len()) },
    );
    let running = moonport::Host::builder()
        .program(env!("CARGO_BIN_EXE_moonport"))
        .function("closure", closure)
        .trigger("closure", RocketMqTrigger::topic("closures"))
        .start()
        .await
        .unwrap();
    add_python(&running).await;
    let closure = rounds(
        "send to closure done",
        &running,
        "closure",
        "closures",
        real,
    )
    .await;
    let python = rounds(
        "send to warm Python done",
        &running,
        "python",
        "pythons",
        real,
    )
    .await;
    running.stop().await;
    let goals = vec![
        Goal::at_most("send to closure done, p99", closure.p99_ms, 3.0, "ms"),
        Goal::at_most("send to warm Python done, p99", python.p99_ms, 8.0, "ms"),
    ];
    (vec![closure, python], goals)
}

/// The sample function that logs its event, bound to a topic.
async fn add_python(running: &Running) {
    let control = running.control();
    let code = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("assets/order-workflow/functions/order_logger");
    let function = FunctionName::new("python").unwrap();
    let handler = "index.handler".to_owned();
    let definition = FunctionDefinition::new(function.clone(), Runtime::Python3, code, handler);
    let definition = Box::new(definition);
    let put = PutFunction { definition };
    control.functions.put_function(put).await.unwrap();
    // Before the trigger, which starts at the end of what it finds.
    let topic = topic(&running.cluster().unwrap(), "pythons", 8).await;
    let instances = control.instances.instances().await.unwrap();
    let definition = TriggerDefinition::new(
        TriggerName::new("python-pythons").unwrap(),
        instances[0].definition.id.clone(),
        function,
        topic,
        GroupName::new("python").unwrap(),
    );
    let put = PutTrigger { definition };
    control.triggers.put_trigger(put).await.unwrap();
}

async fn rounds(
    name: &'static str,
    running: &Running,
    function: &str,
    topic: &str,
    real: &RealClock,
) -> Measured {
    let mut watcher = Watcher::over(running);
    let mut latencies = Latencies::default();
    let mut begun = real.now();
    for round in 0..WARM_UP + ROUNDS {
        if round == WARM_UP {
            begun = real.now();
        }
        let sent = real.now();
        running.publish(topic, BODY).await.unwrap();
        let ended = |happening: &Happening| {
            matches!(happening, Happening::InvocationEnded { function: of, error, .. }
                if of.as_str() == function && error.is_none())
        };
        watcher.sees(ended).await;
        if round >= WARM_UP {
            latencies.record(real.now() - sent);
        }
        let settled = |happening: &Happening| matches!(happening, Happening::BatchSettled { .. });
        watcher.sees(settled).await;
    }
    latencies.measured(name, ROUNDS, real.now() - begun)
}

/// Follows what the engine reports.
struct Watcher {
    activity: Arc<dyn Activity>,
    latest: watch::Receiver<u64>,
    since: u64,
}

impl Watcher {
    fn over(running: &Running) -> Self {
        let activity = running.control().activity.clone();
        let mut latest = activity.latest();
        let since = *latest.borrow_and_update();
        Self {
            activity,
            latest,
            since,
        }
    }

    /// Waits for the next event that fits.
    async fn sees(&mut self, fits: impl Fn(&Happening) -> bool) {
        loop {
            let page = self.activity.since(self.since, 1000).await.unwrap();
            if let Some(event) = page.events.iter().find(|event| fits(&event.happening)) {
                self.since = event.sequence;
                return;
            }
            self.since = page.next;
            self.latest.changed().await.unwrap();
        }
    }
}
