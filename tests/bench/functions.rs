//! Warm functions: latency and throughput of each runtime beside the same handler in a bare loop of its interpreter.
//!
//! `cargo bench --bench functions`; `MOONPORT_BENCH_CALLS` sets the calls per runtime.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moonport::activity::Feed;
use moonport::clock::RealClock;
use moonport::domain::function::{FunctionDefinition, Runtime};
use moonport::domain::ids::RequestId;
use moonport::domain::names::FunctionName;
use moonport::function::host::{Host, HostOptions};
use moonport::function::invocation::{Invocation, Invoker};
use moonport::function::log::MemoryRuns;
use moonport::function::runtime::closure::{Context, Function, bytes};

const EVENT: &str = r#"[{"msgId":"A","topic":"orders","systemProperties":{},"userProperties":{},"body":{"orderId":"ORD-1","amount":250,"currency":"USD"}}]"#;

const PYTHON: &str = "
import json
def handler(event, context):
    return json.loads(event)[0]['body']['orderId']
";
/// Called in a bare loop: nanoseconds per call.
const PYTHON_LOOP: &str = "
import index, sys, time
event, calls = sys.argv[1].encode(), 50000
began = time.perf_counter_ns()
for _ in range(calls):
    index.handler(event, None)
print((time.perf_counter_ns() - began) / calls)
";
const SCRIPT: &str = "
const handler = (event) => JSON.parse(event)[0].body.orderId;
exports.handler = async (event) => handler(event);
exports.loop = (event) => {
  const calls = 50000;
  const began = Date.now();
  for (let n = 0; n < calls; n += 1) handler(event);
  return String((Date.now() - began) * 1e6 / calls);
};
";
const NODE_LOOP: &str =
    "process.stdout.write(require('./index.js').loop(Buffer.from(process.argv[1])))";
const SERVER: &str = "
const { handler } = require('./index.js');
require('http').createServer((request, answer) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => answer.end(await handler(Buffer.concat(parts))));
}).listen(process.env.FC_SERVER_PORT, '127.0.0.1');
";

fn calls() -> usize {
    let given = std::env::var("MOONPORT_BENCH_CALLS").ok();
    given.and_then(|count| count.parse().ok()).unwrap_or(3000)
}

/// The spans of many calls, sorted.
struct Spans(Vec<Duration>);

impl Spans {
    fn of(mut spans: Vec<Duration>) -> Self {
        spans.sort();
        Self(spans)
    }

    /// In microseconds; `share` is 0 to 1.
    fn at(&self, share: f64) -> f64 {
        let place = ((self.0.len() - 1) as f64 * share).round() as usize;
        self.0[place].as_secs_f64() * 1e6
    }
}

/// One function in a host of its own.
struct World {
    host: Host,
    name: FunctionName,
    code: tempfile::TempDir,
}

impl World {
    fn new(runtime: Runtime, files: &[(&str, &str)], command: &[&str]) -> Self {
        let code = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(code.path().join(name), text).unwrap();
        }
        let name = FunctionName::new("f").unwrap();
        let handler = "index.handler".to_owned();
        let folder = match runtime {
            Runtime::Rust => PathBuf::new(),
            _ => code.path().to_owned(),
        };
        let mut definition = FunctionDefinition::new(name.clone(), runtime, folder, handler);
        definition.command = command.iter().map(|word| (*word).to_owned()).collect();
        definition.timeout = 60;
        definition.watch = false;
        definition.max_instances = 2;
        let program = PathBuf::from(env!("CARGO_BIN_EXE_moonport"));
        let work = code.path().join("work");
        let runs = Arc::new(MemoryRuns::default());
        let host = Host::new(HostOptions::new(Feed::new(100), runs, program, work));
        host.register(name.clone(), closure());
        host.put(definition).unwrap();
        Self { host, name, code }
    }

    async fn invoke(&self) -> Duration {
        let began = RealClock::system().now();
        let id = RequestId::new("bench");
        let invocation = Invocation::new(self.name.clone(), id, EVENT.into());
        let outcome = self.host.invoke(invocation).await.unwrap();
        assert!(outcome.succeeded(), "{:?}", outcome.record);
        RealClock::system().now() - began
    }

    /// One call after the other.
    async fn latency(&self) -> Spans {
        for _ in 0..100 {
            self.invoke().await;
        }
        let mut spans = Vec::new();
        for _ in 0..calls() {
            spans.push(self.invoke().await);
        }
        Spans::of(spans)
    }

    /// Calls a second with both instances busy.
    async fn throughput(&self) -> f64 {
        let began = RealClock::system().now();
        let caller = || async {
            for _ in 0..calls() / 4 {
                self.invoke().await;
            }
        };
        tokio::join!(caller(), caller(), caller(), caller());
        let took = RealClock::system().now() - began;
        (calls() / 4 * 4) as f64 / took.as_secs_f64()
    }
}

