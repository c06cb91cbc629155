//! Which chords mean which action where: the defaults, a person's own file over them, and the checks on both.

use std::collections::BTreeMap;

use crate::ui::action::{Action, CHAINS, Context};
use crate::ui::chord::{Chord, show_sequence};

/// The default chords: context, action, sequences.
pub const DEFAULTS: &[(Context, Action, &[&str])] = {
    use Action as A;
    use Context as C;
    &[
        (C::Global, A::View1, &["1"]),
        (C::Global, A::View2, &["2"]),
        (C::Global, A::View3, &["3"]),
        (C::Global, A::View4, &["4"]),
        (C::Global, A::View5, &["5"]),
        (C::Global, A::View6, &["6"]),
        (C::Global, A::View7, &["7"]),
        (C::Global, A::View8, &["8"]),
        (C::Global, A::View9, &["9"]),
        (C::Global, A::ViewNext, &["."]),
        (C::Global, A::PaneNext, &["Tab"]),
        (C::Global, A::PanePrev, &["Shift-Tab"]),
        (C::Global, A::Back, &["Esc", "Ctrl-G"]),
        (C::Global, A::Close, &["q"]),
        (C::Global, A::Quit, &["Ctrl-C"]),
        (C::Global, A::Suspend, &["Ctrl-Z"]),
        (C::Global, A::Palette, &[":"]),
        (C::Global, A::Help, &["?", "F1"]),
        (C::Global, A::HistoryBack, &["["]),
        (C::Global, A::HistoryForward, &["]"]),
        (C::Global, A::HistoryLast, &["-"]),
        (C::Global, A::Zoom, &["z"]),
        (C::Global, A::Freeze, &["p"]),
        (C::Global, A::Time, &["t"]),
        (C::Global, A::Chart, &["v"]),
        (C::Global, A::Redraw, &["Ctrl-L"]),
        (C::Global, A::Reload, &["Ctrl-R"]),
        (C::Global, A::GoMessage, &["gm"]),
        (C::Global, A::GoTrace, &["gt"]),
        (C::Global, A::GoLogs, &["gl"]),
        (C::Global, A::GoFunction, &["gf"]),
        (C::Global, A::GoTrigger, &["gr"]),
        (C::Global, A::GoGroup, &["gc"]),
        (C::Global, A::GoTopic, &["go"]),
        (C::Global, A::GoDead, &["gd"]),
        (C::Global, A::GoInstance, &["gi"]),
        (C::Global, A::CopyId, &["yy"]),
        (C::Global, A::CopyBody, &["yb"]),
        (C::Global, A::CopyJson, &["yj"]),
        (C::Global, A::CopyCommand, &["yc"]),
        (C::Global, A::CopyLines, &["yl"]),
        (C::Motion, A::Down, &["j", "Down"]),
        (C::Motion, A::Up, &["k", "Up"]),
        (C::Motion, A::First, &["gg", "Home"]),
        (C::Motion, A::Last, &["G", "End"]),
        (C::Motion, A::HalfDown, &["Ctrl-D"]),
        (C::Motion, A::HalfUp, &["Ctrl-U"]),
        (C::Motion, A::PageDown, &["PgDn"]),
        (C::Motion, A::PageUp, &["PgUp"]),
        (C::Motion, A::Left, &["h", "Left"]),
        (C::Motion, A::Right, &["l", "Right"]),
        (C::Motion, A::Search, &["/"]),
        (C::Motion, A::SearchNext, &["n"]),
        (C::Motion, A::SearchPrev, &["N"]),
        (C::List, A::Open, &["Enter"]),
        (C::List, A::Details, &["d"]),
        (C::List, A::Mark, &["Space"]),
        (C::List, A::MarkAll, &["*"]),
        (C::List, A::Sort, &["o"]),
        (C::List, A::Add, &["a"]),
        (C::List, A::Edit, &["e"]),
        (C::List, A::Send, &["s"]),
        (C::List, A::Invoke, &["i"]),
        (C::List, A::Actions, &["x"]),
        (C::List, A::Resend, &["R"]),
        (C::List, A::Delete, &["D"]),
        (C::List, A::FindMessages, &["F"]),
        (C::List, A::BodyForm, &["b"]),
        (C::Detail, A::Wrap, &["w"]),
        (C::Detail, A::Fold, &["Space"]),
        (C::Detail, A::BodyForm, &["b"]),
        (C::Detail, A::Details, &["d"]),
        (C::Detail, A::Edit, &["e"]),
        (C::Detail, A::Send, &["s"]),
        (C::Detail, A::Invoke, &["i"]),
        (C::Detail, A::Actions, &["x"]),
        (C::Detail, A::Resend, &["R"]),
        (C::Detail, A::Delete, &["D"]),
        (C::Logs, A::Open, &["Enter"]),
        (C::Logs, A::Fold, &["Space"]),
        (C::Logs, A::Details, &["d"]),
        (C::Logs, A::Follow, &["f"]),
        (C::Logs, A::Wrap, &["w"]),
        (C::Logs, A::OnlyMatches, &["&"]),
        (C::Logs, A::Level, &["L"]),
        (C::Logs, A::ByRequest, &["r"]),
        (C::Logs, A::PrevRequest, &["{"]),
        (C::Logs, A::NextRequest, &["}"]),
        (C::Logs, A::NextError, &["!"]),
        (C::Logs, A::MarkLine, &["m"]),
        (C::Logs, A::NextMark, &["'"]),
        (C::Logs, A::SaveLog, &["S"]),
        (C::Logs, A::HideUpToNow, &["C"]),
        (C::Logs, A::Send, &["s"]),
        (C::Logs, A::Invoke, &["i"]),
        (C::Logs, A::Actions, &["x"]),
        (C::Logs, A::Resend, &["R"]),
        (C::Guide, A::GuideStep, &["Enter"]),
        (C::Guide, A::GuideEdit, &["e"]),
        (C::Guide, A::GuideAll, &["a"]),
        (C::Form, A::Submit, &["Ctrl-S"]),
        (C::Form, A::More, &["Ctrl-O"]),
        (C::Form, A::FieldNext, &["Tab"]),
        (C::Form, A::FieldPrev, &["Shift-Tab"]),
        (C::Form, A::FormPrev, &["Ctrl-P"]),
        (C::Form, A::FormNext, &["Ctrl-N"]),
        (C::Form, A::Dismiss, &["Esc", "Ctrl-G"]),
        (C::Form, A::Help, &["F1"]),
        (C::Form, A::Quit, &["Ctrl-C"]),
        (C::Form, A::Redraw, &["Ctrl-L"]),
        (C::Text, A::CharLeft, &["Left", "Ctrl-B"]),
        (C::Text, A::CharRight, &["Right", "Ctrl-F"]),
        (C::Text, A::WordLeft, &["Alt-B", "Ctrl-Left"]),
        (C::Text, A::WordRight, &["Alt-F", "Ctrl-Right"]),
        (C::Text, A::LineStart, &["Home", "Ctrl-A"]),
        (C::Text, A::LineEnd, &["End", "Ctrl-E"]),
        (C::Text, A::DeleteLeft, &["Backspace"]),
        (C::Text, A::DeleteRight, &["Delete", "Ctrl-D"]),
        (C::Text, A::DeleteWord, &["Ctrl-W"]),
        (C::Text, A::KillStart, &["Ctrl-U"]),
        (C::Text, A::KillEnd, &["Ctrl-K"]),
        (C::Text, A::Yank, &["Ctrl-Y"]),
        (C::Text, A::Undo, &["Ctrl-_"]),
        (C::Text, A::FieldPrev, &["Up"]),
        (C::Text, A::FieldNext, &["Down"]),
        (C::Text, A::Press, &["Enter"]),
        (C::Body, A::CharLeft, &["Left", "Ctrl-B"]),
        (C::Body, A::CharRight, &["Right", "Ctrl-F"]),
        (C::Body, A::WordLeft, &["Alt-B", "Ctrl-Left"]),
        (C::Body, A::WordRight, &["Alt-F", "Ctrl-Right"]),
        (C::Body, A::LineStart, &["Home", "Ctrl-A"]),
        (C::Body, A::LineEnd, &["End", "Ctrl-E"]),
        (C::Body, A::LineUp, &["Up"]),
        (C::Body, A::LineDown, &["Down"]),
        (C::Body, A::TextPageUp, &["PgUp"]),
        (C::Body, A::TextPageDown, &["PgDn"]),
        (C::Body, A::NewLine, &["Enter"]),
        (C::Body, A::DeleteLeft, &["Backspace"]),
        (C::Body, A::DeleteRight, &["Delete", "Ctrl-D"]),
        (C::Body, A::DeleteWord, &["Ctrl-W"]),
        (C::Body, A::KillStart, &["Ctrl-U"]),
        (C::Body, A::KillEnd, &["Ctrl-K"]),
        (C::Body, A::Yank, &["Ctrl-Y"]),
        (C::Body, A::Undo, &["Ctrl-_"]),
        (C::Choice, A::ChoicePrev, &["Left"]),
        (C::Choice, A::ChoiceNext, &["Right", "Space"]),
        (C::Choice, A::FieldPrev, &["Up"]),
        (C::Choice, A::FieldNext, &["Down"]),
        (C::Choice, A::Press, &["Enter"]),
        (C::Pick, A::PickUp, &["Up", "Ctrl-P"]),
        (C::Pick, A::PickDown, &["Down", "Ctrl-N"]),
        (C::Pick, A::PageUp, &["PgUp"]),
        (C::Pick, A::PageDown, &["PgDn"]),
        (C::Pick, A::PickComplete, &["Tab"]),
        (C::Pick, A::PickRun, &["Enter"]),
        (C::Pick, A::Dismiss, &["Esc", "Ctrl-G"]),
        (C::Pick, A::Quit, &["Ctrl-C"]),
        (C::Pick, A::CharLeft, &["Left", "Ctrl-B"]),
        (C::Pick, A::CharRight, &["Right", "Ctrl-F"]),
        (C::Pick, A::LineStart, &["Home", "Ctrl-A"]),
        (C::Pick, A::LineEnd, &["End", "Ctrl-E"]),
        (C::Pick, A::DeleteLeft, &["Backspace"]),
        (C::Pick, A::DeleteRight, &["Delete", "Ctrl-D"]),
        (C::Pick, A::DeleteWord, &["Ctrl-W"]),
        (C::Pick, A::KillStart, &["Ctrl-U"]),
        (C::Pick, A::KillEnd, &["Ctrl-K"]),
        (C::Confirm, A::AnswerPrev, &["Left", "Shift-Tab"]),
        (C::Confirm, A::AnswerNext, &["Right", "Tab"]),
        (C::Confirm, A::AnswerPress, &["Enter"]),
        (C::Confirm, A::AnswerYes, &["y"]),
        (C::Confirm, A::AnswerNo, &["n"]),
        (C::Confirm, A::Dismiss, &["Esc", "Ctrl-G"]),
        (C::Confirm, A::Quit, &["Ctrl-C"]),
        (C::Page, A::PageClose, &["Esc", "Ctrl-G", "q"]),
        (C::Page, A::Quit, &["Ctrl-C"]),
    ]
};

