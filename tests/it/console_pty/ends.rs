//! However the console ends or pauses, the terminal is as it was.

use std::sync::Arc;

use async_trait::async_trait;
use moonport::cluster::paging::{Page, Paged};
use moonport::control::logs::{InvocationQuery, LogPage, LogQuery};
use moonport::control::{Control, Logs, Reply};
use moonport::domain::function::InvocationRecord;
use nix::sys::signal::Signal;
use tokio::sync::watch;

use super::quit;
use crate::support::live::Live;
use crate::support::program::Place;
use crate::support::terminal::{Terminal, command, moonport};

fn demo(place: &Place) -> Terminal {
    let console = Terminal::start(moonport(place, &["demo"]), 100, 30);
    console.wait(&["message-processing", "RUNNING"]);
    console
}

#[test]
fn a_stop_by_ctrl_z_gives_the_terminal_back_and_goes_on_where_it_was() {
    let place = Place::new();
    let mut console = demo(&place);
    for _ in 0..2 {
        // The triggers are clients: the first press warns that they will time out.
        console.press("\u{1a}");
        console.wait(&["suspending stops the broker too"]);
        console.press("\u{1a}");
        console.wait_stopped();
        console.wait_as_before();
        console.signal(Signal::SIGCONT);
        console.wait(&["message-processing", "RUNNING", "Topics"]);
        console.press("?");
        console.wait(&["choose the column to sort by"]);
        console.press("\u{1b}");
        console.wait_without("choose the column to sort by");
    }
    quit(&mut console);
}

#[test]
fn a_signal_to_end_gives_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let place = Place::new();
        let mut console = demo(&place);
        console.signal(signal);
        assert_eq!(console.wait_end(), 0, "{signal}");
        console.wait_as_before();
    }
}

/// Names the test that [`a_panic_gives_the_terminal_back_before_it_is_told`] runs as another process.
const CHILD: &str = "MOONPORT_TEST_PANICKING_CONSOLE";

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let place = Place::new();
    let this = std::env::current_exe().unwrap();
    let arguments = [
        "console_pty::ends::console_whose_thread_panics",
        "--exact",
        "--nocapture",
    ];
    let mut child = command(this.to_str().unwrap(), &place, &arguments);
    child.env(CHILD, "1");
    let mut console = Terminal::start(child, 100, 30);
    console.wait(&["no log today", "the console failed"]);
    assert_eq!(console.wait_end(), 0);
    console.wait_as_before();
}

/// Logs that panic where the console's own thread reads them.
struct Panicking;

#[async_trait]
impl Logs for Panicking {
    async fn logs(&self, _: LogQuery) -> Reply<LogPage> {
        panic!("no log today")
    }

    async fn invocations(&self, _: InvocationQuery, _: Page) -> Reply<Paged<InvocationRecord>> {
        panic!("no log today")
    }

    fn latest(&self) -> watch::Receiver<u64> {
        panic!("no log today")
    }
}

/// Does nothing unless it is the child of the test above.
#[tokio::test]
async fn console_whose_thread_panics() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let live = Live::empty().await;
    let control = Control {
        logs: Arc::new(Panicking),
        ..live.control.clone()
    };
    let ended = moonport::ui::run(control, Live::options()).await;
    let error = ended.unwrap_err();
    #[expect(clippy::print_stdout, reason = "the parent reads it from the terminal")]
    {
        println!("{error}");
    }
}
