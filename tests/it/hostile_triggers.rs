//! The hostile set behind a trigger of the real program: the record and the log say what happened, nothing is left
//! running, the trigger goes on with the next message, and moonport's own memory stays bounded.

use std::path::Path;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::function_support::has;
use crate::support::program::{PATIENCE, Place, Running};

/// Most resident memory of moonport in MB, whatever a function does.
const MEMORY: u64 = 256;

/// A served workflow: messages of `orders` go to a Python function that does something hostile with the body `bad`.
struct World {
    place: Place,
    owner: Running,
    /// `moonport logs -f`.
    log: Running,
}

/// Seconds that no function here takes by itself, on a busy machine either.
const PATIENT: u32 = 60;

/// How the program tells that a call ended.
#[derive(Clone, Copy, PartialEq)]
struct Told<'a> {
    error: Option<&'a str>,
    /// Follows the request id on the End line.
    end: &'a str,
}

const FINE: Told<'_> = Told {
    error: None,
    end: "",
};
const TIMED_OUT: Told<'_> = Told {
    error: Some("FunctionTimeoutError"),
    end: ", Error: Function timed out after 1 seconds",
};

impl World {
    /// `hostile` is the body of a branch; `top` stands at the top of the module; `timeout` is in seconds.
    fn new(top: &str, hostile: &str, timeout: u32) -> Self {
        let place = Place::new();
        let indented = hostile.trim().replace('\n', "\n        ");
        place.write(
            "code/index.py",
            &format!(
                "import json, logging, os, signal, subprocess, sys, time\n{top}\n\
                 def handler(event, context):\n    body = json.loads(event)[0]['body']\n    \
                 if body == 'bad':\n        {indented}\n    print('body is', body)\n"
            ),
        );
        place.write(
            "w.toml",
            &format!(
                "[instance]\nname = \"orders\"\n[[topic]]\nname = \"orders\"\n[[function]]\nname = \"f\"\n\
                 runtime = \"python3\"\ncode = \"code\"\nhandler = \"index.handler\"\n\
                 timeout = {timeout}\nmemory = 128\n[[trigger]]\nname = \"t\"\nfunction = \"f\"\n\
                 topic = \"orders\"\ngroup = \"g\"\noffset = \"earliest\"\n"
            ),
        );
        let serve = ["serve", "--listen", "127.0.0.1:0", "w.toml"];
        let mut owner = place.moonport(&serve).start();
        owner.out.wait_for("ready ");
        let log = place.moonport(&["logs", "-f"]).start();
        Self { place, owner, log }
    }

    fn send(&self, body: &str) -> String {
        let send = ["send", "--topic", "orders", "--body", body, "--json"];
        let sent = self.place.moonport(&send).run().expect(0).json();
        sent["message_id"].as_str().unwrap().to_owned()
    }

    /// Waits for the End line of a request.
    fn ended(&mut self, id: &str, told: Told<'_>) {
        let line = self
            .log
            .out
            .wait_for(&format!("FC Invoke End RequestId: {id}"));
        assert_eq!(line, format!("FC Invoke End RequestId: {id}{}", told.end));
    }

    /// The record of a request's first attempt.
    fn record(&self, id: &str) -> Value {
        let shown = self.shown("function", "f");
        let records = shown["invocations"].as_array().unwrap();
        let found = records.iter().find(|record| record["request_id"] == id);
        found.unwrap_or_else(|| panic!("{records:#?}")).clone()
    }

    fn shown(&self, kind: &str, name: &str) -> Value {
        let show = [kind, "show", name, "--json"];
        self.place.moonport(&show).run().expect(0).json()
    }

    /// Sends the bad message, waits for its end, and sees that nothing came of it but what was told.
    fn survives(mut self, told: Told<'_>) -> Self {
        let bad = self.send("bad");
        self.ended(&bad, told);
        self.goes_on_after(&bad, told)
    }

    fn goes_on_after(mut self, bad: &str, told: Told<'_>) -> Self {
        assert_eq!(self.record(bad)["error"].as_str(), told.error);
        if told.error.is_some() {
            self.skip();
        }
        let good = self.send("good");
        self.log.out.wait_for("body is good");
        self.ended(&good, FINE);
        self.nothing_is_left();
        let peak = peak_memory(self.owner.pid());
        assert!(peak <= MEMORY, "{peak} MB");
        self
    }