/// A sequence of chords bound to an action in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub context: Context,
    pub chords: Vec<Chord>,
    pub action: Action,
}

/// What the chords so far mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Act(Action),
    /// The start of longer sequences.
    Prefix,
    Nothing,
}

/// A fault in a key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    #[error("{file}: {problem}")]
    NotToml { file: String, problem: String },
    #[error("{file} line {line}: no context `{name}`")]
    UnknownContext {
        file: String,
        line: usize,
        name: String,
    },
    #[error("{file} line {line}: `{context}` has no action `{name}`")]
    UnknownAction {
        file: String,
        line: usize,
        context: Context,
        name: String,
    },
    #[error("{file} line {line}: {problem}")]
    BadValue {
        file: String,
        line: usize,
        problem: String,
    },
    #[error("{file} line {line}: `{chords}` would mean both `{first}` and `{second}`")]
    Conflict {
        file: String,
        line: usize,
        chords: String,
        first: &'static str,
        second: &'static str,
    },
    #[error(
        "{file} line {line}: `{chords}` of `{first}` hides the longer `{longer}` of `{second}`"
    )]
    HiddenSequence {
        file: String,
        line: usize,
        chords: String,
        longer: String,
        first: &'static str,
        second: &'static str,
    },
    #[error("{file} line {line}: `{action}` would have no key, and nothing else does it")]
    NoWayIn {
        file: String,
        line: usize,
        action: &'static str,
    },
}

