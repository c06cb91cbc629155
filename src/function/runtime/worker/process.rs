//! A worker process seen from the host: started under its supervisor, watched, and ended with all its descendants.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::sync::{mpsc, watch};

use crate::clock::RealClock;
use crate::function::runtime::worker::control::{Command, Report};
use crate::function::runtime::worker::supervisor::SUBCOMMAND;
use crate::function::runtime::worker::sweep::sweep;
use crate::function::runtime::{Exit, StartError};

/// What to run, where, and with which environment: nothing of the host's own is passed on (SAFE-4).
#[derive(Debug, Clone)]
pub struct Spawn {
    /// The moonport executable.
    pub supervisor: PathBuf,
    pub program: OsString,
    pub arguments: Vec<OsString>,
    pub folder: PathBuf,
    pub environment: Vec<(OsString, OsString)>,
    pub memory_mb: u32,
    /// The private `HOME` of the instance, by which its processes are known.
    pub home: PathBuf,
}

/// How far a process has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Starting,
    Running {
        pid: i32,
    },
    Failed(String),
    /// The worker is gone, descendants may be left.
    Exited(Exit),
    /// Nothing is left.
    Gone(Exit),
}

/// A running worker. Dropping it ends the process: its supervisor notices that the socket is closed.
pub struct Process {
    commands: mpsc::UnboundedSender<Command>,
    stage: watch::Receiver<Stage>,
    peak_kib: Arc<AtomicU64>,
}

/// The worker's two output pipes.
pub struct Pipes {
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
}

impl Process {
    /// Returns once the worker runs.
    pub async fn start(spawn: &Spawn, real: &RealClock) -> Result<(Self, Pipes), StartError> {
        let (mut child, socket) = supervised(spawn).map_err(|error| StartError::CannotRun {
            reason: format!("its supervisor cannot be started: {error}"),
            hint: None,
        })?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(StartError::Died {
                reason: "its output pipes are missing".to_owned(),
            });
        };
        let (reports, mut commands_out) = socket.into_split();
        let (commands, mut queue) = mpsc::unbounded_channel::<Command>();
        let (told, stage) = watch::channel(Stage::Starting);
        let peak_kib = Arc::new(AtomicU64::new(0));
        let follower = Follower {
            supervisor: child,
            stage: told,
            peak_kib: peak_kib.clone(),
            home: spawn.home.clone().into(),
            real: real.clone(),
        };
        tokio::spawn(follower.follow(reports));
        tokio::spawn(async move {
            // A write fails when the supervisor is gone; the other task tells that.
            while let Some(command) = queue.recv().await {
                let line = format!("{command}\n");
                if commands_out.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let process = Self {
            commands,
            stage,
            peak_kib,
        };
        process.running(spawn).await?;
        Ok((process, Pipes { stdout, stderr }))
    }

    async fn running(&self, spawn: &Spawn) -> Result<(), StartError> {
        let stage = self.stage_after(|stage| *stage != Stage::Starting).await;
        match stage {
            Stage::Failed(reason) => Err(StartError::CannotRun {
                reason: format!("`{}` cannot be started: {reason}", spawn.program.display()),
                hint: None,
            }),
            Stage::Gone(exit) => Err(StartError::Died {
                reason: format!("its supervisor ended ({exit})"),
            }),
            Stage::Starting | Stage::Running { .. } | Stage::Exited(_) => Ok(()),
        }
    }

    /// The worker's process id while it runs.
    pub fn pid(&self) -> Option<i32> {
        match *self.stage.borrow() {
            Stage::Running { pid } => Some(pid),
            _ => None,
        }
    }

    pub fn is_running(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Running { .. })
    }

    /// Returns when the worker itself has ended.
    pub async fn exited(&self) -> Exit {
        let over = |stage: &Stage| matches!(stage, Stage::Exited(_) | Stage::Gone(_));
        match self.stage_after(over).await {
            Stage::Exited(exit) | Stage::Gone(exit) => exit,
            _ => lost(),
        }
    }

    /// Returns when the worker and every descendant have ended.
    pub async fn gone(&self) {
        self.stage_after(|stage| matches!(stage, Stage::Gone(_)))
            .await;
    }

    /// Asks the worker to end, ends it and all its descendants after `grace`, and returns when they are gone.
    pub async fn end(&self, grace: Duration) {
        let _ = self.commands.send(Command::End(grace));
        self.gone().await;
    }

    /// A request runs: memory is watched closely, and what stood still goes on.
    pub fn busy(&self) {
        let _ = self.commands.send(Command::Busy);
    }

    /// No request runs; with `freeze` the worker and its group stand still until one does.
    pub fn idle(&self, freeze: bool) {
        let command = if freeze {
            Command::Freeze
        } else {
            Command::Idle
        };
        let _ = self.commands.send(command);
    }

    /// Highest memory of the worker and its descendants so far, in MB.
    pub fn peak_memory_mb(&self) -> f64 {
        let seen = self.peak_kib.load(Ordering::Relaxed);
        let own = self.pid().map_or(0, high_water_kib);
        seen.max(own) as f64 / 1024.0
    }

    async fn stage_after(&self, reached: impl FnMut(&Stage) -> bool) -> Stage {
        let mut stage = self.stage.clone();
        match stage.wait_for(reached).await {
            Ok(stage) => stage.clone(),
            Err(_) => Stage::Gone(lost()),
        }
    }
}

/// What is said of a worker whose supervisor vanished without a word.
fn lost() -> Exit {
    Exit::Signal("SIGKILL".to_owned())
}

fn supervised(spawn: &Spawn) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let child = tokio::process::Command::new(&spawn.supervisor)
        .arg(SUBCOMMAND)
        .arg(spawn.memory_mb.to_string())
        .arg(&spawn.program)
        .args(&spawn.arguments)
        .current_dir(&spawn.folder)
        .env_clear()
        .envs(spawn.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?))
}

/// Turns the supervisor's reports into stages until it ends.
struct Follower {
    supervisor: Child,
    stage: watch::Sender<Stage>,
    peak_kib: Arc<AtomicU64>,
    home: OsString,
    real: RealClock,
}

impl Follower {
    async fn follow(mut self, reports: OwnedReadHalf) {
        let mut lines = BufReader::new(reports).lines();
        let mut worker = None;
        let mut exit = None;
        while let Ok(Some(line)) = lines.next_line().await {
            match line.parse() {
                Ok(Report::Started(pid)) => {
                    worker = Some(pid);
                    self.stage.send_replace(Stage::Running { pid });
                }
                Ok(Report::Memory(kib)) => {
                    self.peak_kib.fetch_max(kib, Ordering::Relaxed);
                }
                Ok(Report::Failed(reason)) => {
                    self.stage.send_replace(Stage::Failed(reason));
                }
                Ok(Report::Exited(how)) => {
                    exit = Some(how.clone());
                    self.stage.send_replace(Stage::Exited(how));
                }
                Err(error) => tracing::warn!(%error, "a supervisor said something unknown"),
            }
        }
        let ended = self.supervisor.wait().await;
        if !ended.is_ok_and(|status| status.success()) {
            tracing::warn!("a supervisor was ended from outside");
            sweep(worker, &self.home, &self.real).await;
        }
        let failed = matches!(*self.stage.borrow(), Stage::Failed(_));
        if !failed {
            self.stage
                .send_replace(Stage::Gone(exit.unwrap_or_else(lost)));
        }
    }
}

/// The kernel's own record of a process's largest resident size; 0 where there is none.
fn high_water_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}
