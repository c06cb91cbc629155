//! The console in a real terminal: the order workflow by keys alone, with others beside it, and the terminal as it was
//! before, however the console ends.

mod beside;
mod ends;

use std::path::{Path, PathBuf};

use crate::support::program::Place;
use crate::support::terminal::{Terminal, moonport};

/// Ctrl-S sends a form.
const SUBMIT: &str = "\u{13}";
const ESC: &str = "\u{1b}";

/// The data directory of the demo that runs below `place`.
fn data_of_demo(place: &Path) -> PathBuf {
    let entries = std::fs::read_dir(place).unwrap().flatten();
    let found = entries
        .map(|entry| entry.path())
        .find(|path| path.join("instances").is_dir());
    found.expect("the demo has a directory with instances")
}

fn quit(console: &mut Terminal) {
    console.press("q");
    console.wait(&["Quit now"]);
    console.press("y");
    assert_eq!(console.wait_end(), 0);
    console.wait_as_before();
    assert!(
        !console.contents().contains("goes on in process"),
        "a yes to its question stops the broker"
    );
}

fn order_workflow_by_keys(columns: u16, rows: u16) {
    let place = Place::new();
    let mut console = Terminal::start(moonport(&place, &["demo"]), columns, rows);
    console.wait(&["message-processing", "RUNNING"]);
    console.press("s");
    console.wait(&["Send message", "ORD-20260612-1001"]);
    console.press(SUBMIT);
    console.wait(&["Sent 01"]);
    console.press(ESC);
    // A key that follows Escape at once would be one with Alt.
    console.wait_without("Send message");
    console.press("7");
    console.wait(&["===== MESSAGE RECEIVED =====", "Message Body: [{'msgId'"]);

    // A second terminal works beside it.
    let data = data_of_demo(place.path());
    let data = data.to_str().unwrap();
    let mut logs = place.moonport(&["--data-dir", data, "logs", "-f"]).start();
    logs.out.wait_for("MESSAGE RECEIVED");
    let send = [
        "--data-dir",
        data,
        "--json",
        "send",
        "--topic",
        "message-processing",
    ];
    let sent = place.moonport(&[&send[..], &["--body", "{\"beside\":1}"]].concat());
    let sent = sent.run().expect(0).out;
    logs.out.wait_for("'beside': 1");
    let id = sent.split('"').find(|word| word.len() == 34).unwrap();
    console.wait(&[id, "returned"]);
    quit(&mut console);
}

#[test]
fn the_order_workflow_runs_by_keys_in_80_columns() {
    order_workflow_by_keys(80, 24);
}

#[test]
fn the_order_workflow_runs_by_keys_in_120_columns() {
    order_workflow_by_keys(120, 35);
}

/// A console on a directory with nothing in it, at its guide.
fn at_the_guide(place: &Place, columns: u16, rows: u16) -> Terminal {
    let data = place.data();
    let arguments = ["--data-dir", data.to_str().unwrap(), "--no-motion"];
    let console = Terminal::start(moonport(place, &arguments), columns, rows);
    console.wait(&["order-logger", "order-created"]);
    console
}

#[test]
fn two_keys_lead_from_an_empty_store_to_a_marked_live_log_line() {
    let place = Place::new();
    let mut console = at_the_guide(&place, 120, 35);
    console.press("a");
    console.wait(&[
        "Logs",
        "FOLLOW",
        "===== MESSAGE RECEIVED =====",
        "Message Body: [{'msgId'",
    ]);
    // The new line is marked.
    console.wait_for(&|screen| {
        let contents = screen.contents();
        contents
            .lines()
            .any(|line| line.contains("┃>") || line.contains("┃*"))
    });
    quit(&mut console);
}

#[test]
fn a_click_selects_a_row_and_a_second_opens_it_at_any_size() {
    let place = Place::new();
    let mut console = Terminal::start(moonport(&place, &["demo"]), 120, 35);
    console.wait(&["message-processing", "RUNNING"]);
    console.press("4");
    console.wait(&["[4 Functions]", "order_audit", "order-logger"]);
    console.click("order-logger");
    console.wait(&[">  order-logger"]);
    console.click("order_audit");
    console.wait(&[">  order_audit"]);
    console.press("yy");
    console.wait(&["copied"]);
    // In Base64, as the terminal gets it: order_audit.
    console.heard(|heard| assert_eq!(heard.copied, [b"b3JkZXJfYXVkaXQ="]));
    for (columns, rows) in [(80, 24), (59, 10), (200, 60), (100, 30)] {
        console.resize(columns, rows);
        if columns < 60 {
            console.wait(&["60 x 15 needed"]);
        } else {
            console.wait(&[">  order_audit", "Functions"]);
        }
    }
    console.wait(&["3Groups", ">  order_audit"]);
    console.click("3Groups");
    console.wait(&["message-processing", "IN FLIGHT"]);
    quit(&mut console);
}