/// The table in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = DEFAULTS
            .iter()
            .flat_map(|(context, action, sequences)| {
                sequences.iter().filter_map(|text| {
                    Some(Binding {
                        context: *context,
                        chords: Chord::parse_sequence(text).ok()?,
                        action: *action,
                    })
                })
            })
            .collect();
        Self { bindings }
    }
}

impl Keymap {
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// What `chords` mean in a chain of contexts.
    pub fn meaning(&self, chain: &[Context], chords: &[Chord]) -> Meaning {
        let mut prefix = false;
        for context in chain {
            for binding in self.bindings.iter().filter(|b| b.context == *context) {
                if binding.chords == chords {
                    return Meaning::Act(binding.action);
                }
                prefix |= binding.chords.starts_with(chords);
            }
        }
        if prefix {
            Meaning::Prefix
        } else {
            Meaning::Nothing
        }
    }

    /// The first sequence of an action in a chain, as it is shown.
    pub fn shown(&self, chain: &[Context], action: Action) -> Option<String> {
        self.bindings
            .iter()
            .find(|b| b.action == action && chain.contains(&b.context))
            .map(|b| show_sequence(&b.chords))
    }

    /// All sequences of an action in a context.
    pub fn sequences(&self, context: Context, action: Action) -> Vec<String> {
        self.bindings
            .iter()
            .filter(|b| b.action == action && b.context == context)
            .map(|b| show_sequence(&b.chords))
            .collect()
    }

