//! moonport killed with -9 while functions run: nothing they started stays (WK-7, WK-8).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::function_support::{World, has, is_alive, wait_until_gone};

/// Set in the process that is to be killed.
const ROLE: &str = "MOONPORT_TEST_KILLED_HOST";
const THIS: &str = "hostile_kill::a_killed_host_leaves_no_descendant_within_two_seconds_wk7_wk8";

const HANDLER: &str = r"
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def handler(event, context):
    pids = [os.getpid(), os.getppid()]
    for n in range(20):
        child = subprocess.Popen(['sleep', '600'], start_new_session=n % 2 == 0)
        pids.append(child.pid)
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    print('pids', *pids, flush=True)
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass
";

/// Runs the function and prints its pids; never returns by itself.
async fn be_the_host() {
    let world = World::python(HANDLER);
    tokio::join!(world.invoke("{}"), async {
        let record = world.wait_for_log("pids").await;
        // The parent reads standard output; the harness was told not to capture it.
        std::io::Write::write_all(
            &mut std::io::stdout(),
            format!("{}\n", record.text).as_bytes(),
        )
        .unwrap();
    });
}

fn host() -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([THIS, "--exact", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_killed_host_leaves_no_descendant_within_two_seconds_wk7_wk8() {
    if std::env::var_os(ROLE).is_some() {
        return be_the_host().await;
    }
    if !has("python3") {
        return;
    }
    let mut host = host();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let told = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("pids ").map(|(_, pids)| pids.to_owned()))
        .expect("the function runs");
    let pids: Vec<i32> = told
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect();
    assert_eq!(pids.len(), 22);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    host.kill().unwrap();
    host.wait().unwrap();
    wait_until_gone(&pids, Duration::from_secs(2)).await;
}
