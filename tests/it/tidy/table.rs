//! The rooms and what each may import, lowest first. A room that is not here fails the test: give it a row on purpose.

const ROW_0: &[&str] = &["domain", "clock", "report"];
const ROW_1: &[&str] = &[
    "filter", "config", "activity", "store", "cluster", "control",
];
const SCREEN: &[&str] = &["filter", "config", "cluster", "control", "workflow"];

/// Room and the lists of rooms it may use beside itself. `control` hands out clusters and events, hence its two arrows
/// within the row; time is told in the `Timestamp` of `domain`.
pub(super) const ROOMS: [(&str, &[&[&str]]); 18] = [
    ("report", &[]),
    ("domain", &[]),
    ("clock", &[&["domain"]]),
    ("filter", &[]),
    ("config", &[ROW_0]),
    ("activity", &[ROW_0]),
    ("store", &[ROW_0]),
    ("cluster", &[ROW_0]),
    ("control", &[ROW_0, &["activity", "cluster"]]),
    ("broker", &[ROW_0, ROW_1]),
    ("function", &[ROW_0, ROW_1]),
    ("proto", &[ROW_0, ROW_1]),
    ("gateway", &[ROW_0, ROW_1, &["proto"]]),
    ("remote", &[ROW_0, ROW_1, &["proto"]]),
    ("trigger", &[ROW_0, ROW_1, &["function"]]),
    ("workflow", &[ROW_0, &["cluster", "control"]]),
    ("ui", &[ROW_0, SCREEN]),
    ("cli", &[ROW_0, SCREEN]),
];

/// Row 5: imports everything, and nobody imports it.
pub(super) const TOP: [&str; 1] = ["app"];

/// A foreign crate and the paths under `src` where it may appear.
pub(super) const CONFINED: [(&str, &[&str]); 11] = [
    ("redb", &["store"]),
    ("tonic", WIRE),
    ("tonic_prost", WIRE),
    ("prost", WIRE),
    ("prost_types", WIRE),
    ("ratatui", &["ui"]),
    ("crossterm", &["ui"]),
    ("ratatui_textarea", &["ui"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("rquickjs", &["function/runtime/js"]),
];

const WIRE: &[&str] = &["proto", "gateway", "remote"];

/// Paths under `src/ui` that decide and draw, without a terminal or a task of their own.
pub(super) const PURE_UI: [&str; 7] = [
    "ui/state",
    "ui/update",
    "ui/keymap",
    "ui/theme",
    "ui/pane",
    "ui/dialog",
    "ui/widget",
];

/// What the pure half of the console must not know.
pub(super) const NOT_IN_PURE_UI: [&str; 2] = ["tokio", "crossterm"];