    /// What may follow `prefix` in a chain: the rest of the sequence, and its action.
    pub fn continuations(&self, chain: &[Context], prefix: &[Chord]) -> Vec<(String, Action)> {
        self.bindings
            .iter()
            .filter(|b| chain.contains(&b.context))
            .filter_map(|b| {
                let rest = b.chords.strip_prefix(prefix)?;
                (!rest.is_empty()).then(|| (show_sequence(rest), b.action))
            })
            .collect()
    }

    /// The table with a person's file over it. A context with any fault keeps its defaults; all faults are told.
    pub fn with_file(file: &str, text: &str) -> (Self, Vec<KeymapError>) {
        let mut keymap = Self::default();
        let mut errors = Vec::new();
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let problem = error.to_string().trim().replace('\n', " ");
                let file = file.to_owned();
                return (keymap, vec![KeymapError::NotToml { file, problem }]);
            }
        };
        let lines = Lines { file, text };
        for (name, value) in &table {
            let Some(context) = Context::by_name(name) else {
                errors.push(KeymapError::UnknownContext {
                    file: file.to_owned(),
                    line: lines.of(name),
                    name: name.clone(),
                });
                continue;
            };
            match keymap.overlay(context, value, &lines) {
                Ok(next) => keymap = next,
                Err(mut faults) => errors.append(&mut faults),
            }
        }
        (keymap, errors)
    }

    fn overlay(
        &self,
        context: Context,
        value: &toml::Value,
        lines: &Lines<'_>,
    ) -> Result<Self, Vec<KeymapError>> {
        let mut next = self.clone();
        let mut faults = Vec::new();
        let Some(table) = value.as_table() else {
            return Err(vec![lines.bad(context.name(), "a table was expected")]);
        };
        for (name, keys) in table {
            let known = DEFAULTS.iter().find(|(c, action, _)| {
                *c == context
                    && (action.name() == name
                        || action
                            .name()
                            .rsplit('.')
                            .next()
                            .is_some_and(|last| last == name))
            });
            let Some((_, action, _)) = known else {
                faults.push(KeymapError::UnknownAction {
                    file: lines.file.to_owned(),
                    line: lines.of(name),
                    context,
                    name: name.clone(),
                });
                continue;
            };
            match parse_keys(keys) {
                Ok(sequences) => next.replace(context, *action, sequences),
                Err(problem) => faults.push(lines.bad(name, &problem)),
            }
        }
        faults.extend(next.check(context, lines));
        if faults.is_empty() {
            Ok(next)
        } else {
            Err(faults)
        }
    }

    fn replace(&mut self, context: Context, action: Action, sequences: Vec<Vec<Chord>>) {
        self.bindings
            .retain(|b| b.context != context || b.action != action);
        for chords in sequences {
            self.bindings.push(Binding {
                context,
                chords,
                action,
            });
        }
    }

    /// Faults in the chains that `context` is part of.
    fn check(&self, context: Context, lines: &Lines<'_>) -> Vec<KeymapError> {
        let mut faults = Vec::new();
        for chain in CHAINS.iter().filter(|chain| chain.contains(&context)) {
            let alive: Vec<&Binding> = self
                .bindings
                .iter()
                .filter(|b| chain.contains(&b.context))
                .collect();
            for (index, first) in alive.iter().enumerate() {
                for second in &alive[index + 1..] {
                    faults.extend(clash(first, second, lines));
                }
            }
        }
        for action in [Action::Dismiss, Action::Back, Action::Quit] {
            let had = DEFAULTS
                .iter()
                .any(|(c, a, _)| *c == context && *a == action);
            if had && self.sequences(context, action).is_empty() {
                faults.push(KeymapError::NoWayIn {
                    file: lines.file.to_owned(),
                    line: lines.of(action.name()),
                    action: action.name(),
                });
            }
        }
        faults.dedup();
        faults
    }

    /// Every default chain without a fault; a test holds this.
    pub fn faults(&self) -> Vec<KeymapError> {
        let lines = Lines {
            file: "the built-in keys",
            text: "",
        };
        Context::ALL
            .into_iter()
            .flat_map(|context| self.check(context, &lines))
            .collect()
    }

    /// The table in force for a person: context, then action with all its keys.
    pub fn table(&self) -> BTreeMap<Context, Vec<(Action, Vec<String>)>> {
        let mut table: BTreeMap<Context, Vec<(Action, Vec<String>)>> = BTreeMap::new();
        for (context, action, _) in DEFAULTS {
            let keys = self.sequences(*context, *action);
            table.entry(*context).or_default().push((*action, keys));
        }
        table
    }
}

