//! Robots at the keys: random keys, clicks, pastes, sizes and broker events over the real engine, each run repeatable
//! by its seed.
//!
//! `MOONPORT_MONKEY_STEPS=50000 MOONPORT_MONKEY_SEED=7 cargo test --test it screens::monkey` makes 10,000 robot runs in
//! each of the tests; they take the seeds 7, 8 and 9.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use moonport::domain::message::Draft;
use moonport::ui::chord::{Chord, Key};
use moonport::ui::event::{Event, Mouse, MouseKind};
use moonport::ui::keymap::DEFAULTS;
use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;
use moonport::ui::theme::{Depth, Theme};

use super::alignment::faults;
use super::noise::{bytes, nasty};
use super::options;
use crate::support::broker::{draft, fifo, within};
use crate::support::live::Live;

/// Steps of a test that nobody asked to be longer.
const STEPS: u64 = 3_000;
/// Robots until they get a new engine: they delete what they find.
const PER_ENGINE: u64 = 150;
/// Steps told of when one fails.
const TOLD: usize = 30;

fn setting(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().unwrap())
}

#[derive(Debug, Clone)]
enum Step {
    Input(Event),
    Send(Draft),
    Pass(Duration),
}

fn step(rng: &mut Rng, stage: &Stage) -> Step {
    let (columns, rows) = stage.state.shared.size;
    match rng.u32(0..100) {
        0..70 => Step::Input(Event::Key(chord(rng, stage))),
        70..80 => {
            let kind = match rng.u32(0..3) {
                0 => MouseKind::Wheel(rng.i32(-9..9)),
                _ => MouseKind::Press,
            };
            let (x, y) = (rng.u16(0..columns + 2), rng.u16(0..rows + 2));
            Step::Input(Event::Mouse(Mouse { kind, x, y }))
        }
        80..83 => Step::Input(Event::Paste(nasty(rng, 400).replace('/', ""))),
        83..86 => Step::Input(Event::Resize(rng.u16(1..220), rng.u16(1..64))),
        86..87 => Step::Input(Event::Focus(rng.bool())),
        87..90 => Step::Send(message(rng)),
        _ => Step::Pass(Duration::from_millis(rng.u64(0..3_000))),
    }
}

/// Mostly keys that mean something; else one that is typed.
fn chord(rng: &mut Rng, stage: &Stage) -> Chord {
    let chord = if rng.u32(0..5) > 0 {
        let (_, _, sequences) = DEFAULTS[rng.usize(0..DEFAULTS.len())];
        let sequence = Chord::parse_sequence(sequences[rng.usize(0..sequences.len())]).unwrap();
        sequence[rng.usize(0..sequence.len())]
    } else {
        Chord::char(rng.char(' '..'ÿ'))
    };
    // A path that a dialog is told stays below the folder of the test.
    if chord.key == Key::Char('/') && !stage.state.layers.is_empty() {
        return Chord::char('.');
    }
    chord
}

fn message(rng: &mut Rng) -> Draft {
    let text = nasty(rng, 60);
    let mut draft = match rng.u32(0..3) {
        0 => fifo("invoice-steps", &text, "g"),
        1 => draft("scratch", &text),
        _ => draft("message-processing", &text),
    };
    draft.tag = Some("invoice".to_owned());
    if rng.bool() {
        draft.body = bytes(rng, 200).into();
    }
    draft.keys = vec![nasty(rng, 5)];
    draft
}

/// The last steps, told when the run fails.
struct Told {
    seed: u64,
    steps: VecDeque<String>,
}

impl Told {
    /// Tells of a long run how long it was.
    fn end(&self, robots: u64, steps: u64) {
        if steps > 2 * STEPS {
            #[expect(clippy::print_stderr, reason = "what was proved")]
            {
                eprintln!("seed {}: {robots} robots made {steps} steps", self.seed);
            }
        }
    }

    fn note(&mut self, step: String) {
        self.steps.push_back(step);
        if self.steps.len() > TOLD {
            self.steps.pop_front();
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "how to see it again")]
            {
                eprintln!(
                    "MOONPORT_MONKEY_SEED={}, its last steps:\n{:#?}",
                    self.seed, self.steps
                );
            }
        }
    }
}

/// A console as one person has it, another as another.
fn look(rng: &mut Rng) -> ConsoleOptions {
    let themes = Theme::names();
    let depth = [Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::True][rng.usize(0..4)];
    let theme = themes[rng.usize(0..themes.len())];
    ConsoleOptions {
        directory: ".".into(),
        theme: Theme::builtin(theme, depth).unwrap(),
        ascii: rng.u32(0..4) == 0,
        plain: rng.u32(0..4) == 0,
        read_only: rng.u32(0..8) == 0,
        ..options()
    }
}

async fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut live = Live::orders().await;
    let mut told = Told {
        seed,
        steps: VecDeque::new(),
    };
    let steps = setting("MOONPORT_MONKEY_STEPS", STEPS);
    let (mut number, mut robots) = (0, 0);
    while number < steps {
        if robots > 0 && robots % PER_ENGINE == 0 {
            live.stop().await;
            live = Live::orders().await;
        }
        robots += 1;
        let look = look(&mut rng);
        let mut stage = live.stage(look, rng.u16(60..220), rng.u16(15..64)).await;
        for _ in 0..patience(&mut rng) {
            number += 1;
            let step = step(&mut rng, &stage);
            told.note(format!("{number}: {step:?}"));
            take(&live, &mut stage, step).await;
            let frame = stage.draw();
            let found = faults(&frame);
            assert!(found.is_empty(), "{found:#?}\n{}", stage.text());
        }
        // Whatever is open, a few keys lead out of it.
        for _ in 0..8 {
            stage.keys("Esc").await;
        }
        assert!(
            stage.state.layers.is_empty(),
            "eight times Esc leads to the root:\n{}",
            stage.text()
        );
    }
    told.end(robots, number);
}

/// Steps of a robot: one of ten goes deep. The next one sits down at a new console over the engine that it left behind.
fn patience(rng: &mut Rng) -> u64 {
    if rng.u32(0..10) == 0 {
        rng.u64(20..40)
    } else {
        rng.u64(1..6)
    }
}

async fn take(live: &Live, stage: &mut Stage, step: Step) {
    match step {
        Step::Input(event) => within(stage.feed(event)).await,
        // Topics that the monkey deleted take nothing.
        Step::Send(draft) => drop(live.try_send(draft).await),
        Step::Pass(span) => {
            live.step(span);
            within(stage.pass(span)).await;
        }
    }
    stage.asked.clear();
}

/// The seed of one of the tests.
fn seed(of: u64) -> u64 {
    setting("MOONPORT_MONKEY_SEED", 1) + of
}

#[tokio::test]
async fn robots_break_no_screen_with_the_first_seed() {
    run(seed(0)).await;
}

#[tokio::test]
async fn robots_break_no_screen_with_the_second_seed() {
    run(seed(1)).await;
}

#[tokio::test]
async fn robots_break_no_screen_with_the_third_seed() {
    run(seed(2)).await;
}
