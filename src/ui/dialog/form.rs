//! The one form engine: fields with rules that run on every change, their faults under them, and a button that counts
//! what is left to fix.

mod draw;

use ratatui::layout::Rect;

use crate::report::Report;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, popup};
use crate::ui::effect::{Deed, Done, Effect, Ticket};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::input::Input;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Kind {
    Text(Input),
    Choice { options: Vec<String>, at: usize },
    Toggle(bool),
}

/// A row of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// The key of the workflow file.
    pub key: &'static str,
    pub kind: Kind,
    /// Shown while the field has the focus.
    pub help: String,
    /// Why it cannot be changed here.
    pub fixed: Option<&'static str>,
}

impl Field {
    pub fn text(key: &'static str, value: impl Into<String>, help: &str) -> Self {
        Self {
            key,
            kind: Kind::Text(Input::new(value)),
            help: help.to_owned(),
            fixed: None,
        }
    }

    pub fn choice(key: &'static str, options: Vec<String>, chosen: &str, help: &str) -> Self {
        let at = options.iter().position(|option| option == chosen);
        Self {
            key,
            kind: Kind::Choice {
                at: at.unwrap_or(0),
                options,
            },
            help: help.to_owned(),
            fixed: None,
        }
    }

    pub fn toggle(key: &'static str, on: bool, help: &str) -> Self {
        Self {
            key,
            kind: Kind::Toggle(on),
            help: help.to_owned(),
            fixed: None,
        }
    }

    #[must_use]
    pub fn fixed(mut self, why: &'static str) -> Self {
        self.fixed = Some(why);
        self
    }
}

/// What is typed, by key.
pub struct Values<'a>(&'a [Field]);

impl Values<'_> {
    fn field(&self, key: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.key == key)
    }

    /// Text without blanks around it, or the chosen option.
    pub fn text(&self, key: &str) -> &str {
        match self.field(key).map(|field| &field.kind) {
            Some(Kind::Text(input)) => input.text().trim(),
            Some(Kind::Choice { options, at }) => options.get(*at).map_or("", String::as_str),
            _ => "",
        }
    }

    pub fn on(&self, key: &str) -> bool {
        matches!(self.field(key).map(|f| &f.kind), Some(Kind::Toggle(true)))
    }

    /// A number within bounds, or why not.
    pub fn number(&self, key: &'static str, min: u64, max: u64) -> Result<u64, Fault> {
        let text = self.text(key).replace([',', '_'], "");
        let number: u64 = text
            .parse()
            .map_err(|_| Fault::new(key, "a number is expected"))?;
        if (min..=max).contains(&number) {
            Ok(number)
        } else {
            Err(Fault::new(
                key,
                format!(
                    "{} to {} are allowed",
                    numbers::count(min),
                    numbers::count(max)
                ),
            ))
        }
    }
}

/// A field that has to be fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub key: &'static str,
    pub problem: String,
}

impl Fault {
    pub fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self {
            key,
            problem: problem.into(),
        }
    }
}

/// What a finished form does.
pub enum Submit {
    Deed(Box<Deed>),
    Commands(Commands),
}

/// What a form is about.
pub trait FormSpec: Send {
    fn title(&self) -> String;
    fn verb(&self) -> &'static str;
    fn fields(&self) -> Vec<Field>;

    /// Fields whose value decides over others are set or fixed here, after each change.
    fn adapt(&self, _fields: &mut [Field]) {}

    /// Builds what the form asks for, or tells every fault.
    fn build(&self, values: &Values<'_>, shared: &Shared) -> Result<Submit, Vec<Fault>>;

    /// Lines under the fields: what would come of it.
    fn preview(&self, _values: &Values<'_>, _shared: &Shared) -> Vec<Line> {
        Vec::new()
    }
}

pub struct Form {
    spec: Box<dyn FormSpec>,
    fields: Vec<Field>,
    /// Index of the field with the focus; after the fields come submit and cancel.
    at: usize,
    faults: Vec<Fault>,
    preview: Vec<Line>,
    busy: Option<Ticket>,
    failed: Option<Report>,
    top: usize,
    changed: bool,
    /// What the fields were opened with.
    opened: Vec<String>,
    /// Submitting was asked for.
    tried: bool,
}

/// Cells of the labels.
const LABELS: u16 = 20;

impl Form {
    pub fn new(spec: impl FormSpec + 'static, shared: &Shared) -> Self {
        let fields = spec.fields();
        let mut form = Self {
            spec: Box::new(spec),
            opened: fields.iter().map(shown).collect(),
            tried: false,
            at: fields
                .iter()
                .position(|field| field.fixed.is_none())
                .unwrap_or(0),
            fields,
            faults: Vec::new(),
            preview: Vec::new(),
            busy: None,
            failed: None,
            top: 0,
            changed: false,
        };
        form.check(shared);
        form.changed = false;
        form
    }

