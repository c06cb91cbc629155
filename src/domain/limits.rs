//! Ranges of function and trigger definitions (section 6 of Function Compute's contract). Values out of range are
//! refused with the field's name, never clamped.

use crate::domain::function::{FunctionDefinition, HealthCheck, Hook, Runtime};
use crate::domain::trigger::TriggerDefinition;

/// Longest timeout of a function behind a trigger, in seconds.
pub const MAX_TRIGGERED_TIMEOUT: u32 = 300;
/// Most messages of one batch.
pub const MAX_BATCH_SIZE: u32 = 10_000;
/// Longest batch window, in seconds.
pub const MAX_BATCH_WINDOW_SECONDS: u64 = 15;
/// Most bytes of all environment names and values together.
pub const MAX_ENVIRONMENT_BYTES: usize = 4096;

/// A field that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field as the workflow file calls it: `idle-timeout`.
    pub field: &'static str,
    /// Goes on after the field's name: `is 5, allowed are 1-4`.
    pub problem: String,
}

/// Everything wrong with a function's definition on its own, in the order of the file's keys.
pub fn check_function(function: &FunctionDefinition) -> Vec<FieldProblem> {
    let mut found = Problems::default();
    found.range("timeout", function.timeout, 1, 86_400);
    if found.range("memory", function.memory, 128, 32_768) && !function.memory.is_multiple_of(64) {
        found.add(
            "memory",
            format!("is {}, not a multiple of 64", function.memory),
        );
    }
    check_cpu_and_disk(function, &mut found);
    found.range("concurrency", function.concurrency, 1, 200);
    if function.concurrency > 1 && function.runtime != Runtime::Custom {
        let runtime = function.runtime.as_str();
        found.add(
            "concurrency",
            format!(
                "is {}, but runtime `{runtime}` serves one request at a time",
                function.concurrency
            ),
        );
    }
    found.range("max-instances", function.max_instances, 1, 1000);
    found.range("idle-timeout", function.idle_timeout, 1, 86_400);
    check_code(function, &mut found);
    check_environment(function, &mut found);
    let later = &function.asynchronous;
    found.range("async.retries", later.retries, 0, 8);
    found.range("async.max-age", later.max_age, 1, 604_800);
    found.hook("initializer", function.initializer.as_ref());
    found.hook("pre-stop", function.pre_stop.as_ref());
    found.hook("pre-freeze", function.pre_freeze.as_ref());
    check_freeze(function, &mut found);
    if let Some(check) = &function.health_check {
        check_health(function.runtime, check, &mut found);
    }
    found.0
}

/// Everything wrong with a trigger's definition on its own.
pub fn check_trigger(trigger: &TriggerDefinition) -> Vec<FieldProblem> {
    let mut found = Problems::default();
    found.range("batch.size", trigger.batch_size, 1, MAX_BATCH_SIZE);
    let window = trigger.batch_window;
    if window.as_millis() > u128::from(MAX_BATCH_WINDOW_SECONDS) * 1000 {
        found.add(
            "batch.window",
            format!(
                "is {} s, allowed are 0-{MAX_BATCH_WINDOW_SECONDS} s",
                window.as_secs_f64()
            ),
        );
    }
    found.range("concurrency", trigger.concurrency, 1, 1000);
    if let Err(error) = trigger.topic.check_user_topic()
        && trigger.topic.dead_letter_group().is_none()
    {
        found.add("topic", format!("cannot be used: {error}"));
    }
    if let Err(error) = trigger.group.check_user_group() {
        found.add("group", format!("cannot be used: {error}"));
    }
    found.0
}

fn check_cpu_and_disk(function: &FunctionDefinition, found: &mut Problems) {
    if let Some(cpu) = function.cpu {
        let shown = f64::from(cpu) / 100.0;
        // Hundredths of a vCPU to MB: one to one GB at least, one to four GB at most.
        let (least, most) = (u64::from(cpu) * 1024, u64::from(cpu) * 4096);
        let memory = u64::from(function.memory) * 100;
        if !(5..=1600).contains(&cpu) || !cpu.is_multiple_of(5) {
            found.add(
                "cpu",
                format!("is {shown}, allowed are 0.05-16 in steps of 0.05"),
            );
        } else if !(least..=most).contains(&memory) {
            found.add(
                "cpu",
                format!(
                    "is {shown} beside {} MB of memory; for each vCPU there are 1-4 GB",
                    function.memory
                ),
            );
        }
    }
    if let Some(disk) = function.disk
        && !matches!(disk, 512 | 10_240)
    {
        found.add("disk", format!("is {disk}, allowed are 512 and 10240"));
    }
}

