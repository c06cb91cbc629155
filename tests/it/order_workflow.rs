//! The article's workflow in one piece: an order event is sent, stored, and met by the article's handler in a real
//! interpreter; what the log shows is the article's, byte for byte.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use moonport::clock::{BrokerClock, RealClock};
use moonport::domain::function::{FunctionDefinition, InvocationRecord, LogRecord, Runtime};
use moonport::domain::ids::MessageIdGenerator;
use moonport::domain::message::Draft;
use moonport::domain::topic::TopicType;
use moonport::function::log::RunSink;

use crate::function_support::{article_moment, has};
use crate::support::broker::{TestBroker, group, topic};
use crate::support::triggers::{TestTriggers, function};

const ARTICLE_LOG: &str = "\
FunctionCompute python3 runtime inited.
FC Invoke Start RequestId: 016AB76B2B73F600010A3DA9A400000000
2026-06-12T13:54:44.704Z 016AB76B2B73F600010A3DA9A400000000 [INFO] ===== MESSAGE RECEIVED =====
2026-06-12T13:54:44.705Z 016AB76B2B73F600010A3DA9A400000000 [INFO] Message Body: [{'msgId': '016AB76B2B73F600010A3DA9A400000000', 'topic': 'message-processing', 'systemProperties': {'MSG_REGION': 'ap-southeast-5', 'MIN_OFFSET': '0', 'UNIQ_KEY': '016AB76B2B73F600010A3DA9A400000000', 'TRACE_ON': 'true', 'PGROUP': 'message-processing', 'CLUSTER': 'rocketmq-broker-rmq-sg-ycx4tph7q02', '__BORNHOST': 'c-6a2c0f9f-048400f6-93001d17da20', 'WAIT': 'true', 'BORN_TIMESTAMP': '1781272484388', 'INSTANCE_ID': 'rmq-sg-ycx4tph7q02', 'RECONSUME_TIME': '0', 'MAX_OFFSET': '1'}, 'userProperties': {}, 'body': {'eventType': 'OrderCreated', 'orderId': 'ORD-20260612-1001', 'customerId': 'CUS-10001', 'amount': 250, 'currency': 'USD', 'timestamp': '2026-06-12T20:40:00Z'}}]
FC Invoke End RequestId: 016AB76B2B73F600010A3DA9A400000000";

/// The article's machine, process and first message (S-5).
const MAC: [u8; 6] = [0x6a, 0xb7, 0x6b, 0x2b, 0x73, 0xf6];
const PID: u16 = 1;
const FIRST: u32 = 0;
const HOST_NAME: &str = "c-6a2c0f9f-048400f6-93001d17da20";

/// Lets a millisecond pass after each record of the code, as it did in the article.
struct Passing {
    runs: Arc<dyn RunSink>,
    clock: BrokerClock,
}

impl RunSink for Passing {
    fn log(&self, record: LogRecord) {
        let by_code = record.text.contains("[INFO]");
        self.runs.log(record);
        if by_code {
            self.clock.step(Duration::from_millis(1));
        }
    }

    fn invocation(&self, record: &InvocationRecord) -> u64 {
        self.runs.invocation(record)
    }
}

#[tokio::test]
async fn the_articles_event_becomes_the_articles_log_byte_for_byte_s1_u6() {
    if !has("python3") {
        return;
    }
    // Given: the article's topic, consumer group, function and trigger, on the article's machine.
    let work = tempfile::tempdir().unwrap();
    let ids = MessageIdGenerator::new(MAC, PID, FIRST);
    let broker = TestBroker::on_machine(ids, HOST_NAME)
        .topic("message-processing", TopicType::Normal, 8)
        .await;
    let world = TestTriggers::over_host(broker, |options| {
        options.program = PathBuf::from(env!("CARGO_BIN_EXE_moonport"));
        options.real = RealClock::system();
        options.work_dir = work.path().to_owned();
        options.runs = Arc::new(Passing {
            runs: options.runs.clone(),
            clock: options.clock.clone(),
        });
    });
    let mut logger = FunctionDefinition::new(
        function("order-logger"),
        Runtime::Python3,
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/order-workflow/functions/order_logger"),
        "index.handler".to_owned(),
    );
    logger.timeout = 60;
    logger.watch = false;
    world.host.put(logger).unwrap();

    // When: the event is sent, and the trigger meets it 316 ms later.
    let event = std::fs::read("assets/order-workflow/event.json").unwrap();
    let draft = Draft::new(topic("message-processing"), event);
    world.broker.send_draft(draft).await;
    world.broker.clock.jump_to(article_moment());
    let world = world
        .trigger(|trigger| {
            trigger.topic = topic("message-processing");
            trigger.group = group("message-processing");
            trigger.function = function("order-logger");
        })
        .await;
    world.wait_done().await;

    // Then
    assert_eq!(world.runs.texts().join("\n"), ARTICLE_LOG);
    world.host.shutdown().await;
}
