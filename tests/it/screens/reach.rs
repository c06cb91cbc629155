//! What a person reaches for: a search that says where it is, a filter tried from every place, a zoom at every size,
//! and a console that may only look.

use std::time::Duration;

use moonport::ui::keymap::DEFAULTS;
use moonport::ui::options::ConsoleOptions;
use moonport::ui::pane::Offer;

use super::{PLACES, at, options};
use crate::support::live::Live;

const SIZE: (u16, u16) = (120, 35);

#[tokio::test]
async fn a_search_in_the_log_says_which_match_of_how_many() {
    let live = Live::orders().await;
    let mut stage = at(&live, options(), SIZE, "7 r gg / AMOUNT Enter").await;
    let mut seen = Vec::new();
    for key in ["n", "n", "n", "N"] {
        stage.keys(key).await;
        let text = stage.text();
        let told = text.lines().find(|line| line.contains("match ")).unwrap();
        let (_, told) = told.split_once("match ").unwrap();
        seen.push(told.split("  ").next().unwrap().to_owned());
    }
    let all = seen[0].split(" of ").nth(1).unwrap().to_owned();
    assert_eq!(
        seen,
        [1, 2, 3, 2].map(|number| format!("{number} of {all}"))
    );
    // What comes in while one searches is counted too.
    let row = live
        .wait_trigger("order-created", |row| row.in_work == 0)
        .await;
    let before = row.invoked_total + row.failed_total;
    live.step(Duration::from_secs(20));
    live.wait_trigger("order-created", |row| {
        row.in_work == 0 && row.invoked_total + row.failed_total > before
    })
    .await;
    stage.pass(Duration::from_secs(1)).await;
    let text = stage.text();
    assert!(!text.contains(&format!("2 of {all} ")), "{text}");
    assert!(text.contains("match 2 of "), "{text}");
    stage.keys("/").await;
    stage.types("nowhere").await;
    stage.keys("Enter").await;
    let text = stage.text();
    assert!(text.contains("no match in the lines read"), "{text}");
}

#[tokio::test]
async fn a_filter_is_tried_from_topics_groups_and_messages() {
    let live = Live::orders().await;
    for (keys, judged) in [
        ("2 / steps Enter", "3 of 3 wanted"),
        ("3 / invoices Enter", "3 of 3 wanted"),
        ("6", "wanted"),
    ] {
        let keys = format!("{keys} : try Enter");
        let text = at(&live, options(), SIZE, &keys).await.text();
        assert!(text.contains("Try a filter"), "{keys}:\n{text}");
        assert!(text.contains(judged), "{keys}:\n{text}");
    }
}

#[tokio::test]
async fn zoom_gives_every_place_the_whole_width() {
    let live = Live::orders().await;
    for size in [(80, 24), (120, 35), (200, 40), (200, 60)] {
        for (name, keys) in PLACES {
            let mut stage = at(&live, options(), size, &format!("{keys} z")).await;
            let text = stage.text();
            let top = text
                .lines()
                .find(|line| line.starts_with('┏'))
                .unwrap_or("");
            assert_eq!(
                top.chars().count(),
                usize::from(size.0),
                "{name} at {size:?}:\n{text}"
            );
            stage.keys("Esc").await;
        }
    }
}

/// Nothing changes, and each key that would have says so.
#[tokio::test]
async fn a_console_that_may_only_look_refuses_every_key_that_changes_something() {
    let live = Live::orders().await;
    let read_only = ConsoleOptions {
        read_only: true,
        ..options()
    };
    let mut told = 0;
    for (name, keys) in PLACES {
        let mut stage = at(&live, read_only.clone(), SIZE, keys).await;
        let chain = stage.state.chain();
        for (context, action, sequences) in DEFAULTS {
            let belongs = stage.state.offer(*action) != Offer::Never;
            if !action.spec().changes || !chain.contains(context) || !belongs {
                continue;
            }
            stage.keys(sequences[0]).await;
            let text = stage.text();
            assert!(stage.state.layers.is_empty(), "{name} {action:?}:\n{text}");
            let word = format!("{}: read-only", action.label());
            assert!(text.contains(&word), "{name} {action:?}:\n{text}");
            told += 1;
        }
    }
    assert!(told > 20, "{told}");
}

#[tokio::test]
async fn dead_letters_stand_under_their_error_and_go_back_as_a_group() {
    let live = Live::orders().await;
    let mut stage = at(&live, options(), SIZE, "8").await;
    let text = stage.text();
    for head in [
        "▾ 1 letter  ✖ KeyError: 'amount'",
        "▾ 1 letter  ✖ retries used up",
    ] {
        assert!(text.contains(head), "{head}:\n{text}");
    }
    // A closed group keeps its head and its count; the title counts all letters.
    stage.keys("gg Enter").await;
    let text = stage.text();
    assert_eq!(text.matches('▸').count(), 1, "{text}");
    assert!(text.contains("Dead letters 2"), "{text}");
    stage.keys("R").await;
    let text = stage.text();
    assert!(text.contains("choose one row of the group"), "{text}");
    // What is done on a head is done with its letters, and each of several tells what became of it.
    stage.keys("x").await;
    stage.types("to its group").await;
    stage.keys("Enter").await;
    let text = stage.text();
    assert!(text.contains("Put 1 dead letter back"), "{text}");
    stage.keys("n * x").await;
    stage.types("to its group").await;
    stage.keys("Enter y").await;
    stage.pass(Duration::from_secs(1)).await;
    let text = stage.text();
    assert!(text.contains("2 sent again, 0 failed"), "{text}");
    assert_eq!(text.matches("✓ %DLQ%").count(), 2, "{text}");
}

#[tokio::test]
async fn an_id_that_no_queue_holds_is_told_as_that_y4() {
    let live = Live::orders().await;
    let mut stage = at(&live, options(), SIZE, "6 F Right Tab").await;
    stage.types("NOWHERE").await;
    stage.keys("Ctrl-S").await;
    let text = stage.text();
    assert!(
        text.contains("No queue holds a message with this id"),
        "{text}"
    );
}
