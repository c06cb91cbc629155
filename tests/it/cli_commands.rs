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

/// `moonport function sample` with these arguments.
fn sample<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["function", "sample"], arguments].concat()
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
fn a_sent_message_is_found_by_key_id_and_time_y1_y3_k2() {
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
        assert_eq!(found[0]["body_size"], 7);
    }
    let before = [
        "messages",
        "--topic",
        "orders",
        "--key",
        "ORD-1",
        "--to",
        "2021-01-01T00:00:00Z",
        "--json",
    ];
    assert_eq!(ok(&place, &before).out, "[]\n");
    let trace = ok(&place, &["trace", id]).out;
    assert!(trace.contains(id) && trace.contains("stored"), "{trace}");
    assert!(trace.contains("NORMAL of 7 bytes, born "), "{trace}");
    assert!(trace.contains(", tag new, keys ORD-1\n"), "{trace}");
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
fn a_message_that_is_not_there_is_told_with_the_reason_y4_m6_i1() {
    let place = shop();
    ok(&place, &["instance", "create", "depot"]);
    let within = |instance: &'static str, arguments: &[&str]| {
        let all = [&["--instance", instance], arguments].concat();
        place.moonport(&all).run()
    };
    for (instance, topic_type) in [("shop", "DELAY"), ("depot", "NORMAL")] {
        within(
            instance,
            &["topic", "create", "orders", "--type", topic_type],
        )
        .expect(0);
    }
    let send = ["send", "--topic", "orders", "--body", "x", "--json"];
    let delayed = within("shop", &[&send[..], &["--delay", "1h"]].concat()).expect(0);
    let there = within("depot", &send).expect(0);
    let id_of = |ended: Ended| ended.json()["message_id"].as_str().unwrap().to_owned();
    let told = |id: &str| within("shop", &["messages", "--id", id]).expect(1).err;

    let parked = told(&id_of(delayed));
    assert!(
        parked.contains("lies in no queue: parked until"),
        "{parked}"
    );
    let elsewhere = told(&id_of(there));
    assert!(
        elsewhere.contains("hint: instance `depot` has it"),
        "{elsewhere}"
    );
    let offset_id = told("7F00000100002A9F0000000000001234");
    assert!(
        offset_id.contains("in the store of 127.0.0.1:10911"),
        "{offset_id}"
    );
    let never = told("016AB76B2B73F600010A3DA9A400000000");
    assert!(
        never.contains("hint: it never came, or is forgotten"),
        "{never}"
    );
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

#[test]
fn named_sample_events_are_kept_and_invoked_iv1_iv9_log11() {
    let place = shop();
    place.write(
        "code/index.js",
        "exports.handler = async event => { console.log('x'.repeat(5000)); return event.toString(); };\n",
    );
    let create = ["function", "create", "echo", "--runtime", "js"];
    ok(&place, &[&create[..], &["--code", "code"]].concat());
    let put = sample(&["put", "echo", "paid", "--event", r#"{"amount": 250}"#]);
    let told = ok(&place, &put).out;
    assert_eq!(told, "kept sample `paid` of function `echo`\n");
    let file = place.write("big.json", "[1]");
    let put = sample(&[
        "put",
        "echo",
        "a.b-1",
        "--event-file",
        file.to_str().unwrap(),
    ]);
    ok(&place, &put);
    let listed = ok(&place, &sample(&["list", "echo", "--json"])).json();
    assert_eq!(listed[0]["name"], "a.b-1");
    assert_eq!(listed[1]["bytes"], 15);
    assert_eq!(ok(&place, &sample(&["show", "echo", "a.b-1"])).out, "[1]\n");

    let invoked = ok(&place, &["invoke", "echo", "--sample", "paid"]);
    assert!(
        invoked.out.ends_with("\n{\"amount\": 250}\n"),
        "{invoked:?}"
    );
    let (before, summary) = invoked.err.split_once("Duration: ").unwrap();
    assert!(before.ends_with('\n'), "an empty line goes before it");
    let words = [
        "Billed Duration: ",
        "Memory Size: 512 MB",
        "Max Memory Used: ",
    ];
    assert!(words.iter().all(|word| summary.contains(word)), "{summary}");
    let tail = ["invoke", "echo", "--sample", "paid", "--tail", "--json"];
    let reply = ok(&place, &tail).json();
    let tail = reply["log_tail"].as_str().unwrap();
    assert_eq!(tail.len(), 4096);
    assert!(tail.starts_with("xxx") && tail.contains("\nFC Invoke End RequestId: "));

    let unknown = place
        .moonport(&["invoke", "echo", "--sample", "refunded"])
        .run();
    let unknown = unknown.expect(1);
    assert!(
        unknown
            .err
            .contains("function `echo` has no sample event `refunded`")
    );
    assert!(
        unknown
            .err
            .contains("hint: `moonport function sample list echo`")
    );
    ok(&place, &sample(&["remove", "echo", "a.b-1"]));
    place
        .moonport(&sample(&["remove", "echo", "a.b-1"]))
        .run()
        .expect(1);
    let nobody = sample(&["put", "nobody", "x", "--event", "1"]);
    let nobody = place.moonport(&nobody).run().expect(1);
    assert!(nobody.err.contains("no function `nobody`"), "{nobody:?}");
    ok(&place, &["function", "delete", "echo"]);
    ok(&place, &[&create[..], &["--code", "code"]].concat());
    assert_eq!(ok(&place, &sample(&["list", "echo", "--json"])).out, "[]\n");
}

#[test]
fn outcomes_that_come_back_through_a_topic_are_refused_iv7() {
    let place = shop();
    place.write("code/index.js", "exports.handler = async () => 1;\n");
    ok(&place, &["topic", "create", "outcomes"]);
    let create = [
        "function",
        "create",
        "f",
        "--runtime",
        "js",
        "--code",
        "code",
    ];
    ok(&place, &create);
    let on_success = |name| ["function", "update", name, "--on-success", "topic:outcomes"];
    ok(&place, &on_success("f"));
    let trigger = [
        "trigger",
        "create",
        "t",
        "--function",
        "f",
        "--topic",
        "outcomes",
    ];
    let asynchronous = [&trigger[..], &["--group", "g", "--async", "true"]].concat();
    let refused = place.moonport(&asynchronous).run().expect(1);
    let told = "trigger `t`: `async` sends outcomes of `f` in a circle, by way of topic `outcomes` and trigger `t`";
    assert!(refused.err.contains(told), "{refused:?}");
    ok(&place, &[&trigger[..], &["--group", "g"]].concat());
    ok(&place, &["function", "update", "f", "--on-success", "none"]);
    ok(&place, &["trigger", "update", "t", "--async", "true"]);
    let refused = place.moonport(&on_success("f")).run().expect(1);
    let told = "function `f`: `async` sends outcomes in a circle, by way of topic `outcomes` and trigger `t`";
    assert!(refused.err.contains(told), "{refused:?}");
}
