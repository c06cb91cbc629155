//! A small engine behind the console's seams: fixed rows, remembered deeds, a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use moonport::activity::EventPage;
use moonport::cluster::admin::*;
use moonport::cluster::error::ClusterError;
use moonport::cluster::messaging::*;
use moonport::cluster::paging::{Page, Paged};
use moonport::cluster::session::{Caller, ClientSettings, ServerCommand};
use moonport::cluster::{Admin, Capabilities, Capability, Cluster, Messaging};
use moonport::control::clock::{ClockCommand, ClockState};
use moonport::control::functions::{FunctionRow, FunctionState, Invoke, InvokeReply, PutFunction};
use moonport::control::instances::*;
use moonport::control::logs::{InvocationQuery, LogFrom, LogPage, LogQuery};
use moonport::control::triggers::{PutTrigger, TriggerCommand, TriggerRow};
use moonport::control::{Activity, Clock, Control, Functions, Instances, Logs, Reply, Triggers};
use moonport::domain::function::*;
use moonport::domain::group::{DeliveryOrder, GroupDefinition};
use moonport::domain::ids::{MessageId, RequestId};
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::message::{Message, MessageType, Properties};
use moonport::domain::names::*;
use moonport::domain::receipt::ReceiptHandle;
use moonport::domain::timestamp::Timestamp;
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::domain::trigger::{TriggerDefinition, TriggerState};
use parking_lot::Mutex;
use tokio::sync::watch;

/// The moment everything stands at.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-06-12T18:42:07Z").unwrap()
}

/// What the console did, in the order it did it.
#[derive(Default)]
pub(crate) struct Fake {
    pub deeds: Mutex<Vec<String>>,
    pub empty: bool,
}

impl Fake {
    fn did(&self, what: impl Into<String>) {
        self.deeds.lock().push(what.into());
    }
}

/// A handle to the fake on every seam.
#[derive(Clone)]
pub(crate) struct Handle(pub Arc<Fake>);

pub(crate) fn control(fake: &Arc<Fake>) -> Control {
    let handle = Arc::new(Handle(fake.clone()));
    Control {
        instances: handle.clone(),
        functions: handle.clone(),
        triggers: handle.clone(),
        logs: handle.clone(),
        clock: handle.clone(),
        activity: handle,
    }
}

fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

pub(crate) fn instance_id() -> InstanceId {
    InstanceId::new("rmq-local-1").unwrap()
}

pub(crate) fn message(number: u64) -> Arc<Message> {
    let id = format!("016AB76B2B73F600010A3DA9A4{number:08}");
    let body = if number == 3 {
        "\u{1b}[31mnot a colour\u{1b}[0m 中文 \u{202e}abc".to_owned()
    } else {
        format!(
            "{{\"eventType\":\"OrderCreated\",\"orderId\":\"ORD-{number:04}\",\"customerId\":\"CUS-10001\",\"amount\":250,\"currency\":\"USD\",\"lines\":[{{\"sku\":\"A-1\",\"count\":2}}]}}"
        )
    };
    Arc::new(Message {
        id: MessageId::new(&id).unwrap(),
        topic: topic("message-processing"),
        queue: (number % 8) as u32,
        offset: number / 8,
        message_type: MessageType::Normal,
        body: Bytes::from(body),
        encoding: moonport::domain::message::BodyEncoding::Identity,
        tag: Some("order".to_owned()),
        keys: vec![format!("ORD-{number:04}")],
        properties: [("source", "console")].into_iter().collect(),
        system: Properties::new(),
        message_group: None,
        deliver_at: None,
        priority: None,
        transaction_id: None,
        born_at: now() - Duration::from_millis(240 * (40 - number) + 3),
        born_host: "console@local".to_owned(),
        stored_at: now() - Duration::from_millis(240 * (40 - number)),
    })
}

