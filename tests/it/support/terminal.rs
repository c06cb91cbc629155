//! The real program in a terminal: a screen model reads it, keys and the mouse go in, and its modes can be compared.

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::{Condvar, Mutex};
use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};
use vt100::{Callbacks, MouseProtocolMode, Parser, Screen};

use super::program::{PATIENCE, Place};

/// What a terminal that was asked something would have to answer; the console asks nothing.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) titles: Vec<String>,
    pub(crate) copied: Vec<Vec<u8>>,
    questions: Vec<String>,
}

impl Callbacks for Heard {
    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.titles
            .push(String::from_utf8_lossy(title).into_owned());
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.copied.push(data.to_owned());
    }

    fn unhandled_csi(
        &mut self,
        _: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        if matches!(c, 'n' | 'c') {
            self.questions.push(format!("CSI {first:?} {params:?} {c}"));
        }
    }
}

/// What the terminal shows, fed by its own thread.
type Shown = Arc<(Mutex<Parser<Heard>>, Condvar)>;

/// Everything that a program may change of a terminal.
#[derive(Debug, PartialEq)]
pub(crate) struct Modes {
    line: String,
    alternate_screen: bool,
    mouse: MouseProtocolMode,
    bracketed_paste: bool,
    cursor_hidden: bool,
}

/// A program with a terminal of its own; killed when it is dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    shown: Shown,
    master: Box<dyn MasterPty + Send>,
    before: Modes,
    /// Held open, so that the terminal outlives the program.
    _slave: Box<dyn portable_pty::SlavePty + Send>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn nonzero(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap()
}

/// `moonport` with these arguments in the folder of a place.
pub(crate) fn moonport(place: &Place, arguments: &[&str]) -> CommandBuilder {
    command(env!("CARGO_BIN_EXE_moonport"), place, arguments)
}

pub(crate) fn command(program: &str, place: &Place, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", place.path());
    command.env("TMPDIR", place.path());
    command.env("LANG", "C.UTF-8");
    command.env("TERM", "xterm-256color");
    command.cwd(place.path());
    command
}

impl Terminal {
    pub(crate) fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let PtyPair { master, slave } = native_pty_system().openpty(size(columns, rows)).unwrap();
        let parser =
            Parser::new_with_callbacks(nonzero(rows), nonzero(columns), 0, Heard::default());
        let shown: Shown = Arc::new((Mutex::new(parser), Condvar::new()));
        let (reading, mut output) = (shown.clone(), master.try_clone_reader().unwrap());
        let before = modes(&shown, &*master);
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                reading.0.lock().process(&bytes[..read]);
                reading.1.notify_all();
            }
        });
        Self {
            child: slave.spawn_command(command).unwrap(),
            keys: master.take_writer().unwrap(),
            shown,
            master,
            before,
            _slave: slave,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// What a terminal sends when text is pasted.
    pub(crate) fn paste(&mut self, text: &str) {
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// A click of the left button on the first place of `text`.
    #[track_caller]
    pub(crate) fn click(&mut self, text: &str) {
        let contents = self.contents();
        let found = contents.lines().enumerate().find_map(|(row, line)| {
            let byte = line.find(text)?;
            Some((row + 1, line[..byte].chars().count() + 1))
        });
        let (row, column) = found.unwrap_or_else(|| panic!("no `{text}` on:\n{contents}"));
        self.press(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let mut parser = self.shown.0.lock();
        parser
            .screen_mut()
            .set_size(nonzero(rows), nonzero(columns));
        drop(parser);
        self.master.resize(size(columns, rows)).unwrap();
    }

    pub(crate) fn contents(&self) -> String {
        self.shown.0.lock().screen().contents()
    }

    /// Waits until the screen shows all of `texts`.
    #[track_caller]
    pub(crate) fn wait(&self, texts: &[&str]) {
        self.wait_for(&|screen| {
            let contents = screen.contents();
            texts.iter().all(|text| contents.contains(text))
        });
    }

    /// Waits until the screen does not show `text`.
    #[track_caller]
    pub(crate) fn wait_without(&self, text: &str) {
        self.wait_for(&|screen| !screen.contents().contains(text));
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, holds: &dyn Fn(&Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut parser = self.shown.0.lock();
        while !holds(parser.screen()) {
            let late = self.shown.1.wait_until(&mut parser, deadline).timed_out();
            assert!(!late, "the screen stays:\n{}", parser.screen().contents());
        }
    }

    /// What the program told the terminal besides what it shows. It must ask nothing: late answers are taken for keys.
    pub(crate) fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        let mut parser = self.shown.0.lock();
        let heard = parser.callbacks_mut();
        assert_eq!(heard.questions, Vec::<String>::new());
        look(heard)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        let pid = self.child.process_id().unwrap();
        Pid::from_raw(i32::try_from(pid).unwrap())
    }

    /// Waits until the process is stopped, as by Ctrl-Z.
    pub(crate) fn wait_stopped(&self) {
        let deadline = Instant::now() + PATIENCE;
        let stat = format!("/proc/{}/stat", self.pid());
        loop {
            let text = std::fs::read_to_string(&stat).unwrap();
            // The state follows the name in parentheses.
            let state = text
                .rsplit(") ")
                .next()
                .and_then(|rest| rest.chars().next());
            if state == Some('T') {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "it does not stop:\n{}",
                self.contents()
            );
            std::thread::yield_now();
        }
    }

    /// Waits for its end; the code it ended with.
    pub(crate) fn wait_end(&mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }

    /// Waits until all modes are as before the program started.
    #[track_caller]
    pub(crate) fn wait_as_before(&self) {
        self.wait_for(&|screen| !screen.alternate_screen() && !screen.hide_cursor());
        assert_eq!(modes(&self.shown, &*self.master), self.before);
    }
}

fn modes(shown: &Shown, master: &dyn MasterPty) -> Modes {
    let parser = shown.0.lock();
    let screen = parser.screen();
    Modes {
        line: format!("{:?}", master.get_termios().unwrap()),
        alternate_screen: screen.alternate_screen(),
        mouse: screen.mouse_protocol_mode(),
        bracketed_paste: screen.bracketed_paste(),
        cursor_hidden: screen.hide_cursor(),
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
