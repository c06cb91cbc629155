//! Functions that misbehave in what they print and in what they are given: bounded, kept in order, never fatal.

use moonport::domain::function::{ErrorClass, LogLevel};

use crate::function_support::{World, has};

const MAX_RECORD: usize = 128 * 1024;

#[tokio::test]
async fn a_million_log_lines_are_bounded_and_counted_safe8() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os
def handler(event, context):
    line = b'x' * 60 + b'\n'
    for _ in range(1000):
        os.write(1, line * 1000)
    return 'OK'
",
    );
    let outcome = world.invoke("{}").await;
    assert_eq!(outcome.result, "OK");
    assert_eq!(outcome.record.log_lines_dropped, 1_000_000 - 20_000 - 100);
    let logs = world.runs.logs();
    assert_eq!(logs.len(), 2 + 20_000 + 1 + 100 + 1);
    assert_eq!(logs[20_002].text, "... 979900 log lines not kept");
    assert_eq!(logs.last().unwrap().text, "FC Invoke End RequestId: ID");
}

#[tokio::test]
async fn one_line_of_50_mb_is_cut_log12_safe7() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import logging
def handler(event, context):
    print('x' * (50 << 20))
    print('next')
    logging.info('y' * (50 << 20))
    return 'OK'
",
    );
    assert_eq!(world.invoke("{}").await.result, "OK");
    let texts = world.texts();
    assert_eq!(
        texts[2].len(),
        MAX_RECORD + "... Truncated by moonport".len()
    );
    assert_eq!(texts[3], "next");
    assert!(texts[4].ends_with("y... Truncated by moonport"));
    assert!(texts[4].len() < MAX_RECORD + 100);
}

#[tokio::test]
async fn a_line_without_end_belongs_to_its_request() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        "def handler(event, context):\n    print('no end', end='')\n    return 'OK'\n",
    );
    world.invoke("{}").await;
    world.invoke("{}").await;
    let texts = world.texts();
    assert_eq!(texts.iter().filter(|text| *text == "no end").count(), 2);
}

#[tokio::test]
async fn bytes_that_are_no_text_and_escape_sequences_are_kept_safely() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import os
def handler(event, context):
    os.write(1, b'\xff\xfe\n')
    os.write(2, b'\x1b[2J\x1b]0;title\x07red\n')
    os.write(1, b'\xed\xdb\xac\x9b\x00\x00\x00\x09nonsense!\n')
    return 'OK'
",
    );
    assert_eq!(world.invoke("{}").await.result, "OK");
    let logs = world.runs.logs();
    let raw = |text: &str| {
        let found = logs.iter().find(|record| record.text.contains(text));
        found.is_some_and(|record| record.level == LogLevel::Raw)
    };
    assert!(raw("\u{fffd}\u{fffd}"));
    assert!(raw("red"));
}

#[tokio::test]
async fn stdout_closed_by_the_function_does_not_stop_it() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r"
import logging, os
def handler(event, context):
    for stream in (1, 2):
        try:
            os.close(stream)
        except OSError:
            pass
    logging.info('nobody hears this')
    return 'OK'
",
    );
    assert_eq!(world.invoke("{}").await.result, "OK");
    assert_eq!(world.invoke("{}").await.result, "OK");
}

#[tokio::test]
async fn an_event_of_32_mb_passes_and_a_larger_one_is_refused_safe11() {
    if !has("python3") {
        return;
    }
    let world = World::python("def handler(event, context):\n    return str(len(event))\n");
    let largest = 32 * 1024 * 1024;
    let event = vec![b' '; largest];
    assert_eq!(world.invoke(event).await.result, largest.to_string());
    let outcome = world.invoke(vec![b' '; largest + 1]).await;
    assert_eq!(outcome.record.error, Some(ErrorClass::EntityTooLarge));
}

#[tokio::test]
async fn a_result_over_32_mb_is_refused() {
    if !has("python3") {
        return;
    }
    let world = World::python("def handler(event, context):\n    return 'x' * int(event)\n");
    let largest = 32 * 1024 * 1024;
    assert_eq!(
        world.invoke(largest.to_string()).await.result.len(),
        largest
    );
    let outcome = world.invoke((largest + 1).to_string()).await;
    assert_eq!(outcome.record.error, Some(ErrorClass::EntityTooLarge));
}

#[tokio::test]
async fn json_of_every_kind_reaches_the_handler_unchanged() {
    if !has("python3") {
        return;
    }
    let world = World::python(
        r#"
import json
def handler(event, context):
    shown = f"{event}"
    json.loads(event)
    return event
"#,
    );
    let deep = format!("{}1{}", "[".repeat(129), "]".repeat(129));
    for event in [
        r#"{"a":1e400}"#,
        r#"{"a":1180591620717411303424}"#,
        r#"{"a":1,"a":2}"#,
        deep.as_str(),
        r#""\ud800""#,
    ] {
        let outcome = world.invoke(event.to_owned()).await;
        assert_eq!(outcome.result, event.as_bytes(), "{event}");
    }
}

#[tokio::test]
async fn an_event_that_is_not_json_shows_as_bytes_s3() {
    if !has("python3") {
        return;
    }
    let world = World::python("def handler(event, context):\n    return f'{event}'\n");
    assert_eq!(world.invoke("not json").await.result, "b'not json'");
    let bomb = "[".repeat(100_000);
    assert!(world.invoke(bomb).await.result.starts_with(b"b'[[["));
}