fn topics() -> Vec<TopicRow> {
    let row = |name: &str, kind, queues: u32, messages: u64, groups: Vec<GroupName>| TopicRow {
        definition: TopicDefinition::new(
            topic(name),
            kind,
            queues,
            now() - Duration::from_secs(31_200),
        ),
        queues: (0..queues)
            .map(|queue| QueueRow {
                queue,
                min_offset: 0,
                max_offset: messages / u64::from(queues),
                last_stored_at: Some(now() - Duration::from_secs(2)),
            })
            .collect(),
        messages,
        bytes: Some(messages * 142),
        parked: u64::from(name == "reminders") * 12,
        stored_total: messages,
        groups,
        last_stored_at: Some(now() - Duration::from_secs(2)),
    };
    vec![
        row(
            "message-processing",
            TopicType::Normal,
            8,
            1_204_310,
            vec![group("message-processing")],
        ),
        row(
            "audit-events",
            TopicType::Normal,
            4,
            88_120,
            vec![group("audit")],
        ),
        row("invoice-steps", TopicType::Fifo, 8, 12_007, vec![]),
        row("reminders", TopicType::Delay, 4, 940, vec![]),
        row("payments-tx", TopicType::Transaction, 8, 2_551, vec![]),
        row("scratch", TopicType::Mixed, 1, 0, vec![]),
    ]
}

fn groups() -> Vec<GroupRow> {
    let row = |name: &str, topics: Vec<TopicName>, ready, dead| GroupRow {
        definition: GroupDefinition::new(group(name), DeliveryOrder::Concurrent, now()),
        topics,
        ready,
        in_flight: 2,
        retrying: dead,
        next_retry_at: None,
        dead_letters: dead,
        delay_time: Duration::from_millis(1200),
        last_consumed_at: Some(now()),
        consumed_total: 1_204_000,
        lost_total: 0,
        clients: vec![ClientId::new("trigger@order-created").unwrap()],
        inconsistent: Some(Vec::new()),
    };
    vec![
        row(
            "message-processing",
            vec![topic("message-processing")],
            1,
            1,
        ),
        row("audit", vec![topic("audit-events")], 0, 0),
    ]
}

fn trigger() -> TriggerRow {
    TriggerRow {
        definition: TriggerDefinition::new(
            TriggerName::new("order-created").unwrap(),
            instance_id(),
            FunctionName::new("order-logger").unwrap(),
            topic("message-processing"),
            group("message-processing"),
        ),
        state: TriggerState::Retrying {
            attempt: 2,
            due: now() + Duration::from_secs(14),
            error: "KeyError: 'amount'".to_owned(),
        },
        since: now() - Duration::from_secs(41),
        last_error: Some("KeyError: 'amount'".to_owned()),
        in_work: 1,
        retrying: 1,
        next_attempt_at: Some(now() + Duration::from_secs(14)),
        lag: 3,
        invoked_total: 1_204_000,
        failed_total: 12,
        dead_total: 1,
        why_idle: None,
    }
}

fn function(name: &str, runtime: Runtime) -> FunctionRow {
    FunctionRow {
        definition: FunctionDefinition::new(
            FunctionName::new(name).unwrap(),
            runtime,
            "/work/orders/functions/order_logger".into(),
            "index.handler".to_owned(),
        ),
        state: FunctionState::Running,
        instances: 2,
        busy: 1,
        invocations_total: 1_204_000,
        errors_total: 12,
        log_lines_dropped: 0,
        p50_ms: Some(5.9),
        p99_ms: Some(9.2),
        last_error: Some("KeyError: 'amount'".to_owned()),
        last_invoked_at: Some(now() - Duration::from_secs(1)),
        accepted: 0,
        retrying: 0,
        given_up_total: 0,
    }
}

