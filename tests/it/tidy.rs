//! The shape of the source, held by a test: which room may import which, where foreign crates and the system clock may
//! appear, what every file has, and the licences of what is linked in.

mod licences;
mod rules;
mod scan;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use rules::check_file;
use table::ROOMS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under `src` with its path from there.
fn sources() -> Vec<(PathBuf, String)> {
    let src = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&src).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_source_keeps_its_rules() {
    let violations: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| check_file(path, text))
        .collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn the_table_of_rooms_has_no_ring() {
    for (position, (room, allowed)) in ROOMS.iter().enumerate() {
        for target in allowed.iter().copied().flatten() {
            let below = ROOMS.iter().position(|(name, _)| name == target);
            assert!(
                below.is_some_and(|below| below < position),
                "`{room}` may use `{target}`, which is not above it in the list"
            );
        }
    }
}

/// What `check_file` says about a small file, without the place.
fn said(path: &str, code: &str) -> Vec<String> {
    let text = format!("//! A room.\n{code}\n");
    check_file(Path::new(path), &text)
        .into_iter()
        .map(|violation| violation.split_once(": ").unwrap().1.to_owned())
        .collect()
}

#[test]
fn an_arrow_against_the_table_is_found() {
    let broken = "`ui` must not import `broker`";
    for code in [
        "use crate::broker::Broker;",
        "use crate::{domain::ids, broker::Broker};",
        "fn f() { crate::broker::start(); }",
        "#[serde(with = \"crate::broker::text\")] struct A;",
        "use super::super::super::broker::Broker;",
        "mod tests { use super::super::super::super::broker::Broker; }",
    ] {
        assert_eq!(said("ui/pane/messages.rs", code), [broken], "{code}");
    }
    assert_eq!(
        said("domain/ids.rs", "use crate::clock::RealClock;"),
        ["`domain` must not import `clock`"]
    );
    assert_eq!(
        said("gateway/server.rs", "use crate::broker::Broker;"),
        ["`gateway` must not import `broker`"]
    );
}

#[test]
fn an_allowed_arrow_a_comment_and_a_text_are_not_found() {
    for code in [
        "use crate::cluster::Messaging;",
        "use crate::ui::state::State;",
        "use super::super::state::State;",
        "// crate::broker::Broker",
        "/* /* */ crate::broker::Broker */",
        "const A: &str = \"see crate::broker::Broker\";",
        "const A: &str = r#\"\" crate::broker::Broker\"#;",
        "const A: (char, char) = ('\"', '\\''); pub(crate) fn f<'a>() {}",
    ] {
        assert_eq!(said("ui/pane/messages.rs", code), [""; 0], "{code}");
    }
    assert_eq!(said("app/wiring.rs", "use crate::broker::Broker;"), [""; 0]);
}

#[test]
fn a_shortcut_past_the_rooms_is_found() {
    assert_eq!(
        said("ui/event.rs", "use crate::Broker;"),
        ["`crate::Broker` is not a room: import by full path"]
    );
    assert_eq!(
        said("helpers/mod.rs", ""),
        ["`helpers` is not a room of the table"]
    );
}

#[test]
fn a_foreign_crate_outside_its_room_is_found() {
    for (path, code, foreign) in [
        ("broker/state.rs", "use redb::Database;", "redb"),
        ("ui/mod.rs", "use tonic::Code;", "tonic"),
        (
            "cluster/mod.rs",
            "fn f(_: ::prost::bytes::Bytes) {}",
            "prost",
        ),
        ("cli/send.rs", "ratatui::init();", "ratatui"),
        ("app/mod.rs", "use crossterm::event;", "crossterm"),
        ("config/raw.rs", "#[derive(clap::Parser)] struct A;", "clap"),
        ("function/host.rs", "use rquickjs::Runtime;", "rquickjs"),
        (
            "function/runtime/worker/api.rs",
            "use rquickjs;",
            "rquickjs",
        ),
    ] {
        let expected = format!("`{foreign}` is used outside its place");
        assert_eq!(said(path, code), [expected], "{path}");
    }
    for (path, code) in [
        ("store/journal.rs", "use redb::Database;"),
        ("gateway/server.rs", "use tonic::Code;"),
        ("function/runtime/js.rs", "use rquickjs::Runtime;"),
        ("function/runtime/js/limits.rs", "use rquickjs::Runtime;"),
        ("config/raw.rs", "fn f(a: A) { a.clap; let tonic = 1; }"),
    ] {
        assert_eq!(said(path, code), [""; 0], "{path}");
    }
}

#[test]
fn the_system_clock_outside_its_file_is_found() {
    for code in [
        "let now = std::time::SystemTime::now();",
        "let now = Instant::now();",
        "let now = tokio::time::Instant::now();",
        "let now = jiff::Timestamp::now();",
        "let now = Zoned::now();",
    ] {
        let code = format!("fn f() {{ {code} }}");
        assert_eq!(
            said("broker/timers.rs", &code),
            ["the system clock is read outside `clock.rs`"],
            "{code}"
        );
        assert_eq!(said("clock.rs", &code), [""; 0], "{code}");
    }
}

#[test]
fn a_file_without_its_first_line_or_with_a_promise_is_found() {
    let bare = check_file(Path::new("store/codec.rs"), "fn f() {}\n");
    assert_eq!(
        bare,
        ["src/store/codec.rs:1: the first line is not a `//!` line"]
    );
    assert_eq!(
        said("store/codec.rs", "fn f() { todo!() }"),
        ["unfinished code: `todo!`"]
    );
    assert_eq!(
        said("store/codec.rs", "// TODO later"),
        ["unfinished code: `TODO`"]
    );
    assert_eq!(said("store/codec.rs", "fn todo() {}"), [""; 0]);
}

#[test]
fn a_long_file_is_found_unless_generated() {
    let long = "fn f() {}\n".repeat(600);
    assert_eq!(
        said("store/codec.rs", &long),
        ["602 lines, at most 600 are allowed"]
    );
    assert_eq!(said("proto/generated/v2.rs", &long), [""; 0]);
}

#[test]
fn the_pure_half_of_the_console_knows_no_terminal_and_no_runtime() {
    for path in [
        "ui/state/log.rs",
        "ui/update.rs",
        "ui/update/keys.rs",
        "ui/keymap.rs",
        "ui/theme.rs",
        "ui/pane/messages.rs",
        "ui/dialog/send.rs",
        "ui/widget/table.rs",
    ] {
        for (code, name) in [
            ("use tokio::sync::mpsc;", "tokio"),
            ("use crossterm::event::KeyEvent;", "crossterm"),
            ("use ratatui::crossterm::event::KeyEvent;", "crossterm"),
        ] {
            let expected = format!("`{name}` in the pure half of the console");
            assert_eq!(said(path, code), [expected], "{path}: {code}");
        }
        assert_eq!(
            said(path, "use ratatui_textarea::Input;"),
            [""; 0],
            "{path}"
        );
    }
    assert_eq!(said("ui/terminal.rs", "use crossterm::event;"), [""; 0]);
    assert_eq!(said("ui/effect.rs", "use tokio::task;"), [""; 0]);
}
