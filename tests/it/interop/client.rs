//! A scenario program while it plays: what it says, and what it wants done in between.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::interop::language::Programs;
use crate::interop::peer::Peer;
use crate::interop::seen::Seen;

/// Real time a whole scenario may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

pub(super) struct Client {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    complaints: std::thread::JoinHandle<String>,
    _home: TempDir,
}

impl Client {
    /// Starts `scenario` against `address`.
    pub(super) fn start(
        programs: &Programs,
        address: &str,
        scenario: &str,
        variables: &[(&str, String)],
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = programs
            .command(home.path())
            .args([address, scenario])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut errors = child.stderr.take().unwrap();
        let complaints = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self {
            input: child.stdin.take().unwrap(),
            child,
            lines,
            complaints,
            _home: home,
        }
    }

    /// Listens to its end, and does what it wants done. The error tells all it said.
    pub(super) fn play(mut self, peer: &mut Peer) -> Result<Seen, String> {
        let mut seen = Seen::default();
        let outcome = self.listen(peer, &mut seen);
        let _ = self.child.kill();
        let _ = self.child.wait();
        match outcome {
            Ok(()) => Ok(seen),
            Err(reason) => {
                let complaints = self.complaints.join().unwrap();
                let from = complaints.len().saturating_sub(3000);
                let tail = complaints.get(from..).unwrap_or(&complaints);
                Err(format!("{reason}\nit saw {seen}\nit complained: {tail}"))
            }
        }
    }

    fn listen(&mut self, peer: &mut Peer, seen: &mut Seen) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.map_err(|error| format!("it is not done: {error}"))?;
            // Clients write lines of their own to the same place.
            let Ok(said) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            match said["saw"].as_str() {
                Some("done") => return Ok(()),
                Some("ready") => {
                    seen.push(said.clone());
                    oblige(peer, &said)?;
                    let told = writeln!(self.input);
                    told.map_err(|error| format!("it is gone: {error}"))?;
                }
                Some(_) => seen.push(said),
                None => {}
            }
        }
    }
}

/// Does what a program waits for.
fn oblige(peer: &mut Peer, wanted: &Value) -> Result<(), String> {
    if let Some(seconds) = wanted["step"].as_u64() {
        peer.step(seconds);
    }
    if wanted["restart"].as_bool() == Some(true) {
        peer.restart();
    }
    if let Some(group) = wanted["settle"].as_str() {
        peer.wait_until(&["group", "show", group], |shown| {
            shown["group"]["lag"] == 0
        })?;
    }
    if let Some(group) = wanted["dead"].as_str() {
        let list = ["dlq", "list", "--group", group];
        peer.wait_until(&list, |letters| {
            letters.as_array().is_some_and(|letters| letters.len() == 1)
        })?;
    }
    Ok(())
}