fn record(number: u64) -> InvocationRecord {
    let failed = number == 2;
    let id = message(number).id.clone();
    InvocationRecord {
        number,
        request_id: RequestId::from(&id),
        function: FunctionName::new("order-logger").unwrap(),
        trigger: Some(TriggerName::new("order-created").unwrap()),
        invocation_type: InvocationType::Sync,
        attempt: 1,
        message_ids: vec![id],
        started_at: message(number).stored_at + Duration::from_millis(1),
        schedule_ms: 0.0,
        duration_ms: 6.4,
        cold_start: number == 1,
        spawn_ms: 41.0,
        initializer_ms: 0.0,
        memory_mb: 512,
        peak_memory_mb: 24.0,
        instance_id: "c-6a2c0f9f-048400f6-93001d17da20".to_owned(),
        error: failed.then_some(ErrorClass::FunctionUnhandledError),
        error_message: failed.then(|| "KeyError: 'amount'".to_owned()),
        event: "{}".to_owned(),
        result: "OK".to_owned(),
        log_lines_dropped: 0,
        exit: None,
    }
}

/// The log of eight requests.
fn lines() -> Vec<LogRecord> {
    let mut records = Vec::new();
    let mut push = |request: Option<&RequestId>, level, at, text: String| {
        records.push(LogRecord {
            number: records.len() as u64 + 1,
            function: FunctionName::new("order-logger").unwrap(),
            request_id: request.cloned(),
            level,
            at,
            text,
        });
    };
    push(
        None,
        LogLevel::Platform,
        now(),
        "FunctionCompute python3 runtime inited.".to_owned(),
    );
    for number in 1..=8 {
        let id = RequestId::from(&message(number).id);
        let at = message(number).stored_at;
        push(
            Some(&id),
            LogLevel::Platform,
            at,
            format!("FC Invoke Start RequestId: {id}"),
        );
        push(
            Some(&id),
            LogLevel::Info,
            at,
            format!("{at} {id} [INFO] ===== MESSAGE RECEIVED ====="),
        );
        let body = String::from_utf8_lossy(&message(number).body).into_owned();
        push(
            Some(&id),
            LogLevel::Info,
            at,
            format!("{at} {id} [INFO] Message Body: [{body}]"),
        );
        if number == 2 {
            push(
                Some(&id),
                LogLevel::Error,
                at,
                format!(
                    "{at} {id} [ERROR] {{\n  \"errorMessage\": \"'amount'\",\n  \"errorType\": \"KeyError\"\n}}"
                ),
            );
        }
        push(
            Some(&id),
            LogLevel::Platform,
            at,
            format!("FC Invoke End RequestId: {id}"),
        );
    }
    records
}

#[async_trait]
impl Instances for Handle {
    async fn instances(&self) -> Reply<Vec<InstanceRow>> {
        let mut definition = InstanceDefinition::new(
            instance_id(),
            "local".to_owned(),
            "ap-southeast-5".to_owned(),
            now(),
        );
        "for trying things".clone_into(&mut definition.remark);
        let row = InstanceRow {
            definition,
            status: InstanceStatus::Running,
            endpoint: Endpoint::Listening {
                address: "127.0.0.1:8081".to_owned(),
                open: false,
            },
        };
        Ok(vec![row])
    }
    async fn put_instance(&self, request: PutInstance) -> Reply<InstanceRow> {
        self.0
            .did(format!("put instance {}", request.definition.name));
        Ok(self.instances().await?.remove(0))
    }
    async fn delete_instance(&self, id: InstanceId) -> Reply<()> {
        self.0.did(format!("delete instance {id}"));
        Ok(())
    }
    async fn access_keys(&self) -> Reply<Vec<AccessKeyRow>> {
        Ok(Vec::new())
    }
    async fn put_access_key(&self, _: PutAccessKey) -> Reply<AccessKeyRow> {
        unimplemented!("no screen makes keys")
    }
    async fn delete_access_key(&self, _: String) -> Reply<()> {
        Ok(())
    }
    fn cluster(&self, _: &InstanceId) -> Reply<Cluster> {
        Ok(Cluster {
            messaging: Arc::new(self.clone()),
            admin: Arc::new(self.clone()),
        })
    }
}

