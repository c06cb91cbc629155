//! The rules themselves: one file in, what is wrong with it out.

use std::path::Path;

use super::scan::{Token, tokens};
use super::table::{CONFINED, NOT_IN_PURE_UI, PURE_UI, ROOMS, TOP};

/// Longest hand-written file, in lines.
const MAX_LINES: usize = 600;

/// Types whose `now` reads the system clock.
const CLOCKS: [&str; 4] = ["SystemTime", "Instant", "Timestamp", "Zoned"];

/// Every rule that the file at `path` (from `src`) breaks, as `src/path:line: what`.
pub(super) fn check_file(path: &Path, text: &str) -> Vec<String> {
    let path = path.to_string_lossy().replace('\\', "/");
    if path.starts_with("proto/generated/") {
        return Vec::new();
    }
    let mut check = Check {
        path: &path,
        found: Vec::new(),
    };
    let tokens = tokens(text);
    check.form(text);
    check.arrows(&tokens);
    check.crates(&tokens);
    check.clock(&tokens);
    check.found
}

struct Check<'a> {
    path: &'a str,
    found: Vec<String>,
}

impl Check<'_> {
    fn add(&mut self, line: usize, what: &str) {
        self.found.push(format!("src/{}:{line}: {what}", self.path));
    }

    /// The first folder or file name; `None` for the crate's two roots.
    fn room(&self) -> Option<&str> {
        let first = self.path.split('/').next().unwrap_or_default();
        let room = first.strip_suffix(".rs").unwrap_or(first);
        (!matches!(first, "lib.rs" | "main.rs")).then_some(room)
    }

    fn is_under(&self, place: &str) -> bool {
        self.path
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || !rest.starts_with(char::is_alphanumeric))
    }

    fn form(&mut self, text: &str) {
        if !text.starts_with("//!") {
            self.add(1, "the first line is not a `//!` line");
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            let what = format!("{lines} lines, at most {MAX_LINES} are allowed");
            self.add(lines, &what);
        }
        for (index, line) in text.lines().enumerate() {
            for mark in ["todo!", "unimplemented!", "TODO", "FIXME"] {
                if line.contains(mark) {
                    self.add(index + 1, &format!("unfinished code: `{mark}`"));
                }
            }
        }
    }

    /// Imports between rooms, in `use` and in paths, through `crate::` or up through `super::`.
    fn arrows(&mut self, tokens: &[Token<'_>]) {
        let Some(room) = self.room().map(str::to_owned) else {
            return;
        };
        if TOP.contains(&room.as_str()) {
            return;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            self.add(1, &format!("`{room}` is not a room of the table"));
            return;
        };
        for target in targets(tokens, self.depth()) {
            let name = target.text;
            let known = TOP.contains(&name) || ROOMS.iter().any(|(room, _)| *room == name);
            if !known {
                let what = format!("`crate::{name}` is not a room: import by full path");
                self.add(target.line, &what);
            } else if name != room && !allowed.iter().any(|rooms| rooms.contains(&name)) {
                self.add(target.line, &format!("`{room}` must not import `{name}`"));
            }
        }
    }

    /// How many `super` lead from this file's top to the crate's root.
    fn depth(&self) -> usize {
        let inner = self.path.strip_suffix("/mod.rs").unwrap_or(self.path);
        inner.split('/').count()
    }

    fn crates(&mut self, tokens: &[Token<'_>]) {
        let is_pure = PURE_UI.iter().any(|place| self.is_under(place));
        for (index, token) in tokens.iter().enumerate() {
            if is_pure && NOT_IN_PURE_UI.contains(&token.text) {
                let what = format!("`{}` in the pure half of the console", token.text);
                self.add(token.line, &what);
                continue;
            }
            let Some((name, places)) = CONFINED.iter().find(|(name, _)| *name == token.text) else {
                continue;
            };
            let is_allowed = places.iter().any(|place| self.is_under(place));
            if begins_path(tokens, index) && !is_allowed {
                self.add(token.line, &format!("`{name}` is used outside its place"));
            }
        }
    }

    fn clock(&mut self, tokens: &[Token<'_>]) {
        if self.room() == Some("clock") {
            return;
        }
        for window in tokens.windows(3) {
            let [kind, path, call] = window else { continue };
            if CLOCKS.contains(&kind.text) && path.text == "::" && call.text == "now" {
                self.add(kind.line, "the system clock is read outside `clock.rs`");
            }
        }
    }
}

/// Whether the token begins a path to a crate: `use x`, `x::…` or `::x::…`, and not `a::x` or `a.x`.
fn begins_path(tokens: &[Token<'_>], index: usize) -> bool {
    let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", |t| t.text);
    let before = text(index.checked_sub(1));
    let after = text(Some(index + 1));
    let rooted = before == "::" && !is_word(text(index.checked_sub(2)));
    before == "use" || (after == "::" && (rooted || !matches!(before, "::" | ".")))
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The first names below the crate's root that a file reaches.
fn targets<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    // How deep the braces are where each inline module opens.
    let mut modules = Vec::new();
    let mut braces = 0_usize;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    for index in 0..tokens.len() {
        match text(index) {
            "{" => {
                braces += 1;
                if index >= 2 && text(index - 2) == "mod" {
                    modules.push(braces);
                }
            }
            "}" => {
                if modules.last() == Some(&braces) {
                    modules.pop();
                }
                braces = braces.saturating_sub(1);
            }
            "crate" if text(index + 1) == "::" => below(tokens, index + 2, &mut found),
            "super" if index == 0 || text(index - 1) != "::" => {
                let supers = (index..).step_by(2).take_while(|at| text(*at) == "super");
                let count = supers.count();
                if count == depth + modules.len() {
                    below(tokens, index + 2 * count, &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

/// The name at `at`, or the first name of each branch of a group there.
fn below<'a>(tokens: &[Token<'a>], at: usize, found: &mut Vec<Token<'a>>) {
    let Some(first) = tokens.get(at) else { return };
    if first.text != "{" {
        found.push(first.clone());
        return;
    }
    let mut depth = 0_usize;
    let mut before = "{";
    for token in &tokens[at..] {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            name if depth == 1 && matches!(before, "{" | ",") && is_word(name) => {
                found.push(token.clone());
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
        before = token.text;
    }
}