fn clash(first: &Binding, second: &Binding, lines: &Lines<'_>) -> Option<KeymapError> {
    let (short, long) = if first.chords.len() <= second.chords.len() {
        (first, second)
    } else {
        (second, first)
    };
    if short.action == long.action || !long.chords.starts_with(&short.chords) {
        return None;
    }
    let chords = show_sequence(&short.chords);
    let line = lines.of(&chords);
    let file = lines.file.to_owned();
    Some(if short.chords.len() == long.chords.len() {
        KeymapError::Conflict {
            file,
            line,
            chords,
            first: short.action.name(),
            second: long.action.name(),
        }
    } else {
        KeymapError::HiddenSequence {
            file,
            line,
            chords,
            longer: show_sequence(&long.chords),
            first: short.action.name(),
            second: long.action.name(),
        }
    })
}

fn parse_keys(value: &toml::Value) -> Result<Vec<Vec<Chord>>, String> {
    let list = value
        .as_array()
        .ok_or("a list of keys was expected, as in `[\"f\", \"F5\"]`")?;
    list.iter()
        .map(|entry| {
            let text = entry.as_str().ok_or("keys are texts, as in `\"f\"`")?;
            Chord::parse_sequence(text).map_err(|error| error.to_string())
        })
        .collect()
}

/// Finds the line of a word in the file, for error messages.
struct Lines<'a> {
    file: &'a str,
    text: &'a str,
}

impl Lines<'_> {
    /// Line of the first occurrence, from 1; 1 when it is nowhere.
    fn of(&self, word: &str) -> usize {
        let at = self.text.lines().position(|line| line.contains(word));
        at.map_or(1, |index| index + 1)
    }

    fn bad(&self, word: &str, problem: &str) -> KeymapError {
        KeymapError::BadValue {
            file: self.file.to_owned(),
            line: self.of(word),
            problem: format!("`{word}`: {problem}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[Context] = &[Context::List, Context::Motion, Context::Global];

    #[test]
    fn the_built_in_keys_have_no_fault() {
        let keymap = Keymap::default();
        assert_eq!(keymap.faults(), []);
        let texts: usize = DEFAULTS.iter().map(|(_, _, keys)| keys.len()).sum();
        assert_eq!(keymap.bindings().len(), texts, "every default is readable");
    }

    #[test]
    fn sequences_wait_for_their_end() {
        let keymap = Keymap::default();
        let g = Chord::char('g');
        assert_eq!(keymap.meaning(LIST, &[g]), Meaning::Prefix);
        assert_eq!(keymap.meaning(LIST, &[g, g]), Meaning::Act(Action::First));
        assert_eq!(
            keymap.meaning(LIST, &[g, Chord::char('Q')]),
            Meaning::Nothing
        );
    }

    #[test]
    fn a_file_replaces_the_keys_of_its_actions_only() {
        let (keymap, errors) = Keymap::with_file("keys.toml", "[logs]\nfollow = [\"F\", \"F5\"]\n");
        assert_eq!(errors, []);
        assert_eq!(keymap.sequences(Context::Logs, Action::Follow), ["F", "F5"]);
        assert_eq!(keymap.sequences(Context::Logs, Action::Wrap), ["w"]);
    }

    #[test]
    fn faults_name_line_and_both_actions_and_keep_the_defaults() {
        let text =
            "[list]\nadd = [\"e\"]\n[nowhere]\nx = []\n[logs]\nfollow = [\"g\"]\nfly = [\"y\"]\n";
        let (keymap, errors) = Keymap::with_file("keys.toml", text);
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let has = |piece: &str| told.iter().any(|line| line.contains(piece));
        assert!(has("line 2: `e` would mean both"), "{told:?}");
        assert!(has("line 3: no context `nowhere`"), "{told:?}");
        assert!(has("`g` of `log.follow` hides"), "{told:?}");
        assert!(has("line 7: `logs` has no action `fly`"), "{told:?}");
        assert_eq!(keymap, Keymap::default());
    }
}