    /// Fills fields in as if they had been typed.
    pub fn prefill(&mut self, values: &[(&str, &str)], shared: &Shared) {
        for (key, value) in values {
            let Some(field) = self.fields.iter_mut().find(|field| field.key == *key) else {
                continue;
            };
            match &mut field.kind {
                Kind::Text(input) => input.set(*value),
                Kind::Choice { options, at } => {
                    *at = options.iter().position(|o| o == value).unwrap_or(*at);
                }
                Kind::Toggle(on) => *on = *value == "true",
            }
        }
        self.check(shared);
    }

    fn check(&mut self, shared: &Shared) {
        self.spec.adapt(&mut self.fields);
        let values = Values(&self.fields);
        self.faults = self.spec.build(&values, shared).err().unwrap_or_default();
        self.preview = self.spec.preview(&values, shared);
        self.changed = self
            .fields
            .iter()
            .map(shown)
            .ne(self.opened.iter().cloned());
        self.failed = None;
    }

    fn fault_of(&self, key: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.key == key)
    }

    /// A field nobody has touched yet is not wrong, only still to be filled in.
    fn is_untouched(&self, index: usize) -> bool {
        let now = self.fields.get(index).map(shown);
        !self.tried && now.as_ref() == self.opened.get(index)
    }

    fn submit(&mut self, shared: &mut Shared) -> Commands {
        if self.busy.is_some() {
            return Vec::new();
        }
        self.tried = true;
        self.check(shared);
        match self.spec.build(&Values(&self.fields), shared) {
            Ok(Submit::Deed(deed)) => {
                let ticket = shared.ticket();
                self.busy = Some(ticket);
                vec![Effect::Act(ticket, deed).into()]
            }
            Ok(Submit::Commands(commands)) => {
                std::iter::once(Command::Close).chain(commands).collect()
            }
            Err(faults) => {
                let first = faults.first().map(|fault| fault.key);
                self.faults = faults;
                if let Some(at) = self.fields.iter().position(|f| Some(f.key) == first) {
                    self.at = at;
                }
                Vec::new()
            }
        }
    }

    fn last(&self) -> usize {
        self.fields.len() + 1
    }

    fn step(&mut self, forward: bool) {
        let count = self.last() + 1;
        for _ in 0..count {
            self.at = if forward {
                (self.at + 1) % count
            } else {
                (self.at + count - 1) % count
            };
            if self.fields.get(self.at).is_none_or(|f| f.fixed.is_none()) {
                return;
            }
        }
    }

    fn press(&mut self, shared: &mut Shared) -> Commands {
        if self.at == self.fields.len() {
            self.submit(shared)
        } else if self.at == self.last() {
            vec![Command::Close]
        } else {
            self.step(true);
            Vec::new()
        }
    }

    fn choose(&mut self, forward: bool, shared: &Shared) {
        let Some(field) = self.fields.get_mut(self.at) else {
            self.step(forward);
            return;
        };
        match &mut field.kind {
            Kind::Choice { options, at } if !options.is_empty() => {
                let count = options.len();
                *at = if forward {
                    (*at + 1) % count
                } else {
                    (*at + count - 1) % count
                };
            }
            Kind::Toggle(on) => *on = !*on,
            _ => {}
        }
        self.check(shared);
    }

    fn edit(&mut self, edit: impl FnOnce(&mut Input), shared: &Shared) {
        if let Some(Field {
            kind: Kind::Text(input),
            ..
        }) = self.fields.get_mut(self.at)
        {
            edit(input);
            self.check(shared);
        }
    }

    fn is_text(&self) -> bool {
        matches!(
            self.fields.get(self.at).map(|f| &f.kind),
            Some(Kind::Text(_))
        )
    }
}

