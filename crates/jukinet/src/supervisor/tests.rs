use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

/// A node in shell: says that it is ready, ends with its standard input or at SIGTERM.
const NODE: &str = r#"
node=$(basename "$2" .toml)
trap 'echo stopping >&2; exit 0' TERM
exec 3<&0
echo "starting $JUKINET_SUPERVISED" >&2
echo "a word of no meaning"
echo "ready node=$node role=firewall-proxy admin=/none inside=127.0.0.1:7 line=127.0.0.1:8"
cat <&3 >/dev/null 2>&1 &
wait $!
"#;

fn spec(folder: &Path, name: &str, script: &str) -> NodeSpec {
    let program = folder.join(format!("{name}.sh"));
    fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    NodeSpec {
        name: name.to_owned(),
        kind: "firewall-proxy".to_owned(),
        program,
        config: folder.join(format!("{name}.toml")),
        log: folder.join(format!("{name}.log")),
    }
}

fn quick() -> RestartPolicy {
    RestartPolicy {
        delay_first: Duration::from_millis(5),
        delay_max: Duration::from_millis(20),
        restarts_max: 3,
        window: Duration::from_secs(60),
        stop_grace: Duration::from_millis(300),
    }
}

async fn until(
    handle: &SupervisorHandle,
    what: impl Fn(&[SupervisedNode]) -> bool,
) -> Vec<SupervisedNode> {
    let mut changes = handle.changes();
    let seen =
        tokio::time::timeout(Duration::from_secs(10), changes.wait_for(|rows| what(rows))).await;
    seen.unwrap_or_else(|_| panic!("never seen; the nodes are {:?}", handle.nodes()))
        .unwrap()
        .clone()
}

fn is_gone(pid: u32) -> bool {
    !Path::new("/proc")
        .join(pid.to_string())
        .join("exe")
        .exists()
}

async fn ended(supervisor: Supervisor, handle: &SupervisorHandle) {
    handle.stop();
    tokio::time::timeout(Duration::from_secs(10), supervisor.stopped())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_node_is_ready_with_its_ready_line_and_all_else_goes_to_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::start(vec![spec(folder.path(), "a", NODE)], quick());
    let handle = supervisor.handle();
    let rows = until(&handle, |rows| rows[0].state == ProcessState::Ready).await;
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        rows[0].addresses,
        [pair("inside", "127.0.0.1:7"), pair("line", "127.0.0.1:8")]
    );
    assert!(
        rows[0].pid != 0 && !is_gone(rows[0].pid),
        "its standard input stays open"
    );
    ended(supervisor, &handle).await;
    assert!(is_gone(rows[0].pid));
    assert_eq!(handle.nodes()[0].state, ProcessState::Stopped);
    let log = fs::read_to_string(folder.path().join("a.log")).unwrap();
    assert!(log.contains("starting 1\n") && log.contains("a word of no meaning\n"));
    assert!(
        log.ends_with("stopping\n"),
        "it was asked to end before it was killed: {log}"
    );
    assert!(!log.contains("ready node"));
}

#[tokio::test]
async fn a_killed_node_comes_back_with_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::start(vec![spec(folder.path(), "a", NODE)], quick());
    let handle = supervisor.handle();
    let before = until(&handle, |rows| rows[0].state == ProcessState::Ready).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(before[0].pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let after = until(&handle, |rows| {
        rows[0].state == ProcessState::Ready && rows[0].pid != before[0].pid
    })
    .await;
    assert_eq!(after[0].restarts, 1);
    assert!(after[0].ended.contains("signal: 9"));
    ended(supervisor, &handle).await;
}

#[tokio::test]
async fn a_node_that_ends_again_and_again_stays_down_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let failing = spec(folder.path(), "bad", "echo 'the disk is gone' >&2; exit 1");
    let supervisor = Supervisor::start(vec![spec(folder.path(), "good", NODE), failing], quick());
    let handle = supervisor.handle();
    let rows = until(&handle, |rows| {
        rows[1].state == ProcessState::Failed && rows[0].state == ProcessState::Ready
    })
    .await;
    assert_eq!((rows[0].restarts, rows[1].restarts, rows[1].pid), (0, 3, 0));
    assert_eq!(rows[1].ended, "exit status: 1");
    let log = folder.path().join("bad.log");
    assert_eq!(last_line(&log), "the disk is gone");
    assert_eq!(
        fs::read_to_string(&log).unwrap().lines().count(),
        4,
        "started once and three times again"
    );
    assert!(!is_gone(rows[0].pid));
    ended(supervisor, &handle).await;
}

#[tokio::test]
async fn a_node_that_refuses_its_configuration_is_not_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::start(vec![spec(folder.path(), "a", "exit 2")], quick());
    let handle = supervisor.handle();
    let rows = until(&handle, |rows| rows[0].state == ProcessState::Failed).await;
    assert_eq!(rows[0].restarts, 0);
    ended(supervisor, &handle).await;
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_failed_node_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut missing = spec(folder.path(), "a", NODE);
    missing.program = folder.path().join("nothing");
    let supervisor = Supervisor::start(vec![missing], quick());
    let handle = supervisor.handle();
    let rows = until(&handle, |rows| rows[0].state == ProcessState::Failed).await;
    assert!(!rows[0].ended.is_empty());
    ended(supervisor, &handle).await;
}

#[tokio::test]
async fn a_failed_node_starts_anew_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("flag");
    let script = format!("[ -e {} ] || exit 2\n{NODE}", flag.display());
    let supervisor = Supervisor::start(vec![spec(folder.path(), "a", &script)], quick());
    let handle = supervisor.handle();
    until(&handle, |rows| rows[0].state == ProcessState::Failed).await;
    fs::write(&flag, "").unwrap();
    assert!(handle.restart("a"));
    assert!(!handle.restart("b"));
    let first = until(&handle, |rows| rows[0].state == ProcessState::Ready).await;
    assert!(handle.restart("a"));
    let second = until(&handle, |rows| {
        rows[0].state == ProcessState::Ready && rows[0].pid != first[0].pid
    })
    .await;
    assert!(is_gone(first[0].pid) && !is_gone(second[0].pid));
    ended(supervisor, &handle).await;
}

#[tokio::test]
async fn a_node_that_does_not_stop_is_killed_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let deaf = "trap '' TERM\necho \"ready node=a\"\nwhile :; do sleep 1; done";
    let supervisor = Supervisor::start(vec![spec(folder.path(), "a", deaf)], quick());
    let handle = supervisor.handle();
    let rows = until(&handle, |rows| rows[0].state == ProcessState::Ready).await;
    let began = Instant::now();
    ended(supervisor, &handle).await;
    assert!(began.elapsed() >= quick().stop_grace);
    assert!(is_gone(rows[0].pid));
}

#[tokio::test]
async fn a_flood_without_line_ends_on_standard_output_is_no_ready_line_and_fills_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let flood = format!("head -c 1000000 /dev/zero | tr '\\0' x; echo\n{NODE}");
    let supervisor = Supervisor::start(vec![spec(folder.path(), "a", &flood)], quick());
    let handle = supervisor.handle();
    until(&handle, |rows| rows[0].state == ProcessState::Ready).await;
    ended(supervisor, &handle).await;
    assert!(fs::metadata(folder.path().join("a.log")).unwrap().len() > 1_000_000);
}
