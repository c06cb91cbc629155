//! The one owner of the terminal: knows which modes are on, and can leave and come back any number of times.
//!
//! It asks the terminal nothing: an answer that comes late would be taken for keys.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::ui::state::State;
use crate::ui::view::view;

/// Clicks and the wheel, drags, and coordinates beyond 223; no report of every motion.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// One frame at 200x60 in one write.
const BUFFER: usize = 64 * 1024;

type Backend = CrosstermBackend<BufWriter<Stdout>>;

/// True while the terminal is in the console's modes; shared with the panic hook.
pub(crate) type Entered = Arc<AtomicBool>;

pub(crate) struct Term {
    terminal: Terminal<Backend>,
    entered: Entered,
    mouse: bool,
    cursor_shown: bool,
}

impl Term {
    /// Takes the terminal over.
    pub(crate) fn enter(mouse: bool) -> io::Result<Self> {
        // Colours are the theme's business: the library would drop attributes under `NO_COLOR`.
        crossterm::style::force_color_output(true);
        let backend = CrosstermBackend::new(BufWriter::with_capacity(BUFFER, io::stdout()));
        let mut term = Self {
            terminal: Terminal::new(backend)?,
            entered: Arc::new(AtomicBool::new(false)),
            mouse,
            cursor_shown: false,
        };
        term.resume()?;
        Ok(term)
    }

    pub(crate) fn entered(&self) -> Entered {
        self.entered.clone()
    }

    /// Puts the modes on and forgets what was on the screen.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        self.entered.store(true, Ordering::SeqCst);
        let out = self.terminal.backend_mut();
        execute!(
            out,
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            SetTitle("moonport"),
            cursor::Hide
        )?;
        if self.mouse {
            execute!(out, Print(MOUSE_ON))?;
        }
        self.cursor_shown = false;
        self.repaint()
    }

    /// Gives the terminal back as it was.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().flush()?;
        restore(&self.entered)
    }

    /// Draws everything anew with the next frame, without asking where the cursor is.
    pub(crate) fn repaint(&mut self) -> io::Result<()> {
        let (columns, rows) = crossterm::terminal::size()?;
        self.terminal.resize(Rect::new(0, 0, columns, rows))
    }

    pub(crate) fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        let text = if on { MOUSE_ON } else { MOUSE_OFF };
        execute!(self.terminal.backend_mut(), Print(text))
    }

    /// Sends bytes past the screen: a copy by the terminal.
    pub(crate) fn send(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), Print(text))
    }

    /// Draws the state; only what changed is written, and the terminal shows it at once.
    pub(crate) fn draw(&mut self, state: &mut State) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let mut hits = None;
        let drawn = self.terminal.draw(|frame| {
            let found = view(state, frame.buffer_mut());
            if let Some(position) = found.cursor {
                frame.set_cursor_position(position);
            }
            hits = Some(found);
        });
        drawn?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        if let Some(hits) = hits {
            state.seen(hits);
        }
        Ok(())
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        let _ = self.leave();
    }
}

/// Takes every mode back, once.
pub(crate) fn restore(entered: &Entered) -> io::Result<()> {
    if !entered.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout();
    let wrote = execute!(
        out,
        EndSynchronizedUpdate,
        Print(MOUSE_OFF),
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let raw = disable_raw_mode();
    wrote.and(raw)
}

/// The escape sequence that lets the terminal copy a text, wrapped for terminal multiplexers.
pub(crate) fn copy_sequence(text: &str, multiplexer: bool) -> String {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(text);
    if multiplexer {
        format!("\x1bPtmux;\x1b\x1b]52;c;{coded}\x07\x1b\\")
    } else {
        format!("\x1b]52;c;{coded}\x07")
    }
}
