//! Runs: what is kept, what is found, what a torn or full disk leaves.

use super::*;
use crate::domain::function::{ErrorClass, InvocationType};

fn function(name: &str) -> FunctionName {
    FunctionName::new(name).unwrap()
}

fn line(name: &str, level: LogLevel, text: &str) -> LogRecord {
    LogRecord {
        number: 0,
        function: function(name),
        request_id: Some(RequestId::new(format!("request of {name}"))),
        level,
        at: Timestamp::from_millis(5),
        text: text.to_owned(),
    }
}

fn invocation(name: &str, error: Option<ErrorClass>) -> InvocationRecord {
    InvocationRecord {
        number: 0,
        request_id: RequestId::new("r"),
        function: function(name),
        trigger: None,
        invocation_type: InvocationType::Sync,
        attempt: 1,
        message_ids: vec![MessageId::new("M1").unwrap()],
        started_at: Timestamp::from_millis(1),
        schedule_ms: 0.0,
        duration_ms: 1.5,
        cold_start: true,
        spawn_ms: 0.0,
        initializer_ms: 0.0,
        memory_mb: 512,
        peak_memory_mb: 33.25,
        instance_id: "c-1".to_owned(),
        error,
        error_message: None,
        event: "[]".to_owned(),
        result: "null".to_owned(),
        log_lines_dropped: 0,
        exit: None,
        places: Vec::new(),
    }
}

fn opened(directory: &tempfile::TempDir) -> Runs {
    Runs::open(&directory.path().join("runs"), DEFAULT_BUDGET).unwrap()
}

fn numbers(lines: &LogLines) -> Vec<u64> {
    lines.records.iter().map(|record| record.number).collect()
}

#[test]
fn log_records_are_numbered_and_read_from_either_end() {
    let directory = tempfile::tempdir().unwrap();
    let runs = opened(&directory);
    let mut latest = runs.latest();
    for at in 1..=3000 {
        let text = format!("line {at} {}", "x".repeat(50));
        assert_eq!(runs.append_log(&line("f", LogLevel::Info, &text)), at);
    }
    assert_eq!(*latest.borrow_and_update(), 3000);
    let read = |start, limit| runs.logs(&LogFilter::default(), start, limit).unwrap();
    assert_eq!(numbers(&read(LogStart::End, 3)), [2998, 2999, 3000]);
    assert_eq!(numbers(&read(LogStart::Before(3), 9)), [1, 2]);
    assert_eq!(numbers(&read(LogStart::Before(1500), 2)), [1498, 1499]);
    assert_eq!(numbers(&read(LogStart::After(1500), 2)), [1501, 1502]);
    assert_eq!(numbers(&read(LogStart::After(2999), 9)), [3000]);
    let all = read(LogStart::After(0), 5000);
    assert_eq!((all.records.len(), all.more), (3000, false));
    assert!(read(LogStart::After(0), 10).more);
}

#[test]
fn filters_hold_all_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let runs = opened(&directory);
    runs.append_logs(&[
        line("a", LogLevel::Info, "order CREATED"),
        line("b", LogLevel::Error, "order created"),
        line("a", LogLevel::Error, "Order Created again"),
        line("a", LogLevel::Error, "something else"),
    ]);
    let filter = LogFilter {
        function: Some(function("a")),
        request_id: Some(RequestId::new("request of a")),
        min_level: Some(LogLevel::Warn),
        text: Some("ORDER created".to_owned()),
    };
    let found = runs.logs(&filter, LogStart::End, 10).unwrap();
    assert_eq!(numbers(&found), [3]);
    assert_eq!(found.scanned, 4);
}

#[test]
fn numbers_go_on_after_a_reopening_and_a_torn_tail_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let runs = opened(&directory);
    runs.append_logs(&[
        line("f", LogLevel::Raw, "one"),
        line("f", LogLevel::Raw, "two"),
    ]);
    drop(runs);
    let path = directory.path().join("runs");
    let path = path.join("logs-00000000000000000001.run");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(&[9, 0, 0, 0, 1, 2]);
    std::fs::write(&path, &bytes).unwrap();

    let runs = opened(&directory);
    assert_eq!(runs.append_log(&line("f", LogLevel::Raw, "three")), 3);
    let all = runs.logs(&LogFilter::default(), LogStart::End, 9).unwrap();
    let texts: Vec<&str> = all
        .records
        .iter()
        .map(|record| record.text.as_str())
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

