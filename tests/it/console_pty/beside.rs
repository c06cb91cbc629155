//! Consoles beside a running owner of the data directory: they show the same, and quitting stops nothing.

use super::{ESC, SUBMIT, quit};
use crate::support::program::{Place, Running};
use crate::support::terminal::{Terminal, moonport};

fn beside(place: &Place) -> Terminal {
    let data = place.data();
    let console = Terminal::start(
        moonport(place, &["--data-dir", data.to_str().unwrap()]),
        120,
        35,
    );
    console.wait(&["message-processing", "RUNNING"]);
    console
}

/// An owner with the topic of orders.
fn serve(place: &Place) -> Running {
    let mut serve = place
        .moonport(&["serve", "--listen", "127.0.0.1:0"])
        .start();
    serve.out.wait_for("ready ");
    let made = place.moonport(&["topic", "create", "message-processing"]);
    made.run().expect(0);
    serve
}

#[test]
fn a_console_attaches_to_a_running_serve_and_leaves_it_running() {
    let place = Place::new();
    let serve = serve(&place);
    let mut first = beside(&place);
    let mut second = beside(&place);
    // What one sends shows in the other.
    first.press("s");
    first.wait(&["Send message"]);
    first.press(SUBMIT);
    first.wait(&["Sent 01"]);
    first.press(ESC);
    first.wait_without("Send message");
    second.press("6");
    second.wait(&["Messages", "NORMAL"]);
    first.press("q");
    assert_eq!(first.wait_end(), 0);
    first.wait_as_before();
    let told = place.moonport(&["--json", "topic", "list"]).run().expect(0);
    assert!(told.out.contains("message-processing"));
    second.press("2");
    second.wait(&["message-processing", "RUNNING"]);
    drop(serve);
}

#[test]
fn a_second_console_attaches_to_the_first() {
    let place = Place::new();
    drop(serve(&place));
    let mut owner = beside(&place);
    let mut second = beside(&place);
    second.press("q");
    assert_eq!(second.wait_end(), 0);
    owner.press("1");
    owner.wait(&["Instances", "RUNNING"]);
    quit(&mut owner);
}
