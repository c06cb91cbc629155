//! Two processes on one data directory: the second works through the owner's socket.

use nix::sys::signal::Signal;

use crate::function_support::has;
use crate::support::program::{Place, Running};

/// `moonport serve` on any port, ready.
fn serve(place: &Place, arguments: &[&str]) -> (Running, serde_json::Value) {
    let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
    let mut running = place.moonport(&all).start();
    let line = running.out.wait_for("ready ");
    let ready = serde_json::from_str(line.strip_prefix("ready ").unwrap()).unwrap();
    (running, ready)
}

#[test]
fn commands_beside_an_owner_see_and_change_what_it_has() {
    let place = Place::new();
    let (mut owner, ready) = serve(&place, &[]);
    assert!(ready["grpc"].as_str().unwrap().starts_with("127.0.0.1:"));
    place
        .moonport(&["topic", "create", "orders"])
        .run()
        .expect(0);
    let send = ["send", "--topic", "orders", "--body", "hello", "--json"];
    let sent = place.moonport(&send).run().expect(0).json();
    let list = ["messages", "--topic", "orders", "--json"];
    let found = place.moonport(&list).run().expect(0).json();
    assert_eq!(found[0]["message_id"], sent["message_id"]);
    let refused = ["send", "--topic", "orders", "--body", ""];
    let refused = place.moonport(&refused).run().expect(1);
    assert!(refused.err.contains("the body is empty"), "{refused:?}");
    owner.signal(Signal::SIGTERM);
    assert_eq!(owner.wait().code(), Some(0));
    let found = place.moonport(&list).run().expect(0).json();
    assert_eq!(
        found[0]["message_id"], sent["message_id"],
        "it outlives the owner"
    );
}

#[test]
fn an_event_is_accepted_and_its_outcome_reaches_a_topic_iv1_iv7() {
    if !has("python3") {
        return;
    }
    let place = Place::new();
    place.write(
        "code/index.py",
        "def handler(event, context):\n    return 'done'\n",
    );
    let (_owner, _) = serve(&place, &[]);
    let run = |arguments: &[&str], code| place.moonport(arguments).run().expect(code);
    run(&["topic", "create", "outcomes"], 0);
    let create = ["function", "create", "f", "--code", "code", "--on-success"];
    run(&[&create[..], &["topic:outcomes"]].concat(), 0);
    let circle = run(
        &["function", "update", "f", "--on-failure", "function:f"],
        1,
    );
    assert!(
        circle
            .err
            .contains("function `f`: `async` sends outcomes in a circle"),
        "{circle:?}"
    );
    let mut messages = place.moonport(&["logs", "-f"]).start();
    let accepted = run(&["invoke", "f", "--async", "--json"], 0).json();
    let id = accepted["request_id"].as_str().unwrap();
    messages
        .out
        .wait_for(&format!("FC Invoke End RequestId: {id}"));
    let deadline = std::time::Instant::now() + crate::support::program::PATIENCE;
    let told = loop {
        let list = ["messages", "--topic", "outcomes", "--json"];
        let found = run(&list, 0).json();
        if let Some(row) = found.get(0) {
            break row.to_string();
        }
        assert!(std::time::Instant::now() < deadline);
    };
    assert!(told.contains(id), "{told}");
}

#[test]
fn logs_are_followed_from_another_process() {
    if !has("python3") {
        return;
    }
    let place = Place::new();
    place.write(
        "w.toml",
        "[instance]\nname = \"orders\"\n[[topic]]\nname = \"orders\"\n[[function]]\nname = \"f\"\n\
         runtime = \"python3\"\ncode = \"code\"\nhandler = \"index.handler\"\n[[trigger]]\n\
         name = \"t\"\nfunction = \"f\"\ntopic = \"orders\"\ngroup = \"g\"\n",
    );
    place.write(
        "code/index.py",
        "def handler(event, context):\n    print('got', event)\n",
    );
    let (mut owner, _) = serve(&place, &["w.toml"]);
    let mut follower = place.moonport(&["logs", "-f"]).start();
    for body in ["first", "second"] {
        let send = ["send", "--topic", "orders", "--body", body];
        place.moonport(&send).run().expect(0);
        follower.out.wait_for(body);
    }
    owner.signal(Signal::SIGINT);
    assert_eq!(owner.wait().code(), Some(0));
    assert_eq!(
        follower.wait().code(),
        Some(0),
        "the log ends with its owner"
    );
}

#[test]
fn a_second_owner_is_refused_with_the_first_ones_pid() {
    let place = Place::new();
    let (owner, _) = serve(&place, &[]);
    let second = place
        .moonport(&["serve", "--listen", "127.0.0.1:0"])
        .run()
        .expect(2);
    assert!(second.err.contains(&owner.pid().to_string()), "{second:?}");
}

#[test]
fn a_killed_owner_leaves_a_directory_that_opens_again() {
    let place = Place::new();
    let (mut owner, _) = serve(&place, &[]);
    place
        .moonport(&["topic", "create", "orders"])
        .run()
        .expect(0);
    owner.signal(Signal::SIGKILL);
    owner.wait();
    let topics = place.moonport(&["topic", "list", "--json"]).run().expect(0);
    assert_eq!(topics.json()[0]["name"], "orders");
    serve(&place, &[]);
}

#[test]
fn a_deep_data_directory_is_reached_all_the_same() {
    let place = Place::new();
    let deep = place.path().join("d".repeat(100)).join("e".repeat(60));
    let data = deep.to_str().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data];
    let mut owner = place.moonport(&arguments).start();
    owner.out.wait_for("ready ");
    let create = ["topic", "create", "orders", "--data-dir", data];
    place.moonport(&create).run().expect(0);
    owner.signal(Signal::SIGTERM);
    assert_eq!(owner.wait().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_told_by_serve() {
    let place = Place::new();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let ended = place
        .moonport(&["serve", "--listen", &taken])
        .run()
        .expect(2);
    assert!(ended.err.contains("does not listen"), "{ended:?}");
    assert!(
        ended.err.contains(&taken) && ended.err.contains("hint:"),
        "{ended:?}"
    );
}