fn check_code(function: &FunctionDefinition, found: &mut Problems) {
    let runtime = function.runtime.as_str();
    let has_handler = matches!(
        function.runtime,
        Runtime::Python3 | Runtime::Python312 | Runtime::NodeJs | Runtime::Js
    );
    if has_handler && function.handler.trim().is_empty() {
        found.add(
            "handler",
            "is blank; it names a file and a function, as in `index.handler`".to_owned(),
        );
    }
    if function.runtime != Runtime::Rust && function.code.as_os_str().is_empty() {
        found.add(
            "code",
            format!("is missing; runtime `{runtime}` needs the folder of its code"),
        );
    }
    if function.runtime != Runtime::Custom && !function.command.is_empty() {
        found.add(
            "command",
            format!("is for runtime `custom`, this one is `{runtime}`"),
        );
    }
    if !function.runtime.is_python() && function.python.is_some() {
        found.add(
            "python",
            format!("is for runtime `python3`, this one is `{runtime}`"),
        );
    }
    let attaches = function.runtime.is_python() || function.runtime == Runtime::NodeJs;
    if function.debug.is_some() && !attaches {
        found.add(
            "debug",
            format!("is for runtimes `python3` and `nodejs`, this one is `{runtime}`"),
        );
    }
}

/// Only processes can stand still, and only while nothing is asked of them.
fn check_freeze(function: &FunctionDefinition, found: &mut Problems) {
    if !function.freeze {
        return;
    }
    if matches!(function.runtime, Runtime::Js | Runtime::Rust) {
        let runtime = function.runtime.as_str();
        found.add(
            "freeze",
            format!("is for runtimes whose code runs in a process, this one is `{runtime}`"),
        );
    }
    let others = [
        ("concurrency", function.concurrency > 1),
        ("health-check", function.health_check.is_some()),
        ("debug", function.debug.is_some()),
    ];
    for (other, set) in others {
        if set {
            found.add("freeze", format!("does not go with `{other}`"));
        }
    }
}

fn check_health(runtime: Runtime, check: &HealthCheck, found: &mut Problems) {
    if runtime != Runtime::Custom {
        let runtime = runtime.as_str();
        found.add(
            "health-check",
            format!("is for runtime `custom`, this one is `{runtime}`"),
        );
    }
    let is_plain = |c: char| c.is_ascii_graphic();
    if !check.path.starts_with('/') || !check.path.chars().all(is_plain) {
        let path = &check.path;
        found.add(
            "health-check.path",
            format!("is `{path}`; it begins with `/`, as in `/health`"),
        );
    }
    for (field, value, least, most) in [
        ("health-check.initial-delay", check.initial_delay, 0, 120),
        ("health-check.period", check.period, 1, 120),
        ("health-check.timeout", check.timeout, 1, 3),
        (
            "health-check.failure-threshold",
            check.failure_threshold,
            1,
            120,
        ),
        (
            "health-check.success-threshold",
            check.success_threshold,
            1,
            120,
        ),
    ] {
        found.range(field, value, least, most);
    }
}

fn check_environment(function: &FunctionDefinition, found: &mut Problems) {
    let mut bytes = 0;
    for (name, value) in &function.environment {
        bytes += name.len() + value.len();
        if let Some(problem) = environment_name_problem(name) {
            found.add("environment", problem);
        }
    }
    if bytes > MAX_ENVIRONMENT_BYTES {
        found.add(
            "environment",
            format!("holds {bytes} bytes, at most {MAX_ENVIRONMENT_BYTES} are allowed"),
        );
    }
}

/// Why a variable may not have this name; user variables and lines of an env-file alike.
pub fn environment_name_problem(name: &str) -> Option<String> {
    let mut bytes = name.bytes();
    let good = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !good {
        return Some(format!(
            "has the name `{name}`; a name is a letter, then letters, digits and `_`"
        ));
    }
    name.starts_with("FC_")
        .then(|| format!("has the name `{name}`; names that begin with `FC_` are reserved"))
}

#[derive(Default)]
struct Problems(Vec<FieldProblem>);

impl Problems {
    fn add(&mut self, field: &'static str, problem: String) {
        self.0.push(FieldProblem { field, problem });
    }

    /// Whether the value is within; reported when not.
    fn range(&mut self, field: &'static str, value: u32, min: u32, max: u32) -> bool {
        let within = (min..=max).contains(&value);
        if !within {
            self.add(field, format!("is {value}, allowed are {min}-{max}"));
        }
        within
    }

