//! Every place draws at every size class, twice the same, without a control character in a cell.

use std::time::Duration;

use moonport::ui::stage::Stage;

use crate::support::live::Live;

const SIZES: [(u16, u16); 8] = [
    (1, 1),
    (20, 5),
    (59, 14),
    (60, 15),
    (80, 24),
    (100, 42),
    (120, 35),
    (200, 60),
];

/// Keeps the frame for eyes where a folder is asked for.
fn keep(stage: &mut Stage, name: &str) {
    let text = stage.text();
    if let Ok(folder) = std::env::var("MOONPORT_SCREENS") {
        std::fs::write(format!("{folder}/{name}.txt"), text).unwrap();
    }
}

#[tokio::test]
async fn every_place_draws_at_every_size() {
    let live = Live::orders().await;
    for (columns, rows) in SIZES {
        let mut stage = live.stage(columns, rows).await;
        for place in 1..=9 {
            stage.keys(&place.to_string()).await;
            stage.pass(Duration::from_secs(1)).await;
            let first = stage.draw();
            assert_eq!(first, stage.draw(), "{columns}x{rows} place {place}");
            for cell in first.content() {
                assert!(!cell.symbol().chars().any(char::is_control));
            }
            keep(&mut stage, &format!("{columns}x{rows}-{place}"));
        }
    }
}

#[tokio::test]
async fn every_dialog_draws_at_every_size() {
    let live = Live::orders().await;
    for (columns, rows) in SIZES {
        for (name, keys) in [
            ("send", "2 s"),
            ("help", "?"),
            ("palette", ":"),
            ("topic", "2 a"),
            ("group", "3 a"),
            ("function", "4 a"),
            ("trigger", "5 a"),
            ("instance", "1 a"),
            ("find", "6 F"),
            ("sort", "2 o"),
            ("actions", "2 x"),
            ("delete", "2 D"),
            ("invoke", "4 i"),
            ("quit", "q"),
            ("which-key", "2 g"),
        ] {
            let mut stage = live.stage(columns, rows).await;
            stage.keys(keys).await;
            stage.pass(Duration::from_secs(1)).await;
            assert_eq!(stage.draw(), stage.draw(), "{columns}x{rows} {name}");
            keep(&mut stage, &format!("{columns}x{rows}-{name}"));
        }
    }
}