#[async_trait]
impl Functions for Handle {
    async fn functions(&self) -> Reply<Vec<FunctionRow>> {
        if self.0.empty {
            return Ok(Vec::new());
        }
        Ok(vec![
            function("order-logger", Runtime::Python3),
            function("order_audit", Runtime::Rust),
        ])
    }
    async fn put_function(&self, request: PutFunction) -> Reply<FunctionRow> {
        self.0
            .did(format!("put function {}", request.definition.name));
        Ok(function(
            request.definition.name.as_str(),
            request.definition.runtime,
        ))
    }
    async fn delete_function(&self, name: FunctionName) -> Reply<()> {
        self.0.did(format!("delete function {name}"));
        Ok(())
    }
    async fn invoke(&self, request: Invoke) -> Reply<InvokeReply> {
        self.0.did(format!("invoke {}", request.function));
        Ok(InvokeReply {
            request_id: RequestId::new("1-6a2c0fa4-048400f6-93001d17da20"),
            record: Some(record(1)),
            result: Bytes::from_static(b"\"OK\""),
            error: None,
        })
    }
    async fn restart(&self, name: FunctionName) -> Reply<()> {
        self.0.did(format!("restart {name}"));
        Ok(())
    }
}

#[async_trait]
impl Triggers for Handle {
    async fn triggers(&self) -> Reply<Vec<TriggerRow>> {
        Ok(if self.0.empty {
            Vec::new()
        } else {
            vec![trigger()]
        })
    }
    async fn put_trigger(&self, request: PutTrigger) -> Reply<TriggerRow> {
        self.0
            .did(format!("put trigger {}", request.definition.name));
        Ok(trigger())
    }
    async fn delete_trigger(&self, name: TriggerName) -> Reply<()> {
        self.0.did(format!("delete trigger {name}"));
        Ok(())
    }
    async fn command(&self, name: TriggerName, command: TriggerCommand) -> Reply<()> {
        self.0.did(format!("{command:?} {name}"));
        Ok(())
    }
}

#[async_trait]
impl Logs for Handle {
    async fn logs(&self, query: LogQuery) -> Reply<LogPage> {
        let all = if self.0.empty { Vec::new() } else { lines() };
        let newest = all.len() as u64;
        let text = query.text.clone().unwrap_or_default().to_lowercase();
        let records: Vec<LogRecord> = all
            .into_iter()
            .filter(|r| match query.from {
                LogFrom::End => true,
                LogFrom::After(number) => r.number > number,
                LogFrom::Before(number) => r.number < number,
            })
            .filter(|r| query.request_id.is_none() || query.request_id == r.request_id)
            .filter(|r| query.min_level.is_none_or(|level| r.level >= level))
            .filter(|r| r.text.to_lowercase().contains(&text))
            .collect();
        Ok(LogPage {
            records,
            oldest: 1,
            newest,
            scanned: newest,
            more: false,
            dropped: 0,
        })
    }
    async fn invocations(&self, _: InvocationQuery, _: Page) -> Reply<Paged<InvocationRecord>> {
        let rows = if self.0.empty {
            Vec::new()
        } else {
            (1..=8).rev().map(record).collect()
        };
        Ok(Paged::whole(rows))
    }
    fn latest(&self) -> watch::Receiver<u64> {
        watch::channel(if self.0.empty {
            0
        } else {
            lines().len() as u64
        })
        .1
    }
}

#[async_trait]
impl Clock for Handle {
    async fn clock(&self) -> Reply<ClockState> {
        Ok(ClockState {
            now: now(),
            held: false,
            ahead: Duration::ZERO,
            next: Some((now() + Duration::from_secs(14), "retry".to_owned())),
        })
    }
    async fn move_clock(&self, command: ClockCommand) -> Reply<ClockState> {
        self.0.did(format!("{command:?}"));
        self.clock().await
    }
}