    /// A hook is a handler or a command, with at least a second to run (LC-5).
    fn hook(&mut self, field: &'static str, hook: Option<&Hook>) {
        let Some(hook) = hook else { return };
        match (&hook.handler, hook.command.is_empty()) {
            (Some(_), false) => self.add(field, "has a handler and a command; give one".to_owned()),
            (None, true) => self.add(field, "has neither a handler nor a command".to_owned()),
            _ => {}
        }
        if hook.timeout == 0 {
            self.add(field, "has a timeout of 0, at least 1 is needed".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};

    fn function() -> FunctionDefinition {
        FunctionDefinition::new(
            FunctionName::new("f").unwrap(),
            Runtime::Python3,
            PathBuf::from("/code"),
            "index.handler".to_owned(),
        )
    }

    fn fields(edit: impl FnOnce(&mut FunctionDefinition)) -> Vec<&'static str> {
        let mut function = function();
        edit(&mut function);
        check_function(&function).iter().map(|p| p.field).collect()
    }

    #[test]
    fn defaults_are_within_limits() {
        assert!(fields(|_| ()).is_empty());
    }

    #[test]
    fn what_does_not_go_together_is_named_lc6_cu10() {
        let health = |edit: fn(&mut HealthCheck)| {
            fields(|f| {
                f.runtime = Runtime::Custom;
                let mut check = HealthCheck::new("/health".to_owned());
                edit(&mut check);
                f.health_check = Some(Box::new(check));
            })
        };
        assert!(health(|_| ()).is_empty());
        assert_eq!(health(|c| c.timeout = 4), ["health-check.timeout"]);
        assert_eq!(health(|c| c.period = 0), ["health-check.period"]);
        assert_eq!(
            health(|c| c.path = "health".to_owned()),
            ["health-check.path"]
        );
        assert_eq!(
            health(|c| c.path = "/a b".to_owned()),
            ["health-check.path"]
        );
        let check = || Some(Box::new(HealthCheck::new("/".to_owned())));
        assert_eq!(fields(|f| f.health_check = check()), ["health-check"]);
        assert!(fields(|f| f.freeze = true).is_empty());
        assert_eq!(
            fields(|f| {
                f.freeze = true;
                f.runtime = Runtime::Js;
                f.debug = Some(5678);
            }),
            ["debug", "freeze", "freeze"]
        );
    }

    #[test]
    fn cpu_and_disk_are_checked_though_they_mean_nothing_here_lim1() {
        let with = |cpu, memory| {
            fields(|f| {
                f.cpu = Some(cpu);
                f.memory = memory;
            })
        };
        assert!(with(35, 512).is_empty());
        assert!(with(50, 2048).is_empty());
        for (cpu, memory) in [(0, 512), (52, 1024), (1605, 32_768), (50, 448), (50, 2112)] {
            assert_eq!(with(cpu, memory), ["cpu"], "{cpu} beside {memory}");
        }
        assert!(fields(|f| f.disk = Some(10_240)).is_empty());
        assert_eq!(fields(|f| f.disk = Some(1024)), ["disk"]);
        let mut function = function();
        assert_eq!(function.not_enforced(), "");
        function.cpu = Some(35);
        function.disk = Some(512);
        let told = "0.35 vCPU, 512 MB of disk (not enforced here)";
        assert_eq!(function.not_enforced(), told);
    }

    #[test]
    fn each_field_out_of_range_is_named() {
        assert_eq!(fields(|f| f.timeout = 0), ["timeout"]);
        assert_eq!(fields(|f| f.timeout = 86_401), ["timeout"]);
        assert_eq!(fields(|f| f.memory = 64), ["memory"]);
        assert_eq!(fields(|f| f.memory = 129), ["memory"]);
        assert_eq!(fields(|f| f.concurrency = 2), ["concurrency"]);
        assert_eq!(fields(|f| f.handler = " ".to_owned()), ["handler"]);
        assert_eq!(fields(|f| f.code = PathBuf::new()), ["code"]);
        assert_eq!(fields(|f| f.command = vec!["x".to_owned()]), ["command"]);
        assert_eq!(fields(|f| f.asynchronous.retries = 9), ["async.retries"]);
        assert_eq!(fields(|f| f.asynchronous.max_age = 0), ["async.max-age"]);
    }

    #[test]
    fn environment_names_and_size_are_bounded() {
        let with = |name: &str, value: &str| {
            fields(|f| {
                f.environment.insert(name.to_owned(), value.to_owned());
            })
        };
        assert!(with("LOG_LEVEL", "INFO").is_empty());
        assert_eq!(with("FC_X", "1"), ["environment"]);
        assert_eq!(with("1X", "1"), ["environment"]);
        assert_eq!(with("X", &"y".repeat(4096)), ["environment"]);
    }

    #[test]
    fn a_hook_is_a_handler_or_a_command_lc5() {
        let hook = |handler: Option<&str>, command: &[&str], timeout| {
            fields(|f| {
                f.initializer = Some(Hook {
                    handler: handler.map(str::to_owned),
                    command: command.iter().map(|s| (*s).to_owned()).collect(),
                    timeout,
                });
            })
        };
        assert!(hook(Some("index.init"), &[], 1).is_empty());
        assert_eq!(hook(Some("index.init"), &["x"], 1), ["initializer"]);
        assert_eq!(hook(None, &[], 1), ["initializer"]);
        assert_eq!(hook(None, &["x"], 0), ["initializer"]);
    }

    #[test]
    fn batches_have_bounds() {
        let mut trigger = TriggerDefinition::new(
            TriggerName::new("t").unwrap(),
            InstanceId::new("rmq-x").unwrap(),
            FunctionName::new("f").unwrap(),
            TopicName::new("orders").unwrap(),
            GroupName::new("orders").unwrap(),
        );
        assert!(check_trigger(&trigger).is_empty());
        trigger.batch_size = 10_001;
        trigger.batch_window = Duration::from_millis(15_001);
        let fields: Vec<_> = check_trigger(&trigger).iter().map(|p| p.field).collect();
        assert_eq!(fields, ["batch.size", "batch.window"]);
    }
}
