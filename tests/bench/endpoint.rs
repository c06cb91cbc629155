//! What the endpoint costs: the same load on one broker, in process and through its endpoint over loopback, with 1, 16
//! and 64 requests in flight.
//!
//! `cargo bench --bench endpoint` takes about half a minute. Client and server share this machine, so a ratio holds both.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports to a terminal and stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with a bench that uses all of it")]
mod setup;

use std::net::SocketAddr;
use std::sync::Arc;

use moonport::cli::bench::load::{Load, Shape};
use moonport::cli::bench::measure::Measured;
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::Messaging;
use moonport::domain::names::TopicName;
use moonport::gateway::{GatewayOptions, serve};
use moonport::remote::{RemoteOptions, connect};

/// Requests in flight, and the messages they carry in all.
const LOADS: [(usize, u64); 3] = [(1, 4_000), (16, 40_000), (64, 100_000)];
const SIZE: usize = 1024;

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let broker = setup::open(directory.path());
    let here = broker.cluster().messaging;
    let (clock, real) = (BrokerClock::system(), RealClock::system());
    let any_port = GatewayOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    let gateway = serve(any_port, here.clone(), clock.clone(), real.clone());
    let gateway = gateway.await.unwrap();
    let options = RemoteOptions::new(gateway.local_addr().to_string());
    let there: Arc<dyn Messaging> = Arc::new(connect(options, clock, real).unwrap());

    println!("                in flight   in process    endpoint  ratio   p50 ms      p50 ms");
    for (clients, messages) in LOADS {
        let names = [format!("here-{clients}"), format!("there-{clients}")];
        let mut topics = Vec::new();
        for name in &names {
            topics.push(setup::topic(&broker.cluster(), name, 8).await);
        }
        let within = measure(here.clone(), &topics[0], clients, messages).await;
        let through = measure(there.clone(), &topics[1], clients, messages).await;
        for (name, within, through) in [
            ("publish", &within.0, &through.0),
            ("receive and ack", &within.1, &through.1),
        ] {
            println!(
                "{name:<15} {clients:>9}  {:>9.0}/s {:>9.0}/s  {:>4.0} % {:>8.3} {:>11.3}",
                within.per_second,
                through.per_second,
                100.0 * through.per_second / within.per_second,
                within.p50_ms,
                through.p50_ms,
            );
        }
    }
    gateway.shutdown().await;
}

async fn measure(
    messaging: Arc<dyn Messaging>,
    topic: &TopicName,
    clients: usize,
    messages: u64,
) -> (Measured, Measured) {
    let shape = Shape {
        topic: topic.clone(),
        messages,
        size: SIZE,
        producers: clients,
        consumers: clients,
    };
    let load = Load::new(messaging, RealClock::system(), shape);
    (load.publish().await.unwrap(), load.consume().await.unwrap())
}
