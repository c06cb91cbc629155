//! Functions: their definition, limits and the record of each invocation.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{MessageId, RequestId};
use crate::domain::message::Place;
use crate::domain::names::{FunctionName, InstanceId, TopicName, TriggerName};
use crate::domain::timestamp::Timestamp;

/// The version and qualifier of every local function.
pub const LATEST: &str = "LATEST";

/// What runs the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    Python3,
    /// As `python3`, with the interpreter and the context of 3.12 (PY-9).
    #[serde(rename = "python3.12")]
    Python312,
    NodeJs,
    /// Embedded JavaScript.
    Js,
    /// Any executable that serves HTTP.
    Custom,
    /// A closure the program registered.
    Rust,
}

impl Runtime {
    pub const ALL: [Self; 6] = [
        Self::Python3,
        Self::Python312,
        Self::NodeJs,
        Self::Js,
        Self::Custom,
        Self::Rust,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Python3 => "python3",
            Self::Python312 => "python3.12",
            Self::NodeJs => "nodejs",
            Self::Js => "js",
            Self::Custom => "custom",
            Self::Rust => "rust",
        }
    }

    pub const fn is_python(self) -> bool {
        matches!(self, Self::Python3 | Self::Python312)
    }
}

/// In which form the handler meets its event (S-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventAs {
    /// Bytes that show as the decoded value when printed.
    #[default]
    Auto,
    Bytes,
    Object,
}

/// A lifecycle hook: a handler in the code, or a command; never both (LC-5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hook {
    pub handler: Option<String>,
    pub command: Vec<String>,
    /// Seconds, at least 1.
    pub timeout: u32,
}

/// How a custom runtime is asked whether it is well (CU-10). Spans are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What is asked for with GET; a status below 400 is a success.
    pub path: String,
    /// Before the first question, 0-120.
    pub initial_delay: u32,
    /// Between two questions, 1-120.
    pub period: u32,
    /// For an answer, 1-3.
    pub timeout: u32,
    /// Failures in a row after which it counts as unwell, 1-120.
    pub failure_threshold: u32,
    /// Successes in a row after which it counts as well again, 1-120.
    pub success_threshold: u32,
}

impl HealthCheck {
    pub fn new(path: String) -> Self {
        Self {
            path,
            initial_delay: 0,
            period: 3,
            timeout: 1,
            failure_threshold: 3,
            success_threshold: 1,
        }
    }
}

/// Where the outcome of an asynchronous invocation goes (IV-7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    Function(FunctionName),
    Topic {
        instance: InstanceId,
        topic: TopicName,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(function) => write!(f, "function `{function}`"),
            Self::Topic { topic, .. } => write!(f, "topic `{topic}`"),
        }
    }
}

/// How events are tried that were accepted and answered at once, and where their outcome goes (section 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsyncSettings {
    /// Tries after the first, 0-8.
    pub retries: u32,
    /// Seconds, 1-604800; an older event is not run any more (IV-5).
    pub max_age: u32,
    pub on_success: Option<Destination>,
    /// Told after the last retry, too.
    pub on_failure: Option<Destination>,
}

impl AsyncSettings {
    /// Topics are those of this instance.
    pub fn move_to(&mut self, id: &InstanceId) {
        for destination in [&mut self.on_success, &mut self.on_failure] {
            if let Some(Destination::Topic { instance, .. }) = destination {
                *instance = id.clone();
            }
        }
    }
}

impl Default for AsyncSettings {
    fn default() -> Self {
        Self {
            retries: 3,
            max_age: 86_400,
            on_success: None,
            on_failure: None,
        }
    }
}

/// A function as its owner defined it. Limits are those of Function Compute (section 6 of its contract).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionDefinition {
    pub name: FunctionName,
    pub runtime: Runtime,
    /// Folder of the code, absolute; empty for closures.
    pub code: PathBuf,
    /// `file.function`; unused by `custom`.
    pub handler: String,
    /// Seconds, 1-86400; at most 300 behind a trigger.
    pub timeout: u32,
    /// MB, 128-32768 in steps of 64.
    pub memory: u32,
    /// Hundredths of a vCPU, 5-1600 in steps of 5; told, not enforced (LIM-1).
    #[serde(default)]
    pub cpu: Option<u32>,
    /// MB, 512 or 10240; told, not enforced (LIM-1).
    #[serde(default)]
    pub disk: Option<u32>,
    /// Requests one instance serves at once, 1-200; more than 1 only for `custom` (CU-9).
    pub concurrency: u32,
    /// Instances running at once, at least 1.
    pub max_instances: u32,
    /// Seconds without a request after which an instance is reclaimed (LC-6).
    pub idle_timeout: u32,
    pub event_as: EventAs,
    pub environment: BTreeMap<String, String>,
    /// A file of `KEY=value` lines, read without shell expansion (ENV-4); never exported.
    pub env_file: Option<PathBuf>,
    /// The interpreter or virtual environment of `python3`.
    pub python: Option<PathBuf>,
    /// Folders searched after the code folder (PY-3).
    pub layers: Vec<PathBuf>,
    /// Command and arguments of `custom`; empty: `bootstrap` in the code folder (CU-1).
    pub command: Vec<String>,
    /// Port a debugger attaches to; while it is set no timeout fires.
    pub debug: Option<u16>,
    pub initializer: Option<Hook>,
    pub pre_stop: Option<Hook>,
    /// Runs after each request (LC-1).
    #[serde(default)]
    pub pre_freeze: Option<Hook>,
    /// Its processes stand still between requests, as in the cloud (LC-6).
    #[serde(default)]
    pub freeze: bool,
    /// Only for `custom`.
    #[serde(default)]
    pub health_check: Option<Box<HealthCheck>>,
    /// Saved code restarts the function (LC-9, SAFE-13).
    pub watch: bool,
    #[serde(default)]
    pub asynchronous: Box<AsyncSettings>,
}

