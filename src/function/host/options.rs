//! What a host is given: time, randomness, where to keep runs, where things lie.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::activity::{Feed, Happening};
use crate::clock::{BrokerClock, RealClock};
use crate::domain::ids::{RequestId, function_instance_id};
use crate::domain::names::FunctionName;
use crate::function::log::{RequestLog, RunSink};

/// A source of bytes that must not be guessed; tests give a fixed one.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

#[derive(Clone)]
pub struct HostOptions {
    /// Stamps log records and invocation records.
    pub clock: BrokerClock,
    /// Bounds calls and instances.
    pub real: RealClock,
    pub random: Random,
    /// Given to every instance instead of a fresh id; for tests that compare whole logs.
    pub instance_id: Option<String>,
    pub feed: Feed,
    pub runs: Arc<dyn RunSink>,
    /// The executable that supervises workers when called with `__supervise`.
    pub program: PathBuf,
    /// Private folders of instances are made here.
    pub work_dir: PathBuf,
    /// Where interpreters are looked for, as in `PATH`.
    pub search_path: OsString,
    pub region: String,
    pub account_id: String,
}

impl HostOptions {
    /// The options of a running program: system time, system randomness, the `PATH` of this process.
    pub fn new(feed: Feed, runs: Arc<dyn RunSink>, program: PathBuf, work_dir: PathBuf) -> Self {
        Self {
            clock: BrokerClock::system(),
            real: RealClock::system(),
            random: Arc::new(system_random),
            instance_id: None,
            feed,
            runs,
            program,
            work_dir,
            search_path: std::env::var_os("PATH").unwrap_or_default(),
            region: "local".to_owned(),
            account_id: "0".to_owned(),
        }
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// A fresh id of Function Compute's shape (LC-8).
    pub fn fresh_request_id(&self) -> RequestId {
        RequestId::fresh(self.clock.now(), self.random())
    }

    pub(crate) fn fresh_instance_id(&self) -> String {
        match &self.instance_id {
            Some(id) => id.clone(),
            None => function_instance_id(self.clock.now(), self.random()),
        }
    }

    pub(crate) fn log(&self, function: &FunctionName, request: Option<RequestId>) -> RequestLog {
        RequestLog::new(
            function.clone(),
            request,
            self.clock.clone(),
            self.runs.clone(),
        )
    }

    pub(crate) fn report(&self, happening: Happening) {
        self.feed.report(self.clock.now(), happening);
    }

    /// Reports an event in the life of an instance under Function Compute's name for it (LC-7).
    pub(crate) fn instance_event(&self, function: &FunctionName, name: &str, detail: String) {
        self.report(Happening::InstanceEvent {
            function: function.clone(),
            name: format!("fc:Instance:{name}"),
            detail,
        });
    }
}

/// Falls back to a generator seeded by the process when the system gives nothing.
fn system_random(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        fastrand::fill(bytes);
    }
}
