//! Random lives of a broker against a small model: nothing acknowledged is lost, nothing acked comes back, the order of
//! message groups never breaks, delays and retries are never early, retry counts never restart; also across restarts and
//! crashes.
//!
//! `MOONPORT_MODEL_SEQUENCES` sets how many lives are run. Three planted faults show that the model can fail.

mod check;
mod machine;
mod model;
mod op;
mod world;

use moonport::store::memory::MemoryStore;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::broker_model::machine::{Keep, Machine};
use crate::broker_model::model::Model;
use crate::broker_model::op::{Op, op};
use crate::broker_model::world::World;
use crate::support::fake_disk::FakeDisk;
use crate::support::faults::Fault;

/// Longest life, in steps.
const STEPS: usize = 40;
/// Lives over the memory store for each one over the fake disk, which is slower.
const DISK_SHARE: u32 = 20;

const ALGORITHM: RngAlgorithm = RngAlgorithm::ChaCha;

type Verdict = Result<(), TestError<Vec<Op>>>;

/// Runs so many random lives; the error is the shrunk one that failed.
fn run(lives: u32, keep: impl Fn() -> Keep) -> Verdict {
    run_from(TestRng::from_seed(ALGORITHM, &seed()), lives, keep)
}

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    fastrand::fill(&mut seed);
    seed
}

fn run_from(rng: TestRng, lives: u32, keep: impl Fn() -> Keep) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let config = Config {
        cases: lives,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = proptest::collection::vec(op(), 1..STEPS);
    TestRunner::new_with_rng(config, rng).run(&steps, |ops| {
        runtime.block_on(async {
            let mut world = World {
                machine: Machine::new(keep()).await,
                model: Model::default(),
            };
            for op in &ops {
                world.apply(op).await?;
            }
            world.drain().await
        })
    })
}

/// Shares the lives out over the processor's cores.
fn run_on_all_cores(lives: u32, keep: impl Fn() -> Keep + Sync) -> Verdict {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    std::thread::scope(|scope| {
        let keep = &keep;
        let share = lives.div_ceil(cores);
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(move || run(share, keep)))
            .collect();
        let verdicts = workers.into_iter().map(|worker| worker.join().unwrap());
        verdicts.collect()
    })
}

fn by_hand(fault: Fault) -> Keep {
    Keep::ByHand(MemoryStore::by_hand(), fault)
}

fn lives() -> u32 {
    let asked = std::env::var("MOONPORT_MODEL_SEQUENCES");
    asked
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000)
}

#[test]
fn random_lives_keep_every_promise() {
    if let Err(error) = run_on_all_cores(lives(), || by_hand(Fault::None)) {
        panic!("{error}");
    }
}

#[test]
fn random_lives_over_a_disk_that_tears_unsynced_pages_keep_every_promise() {
    let keep = || Keep::Disk(FakeDisk::default(), fastrand::Rng::new());
    if let Err(error) = run_on_all_cores(lives() / DISK_SHARE, keep) {
        panic!("{error}");
    }
}

/// A fault must be noticed by what it breaks. The lives are the same in each run: it is the model that is tried.
fn assert_caught(fault: Fault, expected: &[&str]) {
    let rng = TestRng::deterministic_rng(ALGORITHM);
    match run_from(rng, 2_000, || by_hand(fault)) {
        Err(TestError::Fail(reason, _)) => {
            let found = expected.iter().any(|text| reason.message().contains(text));
            assert!(found, "noticed for another reason: {reason}");
        }
        other => panic!("not noticed: {other:?}"),
    }
}

#[test]
fn an_ack_before_the_fsync_is_caught() {
    // Whatever was answered may be gone after a crash: a message, an ack, a half, a group, what retention took.
    let lost = [
        "is lost or changed",
        "ready messages came",
        "came again",
        "did not end",
        "GroupNotFound",
        "were kept longer",
    ];
    assert_caught(Fault::AnswersEarly, &lost);
}

#[test]
fn a_record_skipped_on_replay_is_caught() {
    assert_caught(Fault::SkipsSettled, &["came again"]);
}

#[test]
fn a_lost_block_of_a_message_group_is_caught() {
    // A message that nothing holds back overtakes; one that its line does not know comes late, or again after its ack.
    let lost = ["overtook", "ready messages came", "came again"];
    assert_caught(Fault::LosesBlocks, &lost);
}