impl FunctionDefinition {
    pub const DEFAULT_TIMEOUT: u32 = 3;
    pub const DEFAULT_MEMORY: u32 = 512;
    pub const DEFAULT_IDLE_TIMEOUT: u32 = 300;
    pub const DEFAULT_MAX_INSTANCES: u32 = 4;

    pub fn new(name: FunctionName, runtime: Runtime, code: PathBuf, handler: String) -> Self {
        Self {
            name,
            runtime,
            code,
            handler,
            timeout: Self::DEFAULT_TIMEOUT,
            memory: Self::DEFAULT_MEMORY,
            cpu: None,
            disk: None,
            concurrency: 1,
            max_instances: Self::DEFAULT_MAX_INSTANCES,
            idle_timeout: Self::DEFAULT_IDLE_TIMEOUT,
            event_as: EventAs::Auto,
            environment: BTreeMap::new(),
            env_file: None,
            python: None,
            layers: Vec::new(),
            command: Vec::new(),
            debug: None,
            initializer: None,
            pre_stop: None,
            pre_freeze: None,
            freeze: false,
            health_check: None,
            watch: true,
            asynchronous: Box::default(),
        }
    }

    /// What is kept of the cloud's settings and means nothing here, in words; empty when there is none (LIM-1).
    pub fn not_enforced(&self) -> String {
        let cpu = self.cpu.map(|cpu| f64::from(cpu) / 100.0);
        let cpu = cpu.map(|cpu| format!("{cpu} vCPU"));
        let disk = self.disk.map(|disk| format!("{disk} MB of disk"));
        let told: Vec<String> = cpu.into_iter().chain(disk).collect();
        if told.is_empty() {
            return String::new();
        }
        format!("{} (not enforced here)", told.join(", "))
    }
}

/// Why an invocation failed (LOG-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorClass {
    FunctionTimeoutError,
    #[serde(rename = "FunctionOOMError")]
    FunctionOomError,
    FunctionUnhandledError,
    FunctionHandledError,
    InitializationError,
    /// The instance could not be started (CU-2, SAFE-12).
    FunctionNotStarted,
    /// The process ended inside the request (LOG-9).
    ProcessExited,
    EntityTooLarge,
}

impl ErrorClass {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FunctionTimeoutError => "FunctionTimeoutError",
            Self::FunctionOomError => "FunctionOOMError",
            Self::FunctionUnhandledError => "FunctionUnhandledError",
            Self::FunctionHandledError => "FunctionHandledError",
            Self::InitializationError => "InitializationError",
            Self::FunctionNotStarted => "FunctionNotStarted",
            Self::ProcessExited => "ProcessExited",
            Self::EntityTooLarge => "EntityTooLarge",
        }
    }
}

/// Whether the caller waited (IV-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum InvocationType {
    #[default]
    Sync,
    Async,
}

/// What one invocation did (IV-8). Durations are milliseconds of real time, memory is MB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvocationRecord {
    /// Rises by one with each record of this data directory.
    pub number: u64,
    pub request_id: RequestId,
    pub function: FunctionName,
    pub trigger: Option<TriggerName>,
    pub invocation_type: InvocationType,
    /// Which try of the same batch, from 1.
    pub attempt: u32,
    pub message_ids: Vec<MessageId>,
    pub started_at: Timestamp,
    /// Waiting for a free instance.
    pub schedule_ms: f64,
    pub duration_ms: f64,
    pub cold_start: bool,
    /// Spawning the process or engine; 0 when warm.
    pub spawn_ms: f64,
    /// The initializer hook; 0 when warm or absent.
    pub initializer_ms: f64,
    pub memory_mb: u32,
    pub peak_memory_mb: f64,
    pub instance_id: String,
    pub error: Option<ErrorClass>,
    /// One line about the error.
    pub error_message: Option<String>,
    /// First bytes of the event and of the result.
    pub event: String,
    pub result: String,
    pub log_lines_dropped: u64,
    /// `exit code 3`, `signal SIGKILL`, when the process ended.
    pub exit: Option<String>,
    /// Where the messages lie, for the first 100 of them.
    pub places: Vec<Place>,
}

impl InvocationRecord {
    /// What a test run is told after its log (LOG-11).
    pub fn summary(&self) -> String {
        format!(
            "Duration: {:.2} ms, Billed Duration: {:.0} ms, Memory Size: {} MB, Max Memory Used: {:.2} MB",
            self.duration_ms,
            self.duration_ms.ceil(),
            self.memory_mb,
            self.peak_memory_mb
        )
    }
}

/// One line record of a function's log, exactly as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Place in the log of this data directory, rising.
    pub number: u64,
    pub function: FunctionName,
    pub request_id: Option<RequestId>,
    pub level: LogLevel,
    pub at: Timestamp,
    /// The whole record, line breaks included, prefix included; untrusted.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Output without a level of its own, such as `print`.
    Raw,
    Debug,
    Info,
    Warn,
    Error,
    /// Lines of the platform: inited, Start, End.
    Platform,
}
