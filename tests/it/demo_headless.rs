//! `moonport demo --headless`: the order workflow on a fresh machine.

use crate::function_support::has;
use crate::support::program::Place;

#[test]
fn the_demonstration_prints_the_articles_lines_in_order_s1_u6() {
    if !has("python3") {
        return;
    }
    let place = Place::new();
    let ended = place.moonport(&["demo", "--headless"]).run().expect(0);
    let lines: Vec<&str> = ended.out.lines().collect();
    let at = lines
        .iter()
        .position(|line| *line == "FunctionCompute python3 runtime inited.")
        .unwrap();
    let id = lines[at + 1]
        .strip_prefix("FC Invoke Start RequestId: ")
        .unwrap();
    assert_eq!(id.len(), 34, "the request id is the message's (S-4, S-5)");
    let record = format!(" {id} [INFO] ");
    assert!(lines[at + 2].ends_with(&format!("{record}===== MESSAGE RECEIVED =====")));
    let body = format!("{record}Message Body: [{{'msgId': '{id}', 'topic': 'message-processing'");
    assert!(lines[at + 3].contains(&body), "{}", lines[at + 3]);
    assert!(lines[at + 3].ends_with("'timestamp': '2026-06-12T20:40:00Z'}}]"));
    assert_eq!(lines[at + 4], format!("FC Invoke End RequestId: {id}"));
    let audited = format!("{record}audited OrderCreated: order ORD-20260612-1001");
    assert!(ended.out.contains(&audited), "{ended:#?}");
}

#[test]
fn the_demonstration_leaves_nothing_behind() {
    let place = Place::new();
    place.moonport(&["demo", "--headless"]).run();
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
