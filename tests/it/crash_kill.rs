//! kill -9 at any moment: what a sender was told is stored stays stored, and what a consumer acked never comes back.
//!
//! The child is this test binary again, publishing and consuming over a real directory. It says each acknowledgement on a
//! pipe; the ledger lives in the parent, which kills it, opens the store, and compares. In a third of the rounds the
//! child stops between the write and the fsync of a commit and is killed there.
//! `MOONPORT_CRASH_ROUNDS` sets how many rounds, `MOONPORT_CRASH_SEED` the moments of the kills.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moonport::activity::Feed;
use moonport::broker::{Broker, BrokerOptions};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::admin::{MessageQuery, PutGroup, PutMode};
use moonport::cluster::messaging::{Ack, Delivery, Receive, Send};
use moonport::cluster::paging::Page;
use moonport::cluster::session::Caller;
use moonport::cluster::{Admin as _, Messaging as _};
use moonport::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::ids::{MessageId, MessageIdGenerator};
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::message::Draft;
use moonport::domain::names::{GroupName, InstanceId, TopicName};
use moonport::domain::subscription::FilterExpression;
use moonport::domain::timestamp::Timestamp;
use moonport::store::disk::file::Directory;
use moonport::store::disk::{Disk, Medium};
use moonport::store::open::{Options, open_on};

/// The directory of the store; set only for the child.
const DIRECTORY: &str = "MOONPORT_CRASH_DIRECTORY";
/// The sync before which the child stops; 0 for none.
const PAUSE_AT: &str = "MOONPORT_CRASH_PAUSE_AT";
/// Rounds that go on with the store of the round before.
const ROUNDS_PER_STORE: u64 = 10;
/// Most acknowledgements before the child is killed.
const MOST_LINES: u64 = 400;

/// A directory that stops the process's writer before its n-th sync, and says so.
#[derive(Debug)]
struct PausingDisk {
    inner: Directory,
    left: Arc<AtomicU64>,
}

#[derive(Debug)]
struct PausingMedium {
    inner: Arc<dyn Medium>,
    left: Arc<AtomicU64>,
}

impl PausingDisk {
    fn wrap(&self, inner: Arc<dyn Medium>) -> Arc<dyn Medium> {
        let left = self.left.clone();
        Arc::new(PausingMedium { inner, left })
    }
}

impl Disk for PausingDisk {
    fn list(&self) -> std::io::Result<Vec<String>> {
        self.inner.list()
    }

    fn open(&self, name: &str) -> std::io::Result<Arc<dyn Medium>> {
        Ok(self.wrap(self.inner.open(name)?))
    }

    fn create(&self, name: &str) -> std::io::Result<Arc<dyn Medium>> {
        Ok(self.wrap(self.inner.create(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.inner.remove(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.inner.path(name)
    }
}

impl Medium for PausingMedium {
    fn size(&self) -> std::io::Result<u64> {
        self.inner.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.inner.read(offset, out)
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.inner.write(offset, data)
    }

    fn set_size(&self, size: u64) -> std::io::Result<()> {
        self.inner.set_size(size)
    }

    fn sync(&self) -> std::io::Result<()> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            say("paused");
            loop {
                std::thread::park();
            }
        }
        self.inner.sync()
    }

    fn fill_holes(&self) -> std::io::Result<bool> {
        self.inner.fill_holes()
    }
}

fn say(line: &str) {
    // One write per line, so that a kill never leaves half of one behind a whole one.
    let _ = std::io::stdout().write_all(format!("\n@{line}\n").as_bytes());
}

fn topic() -> TopicName {
    TopicName::new("crash").unwrap()
}

fn group() -> GroupName {
    GroupName::new("crash").unwrap()
}

fn open(disk: Arc<dyn Disk>, clock: BrokerClock) -> Broker {
    let id = InstanceId::new("rmq-crash").unwrap();
    let process = std::process::id() as u16;
    Broker::open(BrokerOptions {
        definition: InstanceDefinition::new(
            id,
            "crash".to_owned(),
            "local".to_owned(),
            Timestamp::EPOCH,
        ),
        journal: open_on(disk, Options::default()).unwrap(),
        clock: clock.clone(),
        real: RealClock::system(),
        ids: Arc::new(MessageIdGenerator::new([2; 6], process, 0)),
        host_name: "crash".to_owned(),
        feed: Feed::new(10),
    })
    .unwrap()
}

async fn join(broker: &Broker) {
    let mut definition = GroupDefinition::new(group(), DeliveryOrder::Concurrent, Timestamp::EPOCH);
    definition.first_seen = FirstSeen::Earliest;
    definition.max_retries = 1000;
    let request = PutGroup {
        definition,
        mode: PutMode::Either,
        join: vec![topic()],
    };
    let route = moonport::cluster::messaging::RouteRequest { topic: topic() };
    broker.route(&Caller::local(), route).await.unwrap();
    broker.put_group(request).await.unwrap();
}

async fn receive(broker: &Broker, poll: Duration) -> Vec<Delivery> {
    let request = Receive {
        group: group(),
        topic: topic(),
        queue: None,
        filter: FilterExpression::all(),
        max: 8,
        invisible: None,
        auto_renew: false,
        poll,
        attempt_id: None,
    };
    broker.receive(&Caller::local(), request).await.unwrap()
}

async fn ack(broker: &Broker, deliveries: &[Delivery]) -> Vec<MessageId> {
    let request = Ack {
        group: group(),
        topic: topic(),
        handles: deliveries.iter().map(|d| d.handle.clone()).collect(),
    };
    let outcomes = broker.ack(&Caller::local(), request).await.unwrap();
    let acked = outcomes
        .iter()
        .zip(deliveries)
        .filter(|(o, _)| o.result.is_ok());
    acked.map(|(_, d)| d.message.id.clone()).collect()
}

/// The child's work; does nothing in an ordinary run.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let pause_at = std::env::var(PAUSE_AT).ok().and_then(|n| n.parse().ok());
    let disk = PausingDisk {
        inner: Directory::create(Path::new(&directory)).unwrap(),
        left: Arc::new(AtomicU64::new(pause_at.unwrap_or(0))),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let broker = open(Arc::new(disk), BrokerClock::system());
        join(&broker).await;
        for _ in 0..4 {
            tokio::spawn(publish(broker.clone()));
        }
        tokio::join!(consume(broker.clone()), consume(broker));
    });
}

