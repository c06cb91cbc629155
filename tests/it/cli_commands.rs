//! Commands on a data directory nobody else works on: what they change is there for the next one.

use crate::support::program::{Ended, Place};

/// A place with the instance `shop` in it.
fn shop() -> Place {
    let place = Place::new();
    place
        .moonport(&["instance", "create", "shop"])
        .run()
        .expect(0);
    place
}

#[track_caller]
fn ok(place: &Place, arguments: &[&str]) -> Ended {
    place.moonport(arguments).run().expect(0)
}

#[test]
fn an_empty_directory_says_what_to_do_first() {
    let place = Place::new();
    let ended = place.moonport(&["topic", "list"]).run().expect(2);
    assert!(ended.err.contains("there is no instance yet"), "{ended:?}");
    assert!(ended.err.contains("moonport instance create"), "{ended:?}");
}

#[test]
fn an_unknown_instance_is_wrong_use() {
    let place = shop();
    let arguments = ["topic", "list", "--instance", "store"];
    let ended = place.moonport(&arguments).run().expect(2);
    assert!(ended.err.contains("no instance `store`"), "{ended:?}");
    assert!(ended.err.contains("moonport instance list"), "{ended:?}");
}

#[test]
fn topics_and_groups_last_from_one_command_to_the_next() {
    let place = shop();
    ok(
        &place,
        &[
            "topic", "create", "orders", "--type", "FIFO", "--queues", "4",
        ],
    );
    ok(&place, &["group", "create", "readers", "--topic", "orders"]);
    let topics = ok(&place, &["topic", "list", "--json"]).json();
    assert_eq!(topics[0]["name"], "orders");
    assert_eq!(topics[0]["type"], "FIFO");
    assert_eq!(topics[0]["groups"][0], "readers");
    let table = ok(&place, &["group", "list"]).out;
    assert!(table.starts_with("NAME     ORDER"), "{table}");
    ok(&place, &["topic", "update", "orders", "--retention", "1h"]);
    let shown = ok(&place, &["topic", "show", "orders", "--json"]).json();
    assert_eq!(shown["topic"]["retention_seconds"], 3600);
    ok(&place, &["topic", "delete", "orders", "--yes"]);
    assert_eq!(ok(&place, &["topic", "list", "--json"]).out, "[]\n");
}

#[test]
fn deleting_asks_and_without_a_terminal_needs_a_yes() {
    let place = shop();
    ok(&place, &["topic", "create", "orders"]);
    let refused = place
        .moonport(&["topic", "delete", "orders"])
        .run()
        .expect(2);
    assert!(refused.err.contains("--yes"), "{refused:?}");
    let counted = ok(&place, &["topic", "delete", "orders", "--dry-run"]);
    assert!(
        counted.out.starts_with("would remove 0 messages"),
        "{counted:?}"
    );
}

#[test]
fn a_sent_message_is_found_by_key_id_and_time() {
    let place = shop();
    ok(&place, &["topic", "create", "orders"]);
    let send = [
        "send",
        "--topic",
        "orders",
        "--key",
        "ORD-1",
        "--tag",
        "new",
        "--property",
        "tenant=eu",
        "--body",
        "{\"a\":1}",
        "--json",
    ];
    let sent = ok(&place, &send).json();
    let id = sent["message_id"].as_str().unwrap();
    for arguments in [
        &["messages", "--id", id, "--json"][..],
        &["messages", "--topic", "orders", "--key", "ORD-1", "--json"][..],
        &["messages", "--topic", "orders", "--json"][..],
    ] {
        let found = ok(&place, arguments).json();
        assert_eq!(found[0]["message_id"], id);
        assert_eq!(found[0]["body"], "{\"a\":1}");
        assert_eq!(found[0]["properties"]["tenant"], "eu");
    }
    let trace = ok(&place, &["trace", id]).out;
    assert!(trace.contains(id) && trace.contains("stored"), "{trace}");
    ok(
        &place,
        &["messages", "--topic", "orders", "--export", "all.jsonl"],
    );
    let exported = std::fs::read_to_string(place.path().join("all.jsonl")).unwrap();
    assert_eq!(exported.lines().count(), 1);
}

#[test]
fn a_delayed_message_is_pending_until_it_is_recalled_l3_l4() {
    let place = shop();
    ok(&place, &["topic", "create", "later", "--type", "DELAY"]);
    let send = [
        "send", "--topic", "later", "--delay", "1h", "--body", "x", "--json",
    ];
    let sent = ok(&place, &send).json();
    let pending = ok(&place, &["messages", "--pending", "--json"]).json();
    assert_eq!(pending[0]["message_id"], sent["message_id"]);
    let handle = sent["recall_handle"].as_str().unwrap();
    ok(
        &place,
        &["messages", "--topic", "later", "--recall", handle],
    );
    assert_eq!(ok(&place, &["messages", "--pending", "--json"]).out, "[]\n");
}

#[test]
fn a_message_over_four_mib_is_refused_and_nothing_is_stored_n11() {
    let place = shop();
    ok(&place, &["topic", "create", "orders"]);
    let body = vec![b'x'; 4 * 1024 * 1024 + 1];
    let send = place
        .moonport(&["send", "--topic", "orders", "-"])
        .input(body);
    let ended = send.run().expect(1);
    assert!(
        ended.err.contains("4194305 bytes, at most 4194304"),
        "{ended:?}"
    );
    assert!(ended.err.contains("hint:"), "{ended:?}");
    assert_eq!(
        ok(&place, &["topic", "list", "--json"]).json()[0]["messages"],
        0
    );
}

#[test]
fn a_message_of_another_type_is_refused_with_both_types_t6() {
    let place = shop();
    ok(&place, &["topic", "create", "orders", "--type", "FIFO"]);
    let send = ["send", "--topic", "orders", "--body", "x"];
    let ended = place.moonport(&send).run().expect(1);
    assert!(ended.err.contains("FIFO"), "{ended:?}");
    assert!(ended.err.contains("hint:"), "{ended:?}");
}

#[test]
fn broker_time_stays_where_it_was_put() {
    let place = shop();
    ok(&place, &["clock", "hold"]);
    let before = ok(&place, &["clock", "show", "--json"]).json();
    ok(&place, &["clock", "step", "1d"]);
    let after = ok(&place, &["clock", "show", "--json"]).json();
    let moved = after["now"].as_i64().unwrap() - before["now"].as_i64().unwrap();
    assert_eq!(moved, 86_400_000);
    assert_eq!(after["held"], true);
}

#[test]
fn a_directory_that_cannot_be_written_is_told_with_its_path() {
    let place = Place::new();
    place.write("data", "a file where the directory should be");
    let ended = place.moonport(&["topic", "list"]).run().expect(2);
    assert!(
        ended.err.contains("cannot use the data directory"),
        "{ended:?}"
    );
    assert!(ended.err.contains("--data-dir"), "{ended:?}");
}

#[test]
fn an_exported_set_up_applies_to_an_empty_directory_and_changes_nothing_twice() {
    let place = shop();
    ok(&place, &["topic", "create", "orders", "--queues", "3"]);
    ok(&place, &["group", "create", "readers", "--topic", "orders"]);
    let exported = ok(&place, &["export"]).out;
    let other = Place::new();
    other.write("w.toml", &exported);
    let first = ok(&other, &["apply", "w.toml", "--yes"]).out;
    assert!(first.contains("+ topic orders"), "{first}");
    let second = ok(&other, &["apply", "w.toml", "--yes"]).out;
    assert!(second.starts_with("0 to create, 0 to change"), "{second}");
    assert_eq!(ok(&other, &["export"]).out, exported);
}
