//! What no client can do to an endpoint: malformed input, each limit one over, and connections that misbehave.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use moonport::clock::RealClock;
use moonport::domain::topic::TopicType;
use moonport::proto::v2;
use moonport::proto::v2::Code;
use moonport::proto::v2::receive_message_response::Content;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::gateway_endpoint::{Client, Endpoint, code, message, receive, resource, seconds, soon};

const SERVICE: &str = "/apache.rocketmq.v2.MessagingService/";

/// A bare HTTP/2 connection.
struct Wire<B> {
    sender: http2::SendRequest<B>,
    driver: tokio::task::JoinHandle<()>,
}

impl<B> Wire<B>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    async fn open(endpoint: &Endpoint) -> Self {
        let socket = TcpStream::connect(endpoint.gateway.local_addr())
            .await
            .unwrap();
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .initial_stream_window_size(65_535)
            .adaptive_window(false);
        let (sender, connection) = builder.handshake(TokioIo::new(socket)).await.unwrap();
        let driver = tokio::spawn(async {
            // The other side may well break it off.
            let _ = connection.await;
        });
        Self { sender, driver }
    }

    async fn call(&mut self, method: &str, body: B) -> http::Response<Incoming> {
        let request = http::Request::post(format!("http://localhost{SERVICE}{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("x-mq-client-id", "wire")
            .body(body)
            .unwrap();
        soon(self.sender.send_request(request)).await.unwrap()
    }
}

/// The gRPC status of an answer.
async fn grpc_status(answer: http::Response<Incoming>) -> String {
    let (head, body) = answer.into_parts();
    let trailers = soon(body.collect()).await.unwrap().trailers().cloned();
    let status = head.headers.get("grpc-status").cloned();
    let status = status.or_else(|| trailers?.get("grpc-status").cloned());
    status.map_or_else(String::new, |status| status.to_str().unwrap().to_owned())
}

/// A message with its length before it.
fn framed(message: &impl prost::Message) -> Bytes {
    let mut bytes = vec![0];
    let length = u32::try_from(message.encoded_len()).unwrap();
    bytes.extend(length.to_be_bytes());
    message.encode(&mut bytes).unwrap();
    bytes.into()
}

async fn is_alive(endpoint: &Endpoint) -> bool {
    let mut client = endpoint.client("alive").await;
    let request = client.request(v2::QueryRouteRequest {
        topic: resource("orders"),
        endpoints: None,
    });
    let answer = soon(client.stub.query_route(request))
        .await
        .unwrap()
        .into_inner();
    code(&answer.status) == Code::Ok
}

#[tokio::test]
async fn malformed_messages_are_answered_with_a_grpc_error_and_harm_nobody() {
    let endpoint = Endpoint::with(|options| options.limits.request = 1024).await;
    let mut wire: Wire<Full<Bytes>> = Wire::open(&endpoint).await;
    let large = v2::HeartbeatRequest {
        group: resource(&"g".repeat(2000)),
        client_type: 0,
    };
    let (internal, out_of_range, unimplemented) = ("13", "11", "12");
    for (method, bytes, expected) in [
        (
            "Heartbeat",
            Bytes::from_static(&[0, 0, 0, 0, 100, 1, 2, 3]),
            internal,
        ),
        ("Heartbeat", Bytes::from_static(&[0, 0, 0]), internal),
        (
            "Heartbeat",
            Bytes::from_static(&[0, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF]),
            internal,
        ),
        // Field 2 is a number; here it is text.
        (
            "Heartbeat",
            Bytes::from_static(&[0, 0, 0, 0, 3, 0x12, 1, b'x']),
            internal,
        ),
        (
            "SendMessage",
            Bytes::from_static(&[9, 0, 0, 0, 0]),
            internal,
        ),
        ("Heartbeat", framed(&large), out_of_range),
        (
            "NoSuchCall",
            Bytes::from_static(&[0, 0, 0, 0, 0]),
            unimplemented,
        ),
    ] {
        let answer = wire.call(method, Full::new(bytes.clone())).await;
        assert_eq!(grpc_status(answer).await, expected, "{method} {bytes:?}");
    }
    let fine = wire
        .call(
            "Heartbeat",
            Full::new(framed(&v2::HeartbeatRequest::default())),
        )
        .await;
    assert_eq!(grpc_status(fine).await, "0");
}

#[tokio::test]
async fn headers_over_their_limit_are_refused() {
    let endpoint = Endpoint::with(|options| options.limits.headers = 4096).await;
    let mut wire: Wire<Full<Bytes>> = Wire::open(&endpoint).await;
    let request = http::Request::post(format!("http://localhost{SERVICE}Heartbeat"))
        .header("x-long", "x".repeat(5000))
        .body(Full::new(Bytes::new()))
        .unwrap();
    let answer = soon(wire.sender.send_request(request)).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 431));
    assert!(is_alive(&endpoint).await);
}