async fn publish(broker: Broker) {
    loop {
        let request = Send::one(Draft::new(topic(), "an order"));
        let receipts = broker.send(&Caller::local(), request).await.unwrap();
        for receipt in receipts {
            say(&format!("sent {}", receipt.unwrap().id));
        }
    }
}

async fn consume(broker: Broker) {
    loop {
        let deliveries = receive(&broker, Duration::from_secs(20)).await;
        // Every third delivery is left in flight.
        let (kept, left): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .partition(|d| d.message.offset % 3 != 0);
        drop(left);
        for delivery in &kept {
            say(&format!("tries {}", delivery.message.id));
        }
        for id in ack(&broker, &kept).await {
            say(&format!("acked {id}"));
        }
    }
}

/// What the child was told before it died.
#[derive(Default)]
struct Ledger {
    sent: HashSet<MessageId>,
    /// Acks that were asked for; whether they happened may never have been told.
    tried: HashSet<MessageId>,
    acked: HashSet<MessageId>,
}

impl Ledger {
    fn note(&mut self, line: &str) {
        let Some((what, id)) = line.split_once(' ') else {
            return;
        };
        let id = MessageId::new(id).unwrap();
        match what {
            "sent" => self.sent.insert(id),
            "tries" => self.tried.insert(id),
            "acked" => self.acked.insert(id),
            other => panic!("the child said {other}"),
        };
    }
}

/// Kills its child when it goes.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One life of the child: killed after `lines` acknowledgements, or at its pause.
fn live(directory: &Path, lines: u64, pause_at: u64, ledger: &mut Ledger) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash_kill::child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIRECTORY, directory)
        .env(PAUSE_AT, pause_at.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut victim = Victim(child);
    let mut said = BufReader::new(victim.0.stdout.take().unwrap()).lines();
    let mut seen = 0;
    while seen < lines {
        let line = said.next().expect("the child ended by itself").unwrap();
        match line.strip_prefix('@') {
            Some("paused") => break,
            Some(line) => {
                ledger.note(line);
                seen += 1;
            }
            None => {}
        }
    }
    // SIGKILL: no handler, no flush, no goodbye.
    victim.0.kill().unwrap();
    victim.0.wait().unwrap();
    // What was said before the kill still lies in the pipe; a last line may be cut short.
    let rest: Vec<String> = said.map_while(Result::ok).collect();
    for line in rest.iter().filter_map(|line| line.strip_prefix('@')) {
        if line.len() > 34 {
            ledger.note(line);
        }
    }
}

/// Opens the store after the kill and compares it with the ledger; leaves nothing unacked behind.
async fn compare(directory: &Path, ledger: &mut Ledger) {
    let clock = BrokerClock::system();
    let disk = Arc::new(Directory::create(directory).unwrap());
    let broker = open(disk, clock.clone());
    for id in &ledger.sent {
        let found = broker
            .messages(MessageQuery::Id(id.clone()), Page::first(2))
            .await;
        let found = found.unwrap().rows.len();
        assert_eq!(
            found, 1,
            "message {id} was acknowledged and is stored {found} times"
        );
    }
    // Every lease of the dead child runs out.
    clock.step(Duration::from_secs(24 * 3600));
    let mut came = HashSet::new();
    loop {
        let deliveries = receive(&broker, Duration::from_millis(200)).await;
        if deliveries.is_empty() {
            break;
        }
        came.extend(ack(&broker, &deliveries).await);
    }
    for id in &ledger.acked {
        assert!(!came.contains(id), "message {id} was acked and came back");
    }
    for id in ledger.sent.difference(&ledger.tried) {
        assert!(
            came.contains(id),
            "message {id} was never acked and is gone"
        );
    }
    ledger.tried.extend(came.iter().cloned());
    ledger.acked.extend(came);
    broker.close().await;
}

#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_acked_comes_back() {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let rounds: u64 = number("MOONPORT_CRASH_ROUNDS").unwrap_or(30);
    let seed = number("MOONPORT_CRASH_SEED").unwrap_or(0x6d6f_6f6e);
    let mut random = fastrand::Rng::with_seed(seed);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut home = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::default();
    let mut acknowledged = 0;
    for round in 0..rounds {
        if round % ROUNDS_PER_STORE == 0 {
            home = tempfile::tempdir().unwrap();
            ledger = Ledger::default();
        }
        let before = ledger.sent.len();
        let pause_at = if round % 3 == 0 { random.u64(8..60) } else { 0 };
        live(
            home.path(),
            random.u64(1..MOST_LINES),
            pause_at,
            &mut ledger,
        );
        runtime.block_on(compare(home.path(), &mut ledger));
        acknowledged += ledger.sent.len() - before;
    }
    assert!(
        acknowledged as u64 > rounds,
        "the children hardly worked: {acknowledged}"
    );
}
