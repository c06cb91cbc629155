//! The family tree of processes as `/proc` tells it.

use std::collections::HashMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

/// Makes this process the parent of every descendant whose own parent dies.
pub(super) fn adopt_orphans() {
    // Known since Linux 3.4; without it only the process group can be ended.
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// Sends SIGKILL to every descendant alive now, the worker's `setsid` children included.
pub(super) fn kill_descendants(_worker: Pid) {
    for pid in descendants(getpid()) {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// Resident memory of `worker` and the rest of our descendants, in KiB.
pub(super) fn resident_kib(worker: Pid) -> u64 {
    let family = family(worker);
    let resident: u64 = family.iter().map(|pid| status_kib(*pid, "VmRSS:")).sum();
    // The peak of the worker alone is kept by the kernel, so no spike between two looks is missed.
    resident.max(status_kib(worker, "VmHWM:"))
}

/// As [`resident_kib`], with each shared page split among those who share it.
pub(super) fn proportional_kib(worker: Pid) -> u64 {
    let family = family(worker);
    family
        .iter()
        .map(|pid| field_kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:"))
        .sum()
}

fn family(worker: Pid) -> Vec<Pid> {
    let known = children_by_thread(getpid());
    if known.is_empty() {
        vec![worker]
    } else {
        known
    }
}

/// Descendants by the kernel's own list of children: cheap, but a child may be missed while processes come and go.
fn children_by_thread(root: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            let children = list.split_whitespace().filter_map(|pid| pid.parse().ok());
            let children = children.map(Pid::from_raw);
            let before = found.len();
            found.extend(children);
            open.extend(found.iter().skip(before));
        }
    }
    found
}

/// Descendants by everybody's parent: nobody who exists throughout is missed.
fn descendants(root: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = parent(&stat) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut open = vec![root.as_raw()];
    while let Some(pid) = open.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.push(Pid::from_raw(child));
            open.push(child);
        }
    }
    found
}

/// The parent in a line of `/proc/<pid>/stat`. The name before it is in parentheses and may hold anything.
fn parent(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

fn status_kib(pid: Pid, field: &str) -> u64 {
    field_kib(&format!("/proc/{pid}/status"), field)
}

fn field_kib(path: &str, field: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent("42 (a) S 7 42"), Some(7));
        assert_eq!(parent("42 (a) b) (c) R 9 42"), Some(9));
        assert_eq!(parent("nonsense"), None);
    }

    #[test]
    fn our_own_memory_is_measured() {
        assert!(status_kib(getpid(), "VmRSS:") > 0);
        assert!(status_kib(getpid(), "VmHWM:") >= status_kib(getpid(), "VmRSS:") / 2);
    }
}
