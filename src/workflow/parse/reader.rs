//! Reads the tables of a workflow file key by key, and collects what is wrong with them.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::span::parse_span;
use crate::workflow::error::Problem;
use crate::workflow::file::Placed;
use crate::workflow::nearest::nearest;

/// What is wrong so far, and where lines begin.
pub(super) struct Notes<'a> {
    file: &'a str,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            problems: RefCell::default(),
        }
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        1 + before.bytes().filter(|b| *b == b'\n').count()
    }

    pub(super) fn problem_at_line(&self, line: usize, what: String, hint: Option<String>) {
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line,
            what,
            hint,
        });
    }

    pub(super) fn problem(&self, at: usize, what: String, hint: Option<String>) {
        self.problem_at_line(self.line(at), what, hint);
    }

    /// In file order.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// One table of the file. Keys are taken out as they are read; what is left at [`Section::finish`] is unknown.
pub(super) struct Section<'a> {
    notes: &'a Notes<'a>,
    /// `[[topic]]`.
    title: &'static str,
    table: DeTable<'a>,
    /// Byte of the table's beginning.
    start: usize,
    /// Keys asked for, with the place of those that were there.
    asked: Vec<(&'static str, Option<usize>)>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        notes: &'a Notes<'a>,
        title: &'static str,
        table: DeTable<'a>,
        start: usize,
    ) -> Self {
        Self {
            notes,
            title,
            table,
            start,
            asked: Vec::new(),
        }
    }

    pub(super) fn line(&self) -> usize {
        self.notes.line(self.start)
    }

    pub(super) fn place<T>(&self, value: T) -> Placed<T> {
        Placed {
            line: self.line(),
            value,
        }
    }

    /// The line of a key that was read, else of the table; `batch.size` finds `batch`.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let outer = key.split('.').next().unwrap_or(key);
        let found = self.asked.iter().find(|(name, _)| *name == outer);
        let at = found.and_then(|(_, at)| *at).unwrap_or(self.start);
        self.notes.line(at)
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        let entry = self.table.remove_entry(key);
        let at = entry.as_ref().map(|(key, _)| key.span().start);
        self.asked.push((key, at));
        entry.map(|(_, value)| value)
    }

    /// Reports that a required key is not there.
    pub(super) fn missing(&self, key: &str) {
        let what = format!("`{key}` is missing in `{}`", self.title);
        self.notes.problem(self.start, what, None);
    }

    /// Reports that a value cannot be used; `why` goes on after the key's name.
    pub(super) fn refuse(&self, span: &Range<usize>, key: &str, why: impl Display) {
        self.notes
            .problem(span.start, format!("`{key}` {why}"), None);
    }

    /// Reports something about the table or several of its keys.
    pub(super) fn note(&self, line: usize, what: String, hint: Option<String>) {
        self.notes.problem_at_line(line, what, hint);
    }

    /// Whether a key is there and was not read yet.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn wrong_kind(&self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        let found = kind(value.get_ref());
        self.refuse(
            &value.span(),
            key,
            format_args!("must be {wanted}, found {found}"),
        );
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let value = self.take(key)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_kind(&value, key, "a text");
            return None;
        };
        Some(Spanned::new(value.span(), text.clone().into_owned()))
    }

    /// A text that a type checks when it is made.
    pub(super) fn checked<T>(&mut self, key: &'static str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.text(key)?;
        match text.get_ref().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(&text.span(), key, format_args!("cannot be used: {error}"));
                None
            }
        }
    }

    /// As [`Section::checked`], and reported when it is not there.
    pub(super) fn required<T>(&mut self, key: &'static str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        if !self.holds(key) {
            self.missing(key);
        }
        self.checked(key)
    }

    /// A text, if the key holds one; a value of another kind stays to be read.
    pub(super) fn word(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let is_text = matches!(self.table.get(key)?.get_ref(), DeValue::String(_));
        if is_text { self.text(key) } else { None }
    }

    /// A path, made absolute from `folder`.
    pub(super) fn path(&mut self, key: &'static str, folder: &Path) -> Option<PathBuf> {
        let text = self.text(key)?.into_inner();
        let joined = folder.join(text);
        // Lexical only: the folder may be made later.
        Some(std::path::absolute(&joined).unwrap_or(joined))
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.take(key)?;
        let DeValue::Integer(written) = value.get_ref() else {
            self.wrong_kind(&value, key, "a whole number");
            return None;
        };
        let number = i128::from_str_radix(written.as_str(), written.radix()).ok();
        let good = number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| allowed.contains(number));
        if good.is_none() {
            let (min, max) = (allowed.start(), allowed.end());
            let why = if *max == u64::MAX {
                format!("is {written}, at least {min} is needed")
            } else {
                format!("is {written}, allowed are {min}-{max}")
            };
            self.refuse(&value.span(), key, why);
        }
        good
    }

    /// A number of 32 bits; its range is checked with the whole definition.
    pub(super) fn count(&mut self, key: &'static str) -> Option<u32> {
        self.number(key, 0..=u64::from(u32::MAX))
            .and_then(|number| u32::try_from(number).ok())
    }

    /// A number with at most two digits behind its point, in hundredths.
    pub(super) fn hundredths(&mut self, key: &'static str) -> Option<u32> {
        let value = self.take(key)?;
        let written = match value.get_ref() {
            DeValue::Float(written) => written.as_str(),
            DeValue::Integer(written) => written.as_str(),
            _ => "",
        };
        let (whole, behind) = written.split_once('.').unwrap_or((written, ""));
        let digits = format!("{whole}{behind:0<2}");
        let good = (behind.len() <= 2).then(|| digits.parse().ok()).flatten();
        if good.is_none() {
            let why = "must be a number with at most two digits behind its point";
            self.refuse(&value.span(), key, why);
        }
        good
    }

    pub(super) fn fraction(&mut self, key: &'static str) -> Option<f64> {
        let value = self.take(key)?;
        let number: Option<f64> = match value.get_ref() {
            DeValue::Float(written) => written.as_str().parse().ok(),
            DeValue::Integer(written) => written.as_str().parse().ok(),
            _ => None,
        };
        let good = number.filter(|number| (0.0..=1.0).contains(number));
        if good.is_none() {
            self.refuse(&value.span(), key, "must be a number from 0 to 1");
        }
        good
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.wrong_kind(&value, key, "`true` or `false`");
            return None;
        };
        Some(*flag)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(key)?;
        let word = text.get_ref();
        if let Some((_, value)) = words.iter().find(|(name, _)| name == word) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let hint =
            nearest(word, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let what = format!("`{key}` is `{word}`, allowed are {}", listed(&names));
        self.notes.problem(text.span().start, what, hint);
        None
    }

    /// Whole seconds, or a text such as `500ms` or `1h30m`.
    pub(super) fn span(&mut self, key: &'static str) -> Option<Duration> {
        let value = self.take(key)?;
        let span = match value.get_ref() {
            DeValue::Integer(written) => u64::from_str_radix(written.as_str(), written.radix())
                .ok()
                .map(Duration::from_secs),
            DeValue::String(text) => parse_span(text),
            _ => None,
        };
        if span.is_none() {
            self.refuse(
                &value.span(),
                key,
                "must be a number of seconds or a text such as `500ms` or `1h30m`",
            );
        }
        span
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let value = self.take(key)?;
        let items = match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect::<Option<Vec<String>>>(),
            _ => None,
        };
        if items.is_none() {
            self.refuse(&value.span(), key, "must be a list of texts");
        }
        items
    }

    /// A table inside this one.
    pub(super) fn inner(&mut self, key: &'static str, title: &'static str) -> Option<Section<'a>> {
        let value = self.take(key)?;
        let start = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Some(Section::new(self.notes, title, table, start)),
            other => {
                self.wrong_kind(&Spanned::new(start..start, other), key, "a table `{ … }`");
                None
            }
        }
    }

    /// All tables of a list `[[key]]`.
    pub(super) fn rows(&mut self, key: &'static str, title: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.refuse(&span, key, format_args!("must be written as `{title}`"));
            return Vec::new();
        };
        let mut rows = Vec::new();
        for item in items {
            let start = item.span().start;
            match item.into_inner() {
                DeValue::Table(table) => {
                    rows.push(Section::new(self.notes, title, table, start));
                }
                _ => self.refuse(
                    &(start..start),
                    key,
                    format_args!("must be written as `{title}`"),
                ),
            }
        }
        rows
    }

    /// Names and texts of a free table, such as an environment.
    pub(super) fn pairs(mut self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (key, value) in std::mem::take(&mut self.table) {
            let name = key.into_inner().into_owned();
            match value.get_ref() {
                DeValue::String(text) => pairs.push((name, text.clone().into_owned())),
                _ => self.wrong_kind(&value, &name, "a text"),
            }
        }
        pairs
    }

    /// Reports what nobody asked for.
    pub(super) fn finish(&mut self) {
        for (key, _) in &self.table {
            let known = self.asked.iter().map(|(name, _)| *name);
            let known: Vec<&str> = known.collect();
            let hint = nearest(key.get_ref(), known.iter().copied()).map_or_else(
                || format!("known keys are {}", listed(&known)),
                |near| format!("did you mean `{near}`?"),
            );
            let what = format!("`{}` is not a key of `{}`", key.get_ref(), self.title);
            self.notes.problem(key.span().start, what, Some(hint));
        }
    }
}

fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
