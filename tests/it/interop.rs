//! The official clients of RocketMQ 5, unchanged, against the real program: each plays every scenario it is able to, and
//! what it saw is judged here. `.ci/interop-setup` installs the clients and builds the programs of `tests/interop`.

mod client;
mod language;
mod peer;
mod scenario;
mod seen;

use std::io::Write as _;
use std::panic::catch_unwind;
use std::sync::Mutex;

use crate::interop::language::Language;
use crate::interop::scenario::Scenario;

/// Scenarios of one language played at once; most of their time is waiting.
const AT_ONCE: usize = 3;

#[test]
fn the_java_client_works_unchanged() {
    every_scenario(Language::Java, 21);
}

#[test]
fn the_go_client_works_unchanged() {
    every_scenario(Language::Go, 21);
}

#[test]
fn the_python_client_works_unchanged() {
    every_scenario(Language::Python, 21);
}

#[test]
fn the_node_client_works_unchanged() {
    every_scenario(Language::Node, 21);
}

#[test]
fn the_rust_client_works_unchanged() {
    every_scenario(Language::Rust, 17);
}

/// Plays what `language` is able to, `listed` scenarios in all, and fails with every one that went wrong.
fn every_scenario(language: Language, listed: usize) {
    let programs = match language.programs() {
        Ok(programs) => programs,
        Err(reason) => {
            assert!(
                std::env::var_os("MOONPORT_REQUIRE_TOOLCHAINS").is_none(),
                "{language}: {reason}"
            );
            tell(&format!("interop {language}: skipped: {reason}"));
            return;
        }
    };
    let scenarios: Vec<Scenario> = Scenario::all().filter(|s| s.suits(language)).collect();
    let (waiting, failures) = (Mutex::new(scenarios.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scenario) = { waiting.lock().unwrap().next() } {
                    // What panics is a failure of that scenario alone.
                    let outcome = catch_unwind(|| scenario.play(&programs));
                    let outcome = outcome.unwrap_or_else(|_| Err("it panicked".to_owned()));
                    if let Err(failure) = outcome {
                        let failure = format!("{}: {failure}", scenario.name());
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let passed = scenarios.len() - failures.len();
    let names: Vec<&str> = scenarios.iter().map(Scenario::name).collect();
    tell(&format!(
        "interop {language}: {passed} of {listed} scenarios passed: {}",
        names.join(" ")
    ));
    assert!(failures.is_empty(), "{language}: {}", failures.join("\n"));
    assert_eq!(passed, listed, "{language}: scenarios are missing");
}

/// Past the capture of the test's output: a report, and why something was skipped, are always seen.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
