//! Where to write a file: the log, a table, what was found.

use crate::control::logs::LogQuery;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, popup};
use crate::ui::effect::{Effect, SaveContent, SaveFile, SaveIn};
use crate::ui::pane::{Command, Commands};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::input::Input;
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;

/// What is written.
enum What {
    /// The whole log that matches; `.ndjson` writes an object a line.
    Log(LogQuery),
    /// Header and rows; `.csv` or `.json`.
    Table(Vec<Vec<String>>),
}

pub struct SavePrompt {
    what: What,
    input: Input,
}

impl SavePrompt {
    pub fn log(path: String, query: LogQuery) -> Self {
        Self {
            what: What::Log(query),
            input: Input::new(path),
        }
    }

    pub fn table(path: String, table: Vec<Vec<String>>) -> Self {
        Self {
            what: What::Table(table),
            input: Input::new(path),
        }
    }

    fn ends_with(&self, suffix: &str) -> bool {
        self.input.text().trim().to_lowercase().ends_with(suffix)
    }

    fn problem(&self) -> Option<&'static str> {
        match &self.what {
            _ if self.input.text().trim().is_empty() => Some("a file name is needed"),
            What::Table(_) if !self.ends_with(".csv") && !self.ends_with(".json") => {
                Some("the name ends in .csv or .json")
            }
            _ => None,
        }
    }

    fn save(&self, shared: &mut Shared) -> Commands {
        if self.problem().is_some() {
            return Vec::new();
        }
        let content = match &self.what {
            What::Log(query) => SaveContent::Log {
                query: query.clone(),
                json: self.ends_with("json"),
            },
            What::Table(table) if self.ends_with(".csv") => {
                SaveContent::Bytes(csv(table).into_bytes().into())
            }
            What::Table(table) => SaveContent::Bytes(json(table).into_bytes().into()),
        };
        let ticket = shared.ticket();
        let file = SaveFile {
            folder: SaveIn::Directory,
            path: self.input.text().trim().into(),
            content,
        };
        vec![Command::Close, Effect::Save(ticket, file).into()]
    }
}

/// RFC 4180; a cell that a spreadsheet would run as a formula is quoted as text.
pub fn csv(table: &[Vec<String>]) -> String {
    let cell = |text: &String| {
        let text = if text.starts_with(['=', '+', '@', '\t', '\r'])
            || (text.starts_with('-') && text.parse::<f64>().is_err() && text.len() > 1)
        {
            format!("'{text}")
        } else {
            text.clone()
        };
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let mut out = String::new();
    for row in table {
        let cells: Vec<String> = row.iter().map(cell).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A list of objects, keyed by the header.
pub fn json(table: &[Vec<String>]) -> String {
    let Some((header, rows)) = table.split_first() else {
        return "[]\n".to_owned();
    };
    let objects: Vec<serde_json::Map<String, serde_json::Value>> = rows
        .iter()
        .map(|row| {
            let entries = header.iter().zip(row);
            entries
                .map(|(name, value)| (name.to_lowercase(), value.clone().into()))
                .collect()
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&objects).unwrap_or_default();
    text.push('\n');
    text
}

impl Dialog for SavePrompt {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Pick]
    }

    fn act(&mut self, action: Action, shared: &mut Shared) -> Commands {
        match action {
            Action::Dismiss => vec![Command::Close],
            Action::PickRun => self.save(shared),
            _ => {
                self.input.act(action);
                Vec::new()
            }
        }
    }

    fn typed(&mut self, c: char, _shared: &mut Shared) -> Commands {
        self.input.insert(&c.to_string());
        Vec::new()
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn paste(&mut self, text: &str, _shared: &mut Shared) -> Commands {
        self.input.insert(text);
        Vec::new()
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![(Action::PickRun, "write"), (Action::Dismiss, "close")]
    }

    fn draw(&self, shared: &Shared, canvas: &mut Canvas<'_>) {
        let (title, about) = match &self.what {
            What::Log(_) => (
                "Save the log",
                "Everything that matches, as text; a name that ends in .ndjson writes fields."
                    .to_owned(),
            ),
            What::Table(table) => (
                "Export",
                format!(
                    "{}; .csv or .json by the name.",
                    numbers::counted(table.len().saturating_sub(1) as u64, "row", "rows")
                ),
            ),
        };
        let inner = popup(canvas, 84, 8, Line::text(title), Line::new());
        let room = inner.width.saturating_sub(4);
        canvas.put(inner.x + 2, inner.y + 1, room, &about, Token::Text);
        let used = canvas.put(inner.x + 2, inner.y + 3, room, "File  ", Token::Focus);
        self.input.draw(
            canvas,
            inner.x + 2 + used,
            inner.y + 3,
            room.saturating_sub(used),
            true,
        );
        let note = match self.problem() {
            Some(problem) => Line::of(format!("✖ {problem}"), Token::Error),
            None => Line::muted(format!("in {}", shared.settings.directory.display())),
        };
        canvas.line(inner.x + 2, inner.y + 4, room, &note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_written_as_csv_and_json() {
        let table = vec![
            vec!["NAME".to_owned(), "LAG".to_owned()],
            vec!["a,\"b\"".to_owned(), "=1+1".to_owned()],
        ];
        assert_eq!(csv(&table), "NAME,LAG\r\n\"a,\"\"b\"\"\",'=1+1\r\n");
        let value: serde_json::Value = serde_json::from_str(&json(&table)).unwrap();
        assert_eq!(value[0]["lag"], "=1+1");
    }
}