fn closure() -> Arc<dyn Function> {
    bytes(|event: Bytes, _: Context| async move {
        let value: serde_json::Value = serde_json::from_slice(&event)?;
        Ok(value[0]["body"]["orderId"].to_string())
    })
}

/// Nanoseconds per call that a program prints.
fn bare(program: &str, arguments: &[&str], folder: &Path) -> f64 {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.parse().unwrap_or_else(|_| panic!("{output:?}"))
}

/// The same work called from Rust.
fn bare_closure() -> f64 {
    let calls = 50_000;
    let began = RealClock::system().now();
    for _ in 0..calls {
        let value: serde_json::Value = serde_json::from_slice(EVENT.as_bytes()).unwrap();
        std::hint::black_box(value[0]["body"]["orderId"].to_string());
    }
    (RealClock::system().now() - began).as_nanos() as f64 / f64::from(calls)
}

/// The engine's own loop, inside one call.
async fn bare_script(world: &World) -> f64 {
    let row = world.host.row(&world.name).unwrap();
    let definition = FunctionDefinition {
        handler: "index.loop".to_owned(),
        ..row.definition.clone()
    };
    world.host.put(definition).unwrap();
    let invocation = Invocation::new(world.name.clone(), RequestId::new("loop"), EVENT.into());
    let outcome = world.host.invoke(invocation).await.unwrap();
    world.host.put(row.definition).unwrap();
    String::from_utf8_lossy(&outcome.result).parse().unwrap()
}

async fn runtime_row(name: &str, world: World, bare_ns: f64) {
    let latency = world.latency().await;
    let rate = world.throughput().await;
    println!(
        "{name:<9} {:>9.0} {:>9.0} {rate:>10.0} {:>11.2} {:>8.1}",
        latency.at(0.5),
        latency.at(0.99),
        bare_ns / 1000.0,
        latency.at(0.5) * 1000.0 / bare_ns,
    );
    world.host.shutdown().await;
}

async fn runtimes() {
    println!("warm call  p50 us    p99 us    calls/s  bare call us    ratio");
    let world = World::new(Runtime::Rust, &[], &[]);
    runtime_row("closure", world, bare_closure()).await;
    let world = World::new(Runtime::Js, &[("index.js", SCRIPT)], &[]);
    let alone = bare_script(&world).await;
    runtime_row("js", world, alone).await;
    let world = World::new(Runtime::Python3, &[("index.py", PYTHON)], &[]);
    let alone = bare("python3", &["-c", PYTHON_LOOP, EVENT], world.code.path());
    runtime_row("python3", world, alone).await;
    let world = World::new(Runtime::NodeJs, &[("index.js", SCRIPT)], &[]);
    let alone = bare("node", &["-e", NODE_LOOP, EVENT], world.code.path());
    runtime_row("nodejs", world, alone).await;
    let files = [("index.js", SCRIPT), ("server.js", SERVER)];
    let world = World::new(Runtime::Custom, &files, &["node", "server.js"]);
    runtime_row("custom", world, alone).await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(runtimes());
}