    /// Gives the failed message up, as soon as it waits for its next attempt.
    fn skip(&self) {
        let deadline = Instant::now() + PATIENCE;
        let skip = ["trigger", "skip", "t"];
        while self.place.moonport(&skip).run().code != Some(0) {
            assert!(Instant::now() < deadline, "the trigger never waits");
        }
    }

    /// Ends the idle instance; then no process of the function is there any more.
    fn nothing_is_left(&self) {
        let restart = ["function", "restart", "f"];
        self.place.moonport(&restart).run().expect(0);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = started_below(&self.place.data());
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "left: {left:?}");
            std::thread::yield_now();
        }
    }
}

/// Processes whose `HOME` is a folder below this one, as that of every worker and of all it starts.
fn started_below(data: &Path) -> Vec<String> {
    let home = format!("HOME={}", data.display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| {
            let environment = std::fs::read(process.path().join("environ")).ok()?;
            let of_worker = environment
                .split(|byte| *byte == 0)
                .any(|set| set.starts_with(home.as_bytes()));
            of_worker.then(|| process.file_name().to_string_lossy().into_owned())
        })
        .collect()
}

/// The kernel's record of a process's largest resident size, in MB.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib / 1024
}

fn survives(hostile: &str, told: Told<'_>) {
    if has("python3") {
        let timeout = if told == TIMED_OUT { 1 } else { PATIENT };
        World::new("", hostile, timeout).survives(told);
    }
}

#[test]
fn an_endless_loop_is_stopped_safe2_log8() {
    survives("while True: pass", TIMED_OUT);
}

#[test]
fn a_loop_that_swallows_every_exception_is_stopped_safe2() {
    let hostile = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    try:\n        \
                   while True: time.sleep(60)\n    except BaseException: pass";
    survives(hostile, TIMED_OUT);
}

#[test]
fn two_hundred_children_do_not_outlive_their_parent_wk8() {
    let hostile = "for n in range(200):\n    \
                   subprocess.Popen(['sleep', '600'], start_new_session=n % 2 == 0)\nos._exit(3)";
    let told = Told {
        error: Some("ProcessExited"),
        end: ", Error: Process exited unexpectedly (exit code 3)",
    };
    survives(hostile, told);
}

#[test]
fn an_allocation_of_10_gb_fails_safe5_log10() {
    let told = Told {
        error: Some("FunctionOOMError"),
        end: ", Error: Unhandled function error",
    };
    survives("bytearray(10 << 30)", told);
}

#[test]
fn a_million_log_lines_are_bounded_safe8() {
    survives("for _ in range(1000): os.write(1, b'x\\n' * 1000)", FINE);
}

#[test]
fn a_line_of_50_mb_is_bounded_safe7_log12() {
    survives("print('x' * (50 << 20))", FINE);
}

#[test]
fn a_line_without_end_holds_nothing_up_safe7() {
    survives("print('no end', end='')", FINE);
}

#[test]
fn bytes_that_are_no_utf8_hold_nothing_up_safe9() {
    survives("os.write(1, b'\\xff\\xfe\\x80\\n')", FINE);
}

#[test]
fn escape_sequences_hold_nothing_up_safe9() {
    survives("print('\\x1b[2J\\x1b]0;title\\x07\\x1b[?1049h')", FINE);
}

#[test]
fn an_exit_inside_a_request_is_told_log9() {
    let told = Told {
        error: Some("ProcessExited"),
        end: ", Error: Process exited unexpectedly (exit code 7)",
    };
    survives("sys.exit(7)", told);
}

#[test]
fn an_answer_after_the_deadline_is_discarded_wk4() {
    let hostile = "signal.signal(signal.SIGTERM, lambda *_: None)\nuntil = time.monotonic() + 1.2\n\
                   while time.monotonic() < until: time.sleep(0.05)\nreturn 'too late'";
    survives(hostile, TIMED_OUT);
}