/// A change that makes a fine message a refused one.
type Fault = fn(&mut v2::Message, &mut v2::SystemProperties);

#[tokio::test]
async fn each_limit_of_a_message_one_over_has_its_code() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Mixed, "group").await;
    let mut client = endpoint.client("c").await;
    let faults: [(Fault, Code); 18] = [
        (
            |m, _| m.topic = resource(&"t".repeat(128)),
            Code::IllegalTopic,
        ),
        (|m, _| m.topic = resource("a b"), Code::IllegalTopic),
        (|m, _| m.topic = resource("TBW102"), Code::IllegalTopic),
        (|m, _| m.body = Bytes::new(), Code::MessageBodyEmpty),
        (
            |m, _| m.body = vec![0; 4_194_305].into(),
            Code::MessageBodyTooLarge,
        ),
        (
            |m, _| m.user_properties = (0..129).map(|n| (format!("k{n}"), "v".into())).collect(),
            Code::MessagePropertiesTooLarge,
        ),
        (
            |m, _| drop(m.user_properties.insert("k".into(), "v".repeat(16_384))),
            Code::MessagePropertiesTooLarge,
        ),
        (
            |m, _| drop(m.user_properties.insert("KEYS".into(), "v".into())),
            Code::IllegalMessagePropertyKey,
        ),
        (|_, s| s.tag = Some("a|b".into()), Code::IllegalMessageTag),
        (|_, s| s.tag = Some("  ".into()), Code::IllegalMessageTag),
        (|_, s| s.keys = vec![" ".into()], Code::IllegalMessageKey),
        (|_, s| s.message_id = " ".into(), Code::IllegalMessageId),
        (
            |_, s| s.message_id = "x".repeat(129),
            Code::IllegalMessageId,
        ),
        (
            |_, s| s.message_group = Some("g".repeat(64)),
            Code::IllegalMessageGroup,
        ),
        (
            |_, s| {
                s.delivery_timestamp = Some(prost_types::Timestamp {
                    seconds: 1_781_265_600 + 40 * 24 * 3600 + 1,
                    nanos: 0,
                });
            },
            Code::IllegalDeliveryTime,
        ),
        (
            |_, s| {
                s.message_type = v2::MessageType::Transaction.into();
                s.orphaned_transaction_recovery_duration = seconds(3601);
            },
            Code::BadRequest,
        ),
        (|_, s| s.priority = Some(-1), Code::BadRequest),
        (|_, s| s.lite_topic = Some("l".into()), Code::NotImplemented),
    ];
    for (number, (fault, expected)) in faults.into_iter().enumerate() {
        let mut wrong = message("orders", "01AB", "body");
        let mut system = wrong.system_properties.take().unwrap();
        fault(&mut wrong, &mut system);
        wrong.system_properties = Some(system);
        let answer = client.send(vec![wrong]).await;
        assert_eq!(code(&answer.status), expected, "fault {number}");
    }
    assert_eq!(
        code(&client.send(Vec::new()).await.status),
        Code::MessageCorrupted
    );
    let two = vec![message("orders", "01", "b"), message("other", "02", "b")];
    assert_eq!(code(&client.send(two).await.status), Code::MessageCorrupted);
    assert!(client.messages("orders", "group").await.is_empty());
}

#[tokio::test]
async fn each_limit_of_a_message_is_itself_allowed() {
    let endpoint = Endpoint::open().await;
    let name = "t".repeat(127);
    endpoint
        .topic(&name, TopicType::Mixed, &"g".repeat(120))
        .await;
    let mut client = endpoint.client("c").await;
    let mut largest = message(&name, &"i".repeat(128), "");
    largest.body = vec![7; 4_194_304].into();
    largest.user_properties = (0..128)
        .map(|n| (format!("{n:03}"), "v".repeat(125)))
        .collect();
    largest.system_properties.as_mut().unwrap().message_group = Some("g".repeat(63));

    let sent = client.send(vec![largest]).await;
    let received = client.messages(&name, &"g".repeat(120)).await;

    assert_eq!(code(&sent.status), Code::Ok);
    assert_eq!(received[0].body.len(), 4_194_304);
}

async fn first_code(client: &mut Client, request: v2::ReceiveMessageRequest) -> Code {
    let frames = client.receive(request).await;
    let Some(Content::Status(status)) = frames.first() else {
        panic!("{frames:?}");
    };
    v2::Code::try_from(status.code).unwrap()
}

