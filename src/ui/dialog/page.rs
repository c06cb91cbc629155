//! Text to read over the panes: notices, a function's code, an answer.

use ratatui::layout::Rect;

use crate::cluster::admin::ResendOutcome;
use crate::ui::action::{Action, Context};
use crate::ui::dialog::{Dialog, popup};
use crate::ui::pane::{Command, Commands, Halves};
use crate::ui::state::Shared;
use crate::ui::theme::Token;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::document::Document;
use crate::ui::widget::frame;
use crate::ui::widget::hits::{Metrics, Target};
use crate::ui::widget::line::Line;
use crate::ui::widget::numbers;

pub struct Page {
    title: String,
    document: Document,
    scroll: Halves,
}

impl Page {
    pub fn new(title: impl Into<String>, document: Document) -> Self {
        Self {
            title: title.into(),
            document,
            scroll: Halves {
                wrap: true,
                ..Halves::default()
            },
        }
    }

    /// What became of each letter that was sent again.
    pub fn resent(outcomes: &[ResendOutcome]) -> Self {
        let mut document = Document::new();
        let bad = outcomes.iter().filter(|outcome| outcome.result.is_err());
        let bad = bad.count();
        document.line(Line::text(format!(
            "{} sent again, {} failed",
            numbers::count((outcomes.len() - bad) as u64),
            numbers::count(bad as u64)
        )));
        document.line(Line::new());
        for outcome in outcomes {
            let (glyph, token, what) = match &outcome.result {
                Ok(id) => ("✓", Token::Ok, format!("is message {id}")),
                Err(error) => ("✖", Token::Error, error.to_string()),
            };
            let line = Line::of(format!("{glyph} "), token)
                .put(format!("{}  ", outcome.letter), Token::Muted)
                .put(
                    what,
                    if token == Token::Ok {
                        Token::Text
                    } else {
                        token
                    },
                );
            document.flow(line, 2);
        }
        Self::new("Sent again", document)
    }

    /// All notices of this session, newest first.
    pub fn events(shared: &Shared) -> Self {
        use crate::ui::state::feed::Level;
        let mut document = Document::new();
        for notice in shared.notices.all() {
            let token = match notice.level {
                Level::Ok => Token::Ok,
                Level::Info => Token::Info,
                Level::Warn => Token::Warn,
                Level::Error => Token::Error,
            };
            let mut line = Line::muted(format!("{}  ", shared.times.moment(notice.at)))
                .put(format!("{} ", notice.level.glyph()), token)
                .then(notice.text.clone());
            if let Some(hint) = &notice.hint {
                line = line.put(format!("   {hint}"), Token::Muted);
            }
            document.line(line);
        }
        if shared.notices.lost() > 0 {
            document.line(Line::muted(format!(
                "… and {} older",
                numbers::count(shared.notices.lost())
            )));
        }
        if document.is_empty() {
            document.line(Line::muted("Nothing has been told in this session."));
        }
        Self::new("Notices", document)
    }
}

impl Dialog for Page {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Page, Context::Motion]
    }

    fn act(&mut self, action: Action, _shared: &mut Shared) -> Commands {
        match action {
            Action::PageClose | Action::Dismiss => vec![Command::Close],
            _ => {
                self.scroll.scroll(action);
                Vec::new()
            }
        }
    }

    fn click(&mut self, target: &Target, _shared: &mut Shared) -> Commands {
        match target {
            Target::Outside => vec![Command::Close],
            _ => Vec::new(),
        }
    }

    fn scroll(&mut self, rows: i32) {
        let action = if rows < 0 { Action::Up } else { Action::Down };
        for _ in 0..rows.unsigned_abs() {
            self.scroll.scroll(action);
        }
    }

    fn drawn(&mut self, metrics: Metrics) {
        self.scroll.drawn(metrics);
    }

    fn hints(&self) -> Vec<(Action, &'static str)> {
        vec![
            (Action::PageClose, "close"),
            (Action::Down, "down"),
            (Action::PageDown, "page down"),
        ]
    }

    fn draw(&self, _shared: &Shared, canvas: &mut Canvas<'_>) {
        let rows = u16::try_from(self.document.blocks.len()).unwrap_or(u16::MAX);
        let inner = popup(
            canvas,
            110,
            rows.saturating_add(4).max(8),
            Line::text(self.title.clone()),
            Line::new(),
        );
        let area = Rect {
            x: inner.x + 1,
            width: inner.width.saturating_sub(2),
            ..inner
        };
        let metrics = self
            .document
            .draw(canvas, area, self.scroll.top, self.scroll.wrap);
        frame::scrollbar(
            canvas,
            area,
            metrics.top,
            metrics.rows,
            metrics.end + metrics.rows,
        );
        canvas.hits.dialog = Some(metrics);
    }
}
