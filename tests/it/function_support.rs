//! A function host over real workers: code written by the test, clocks moved by hand where it matters.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moonport::activity::Feed;
use moonport::clock::BrokerClock;
use moonport::domain::function::{FunctionDefinition, LogRecord, Runtime};
use moonport::domain::ids::RequestId;
use moonport::domain::names::FunctionName;
use moonport::domain::timestamp::Timestamp;
use moonport::function::host::{Host, HostOptions};
use moonport::function::invocation::{Invocation, Invoker, Outcome};
use moonport::function::log::MemoryRuns;
use tempfile::TempDir;

/// Nothing in these tests takes longer on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The moment of the article's log.
pub(crate) fn article_moment() -> Timestamp {
    Timestamp::from_millis(1_781_272_484_704)
}

/// True when `tool` runs; says so when it does not, and fails where toolchains are required.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok()
        || Command::new(tool).arg("version").output().is_ok();
    if !found {
        assert!(
            std::env::var_os("MOONPORT_REQUIRE_TOOLCHAINS").is_none(),
            "`{tool}` is required and missing"
        );
        eprintln!("skipped: `{tool}` is not installed");
    }
    found
}

/// One function in one host.
pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) runs: Arc<MemoryRuns>,
    pub(crate) definition: FunctionDefinition,
    folder: TempDir,
}

impl World {
    /// A Python function whose `index.py` is this.
    pub(crate) fn python(code: &str) -> Self {
        Self::new(Runtime::Python3, "index.py", code)
    }

    pub(crate) fn new(runtime: Runtime, file: &str, code: &str) -> Self {
        Self::with(runtime, file, code, |_| ())
    }

    pub(crate) fn with(
        runtime: Runtime,
        file: &str,
        code: &str,
        edit: impl FnOnce(&mut HostOptions),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let code_folder = folder.path().join("code");
        std::fs::create_dir(&code_folder).unwrap();
        std::fs::write(code_folder.join(file), code).unwrap();
        let runs = Arc::new(MemoryRuns::default());
        let mut options = HostOptions::new(
            Feed::new(1000),
            runs.clone(),
            PathBuf::from(env!("CARGO_BIN_EXE_moonport")),
            folder.path().join("work"),
        );
        options.clock = BrokerClock::still(article_moment());
        edit(&mut options);
        let mut definition = FunctionDefinition::new(
            FunctionName::new("order-logger").unwrap(),
            runtime,
            code_folder,
            "index.handler".to_owned(),
        );
        definition.timeout = 60;
        definition.watch = false;
        let host = Host::new(options);
        host.put(definition.clone()).unwrap();
        Self {
            host,
            runs,
            definition,
            folder,
        }
    }

    /// Changes the definition.
    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut FunctionDefinition)) -> Self {
        edit(&mut self.definition);
        self.host.put(self.definition.clone()).unwrap();
        self
    }

    pub(crate) fn code(&self) -> &Path {
        &self.definition.code
    }

    /// Where instances have their private folders.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) async fn invoke(&self, event: impl Into<Bytes>) -> Outcome {
        self.invoke_as("ID", event).await
    }

    pub(crate) async fn invoke_as(&self, id: &str, event: impl Into<Bytes>) -> Outcome {
        let name = self.definition.name.clone();
        let invocation = Invocation::new(name, RequestId::new(id), event.into());
        let invoked = tokio::time::timeout(PATIENCE, self.host.invoke(invocation)).await;
        invoked.expect("the invocation ends").unwrap()
    }

    /// The log so far, one text per record.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.runs.texts()
    }

    pub(crate) async fn wait_for_log(&self, text: &str) -> LogRecord {
        let found = self.runs.wait_for_log(|record| record.text.contains(text));
        tokio::time::timeout(PATIENCE, found)
            .await
            .unwrap_or_else(|_| panic!("`{text}` never came; log: {:#?}", self.texts()))
    }
}

/// Whether a process with this id exists and is no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes());
    matches!(state, Some([state, ..]) if *state != b'Z')
}

/// Returns once none of these processes is alive, and panics after `limit`.
pub(crate) async fn wait_until_gone(pids: &[i32], limit: Duration) {
    let gone = async {
        while pids.iter().any(|pid| is_alive(*pid)) {
            tokio::task::yield_now().await;
        }
    };
    let left = tokio::time::timeout(limit, gone).await;
    let alive: Vec<_> = pids.iter().filter(|pid| is_alive(**pid)).collect();
    assert!(left.is_ok(), "still alive: {alive:?}");
}
