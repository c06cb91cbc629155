//! Random keys, clicks, pastes, sizes and broker events over the real engine, each run repeatable by its seed.
//!
//! `MOONPORT_MONKEY_STEPS=50000 MOONPORT_MONKEY_SEED=7 cargo test --test it screens::monkey`

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use moonport::domain::message::Draft;
use moonport::ui::chord::{Chord, Key};
use moonport::ui::event::{Event, Mouse, MouseKind};
use moonport::ui::keymap::DEFAULTS;
use moonport::ui::stage::Stage;

use super::alignment::faults;
use super::options;
use crate::support::broker::{draft, fifo, within};
use crate::support::live::Live;

/// Steps of a run that nobody asked to be longer.
const STEPS: u64 = 1_500;
/// Steps told of when one fails.
const TOLD: usize = 30;

fn setting(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().unwrap())
}

/// Characters that break screens: controls, bidi and zero-width ones, wide ones, emoji, piles of marks.
const NASTY: &[&str] = &[
    "\u{1b}[31m",
    "\u{1b}]0;t\u{7}",
    "\u{9b}2J",
    "\0",
    "\t",
    "\r",
    "\n",
    "\u{7f}",
    "\u{202e}",
    "\u{200d}",
    "\u{fe0f}",
    "\u{feff}",
    "中",
    "한",
    "ﷺ",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "שלום",
    "{",
    "\"",
    "…",
    "a",
    "Z",
    " ",
    "0",
];

fn nasty(rng: &mut Rng, most: usize) -> String {
    (0..rng.usize(0..most))
        .map(|_| NASTY[rng.usize(0..NASTY.len())])
        .collect()
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
        let bytes: Vec<u8> = (0..rng.usize(0..200)).map(|_| rng.u8(..)).collect();
        draft.body = bytes.into();
    }
    draft.keys = vec![nasty(rng, 5)];
    draft
}

/// The last steps, told when the run fails.
struct Told {
    seed: u64,
    steps: VecDeque<String>,
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

async fn run(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let live = Live::orders().await;
    let mut options = options();
    options.directory = ".".into();
    let mut stage = live.stage(options, 120, 35).await;
    let mut told = Told {
        seed,
        steps: VecDeque::new(),
    };
    for number in 0..setting("MOONPORT_MONKEY_STEPS", STEPS) {
        let step = step(&mut rng, &stage);
        told.steps.push_back(format!("{number}: {step:?}"));
        if told.steps.len() > TOLD {
            told.steps.pop_front();
        }
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

#[tokio::test]
async fn a_monkey_breaks_no_screen_with_seed_1() {
    run(setting("MOONPORT_MONKEY_SEED", 1)).await;
}

#[tokio::test]
async fn a_monkey_breaks_no_screen_with_seed_2() {
    run(setting("MOONPORT_MONKEY_SEED", 2)).await;
}

#[tokio::test]
async fn a_monkey_breaks_no_screen_with_seed_3() {
    run(setting("MOONPORT_MONKEY_SEED", 3)).await;
}
