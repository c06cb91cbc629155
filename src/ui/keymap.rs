//! Which chords mean which action where: the defaults, a person's own file over them, and the checks on both.

mod defaults;

use std::collections::BTreeMap;

use toml::Spanned;

use crate::ui::action::{Action, CHAINS, Context};
use crate::ui::chord::{Chord, show_sequence};

pub use defaults::DEFAULTS;

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
        let tables: KeyFile = match toml::from_str(text) {
            Ok(tables) => tables,
            Err(error) => {
                let problem = error.to_string().trim().replace('\n', " ");
                let file = file.to_owned();
                return (keymap, vec![KeymapError::NotToml { file, problem }]);
            }
        };
        let source = Source { file, text };
        for (name, table) in &tables {
            let Some(context) = Context::by_name(name.get_ref()) else {
                errors.push(KeymapError::UnknownContext {
                    file: file.to_owned(),
                    line: source.line(name),
                    name: name.get_ref().clone(),
                });
                continue;
            };
            match keymap.overlay(context, table, &source) {
                Ok(next) => keymap = next,
                Err(mut faults) => errors.append(&mut faults),
            }
        }
        (keymap, errors)
    }

    fn overlay(
        &self,
        context: Context,
        table: &KeyTable,
        source: &Source<'_>,
    ) -> Result<Self, Vec<KeymapError>> {
        let mut next = self.clone();
        let mut faults = Vec::new();
        let mut written = Written::of(context, source.file);
        for (name, keys) in table {
            let line = source.line(name);
            let Some(action) = action_of(context, name.get_ref()) else {
                faults.push(KeymapError::UnknownAction {
                    file: source.file.to_owned(),
                    line,
                    context,
                    name: name.get_ref().clone(),
                });
                continue;
            };
            written.lines.insert(action, line);
            match parse_keys(keys.get_ref()) {
                Ok(sequences) => next.replace(context, action, sequences),
                Err(problem) => faults.push(KeymapError::BadValue {
                    file: source.file.to_owned(),
                    line: source.line(keys),
                    problem: format!("`{}`: {problem}", name.get_ref()),
                }),
            }
        }
        faults.extend(next.check(&written));
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

    /// Faults in the chains that the context is part of.
    fn check(&self, written: &Written<'_>) -> Vec<KeymapError> {
        let context = written.context;
        let mut faults = Vec::new();
        for chain in CHAINS.iter().filter(|chain| chain.contains(&context)) {
            let alive: Vec<&Binding> = self
                .bindings
                .iter()
                .filter(|b| chain.contains(&b.context))
                .collect();
            for (index, first) in alive.iter().enumerate() {
                for second in &alive[index + 1..] {
                    let fault = clash(first, second, written);
                    faults.extend(fault.filter(|fault| !faults.contains(fault)));
                }
            }
        }
        for action in [Action::Dismiss, Action::Back, Action::Quit] {
            let had = DEFAULTS
                .iter()
                .any(|(c, a, _)| *c == context && *a == action);
            if had && self.sequences(context, action).is_empty() {
                faults.push(KeymapError::NoWayIn {
                    file: written.file.to_owned(),
                    line: written.line(context, action).unwrap_or(1),
                    action: action.name(),
                });
            }
        }
        faults
    }

    /// Every default chain without a fault; a test holds this.
    pub fn faults(&self) -> Vec<KeymapError> {
        let contexts = Context::ALL.into_iter();
        contexts
            .flat_map(|context| self.check(&Written::of(context, "the built-in keys")))
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

fn clash(first: &Binding, second: &Binding, written: &Written<'_>) -> Option<KeymapError> {
    let (short, long) = if first.chords.len() <= second.chords.len() {
        (first, second)
    } else {
        (second, first)
    };
    if short.action == long.action || !long.chords.starts_with(&short.chords) {
        return None;
    }
    let chords = show_sequence(&short.chords);
    let line_of = |binding: &Binding| written.line(binding.context, binding.action);
    let line = line_of(short).or_else(|| line_of(long)).unwrap_or(1);
    let file = written.file.to_owned();
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

/// A person's file: tables by context, keys by action.
type KeyFile = BTreeMap<Spanned<String>, KeyTable>;
type KeyTable = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// The action that a context's table calls `name`, whole or by its last word.
fn action_of(context: Context, name: &str) -> Option<Action> {
    let own = DEFAULTS.iter().filter(|(c, _, _)| *c == context);
    let mut actions = own.map(|(_, action, _)| *action);
    actions.find(|action| action.name().rsplit('.').next() == Some(name) || action.name() == name)
}

/// A file's text, for the lines of what is in it.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    /// From 1.
    fn line<T>(&self, piece: &Spanned<T>) -> usize {
        let before = self.text.get(..piece.span().start).unwrap_or_default();
        before.matches('\n').count() + 1
    }
}

/// What a file says of a context: the lines of its actions.
struct Written<'a> {
    context: Context,
    file: &'a str,
    lines: BTreeMap<Action, usize>,
}

impl<'a> Written<'a> {
    fn of(context: Context, file: &'a str) -> Self {
        Self {
            context,
            file,
            lines: BTreeMap::new(),
        }
    }

    fn line(&self, context: Context, action: Action) -> Option<usize> {
        let line = self.lines.get(&action).copied();
        line.filter(|_| context == self.context)
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