/// A field's value as text.
fn shown(field: &Field) -> String {
    match &field.kind {
        Kind::Text(input) => input.text().to_owned(),
        Kind::Choice { options, at } => options.get(*at).cloned().unwrap_or_default(),
        Kind::Toggle(on) => on.to_string(),
    }
}

impl Dialog for Form {
    fn contexts(&self) -> Vec<Context> {
        let field = if self.is_text() {
            Context::Text
        } else {
            Context::Choice
        };
        vec![field, Context::Form]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss => return vec![Command::Close],
            Action::Submit => return self.submit(shared),
            Action::FieldNext => self.step(true),
            Action::FieldPrev => self.step(false),
            Action::Press => return self.press(shared),
            Action::ChoiceNext => self.choose(true, shared),
            Action::ChoicePrev => self.choose(false, shared),
            _ => self.edit(
                |input| {
                    input.act(action);
                },
                shared,
            ),
        }
        Vec::new()
    }

    fn typed(&mut self, c: char, shared: &mut Shared) -> Commands {
        self.edit(|input| input.insert(&c.to_string()), shared);
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        self.is_text()
    }

    fn paste(&mut self, text: &str, shared: &mut Shared) -> Commands {
        self.edit(|input| input.insert(text), shared);
        Vec::new()
    }

    fn done(
        &mut self,
        ticket: Ticket,
        done: &Result<Done, Report>,
        shared: &mut Shared,
    ) -> Option<Commands> {
        self.busy.take_if(|busy| *busy == ticket)?;
        match done {
            Ok(_) => {
                crate::ui::update::tell_done(done, shared);
                Some(vec![Command::Close, Effect::Reload.into()])
            }
            Err(report) => {
                self.failed = Some(report.clone());
                // The field that the failure names gets the focus.
                let named = self
                    .fields
                    .iter()
                    .position(|f| report.headline.contains(&format!("`{}`", f.key)));
                self.at = named.unwrap_or(self.at);
                Some(Vec::new())
            }
        }
    }

    fn refresh(&mut self, shared: &mut Shared) -> Commands {
        if self.failed.is_none() {
            self.check(shared);
        }
        Vec::new()
    }

    fn click(&mut self, target: &Target, shared: &mut Shared) -> Commands {
        match target {
            Target::Item(at) if *at <= self.last() => {
                let open = self.fields.get(*at).is_none_or(|f| f.fixed.is_none());
                if open {
                    self.at = *at;
                }
                if *at >= self.fields.len() {
                    return self.press(shared);
                }
                if !self.is_text() && open {
                    self.choose(true, shared);
                }
            }
            Target::Point(at, column, _) => {
                self.at = *at;
                if let Some(Field {
                    kind: Kind::Text(input),
                    ..
                }) = self.fields.get_mut(*at)
                {
                    input.click(u16::MAX, *column);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn scroll(&mut self, rows: i32) {
        self.step(rows > 0);
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.top = metrics.top;
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        let mut hints = vec![
            (Action::Submit, self.spec.verb()),
            (Action::FieldNext, "next field"),
        ];
        if !self.is_text() {
            hints.push((Action::ChoiceNext, "change"));
        }
        hints.push((Action::Dismiss, "close"));
        hints
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let preview = u16::try_from(self.preview.len()).unwrap_or(0);
        let faults = u16::try_from(self.faults.len()).unwrap_or(0);
        let rows = u16::try_from(self.fields.len()).unwrap_or(u16::MAX);
        let right = if self.changed {
            Line::of("changed", Token::Warn)
        } else {
            Line::new()
        };
        let inner = popup(
            canvas,
            92,
            rows + faults + preview + 9,
            Line::text(self.spec.title()),
            right,
        );
        if inner.height < 4 {
            return;
        }
        let foot = 3 + preview + u16::from(self.failed.is_some());
        let fields = Rect {
            x: inner.x + 1,
            y: inner.y + 1,
            width: inner.width.saturating_sub(2),
            height: inner.height.saturating_sub(foot + 2).max(1),
        };
        let metrics = self.draw_fields(canvas, fields);
        canvas.hits.dialog = Some(metrics);
        self.draw_foot(canvas, inner, foot);
    }
}