#[async_trait]
impl Activity for Handle {
    async fn since(&self, since: u64, _: usize) -> Reply<EventPage> {
        Ok(EventPage {
            next: since,
            ..EventPage::default()
        })
    }
    fn latest(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

type Answer<T> = Result<T, ClusterError>;

fn unsupported<T>() -> Answer<T> {
    Err(ClusterError::Unsupported("do this in a test".to_owned()))
}

#[async_trait]
impl Messaging for Handle {
    async fn route(&self, _: &Caller, _: RouteRequest) -> Answer<Route> {
        unsupported()
    }
    async fn send(&self, _: &Caller, request: Send) -> Answer<Vec<Answer<SendReceipt>>> {
        let receipts = request.drafts.into_iter().map(|draft| {
            let body = String::from_utf8_lossy(&draft.body).into_owned();
            self.0.did(format!("send {} {body}", draft.topic));
            Ok(SendReceipt {
                id: message(41).id.clone(),
                queue: 3,
                offset: 150_412,
                stored_at: now(),
                transaction: None,
                recall_handle: None,
            })
        });
        Ok(receipts.collect())
    }
    async fn receive(&self, _: &Caller, _: Receive) -> Answer<Vec<Delivery>> {
        unsupported()
    }
    async fn ack(&self, _: &Caller, _: Ack) -> Answer<Vec<AckOutcome>> {
        unsupported()
    }
    async fn change_invisible(&self, _: &Caller, _: ChangeInvisible) -> Answer<ReceiptHandle> {
        unsupported()
    }
    async fn forward_to_dead_letter(&self, _: &Caller, _: ForwardToDeadLetter) -> Answer<()> {
        unsupported()
    }
    async fn end_transaction(&self, _: &Caller, _: EndTransaction) -> Answer<()> {
        unsupported()
    }
    async fn recall(&self, _: &Caller, _: Recall) -> Answer<MessageId> {
        unsupported()
    }
    async fn pull(&self, _: &Caller, _: Pull) -> Answer<Pulled> {
        unsupported()
    }
    async fn offset(&self, _: &Caller, _: OffsetQuery) -> Answer<OffsetOf> {
        unsupported()
    }
    async fn update_offset(&self, _: &Caller, _: UpdateOffset) -> Answer<()> {
        unsupported()
    }
    async fn open_session(&self, _: &Caller, settings: ClientSettings) -> Answer<ClientSettings> {
        Ok(settings)
    }
    async fn heartbeat(&self, _: &Caller) -> Answer<()> {
        Ok(())
    }
    async fn close_session(&self, _: &Caller) -> Answer<()> {
        Ok(())
    }
    fn commands(&self, _: &ClientId) -> BoxStream<'static, ServerCommand> {
        Box::pin(futures_util::stream::empty())
    }
}

#[async_trait]
impl Admin for Handle {
    fn capabilities(&self) -> Capabilities {
        use Capability as C;
        Capabilities(
            [
                C::EditTopics,
                C::EditGroups,
                C::ResetOffsets,
                C::QueryMessages,
                C::PendingDelays,
                C::Transactions,
                C::Traces,
                C::ResendDeadLetters,
                C::ResendToGroup,
                C::Clients,
                C::ExactLag,
            ]
            .into(),
        )
    }
    async fn topics(&self, _: Page) -> Answer<Paged<TopicRow>> {
        Ok(Paged::whole(if self.0.empty {
            Vec::new()
        } else {
            topics()
        }))
    }
    async fn topic(&self, _: TopicName) -> Answer<TopicRow> {
        unsupported()
    }
    async fn put_topic(&self, request: PutTopic) -> Answer<TopicRow> {
        self.0.did(format!("put topic {}", request.definition.name));
        Ok(topics().remove(0))
    }
    async fn delete_topic(&self, request: DeleteTopic) -> Answer<DeleteReport> {
        if !request.dry_run {
            self.0.did(format!("delete topic {}", request.topic));
        }
        Ok(DeleteReport {
            messages: 1_204_310,
            ..DeleteReport::default()
        })
    }
    async fn groups(&self, _: Page) -> Answer<Paged<GroupRow>> {
        Ok(Paged::whole(if self.0.empty {
            Vec::new()
        } else {
            groups()
        }))
    }
    async fn group(&self, _: GroupName) -> Answer<GroupRow> {
        unsupported()
    }
    async fn put_group(&self, request: PutGroup) -> Answer<GroupRow> {
        self.0.did(format!("put group {}", request.definition.name));
        Ok(groups().remove(0))
    }
    async fn delete_group(&self, _: DeleteGroup) -> Answer<DeleteReport> {
        Ok(DeleteReport::default())
    }
    async fn progress(&self, _: GroupName) -> Answer<Vec<GroupProgress>> {
        let queues = (0..4).map(|queue| QueueProgress {
            queue,
            min_offset: 0,
            max_offset: 150_412,
            committed: 150_410,
            pulled: 150_411,
            ready: 1,
            in_flight: 1,
            retrying: 0,
            acked_ahead: 0,
            delay_time: Duration::from_millis(1200),
            queueing_time: Duration::ZERO,
            blocked: Vec::new(),
        });
        Ok(vec![GroupProgress {
            topic: topic("message-processing"),
            queues: queues.collect(),
        }])
    }
    async fn reset_offset(&self, request: ResetOffset) -> Answer<ResetReport> {
        if !request.dry_run {
            self.0.did(format!("reset {}", request.group));
        }
        let queues = (0..4).map(|queue| ResetRow {
            queue,
            old: 150_410,
            new: 150_412,
            redelivered: 0,
            skipped: 2,
        });
        Ok(ResetReport {
            queues: queues.collect(),
            applied: !request.dry_run,
        })
    }
    async fn messages(&self, query: MessageQuery, _: Page) -> Answer<Paged<StoredMessage>> {
        if self.0.empty {
            return Ok(Paged::whole(Vec::new()));
        }
        let all: Vec<StoredMessage> = (0..40)
            .rev()
            .map(message)
            .filter(|message| match &query {
                MessageQuery::Id(id) => message.id == *id,
                _ => true,
            })
            .map(|message| StoredMessage { message })
            .collect();
        Ok(Paged::whole(all))
    }
    async fn pending(&self, _: Option<TopicName>, _: Page) -> Answer<Paged<ParkedMessage>> {
        Ok(Paged::whole(vec![ParkedMessage {
            message: message(7),
            due: now() + Duration::from_secs(90),
            recall_handle: "r-7".to_owned(),
        }]))
    }
    async fn transactions(&self, _: Page) -> Answer<Paged<TransactionRow>> {
        Ok(Paged::whole(Vec::new()))
    }
    async fn trace(&self, id: MessageId) -> Answer<Vec<MessageTrace>> {
        let stored = (0..40).map(message).find(|message| message.id == id);
        let Some(stored) = stored else {
            return Ok(Vec::new());
        };
        Ok(vec![MessageTrace {
            id,
            topic: stored.topic.clone(),
            place: Some(stored.place()),
            steps: vec![TraceStep {
                at: stored.stored_at,
                what: "stored".to_owned(),
            }],
            groups: vec![GroupTrace {
                group: group("message-processing"),
                status: ConsumeStatus::Consumed,
                attempts: vec![AttemptTrace {
                    attempt: 1,
                    delivered_at: Some(stored.stored_at + Duration::from_millis(1)),
                    ended_at: Some(stored.stored_at + Duration::from_millis(9)),
                    outcome: "acked".to_owned(),
                    client: None,
                }],
            }],
            message: Some(stored),
        }])
    }
    async fn resend(&self, _: DeadLetterResend) -> Answer<Vec<ResendOutcome>> {
        Ok(Vec::new())
    }
    async fn clients(&self, _: Option<GroupName>) -> Answer<Vec<ClientRow>> {
        Ok(Vec::new())
    }
    async fn statistics(&self) -> Answer<InstanceStatistics> {
        Ok(InstanceStatistics {
            topics: 6,
            groups: 2,
            messages: 1_307_928,
            bytes: 185_000_000,
            file_bytes: 1_288_490_189,
            stored_total: 1_204_310,
            delivered_total: 1_204_320,
            acked_total: 1_204_300,
            retried_total: 12,
            dead_total: 1,
            dead_letters: 1,
            ready: 1,
            in_flight: 2,
            retrying: 1,
            parked: 12,
            clients: 2,
            read_only: false,
        })
    }
}
