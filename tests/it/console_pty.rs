//! The console in a real terminal: the order workflow by keys alone, with a second terminal beside it.

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::program::Place;

/// Nothing here takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the terminal shows, fed by its own thread.
type Screen = Arc<(Mutex<vt100::Parser>, Condvar)>;

/// `moonport` in a terminal of its own.
struct Console {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Screen,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Console {
    fn demo(place: &Place, cols: u16, rows: u16) -> Self {
        Self::start(place, &["demo"], cols, rows)
    }

    fn start(place: &Place, arguments: &[&str], cols: u16, rows: u16) -> Self {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_moonport"));
        command.args(arguments);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", place.path());
        command.env("TMPDIR", place.path());
        command.env("TERM", "xterm-256color");
        command.cwd(place.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let nonzero = |cells| NonZeroU16::new(cells).unwrap();
        let parser = vt100::Parser::new(nonzero(rows), nonzero(cols), 0);
        let screen: Screen = Arc::new((Mutex::new(parser), Condvar::new()));
        let (shown, mut output) = (screen.clone(), pair.master.try_clone_reader().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                shown.0.lock().process(&bytes[..read]);
                shown.1.notify_all();
            }
        });
        Self {
            child,
            keys: pair.master.take_writer().unwrap(),
            screen,
            _terminal: pair.master,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen shows all of `texts`.
    #[track_caller]
    fn wait(&self, texts: &[&str]) {
        self.wait_for(&|shown| texts.iter().all(|text| shown.contains(text)));
    }

    /// Waits until the screen does not show `text`.
    #[track_caller]
    fn wait_without(&self, text: &str) {
        self.wait_for(&|shown| !shown.contains(text));
    }

    #[track_caller]
    fn wait_for(&self, holds: &dyn Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut parser = self.screen.0.lock();
        loop {
            let contents = parser.screen().contents();
            if holds(&contents) {
                return;
            }
            let late = self.screen.1.wait_until(&mut parser, deadline).timed_out();
            assert!(!late, "the screen stays:\n{contents}");
        }
    }

    fn is_in_alternate_screen(&self) -> bool {
        self.screen.0.lock().screen().alternate_screen()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The data directory of the demo that runs below `place`.
fn data_of_demo(place: &Path) -> PathBuf {
    let entries = std::fs::read_dir(place).unwrap().flatten();
    let found = entries
        .map(|entry| entry.path())
        .find(|path| path.join("instances").is_dir());
    found.expect("the demo has a directory with instances")
}

fn order_workflow_by_keys(cols: u16, rows: u16) {
    let place = Place::new();
    let mut console = Console::demo(&place, cols, rows);
    console.wait(&["message-processing", "RUNNING"]);
    console.press("s");
    console.wait(&["Send message", "ORD-20260612-1001"]);
    // Ctrl-S sends.
    console.press("\u{13}");
    console.wait(&["Sent 01"]);
    console.press("\u{1b}");
    // A key that follows Escape at once would be one with Alt.
    console.wait_without("Send message");
    console.press("7");
    console.wait(&["===== MESSAGE RECEIVED =====", "Message Body: [{'msgId'"]);

    // A second terminal works beside it.
    let data = data_of_demo(place.path());
    let data = data.to_str().unwrap();
    let mut logs = place.moonport(&["--data-dir", data, "logs", "-f"]).start();
    logs.out.wait_for("MESSAGE RECEIVED");
    let send = [
        "--data-dir",
        data,
        "--json",
        "send",
        "--topic",
        "message-processing",
    ];
    let sent = place.moonport(&[&send[..], &["--body", "{\"beside\":1}"]].concat());
    let sent = sent.run().expect(0).out;
    logs.out.wait_for("'beside': 1");
    let id = sent.split('"').find(|word| word.len() == 34).unwrap();
    console.wait(&[id, "returned"]);

    assert!(console.is_in_alternate_screen());
    console.press("q");
    console.wait(&["Quit now"]);
    console.press("y");
    let status = console.child.wait().unwrap();
    assert_eq!(status.exit_code(), 0);
    assert!(
        !console.is_in_alternate_screen(),
        "the terminal is as it was"
    );
}

#[test]
fn the_order_workflow_runs_by_keys_in_80_columns() {
    order_workflow_by_keys(80, 24);
}

#[test]
fn the_order_workflow_runs_by_keys_in_120_columns() {
    order_workflow_by_keys(120, 35);
}

#[test]
fn a_broker_left_running_goes_on_without_the_screen() {
    let place = Place::new();
    let data = place.data();
    place.write(
        "moonport.toml",
        "[instance]\nname = \"orders\"\nlisten = \"127.0.0.1:0\"\n[[topic]]\nname = \"kept\"\n",
    );
    let arguments = ["--data-dir", data.to_str().unwrap()];
    let mut console = Console::start(&place, &arguments, 100, 30);
    console.wait(&["kept", "RUNNING"]);
    console.press("q");
    console.wait(&["Leave it running"]);
    console.press("\u{1b}[C\r");
    console.wait(&["the broker goes on in process"]);
    assert_eq!(console.child.wait().unwrap().exit_code(), 0);

    let shown = console.screen.0.lock().screen().contents();
    let (_, after) = shown.split_once("in process ").unwrap();
    let (pid, _) = after.split_once(':').unwrap();
    // Another command reaches the process that took over.
    let topics = place.moonport(&["topic", "list"]).run().expect(0).out;
    assert!(topics.contains("kept"), "{topics}");
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
}
