//! Custom runtimes: a program that serves HTTP, and a program that polls the runtime API (sections 3 and 10 of the
//! contract). The programs are written in Python, since tests have it anyway; Go has a test of its own.

use moonport::domain::function::{ErrorClass, HealthCheck, Hook, Runtime};

use crate::function_support::{World, has};

const SERVER: &str = r"
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length'] or 0))
        id = self.headers['x-fc-request-id']
        path = self.headers['x-fc-control-path']
        print('FC Invoke Start RequestId:', id)
        print('2026-06-12T13:54:44.1Z', id, '[WARN]', self.path, path, body.decode())
        print('FC Invoke End RequestId:', id, flush=True)
        if body == b'exit':
            os._exit(9)
        failed = body == b'fail'
        self.send_response(404 if failed else 200)
        if failed:
            self.send_header('x-fc-status', '404')
        self.send_header('content-length', '2')
        self.end_headers()
        self.wfile.write(b'NO' if failed else b'OK')
    def do_GET(self):
        print('GET', self.path, flush=True)
        self.send_response(200)
        self.send_header('content-length', '0')
        self.end_headers()
    def log_message(self, *_):
        pass
port = int(os.environ['FC_SERVER_PORT'])
http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()
";

fn custom(file: &str, code: &str, command: &[&str]) -> World {
    World::with(Runtime::Custom, file, code, |_| ()).edit(|d| {
        d.command = command.iter().map(|word| (*word).to_owned()).collect();
    })
}

fn hook(handler: &str) -> Hook {
    Hook {
        handler: Some(handler.to_owned()),
        command: Vec::new(),
        timeout: 5,
    }
}

#[tokio::test]
async fn a_program_that_serves_http_is_called_and_its_lines_are_shown_once_cu3_cu5_cu7() {
    if !has("python3") {
        return;
    }
    let world = custom("server.py", SERVER, &["python3", "server.py"]).edit(|d| {
        d.initializer = Some(hook("unused"));
        d.pre_stop = Some(hook("unused"));
    });
    let outcome = world.invoke("hello").await;
    assert_eq!(outcome.result, "OK");
    assert_eq!(
        world.texts(),
        [
            "FC Initialize Start RequestId: ID",
            "2026-06-12T13:54:44.1Z ID [WARN] /initialize /initialize ",
            "FC Initialize End RequestId: ID",
            "FC Invoke Start RequestId: ID",
            "2026-06-12T13:54:44.1Z ID [WARN] /invoke /invoke hello",
            "FC Invoke End RequestId: ID",
        ]
    );
    assert!(!world.invoke("again").await.record.cold_start);
    world.host.shutdown().await;
    assert!(world.texts().contains(&"GET /pre-stop".to_owned()));
}

#[tokio::test]
async fn a_program_says_by_a_header_that_it_failed_cu6() {
    if !has("python3") {
        return;
    }
    let world = custom("server.py", SERVER, &["python3", "server.py"]);
    let outcome = world.invoke("fail").await;
    assert_eq!(
        outcome.record.error,
        Some(ErrorClass::FunctionUnhandledError)
    );
    assert_eq!(outcome.result, "NO");
    let outcome = world.invoke("exit").await;
    assert_eq!(outcome.record.exit.as_deref(), Some("exit code 9"));
    assert_eq!(
        world.texts().last().unwrap(),
        "FC Invoke End RequestId: ID, Error: Process exited unexpectedly (exit code 9)"
    );
}

#[tokio::test]
async fn one_instance_serves_several_requests_at_once_cu9() {
    if !has("python3") {
        return;
    }
    let server = r"
import http.server, os, threading
both = threading.Barrier(2)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length']))
        both.wait()
        self.send_response(200)
        self.send_header('content-length', '0')
        self.end_headers()
    def log_message(self, *_):
        pass
port = int(os.environ['FC_SERVER_PORT'])
http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()
";
    let world = custom("server.py", server, &["python3", "server.py"]).edit(|d| {
        d.concurrency = 2;
        d.max_instances = 1;
    });
    let (first, second) = tokio::join!(world.invoke_as("A", "1"), world.invoke_as("B", "2"));
    assert_eq!(first.record.error, None);
    assert_eq!(second.record.error, None);
    assert_eq!(first.record.instance_id, second.record.instance_id);
}

