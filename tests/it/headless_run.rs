//! `moonport run`: a workflow file, with events, to its end and its exit code.

use moonport::domain::timestamp::Timestamp;

use crate::function_support::has;
use crate::support::program::{Ended, Place};

const EVENT: &str = r#"{"orderId":"ORD-1"}"#;

/// A workflow with one Python function behind one trigger.
fn workflow(expect: &str) -> String {
    format!(
        r#"
[instance]
name = "orders"

[[topic]]
name = "orders"

[[function]]
name = "logger"
runtime = "python3"
code = "code"
handler = "index.handler"

[[trigger]]
name = "created"
function = "logger"
topic = "orders"
group = "logger"
{expect}"#
    )
}

/// Runs the workflow over this handler with one event.
fn run(code: &str, expect: &str, arguments: &[&str]) -> Ended {
    let place = Place::new();
    place.write("w.toml", &workflow(expect));
    place.write("code/index.py", code);
    place.write("event.json", EVENT);
    let all = [&["run", "w.toml", "--send", "event.json"], arguments].concat();
    let ended = place.moonport(&all).run();
    assert!(!place.data().exists(), "a run leaves nothing behind");
    ended
}

#[test]
fn a_handler_that_raises_is_retried_and_given_up_in_no_time_log5() {
    if !has("python3") {
        return;
    }
    let code = "def handler(event, context):\n    raise ValueError('no stock')\n";
    let ended = run(code, "", &[]).expect(1);
    assert_eq!(
        ended.out.matches("FC Invoke Start").count(),
        4,
        "{ended:#?}"
    );
    assert!(ended.out.contains("ValueError"), "{ended:#?}");
    assert!(ended.err.contains("error: the run failed"), "{ended:#?}");
    assert!(ended.err.contains("gave up 1 message"), "{ended:#?}");
    assert!(ended.err.contains("no stock"), "{ended:#?}");
    // Broker time jumps to each retry, never past it (TR-23): 10 to 20 s, and what the attempts took.
    let moments: Vec<Timestamp> = ended.out.lines().filter_map(prefix).collect();
    let waits = moments.windows(2).map(|pair| pair[1].since(pair[0]));
    let waits: Vec<u64> = waits.map(|wait| wait.as_secs()).collect();
    assert_eq!(waits.len(), 3, "{ended:#?}");
    assert!(
        waits.iter().all(|wait| (10..=25).contains(wait)),
        "{waits:?}"
    );
}

/// The moment that a line of the log begins with.
fn prefix(line: &str) -> Option<Timestamp> {
    let (moment, _) = line.split_once(' ')?;
    Timestamp::parse(moment)
}

#[test]
fn a_handler_that_recovers_ends_well_unless_every_attempt_counts() {
    if !has("python3") {
        return;
    }
    let code = "import os\nMARK = os.path.join(os.path.dirname(__file__), 'mark')\n\n\
                def handler(event, context):\n    if not os.path.exists(MARK):\n        \
                open(MARK, 'w').close()\n        raise ValueError('once')\n    print('recovered')\n";
    let ended = run(code, "", &[]).expect(0);
    assert!(ended.out.contains("recovered"), "{ended:#?}");
    let ended = run(code, "", &["--strict"]).expect(1);
    assert!(ended.err.contains("1 failed attempt"), "{ended:#?}");
}

#[test]
fn expectations_decide_and_name_their_line() {
    if !has("python3") {
        return;
    }
    let code = "def handler(event, context):\n    print('saw it')\n";
    let holds = "\n[[expect]]\nfunction = \"logger\"\nlog = \"saw it\"\n";
    run(code, holds, &[]).expect(0);
    let fails = "\n[[expect]]\nfunction = \"logger\"\nlog = \"saw nothing\"\n";
    let ended = run(code, fails, &[]).expect(1);
    assert!(ended.err.contains("w.toml:20"), "{ended:#?}");
    assert!(
        ended.err.contains("`logger` logs `saw nothing`, found 0"),
        "{ended:#?}"
    );
}

#[test]
fn a_run_waits_for_events_accepted_and_fails_for_those_given_up_iv4() {
    if !has("python3") {
        return;
    }
    let later = "async = true\n";
    let code =
        "def handler(event, context):\n    print('tried')\n    raise ValueError('no stock')\n";
    let ended = run(code, later, &[]).expect(1);
    assert_eq!(ended.out.matches("tried").count(), 4, "{ended:#?}");
    assert!(ended.out.contains("Async Failed RequestId: "), "{ended:#?}");
    assert!(
        ended.err.contains(
            "function `logger` gave up 1 accepted events, the last error: ValueError: no stock"
        ),
        "{ended:#?}"
    );
    run("def handler(event, context):\n    pass\n", later, &[]).expect(0);
}

#[test]
fn an_event_file_that_is_not_json_is_refused_before_anything_runs() {
    let place = Place::new();
    place.write("w.toml", &workflow(""));
    place.write("code/index.py", "");
    place.write("event.json", "{\"orderId\": oops}");
    let arguments = ["run", "w.toml", "--send", "event.json"];
    let ended = place.moonport(&arguments).run().expect(1);
    assert!(ended.err.contains("event.json"), "{ended:#?}");
    assert!(
        ended.err.contains("not JSON") && ended.err.contains("column 13"),
        "{ended:#?}"
    );
    assert!(ended.err.contains("hint:"), "{ended:#?}");
}

#[test]
fn a_run_stops_at_its_time_limit() {
    if !has("python3") {
        return;
    }
    let code = "import time\n\ndef handler(event, context):\n    time.sleep(600)\n";
    let ended = run(code, "", &["--timeout", "1s"]).expect(1);
    assert!(ended.err.contains("time is up"), "{ended:#?}");
}

#[test]
fn a_missing_python_is_told_with_what_to_do() {
    let place = Place::new();
    place.write("w.toml", &workflow(""));
    place.write("code/index.py", "");
    place.write("event.json", EVENT);
    let run = place.moonport(&["run", "w.toml", "--send", "event.json"]);
    let ended = run.env("PATH", place.path()).run().expect(1);
    assert!(ended.err.contains("python3"), "{ended:#?}");
}