#[test]
fn a_crash_at_import_is_told_and_the_next_process_serves_py4() {
    if !has("python3") {
        return;
    }
    let top = "MARK = os.path.join(os.path.dirname(__file__), 'mark')\n\
               if not os.path.exists(MARK):\n    open(MARK, 'w').close()\n    os.abort()\n";
    World::new(top, "pass", PATIENT).survives(Told {
        error: Some("ProcessExited"),
        end: ", Error: Process exited unexpectedly (signal SIGABRT)",
    });
}

#[test]
fn a_worker_killed_from_outside_is_replaced_log9() {
    if !has("python3") {
        return;
    }
    let mut world = World::new(
        "",
        "print('pid', os.getpid(), flush=True)\ntime.sleep(600)",
        PATIENT,
    );
    let bad = world.send("bad");
    let line = world.log.out.wait_for("pid ");
    let pid = line.strip_prefix("pid ").unwrap().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    let told = Told {
        error: Some("ProcessExited"),
        end: ", Error: Process exited unexpectedly (signal SIGKILL)",
    };
    world.ended(&bad, told);
    world.goes_on_after(&bad, told);
}

/// No message is as large, so it comes by hand.
#[test]
fn an_event_of_32_mb_passes_and_a_larger_one_is_refused_safe11() {
    if !has("python3") {
        return;
    }
    let world = World::new("", "pass", PATIENT);
    let roomy = ["function", "update", "f", "--memory", "512"];
    world.place.moonport(&roomy).run().expect(0);
    let size = 32 * 1024 * 1024;
    let largest = format!("[{{\"body\":\"{}\"}}]", "x".repeat(size - 13));
    let invoke = ["invoke", "f", "--event-file", "event.json", "--json"];
    world.place.write("event.json", &largest);
    let invoked = world.place.moonport(&invoke).run().expect(0).json();
    assert!(invoked["error"].is_null());
    world.place.write("event.json", &(largest + " "));
    let refused = world.place.moonport(&invoke).run().expect(1);
    assert!(
        refused
            .err
            .contains("the event is 33554433 bytes, at most 33554432"),
        "{}",
        refused.err
    );
    let good = world.send("good");
    let mut world = world;
    world.ended(&good, FINE);
    world.nothing_is_left();
}

#[test]
fn json_that_no_value_holds_arrives_as_it_was_sent_safe11_tr13() {
    if !has("python3") {
        return;
    }
    let mut world = World::new("", "pass", PATIENT);
    let deep = "[".repeat(129) + &"]".repeat(129);
    for (sent, met) in [
        ("{\"n\": 1e400}", "{'n': inf}"),
        (
            "{\"n\": 1180591620717411303424}",
            "{'n': 1180591620717411303424}",
        ),
        ("{\"n\": 1, \"n\": 2}", "{'n': 2}"),
        (deep.as_str(), deep.as_str()),
    ] {
        let id = world.send(sent);
        let line = world.log.out.wait_for("body is ");
        assert_eq!(line, format!("body is {met}"));
        world.ended(&id, FINE);
    }
    let peak = peak_memory(world.owner.pid());
    assert!(peak <= MEMORY, "{peak} MB");
}

#[test]
fn moonport_killed_between_attempts_goes_on_with_the_count_tr32() {
    if !has("python3") {
        return;
    }
    let mut world = World::new("", "raise ValueError('no stock')", PATIENT);
    let bad = world.send("bad");
    let failed = Told {
        error: Some("FunctionUnhandledError"),
        end: ", Error: Unhandled function error",
    };
    world.ended(&bad, failed);
    let deadline = Instant::now() + PATIENCE;
    while world.shown("trigger", "t")["retrying"] != 1 {
        assert!(Instant::now() < deadline);
    }
    world.owner.signal(Signal::SIGKILL);
    world.owner.wait();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let mut owner = world.place.moonport(&serve).start();
    owner.out.wait_for("ready ");
    let deadline = Instant::now() + PATIENCE;
    while world.shown("trigger", "t")["dead"] != 1 {
        assert!(Instant::now() < deadline);
        // Nothing may be due at this very moment.
        world.place.moonport(&["clock", "next"]).run();
    }
    let shown = world.shown("function", "f");
    let records = shown["invocations"].as_array().unwrap();
    let attempts: Vec<_> = records.iter().map(|record| &record["attempt"]).collect();
    assert_eq!(attempts, [4, 3, 2, 1], "newest first");
    assert!(records.iter().all(|record| record["request_id"] == *bad));
}