#[tokio::test]
async fn a_program_that_ends_before_it_listens_is_told_with_its_last_line_safe12() {
    if !has("python3") {
        return;
    }
    let world = custom(
        "server.py",
        "import sys\nsys.exit('port in use')\n",
        &["python3", "server.py"],
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::FunctionNotStarted));
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("the process ended before it was ready (exit code 1): port in use")
    );
}

#[tokio::test]
async fn without_a_command_the_file_bootstrap_is_run_cu1() {
    use std::os::unix::fs::PermissionsExt;
    if !has("python3") {
        return;
    }
    let world = custom(
        "bootstrap",
        &format!("#!/usr/bin/env python3\n{SERVER}"),
        &[],
    );
    let file = world.code().join("bootstrap");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(world.invoke("{}").await.result, "OK");
}

#[tokio::test]
async fn a_program_may_poll_the_runtime_api_instead_wk1_wk2() {
    if !has("python3") {
        return;
    }
    let client = r"
import json, os, urllib.error, urllib.request
base = 'http://' + os.environ['FC_RUNTIME_API'] + '/2020-11-11/runtime/invocation/'
def post(path, body):
    try:
        return urllib.request.urlopen(base + path, body).status
    except urllib.error.HTTPError as error:
        return error.code
while True:
    call = urllib.request.urlopen(base + 'next')
    event = call.read()
    headers = {name.lower(): value for name, value in call.getheaders()}
    id = headers['x-fc-request-id']
    if event == b'headers':
        answer = json.dumps({n: v for n, v in headers.items() if n.startswith('x-fc')}).encode()
    else:
        answer = event
    print('unknown', post('nobody/response', b''))
    print('first', post(id + '/response', answer))
    print('second', post(id + '/response', answer), flush=True)
";
    let world = custom("client.py", client, &["python3", "client.py"]);
    let outcome = world.invoke("headers").await;
    let headers: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&outcome.result).unwrap();
    assert_eq!(headers.len(), 23);
    assert_eq!(headers["x-fc-function-type"], "0");
    assert_eq!(headers["x-fc-function-timeout"], "60");
    assert!(headers["x-fc-function-deadline"].parse::<i64>().unwrap() > 1_700_000_000_000);
    assert_eq!(world.invoke_as("NEXT", "again").await.result, "again");
    let texts = world.texts();
    assert!(texts.contains(&"unknown 400".to_owned()), "{texts:#?}");
    world.wait_for_log("second 400").await;
}

#[tokio::test]
async fn a_hook_may_be_a_command_lc5() {
    if !has("python3") {
        return;
    }
    let words = |words: &[&str]| {
        Some(Hook {
            handler: None,
            command: words.iter().map(|word| (*word).to_owned()).collect(),
            timeout: 5,
        })
    };
    let world = World::python("def handler(event, context):\n    return 'OK'\n").edit(|d| {
        d.initializer = words(&["python3", "-c", "import os; print(os.environ['FC_REGION'])"]);
    });
    assert_eq!(world.invoke("{}").await.result, "OK");
    assert_eq!(
        world.texts()[1..4],
        [
            "FC Initialize Start RequestId: ID",
            "local",
            "FC Initialize End RequestId: ID"
        ]
    );
    let world = world.edit(|d| d.initializer = words(&["python3", "-c", "raise SystemExit(4)"]));
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.record.error, Some(ErrorClass::InitializationError));
    assert_eq!(
        outcome.record.error_message.as_deref(),
        Some("the hook's command ended with exit code 4")
    );
    assert_eq!(
        world.texts()[world.texts().len() - 2],
        "FC Initialize End RequestId: ID, Error: Unhandled function error"
    );
}

