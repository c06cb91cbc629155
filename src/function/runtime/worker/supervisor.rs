//! The hidden sub-command that stands between moonport and a worker: it adopts whatever the worker leaves behind, and
//! when the worker ends, the host says so, or the host is gone, it ends every descendant before it ends itself (WK-8).
//!
//! It runs in a session of its own, so a worker has no terminal to write to and a Ctrl-C does not reach it.

mod listen;
mod memory;
#[cfg_attr(target_os = "linux", path = "supervisor/tree_proc.rs")]
#[cfg_attr(not(target_os = "linux"), path = "supervisor/tree_group.rs")]
mod tree;

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use parking_lot::Mutex;

use crate::function::runtime::Exit;
use crate::function::runtime::worker::control::Report;

/// The word after the program's name that calls [`supervise`].
pub const SUBCOMMAND: &str = "__supervise";

/// Exit code when the arguments or the standard input are not what the host gives.
const MISUSE: u8 = 2;

/// Runs `<memory limit in MB> <command> [argument…]` until it and everything it started is gone.
///
/// Standard input is the socket to the host; standard output and error become the worker's.
pub fn supervise(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let limit = arguments
        .next()
        .and_then(|limit| limit.to_str()?.parse().ok());
    let (Some(limit_mb), Some(program)) = (limit, arguments.next()) else {
        return ExitCode::from(MISUSE);
    };
    let Ok(host) = socket() else {
        return ExitCode::from(MISUSE);
    };
    tree::adopt_orphans();
    // Fails only for the leader of a process group, which then already stands apart from the terminal's.
    let _ = nix::unistd::setsid();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0);
    let watch = Arc::new(Watch::new(host));
    match command.spawn() {
        Ok(child) => {
            watch.started(child.id(), limit_mb);
            watch.reap();
        }
        Err(error) => watch.tell(&Report::Failed(error.to_string())),
    }
    ExitCode::SUCCESS
}

fn socket() -> std::io::Result<UnixStream> {
    let owned = std::io::stdin().as_fd().try_clone_to_owned()?;
    let socket = UnixStream::from(owned);
    // Anything but a socket has no peer: a person typed the sub-command.
    socket.peer_addr()?;
    Ok(socket)
}

/// One worker and the way to its host.
struct Watch {
    host: Mutex<UnixStream>,
    /// The worker's pid, once it runs; its process group has the same number.
    worker: Mutex<Option<Pid>>,
    worker_gone: AtomicBool,
    over_limit: AtomicBool,
}

impl Watch {
    fn new(host: UnixStream) -> Self {
        Self {
            host: Mutex::new(host),
            worker: Mutex::new(None),
            worker_gone: AtomicBool::new(false),
            over_limit: AtomicBool::new(false),
        }
    }

    fn started(self: &Arc<Self>, pid: u32, limit_mb: u64) {
        let pid = Pid::from_raw(pid.cast_signed());
        *self.worker.lock() = Some(pid);
        self.tell(&Report::Started(pid.as_raw()));
        let watch = self.clone();
        std::thread::spawn(move || listen::listen(&watch, pid, limit_mb));
    }

    /// A host that is gone is noticed by the listener, so a failed write is of no consequence.
    fn tell(&self, report: &Report) {
        let line = format!("{report}\n");
        let _ = self.host.lock().write_all(line.as_bytes());
    }

    /// Collects the dead until nobody is left. Once the worker is gone, each death is followed by another round of
    /// killing: what a dying process started meanwhile is ours by then.
    fn reap(&self) {
        loop {
            match waitpid(None, None) {
                Ok(WaitStatus::Exited(pid, code)) => self.buried(pid, Exit::Code(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    self.buried(pid, Exit::Signal(signal.as_str().to_owned()));
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    fn buried(&self, pid: Pid, exit: Exit) {
        let Some(worker) = *self.worker.lock() else {
            return;
        };
        if worker == pid {
            let over = self.over_limit.load(Ordering::Relaxed);
            let exit = if over { Exit::OutOfMemory } else { exit };
            self.worker_gone.store(true, Ordering::Relaxed);
            self.tell(&Report::Exited(exit));
        }
        if self.worker_gone.load(Ordering::Relaxed) {
            tree::kill_descendants(worker);
        }
    }
}