#[tokio::test]
async fn each_limit_of_a_receive_one_over_has_its_code() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    let asked = || receive("orders", "group");
    let filter = |kind: v2::FilterType, expression: &str| {
        Some(v2::FilterExpression {
            r#type: kind.into(),
            expression: expression.to_owned(),
        })
    };
    let nanos = Some(prost_types::Duration {
        seconds: 9,
        nanos: 999_000_000,
    });
    for (request, expected) in [
        (
            receive("orders", &"g".repeat(121)),
            Code::IllegalConsumerGroup,
        ),
        (receive("orders", ""), Code::IllegalConsumerGroup),
        (
            receive("orders", "CID_RMQ_SYS_x"),
            Code::IllegalConsumerGroup,
        ),
        (receive(&"t".repeat(128), "group"), Code::IllegalTopic),
        (
            v2::ReceiveMessageRequest {
                message_queue: None,
                ..asked()
            },
            Code::IllegalTopic,
        ),
        (
            v2::ReceiveMessageRequest {
                invisible_duration: nanos,
                ..asked()
            },
            Code::IllegalInvisibleTime,
        ),
        (
            v2::ReceiveMessageRequest {
                invisible_duration: seconds(12 * 3600 + 1),
                ..asked()
            },
            Code::IllegalInvisibleTime,
        ),
        (
            v2::ReceiveMessageRequest {
                filter_expression: filter(v2::FilterType::Sql, "a >"),
                ..asked()
            },
            Code::IllegalFilterExpression,
        ),
        (
            v2::ReceiveMessageRequest {
                batch_size: -1,
                ..asked()
            },
            Code::MessageNotFound,
        ),
        (
            v2::ReceiveMessageRequest {
                batch_size: i32::MAX,
                ..asked()
            },
            Code::MessageNotFound,
        ),
    ] {
        let told = format!("{request:?}");
        assert_eq!(first_code(&mut client, request).await, expected, "{told}");
    }
}

#[tokio::test]
async fn garbled_handles_and_ids_have_their_codes() {
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Mixed, "group").await;
    let mut client = endpoint.client("c").await;
    let (group, topic) = (resource("group"), resource("orders"));

    let request = client.request(v2::AckMessageRequest {
        group: group.clone(),
        topic: topic.clone(),
        entries: Vec::new(),
    });
    let ack = soon(client.stub.ack_message(request))
        .await
        .unwrap()
        .into_inner();
    let request = client.request(v2::ForwardMessageToDeadLetterQueueRequest {
        group,
        topic: topic.clone(),
        receipt_handle: "x".repeat(5000),
        ..Default::default()
    });
    let forward = client.stub.forward_message_to_dead_letter_queue(request);
    let forward = soon(forward).await.unwrap().into_inner();
    let request = client.request(v2::EndTransactionRequest {
        topic: topic.clone(),
        transaction_id: " ".to_owned(),
        ..Default::default()
    });
    let end = soon(client.stub.end_transaction(request))
        .await
        .unwrap()
        .into_inner();
    let request = client.request(v2::RecallMessageRequest {
        topic,
        recall_handle: "garbage".to_owned(),
    });
    let recall = soon(client.stub.recall_message(request))
        .await
        .unwrap()
        .into_inner();

    assert_eq!(code(&ack.status), Code::BadRequest);
    assert_eq!(code(&forward.status), Code::InvalidReceiptHandle);
    assert_eq!(code(&end.status), Code::InvalidTransactionId);
    assert_ne!(code(&recall.status), Code::Ok);
}

#[tokio::test]
async fn two_thousand_idle_connections_leave_room_and_are_closed_in_time() {
    const IDLE: usize = 2000;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(16_384), hard).unwrap();
    let real = RealClock::manual();
    let endpoint = Endpoint::on(real.clone(), |_| {}).await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let socket = TcpStream::connect(endpoint.gateway.local_addr()).await;
        idle.push(socket.unwrap());
    }

    assert!(is_alive(&endpoint).await);

    for socket in &mut idle {
        assert!(is_closed(socket, &real).await);
    }
    assert!(is_alive(&endpoint).await);
}

/// Whether the other side closes a connection while real time passes.
async fn is_closed(socket: &mut TcpStream, real: &RealClock) -> bool {
    let mut byte = [0];
    let closed = async {
        loop {
            real.advance(Duration::from_secs(130));
            let step = Duration::from_millis(20);
            if let Ok(Ok(0) | Err(_)) = tokio::time::timeout(step, socket.read(&mut byte)).await {
                return true;
            }
        }
    };
    soon(closed).await
}