#[test]
fn the_oldest_file_goes_when_the_budget_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("runs");
    let budget = 1024 * 1024;
    let runs = Runs::open(&path, budget).unwrap();
    for _ in 0..200 {
        let batch: Vec<LogRecord> = (0..100)
            .map(|_| line("f", LogLevel::Raw, &"y".repeat(100)))
            .collect();
        runs.append_logs(&batch);
    }
    let kept = runs
        .logs(&LogFilter::default(), LogStart::After(0), 99_999)
        .unwrap();
    assert_eq!(kept.newest, 20_000);
    assert!(kept.oldest > 1);
    assert_eq!(kept.records.len() as u64, kept.newest - kept.oldest + 1);
    let files = std::fs::read_dir(&path).unwrap();
    let bytes: u64 = files
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= budget, "{bytes} bytes");
    drop(runs);
    let again = Runs::open(&path, budget).unwrap();
    let after = again
        .logs(&LogFilter::default(), LogStart::After(0), 99_999)
        .unwrap();
    assert_eq!(after, kept);
}

#[test]
fn invocations_are_paged_newest_first() {
    let directory = tempfile::tempdir().unwrap();
    let runs = opened(&directory);
    for at in 0..20 {
        let error = (at % 5 == 0).then_some(ErrorClass::FunctionTimeoutError);
        let name = if at % 2 == 0 { "even" } else { "odd" };
        assert_eq!(runs.append_invocation(&invocation(name, error)), at + 1);
    }
    let failed = InvocationFilter {
        failed_only: true,
        ..InvocationFilter::default()
    };
    let first = runs.invocations(&failed, None, 2, 1000).unwrap();
    let seen: Vec<u64> = first.records.iter().map(|record| record.number).collect();
    assert_eq!(seen, [16, 11]);
    let rest = runs.invocations(&failed, first.next, 9, 1000).unwrap();
    let seen: Vec<u64> = rest.records.iter().map(|record| record.number).collect();
    assert_eq!((seen.as_slice(), rest.next), (&[6, 1][..], None));
    let bounded = runs.invocations(&failed, None, 9, 3).unwrap();
    assert_eq!((bounded.scanned, bounded.next), (3, Some(18)));
    let even = InvocationFilter {
        function: Some(function("even")),
        message_id: MessageId::new("M1"),
        ..InvocationFilter::default()
    };
    assert_eq!(
        runs.invocations(&even, None, 99, 99).unwrap().records.len(),
        10
    );
}

#[test]
fn lost_records_are_counted_by_function() {
    let directory = tempfile::tempdir().unwrap();
    let runs = opened(&directory);
    runs.count_dropped(&function("a"), 5);
    runs.count_dropped(&function("b"), 2);
    let of = |function: Option<FunctionName>| {
        let filter = LogFilter {
            function,
            ..LogFilter::default()
        };
        runs.logs(&filter, LogStart::End, 1).unwrap().dropped
    };
    assert_eq!((of(None), of(Some(function("a")))), (7, 5));
}

#[test]
fn a_reader_that_follows_misses_no_record_that_comes_meanwhile() {
    const RECORDS: u64 = 2_000;
    let directory = tempfile::tempdir().unwrap();
    let runs = std::sync::Arc::new(opened(&directory));
    let writer = {
        let runs = runs.clone();
        std::thread::spawn(move || {
            for _ in 0..RECORDS {
                runs.append_log(&line("f", LogLevel::Info, "x"));
            }
        })
    };
    let (mut seen, mut read) = (0, 0);
    while seen < RECORDS {
        let page = runs.logs(&LogFilter::default(), LogStart::After(seen), usize::MAX);
        let page = page.unwrap();
        read += page.records.len() as u64;
        seen = page.newest;
    }
    writer.join().unwrap();
    assert_eq!(read, RECORDS);
}
