//! `debug = PORT`: a debugger attaches, and while it holds the handler nothing times out.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use futures_util::FutureExt as _;
use moonport::clock::RealClock;
use moonport::control::functions::FunctionState;
use moonport::domain::function::Runtime;

use crate::function_start::virtual_environment;
use crate::function_support::{World, has};
use crate::support::inspector::Inspector;

const LONG: Duration = Duration::from_secs(3600);

fn free_port() -> u16 {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    held.local_addr().unwrap().port()
}

/// A function with a timeout of a second whose time is in the test's hand.
fn world(runtime: Runtime, file: &str, code: &str, port: u16) -> (World, RealClock) {
    let real = RealClock::manual();
    let clock = real.clone();
    let world = World::with(runtime, file, code, |options| options.real = clock);
    let world = world.edit(|definition| {
        definition.debug = Some(port);
        definition.timeout = 1;
    });
    (world, real)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debugger_of_node_holds_the_handler_as_long_as_it_likes() {
    if !has("node") {
        return;
    }
    let port = free_port();
    let code =
        "exports.handler = async (event) => { if (event == 'stop') { debugger; } return 'OK'; };";
    let (world, real) = world(Runtime::NodeJs, "index.js", code, port);
    assert_eq!(world.invoke("warm up").await.result, "OK");
    let attached = tokio::task::spawn_blocking(move || {
        let mut inspector = Inspector::attach(port);
        inspector.command("Debugger.enable");
        inspector
    });
    let mut inspector = attached.await.unwrap();
    let mut held = Box::pin(world.invoke("stop"));
    assert!(held.as_mut().now_or_never().is_none());
    let (released, outcome) = tokio::join!(
        tokio::task::spawn_blocking(move || {
            inspector.event("Debugger.paused");
            real.advance(LONG);
            inspector.command("Debugger.resume");
        }),
        held
    );
    released.unwrap();
    assert_eq!((outcome.record.error, &*outcome.result), (None, &b"OK"[..]));
    assert!(outcome.record.duration_ms >= 3_600_000.0);
    assert!(!outcome.record.cold_start, "one instance, never replaced");
}

/// Stands where the package `debugpy` would be: listens as told, and runs the program once somebody has attached.
const DEBUGGER: &str = r"
import runpy, socket, sys
assert sys.argv[1] == '--listen', sys.argv
host, port = sys.argv[2].rsplit(':', 1)
listener = socket.create_server((host, int(port)))
print('debugger waits', flush=True)
listener.accept()
sys.argv = sys.argv[3:]
runpy.run_path(sys.argv[0], run_name='__main__')
";

fn install_debugger(packages: &Path) {
    let package = packages.join("debugpy");
    std::fs::create_dir(&package).unwrap();
    std::fs::write(package.join("__init__.py"), "").unwrap();
    std::fs::write(package.join("__main__.py"), DEBUGGER).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn python_runs_under_its_debugger() {
    if !has("python3") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let venv = home.path().join("venv");
    install_debugger(&virtual_environment(&venv));
    let port = free_port();
    let code = "def handler(event, context):\n    return 'OK'\n";
    let (world, _) = world(Runtime::Python3, "index.py", code, port);
    let world = world.edit(|definition| definition.python = Some(venv));
    let (outcome, _attached) = tokio::join!(world.invoke("{}"), async {
        world.wait_for_log("debugger waits").await;
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap()
    });
    assert_eq!(outcome.result, "OK");
}

#[tokio::test]
async fn a_missing_debugger_is_named_with_the_way_to_get_it() {
    if !has("python3") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let venv = home.path().join("venv");
    virtual_environment(&venv);
    let (world, _) = world(Runtime::Python3, "index.py", "", free_port());
    let world = world.edit(|definition| definition.python = Some(venv));
    match world.host.row(&world.definition.name).unwrap().state {
        FunctionState::Broken { reason, hint } => {
            assert_eq!(reason, "`debug` needs the Python package `debugpy`");
            assert!(hint.unwrap().contains("-m pip install debugpy"));
        }
        state => panic!("{state:?}"),
    }
}