#[test]
fn a_megabyte_is_pasted_as_one_body_and_sent() {
    let place = Place::new();
    let mut console = Terminal::start(moonport(&place, &["demo"]), 120, 35);
    console.wait(&["message-processing", "RUNNING"]);
    // Outside of a text a paste does nothing, whatever keys it is made of.
    console.paste("DDDDyyyy");
    console.wait(&["paste"]);
    console.press("s");
    console.wait(&["Send message", "ORD-20260612-1001"]);
    console.click("\"eventType\"");
    console.press("\u{1}");
    let mut json = String::from("{\"pasted\":[");
    while json.len() < 1_000_000 {
        json.push_str("\"0123456789 abcdefghij\",\n");
    }
    json.push_str("0], \"end\": \"of the paste\"}\n");
    console.paste(&json);
    console.wait(&["of the paste"]);
    // One step takes it back.
    console.press("\u{1f}");
    console.wait_without("of the paste");
    console.wait(&["\"eventType\""]);
    console.press(SUBMIT);
    console.wait(&["Sent 01"]);
    console.press(ESC);
    console.wait_without("Send message");
    quit(&mut console);
}

/// A function of the embedded runtime, so that no interpreter is needed.
const LOUD: &str = r#"
exports.handler = (event) => {
    console.log("\u001b[2J\u001b[H\u001b]0;owned\u0007\u009b31m\u001b[?1049l\u001b[?25hloud");
    return "OK";
};
"#;

const LOUD_WORKFLOW: &str = r#"
[instance]
name = "local"
[[topic]]
name = "noise"
[[group]]
name = "noise"
[[function]]
name = "loud"
runtime = "js"
code = "loud"
handler = "index.handler"
[[trigger]]
name = "on-noise"
function = "loud"
topic = "noise"
group = "noise"
"#;

#[test]
fn a_handler_that_prints_escape_sequences_changes_nothing_on_the_terminal() {
    let place = Place::new();
    place.write("moonport.toml", LOUD_WORKFLOW);
    place.write("loud/index.js", LOUD);
    let mut console = Terminal::start(moonport(&place, &[]), 200, 40);
    console.wait(&["noise", "RUNNING"]);
    console.press("s");
    console.wait(&["Send message"]);
    console.press(SUBMIT);
    console.wait(&["Sent 01"]);
    console.press(ESC);
    console.wait_without("Send message");
    console.press("7");
    console.wait(&["␛[2J␛[H␛]0;o", "loud"]);
    console.wait(&["Logs", "RUNNING"]);
    console.heard(|heard| assert!(heard.titles.iter().all(|title| title == "moonport")));
    quit(&mut console);
}

#[test]
fn a_broker_left_running_goes_on_without_the_screen() {
    let place = Place::new();
    let data = place.data();
    place.write(
        "moonport.toml",
        "[instance]\nname = \"orders\"\nlisten = \"127.0.0.1:0\"\n[[topic]]\nname = \"kept\"\n",
    );
    let arguments = ["--data-dir", data.to_str().unwrap()];
    let mut console = Terminal::start(moonport(&place, &arguments), 100, 30);
    console.wait(&["kept", "RUNNING"]);
    console.press("q");
    console.wait(&["Leave it running"]);
    console.press("\u{1b}[C\u{1b}[C\u{1b}[C\r");
    console.wait(&["the broker goes on in process"]);
    assert_eq!(console.wait_end(), 0);

    let shown = console.contents();
    let (_, after) = shown.split_once("in process ").unwrap();
    let (pid, _) = after.split_once(':').unwrap();
    // Another command reaches the process that took over.
    let topics = place.moonport(&["topic", "list"]).run().expect(0).out;
    assert!(topics.contains("kept"), "{topics}");
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
}
