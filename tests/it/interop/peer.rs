//! `moonport serve` as a scenario needs it: its own data directory, topics, groups and a function behind a trigger.

use std::time::Instant;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::program::{PATIENCE, Place, Running};

/// What differs between the peers of scenarios.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Set {
    /// Topics that clients name are made.
    pub(super) auto_create: bool,
    /// Only signed requests come in.
    pub(super) keys: bool,
    /// A certificate of the owner's, which clients are told to trust.
    pub(super) certificate: bool,
}

/// The key that peers with keys know, and the variable its secret is in.
pub(super) const KEY: &str = "interop";
pub(super) const SECRET: &str = "a-secret-of-this-test";

pub(super) struct Peer {
    pub(super) place: Place,
    running: Running,
    pub(super) address: String,
}

impl Peer {
    pub(super) fn open(set: Set) -> Self {
        let place = Place::new();
        place.write("functions/function.js", FUNCTION);
        place.write("workflow.toml", &workflow(set));
        place.write("config.toml", "");
        if set.certificate {
            certify(&place);
        }
        let (running, address) = serve(&place, "127.0.0.1:0");
        Self {
            place,
            running,
            address,
        }
    }

    /// Stops it in order and starts it again at the same address.
    pub(super) fn restart(&mut self) {
        self.running.signal(Signal::SIGTERM);
        assert_eq!(self.running.wait().code(), Some(0), "it stops in order");
        let (running, _) = serve(&self.place, &self.address);
        self.running = running;
    }

    /// The answer of a command beside it.
    pub(super) fn ask(&self, arguments: &[&str]) -> Value {
        let all = [arguments, &["--json"]].concat();
        self.place.moonport(&all).run().expect(0).json()
    }

    /// Moves broker time.
    pub(super) fn step(&self, seconds: u64) {
        self.ask(&["clock", "step", &format!("{seconds}s")]);
    }

    /// Asks until the answer is as wanted.
    pub(super) fn wait_until(
        &self,
        arguments: &[&str],
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(arguments);
            if holds(&answer) {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                return Err(format!("`{}` stays {answer}", arguments.join(" ")));
            }
        }
    }
}

fn serve(place: &Place, listen: &str) -> (Running, String) {
    let file = ["serve", "workflow.toml", "--config", "config.toml"];
    let arguments = [&file[..], &["--listen", listen]].concat();
    let mut running = place
        .moonport(&arguments)
        .env("INTEROP_SECRET", SECRET)
        .start();
    let line = running.out.wait_for("ready ");
    let ready: Value = serde_json::from_str(line.strip_prefix("ready ").unwrap()).unwrap();
    let address = ready["grpc"].as_str().unwrap().to_owned();
    (running, address)
}

/// A certificate of the owner's for loopback.
fn certify(place: &Place) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    place.write("certificate.pem", &made.cert.pem());
    place.write("key.pem", &made.signing_key.serialize_pem());
    place.write(
        "config.toml",
        "[endpoint]\ncertificate = \"certificate.pem\"\ncertificate-key = \"key.pem\"\n",
    );
}

const FUNCTION: &str =
    "exports.handler = function (event) { console.log('invoked with ' + event); };\n";

fn workflow(set: Set) -> String {
    let mut text = format!(
        "[instance]\nname = \"interop\"\nauto-create = {}\n",
        set.auto_create
    );
    for (topic, kind) in [
        ("message-processing", "NORMAL"),
        ("normal", "NORMAL"),
        ("fifo", "FIFO"),
        ("delay", "DELAY"),
        ("transaction", "TRANSACTION"),
    ] {
        text += &format!("[[topic]]\nname = \"{topic}\"\ntype = \"{kind}\"\nqueues = 4\n");
    }
    for (group, rest) in [
        ("normal-group", ""),
        ("other-group", ""),
        ("delay-group", ""),
        ("transaction-group", ""),
        ("tag-group", ""),
        ("sql-group", ""),
        ("fifo-group", "order = \"orderly\""),
        ("failing-group", "max-retries = 2\nretry = \"grpc-raw\""),
    ] {
        text += &format!("[[group]]\nname = \"{group}\"\noffset = \"earliest\"\n{rest}\n");
    }
    text += "[[function]]\nname = \"function\"\nruntime = \"js\"\ncode = \"functions\"\n\
             handler = \"function.handler\"\n\
             [[trigger]]\nname = \"trigger\"\nfunction = \"function\"\ntopic = \"normal\"\n\
             group = \"function-group\"\noffset = \"earliest\"\n";
    if set.keys {
        text += &format!(
            "[[access-key]]\nkey = \"{KEY}\"\nsecret-env = \"INTEROP_SECRET\"\n\
             grants = [\"topic:*:send,receive\", \"group:*:receive\"]\n"
        );
    }
    text
}