#[tokio::test]
async fn an_instance_that_is_unwell_gets_no_more_requests_cu10() {
    if !has("python3") {
        return;
    }
    let server = r"
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    well = True
    def do_POST(self):
        Handler.well = self.rfile.read(int(self.headers['content-length'])) != b'break'
        self.answer(200, str(os.getpid()).encode())
    def do_GET(self):
        self.answer(204 if Handler.well and self.path == '/health?deep=1' else 503, b'')
    def answer(self, status, body):
        self.send_response(status)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
port = int(os.environ['FC_SERVER_PORT'])
http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()
";
    let world = custom("server.py", server, &["python3", "server.py"]).edit(|d| {
        let mut check = HealthCheck::new("/health?deep=1".to_owned());
        check.period = 1;
        check.failure_threshold = 2;
        d.health_check = Some(Box::new(check));
    });
    let first = world.invoke("go on").await;
    let second = world.invoke("break").await;
    assert_eq!(first.result, second.result);
    let told = world.wait_for_log("gets no more requests").await;
    assert_eq!(
        told.text,
        "health check of /health?deep=1 failed 2 times in a row (status 503): the instance gets no more requests"
    );
    let third = world.invoke("go on").await;
    assert!(third.record.cold_start);
    assert_ne!(third.result, second.result);
}

#[tokio::test]
async fn every_call_carries_every_header_cu4() {
    if !has("python3") {
        return;
    }
    let server = r"
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length'] or 0))
        body = json.dumps({n: v for n, v in self.headers.items() if n.startswith('x-fc-')}).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
port = int(os.environ['FC_SERVER_PORT'])
http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()
";
    let world = custom("server.py", server, &["python3", "server.py"]);
    let outcome = world.invoke("").await;
    let mut headers: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&outcome.result).unwrap();
    let deadline = headers.remove("x-fc-function-deadline").unwrap();
    assert!(deadline.parse::<u64>().unwrap() > 1_700_000_000_000);
    let expected = [
        ("x-fc-access-key-id", "moonport-local"),
        ("x-fc-access-key-secret", "moonport-local"),
        ("x-fc-account-id", "0"),
        ("x-fc-control-path", "/invoke"),
        ("x-fc-function-handler", "index.handler"),
        ("x-fc-function-initializer", ""),
        ("x-fc-function-memory", "512"),
        ("x-fc-function-name", "order-logger"),
        ("x-fc-function-timeout", "60"),
        ("x-fc-function-type", "0"),
        ("x-fc-initialization-timeout", ""),
        ("x-fc-instance-lifecycle-pre-freeze-handler", ""),
        ("x-fc-instance-lifecycle-pre-stop-handler", ""),
        ("x-fc-qualifier", "LATEST"),
        ("x-fc-region", "local"),
        ("x-fc-request-id", "ID"),
        ("x-fc-retry-count", "0"),
        ("x-fc-security-token", "moonport-local"),
        ("x-fc-service-logproject", ""),
        ("x-fc-service-logstore", ""),
        ("x-fc-service-name", ""),
        ("x-fc-version-id", "LATEST"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, expected.into());
}

#[tokio::test]
async fn a_response_with_more_than_eight_kilobytes_of_headers_is_refused_cu8() {
    if !has("python3") {
        return;
    }
    let server = r"
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length']))
        self.send_response(200)
        self.send_header('x-big', 'y' * 9000)
        self.send_header('content-length', '0')
        self.end_headers()
    def log_message(self, *_):
        pass
port = int(os.environ['FC_SERVER_PORT'])
http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()
";
    let world = custom("server.py", server, &["python3", "server.py"]);
    let outcome = world.invoke("1").await;
    let message = outcome.record.error_message.unwrap();
    assert!(message.starts_with("BadResponse: the response headers are "));
}
