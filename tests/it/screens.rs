//! What a person sees, over the program's own engine: every place and dialog as a whole screen, the rules that hold on
//! each of them, and a monkey at the keys.
//!
//! `INSTA_UPDATE=always cargo test --test it screens` takes the screens anew.

mod alignment;
mod cut;
mod everywhere;
mod hostile;
mod keys;
mod look;
mod monkey;
mod noise;
mod reach;
mod snapshots;

use std::time::Duration;

use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;

use crate::support::live::Live;

/// A screen: its name and the keys that lead there from the first one.
type Scene = (&'static str, &'static str);

const PLACES: &[Scene] = &[
    ("instances", "1"),
    ("topics", "2"),
    ("groups", "3"),
    ("clients", "3 ."),
    ("functions", "4"),
    ("triggers", "5"),
    ("messages", "6"),
    ("pending", "6 ."),
    ("transactions", "6 . ."),
    ("logs", "7"),
    ("dead-letters", "8"),
    ("traces", "9"),
];

/// Places from nearer by: a row opened, another order, a search.
const VIEWS: &[Scene] = &[
    ("topic-opened", "2 G k Enter"),
    ("topics-filtered", "2 / pay Enter"),
    ("topics-zoomed", "2 z"),
    ("topics-frozen", "2 p"),
    ("trigger-details", "5 d"),
    ("message-opened", "6 Enter"),
    ("message-hex", "6 Enter b b"),
    ("request-opened", "7 Enter"),
    ("logs-interleaved", "7 r"),
    ("logs-from-errors", "7 L L L"),
    ("logs-searched", "7 / MESSAGE Enter"),
    ("dead-letter-opened", "8 Enter"),
    ("trace-opened", "9 Enter"),
    ("which-key", "2 g"),
];

const DIALOGS: &[Scene] = &[
    ("guide", ": guide Enter"),
    ("send", "2 G s"),
    ("send-again", "6 R"),
    ("dead-letter-again", "8 R"),
    ("find", "6 F"),
    ("filter-bench", "6 : try Enter"),
    ("topic-form", "2 a"),
    ("topic-form-edit", "2 e"),
    ("topic-form-wrong", "2 a $ %"),
    ("group-form", "3 a"),
    ("function-form", "4 a"),
    ("invoke", "4 i"),
    ("trigger-form", "5 a"),
    ("trigger-form-edit", "5 e"),
    ("instance-form", "1 a"),
    ("reset-offset", "3 x reset Enter"),
    ("delete-topic", "2 D"),
    ("delete-group", "3 D"),
    ("delete-function", "4 D"),
    ("delete-instance", "1 D"),
    ("actions", "5 x"),
    ("sort", "2 o"),
    ("save-log", "7 S"),
    ("export", "2 x export Enter"),
    ("step-time", ": step Enter"),
    ("themes", ": theme Enter"),
    ("notices", ": notices Enter"),
    ("palette", ":"),
    ("palette-typed", ": ord"),
    ("help", "?"),
    ("help-filtered", "? trace"),
    ("quit", "q"),
];

/// A console at a scene.
async fn at(live: &Live, options: ConsoleOptions, size: (u16, u16), keys: &str) -> Stage {
    let mut stage = live.stage(options, size.0, size.1).await;
    for word in keys.split_whitespace() {
        stage.keys(word).await;
        stage.pass(Duration::ZERO).await;
    }
    stage.draw();
    stage.pass(Duration::from_secs(1)).await;
    stage
}

/// The same screens whatever machine draws them.
fn options() -> ConsoleOptions {
    let mut options = Live::options();
    options.directory = "/home/me/orders".into();
    options
}
