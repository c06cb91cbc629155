//! The keys that work here, made from the keymap; typing narrows, Enter does it.

use ratatui::layout::Rect;

use crate::ui::action::{Action, Context};
use crate::ui::dialog::picker::{Choices, Look, Picker};
use crate::ui::pane::list::Needle;
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::line::{Line, Paint};

/// A line of the help.
#[derive(Debug, Clone)]
pub struct HelpRow {
    pub context: Context,
    pub keys: String,
    pub action: Action,
    /// Why it cannot be done now.
    pub reason: Option<&'static str>,
}

/// The lines of the help.
pub struct HelpRows {
    rows: Vec<HelpRow>,
    /// Choosing does it; over a dialog it only tells.
    runs: bool,
}

pub type Help = Picker<HelpRows>;

impl Help {
    pub fn new(rows: Vec<HelpRow>, runs: bool) -> Self {
        Self::over(HelpRows { rows, runs }, 0)
    }
}

impl Choices for HelpRows {
    fn look(&self) -> Look {
        Look {
            width: 88,
            height: 40,
            title: Line::text("Keys"),
            right: Line::muted("type to find"),
            prompt: "/ ",
            empty: "no key does that here; : finds every command",
        }
    }

    fn narrowed(&self, text: &str) -> Vec<usize> {
        let needle = Needle::new(text);
        let fits = |row: &HelpRow| {
            let spec = row.action.spec();
            row.keys.split("  ").any(|key| key == text)
                || needle.finds(&format!("{} {} {}", spec.help, spec.label, row.context))
        };
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| fits(row))
            .map(|(at, _)| at)
            .collect()
    }

    fn choose(&mut self, at: Option<usize>, _text: &str, _shared: &mut Shared) -> Commands {
        match at.and_then(|at| self.rows.get(at)) {
            Some(row) if self.runs && row.reason.is_none() => {
                vec![Command::Close, Command::Act(row.action)]
            }
            _ => Vec::new(),
        }
    }

    fn heading(&self, at: usize) -> Option<&'static str> {
        self.rows.get(at).map(|row| heading(row.context))
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        let mut hints = vec![
            (Action::PickRun, "do it"),
            (Action::PickDown, "down"),
            (Action::Dismiss, "close"),
        ];
        hints.retain(|(action, _)| self.runs || *action != Action::PickRun);
        hints
    }

    fn draw_choice(&self, at: usize, canvas: &mut Canvas<'_>, row: Rect) {
        let Some(entry) = self.rows.get(at) else {
            return;
        };
        let (key, text) = match entry.reason {
            None => (Token::Key, Token::Text),
            Some(_) => (Token::Muted, Token::Muted),
        };
        canvas.put(row.x + 2, row.y, 18, &entry.keys, Paint::new(key));
        let mut line = Line::of(entry.action.spec().help, text);
        if let Some(reason) = entry.reason {
            line = line.put(format!("   · {reason}"), Token::Muted);
        }
        canvas.line(row.x + 21, row.y, row.width.saturating_sub(23), &line);
    }
}

fn heading(context: Context) -> &'static str {
    match context {
        Context::Global => "Everywhere",
        Context::Motion => "Moving",
        Context::List => "This list",
        Context::Detail => "This detail",
        Context::Logs => "The log",
        Context::Guide => "The guide",
        Context::Form => "This form",
        Context::Text => "A line of text",
        Context::Body => "The text",
        Context::Choice => "A choice",
        Context::Pick => "Picking",
        Context::Confirm => "This question",
        Context::Page => "This page",
    }
}