#[tokio::test]
async fn silent_tls_handshakes_block_nobody_and_are_given_up() {
    let real = RealClock::manual();
    let endpoint = Endpoint::on(real.clone(), |options| options.limits.handshakes = 4).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        let address = endpoint.gateway.local_addr();
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(&[0x16, 3, 1]).await.unwrap();
        silent.push(socket);
    }

    assert!(is_alive(&endpoint).await);

    for socket in &mut silent {
        assert!(is_closed(socket, &real).await);
    }
}

#[tokio::test]
async fn other_protocols_are_closed() {
    let endpoint = Endpoint::open().await;
    for opening in [
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "PRI * HTTP/3.0\r\n\r\nXX\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(endpoint.gateway.local_addr())
            .await
            .unwrap();
        socket.write_all(opening.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Either end of a broken connection is an end.
        let _ = soon(socket.read_to_end(&mut rest)).await;
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    assert!(is_alive(&endpoint).await);
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_at_once() {
    let endpoint = Endpoint::with(|options| options.limits.connections = 2).await;
    let (mut first, _second) = (endpoint.client("a").await, endpoint.client("b").await);
    let request = first.request(v2::HeartbeatRequest::default());
    soon(first.stub.heartbeat(request)).await.unwrap();

    let mut third = TcpStream::connect(endpoint.gateway.local_addr())
        .await
        .unwrap();
    let read = soon(third.read(&mut [0])).await;

    assert!(matches!(read, Ok(0) | Err(_)));
}

/// A request that is begun and not finished.
type Unfinished = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn unfinished(bytes: Bytes) -> Unfinished {
    use futures_util::StreamExt as _;
    let begun = stream::once(async { Ok(Frame::data(bytes)) });
    StreamBody::new(begun.chain(stream::pending()).boxed())
}

#[tokio::test]
async fn request_bytes_held_at_once_have_a_limit_over_all_connections() {
    let endpoint = Endpoint::with(|options| options.limits.inbound = 100_000).await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut hoarder: Wire<Unfinished> = Wire::open(&endpoint).await;
    let mut begun = vec![0, 0, 1, 0, 0];
    begun.resize(60_000, 0);
    let request = http::Request::post(format!("http://localhost{SERVICE}SendMessage"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(unfinished(begun.into()))
        .unwrap();
    let hoarding = tokio::spawn(hoarder.sender.send_request(request));
    let mut client = endpoint.client("c").await;
    let large = message("orders", "01AB", &"x".repeat(60_000));

    let crowded = async {
        loop {
            let messages = vec![large.clone()];
            let request = client.request(v2::SendMessageRequest { messages });
            if let Err(status) = client.stub.send_message(request).await {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    let status = soon(crowded).await;
    hoarding.abort();
    hoarder.driver.abort();

    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    let relieved = async {
        loop {
            let messages = vec![large.clone()];
            let request = client.request(v2::SendMessageRequest { messages });
            if client.stub.send_message(request).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(relieved).await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_and_dies_loses_nothing() {
    const MESSAGES: usize = 8;
    let endpoint = Endpoint::open().await;
    endpoint.topic("orders", TopicType::Normal, "group").await;
    let mut client = endpoint.client("c").await;
    let mut sent = BTreeSet::new();
    for number in 0..MESSAGES {
        let id = format!("0{number}");
        let mut large = message("orders", &id, "");
        large.body = vec![7; 1024 * 1024].into();
        assert_eq!(code(&client.send(vec![large]).await.status), Code::Ok);
        sent.insert(id);
    }
    let mut wire: Wire<Full<Bytes>> = Wire::open(&endpoint).await;

    let question = framed(&receive("orders", "group"));
    let unread = wire.call("ReceiveMessage", Full::new(question)).await;
    assert!(client.messages("orders", "group").await.is_empty());
    assert!(is_alive(&endpoint).await);
    drop(unread);
    wire.driver.abort();

    let mut asked = receive("orders", "group");
    asked.long_polling_timeout = seconds(5);
    let back = client.receive(asked).await;
    let mut seen = ids(&back);
    assert!(
        seen.len() > MESSAGES / 2,
        "only {} came back at once",
        seen.len()
    );
    endpoint.clock.step(Duration::from_secs(31));
    let mut asked = receive("orders", "group");
    asked.long_polling_timeout = seconds(5);
    seen.extend(ids(&client.receive(asked).await));
    assert_eq!(seen, sent);
}

fn ids(frames: &[Content]) -> BTreeSet<String> {
    let id = |frame: &Content| match frame {
        Content::Message(message) => Some(message.system_properties.as_ref()?.message_id.clone()),
        _ => None,
    };
    frames.iter().filter_map(id).collect()
}
