//! One node's process: started, listened to, ended.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::log_file::{LOG_BYTES_MAX, LogFile};
use super::restart_policy::{RestartHistory, RestartPolicy};
use super::signals::terminate;
use super::start_slots::{StartSlot, held_long_enough};
use super::{NodeSpec, ProcessState, Restart, Seat, ready_line};

/// Why a run of the process is over.
enum RunEnd {
    Ended(ExitStatus),
    NotStarted(io::Error),
    RestartOrdered,
    StopOrdered,
}

/// What a supervised node may be told.
pub(super) struct Orders {
    pub(super) restart: mpsc::Receiver<Restart>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Waits for its turn, then keeps one node running until a stop is ordered.
pub(super) async fn keep(
    spec: NodeSpec,
    policy: RestartPolicy,
    seat: Seat,
    my_turn: oneshot::Receiver<StartSlot>,
    mut orders: Orders,
) {
    let mut slot = tokio::select! {
        biased;
        () = stop_ordered(&mut orders.stop) => {
            seat.change(|row| row.state = ProcessState::Stopped);
            return;
        }
        // Whoever gives turns gives one to each.
        slot = my_turn => slot.ok(),
    };
    let mut history = RestartHistory::new(policy);
    loop {
        let started = Instant::now();
        let end = run(&spec, policy.stop_grace, &seat, slot.take(), &mut orders).await;
        let wait = match &end {
            RunEnd::StopOrdered => return,
            RunEnd::RestartOrdered => {
                history.forget();
                seat.change(|row| row.restarts = row.restarts.saturating_add(1));
                continue;
            }
            // The node refuses its configuration: the next start would end the same way.
            RunEnd::Ended(status) if status.code() == Some(2) => None,
            RunEnd::Ended(_) | RunEnd::NotStarted(_) => {
                history.after_end(Instant::now(), started.elapsed())
            }
        };
        let state = if wait.is_some() {
            ProcessState::Restarting
        } else {
            ProcessState::Failed
        };
        seat.change(|row| {
            row.state = state;
            row.pid = 0;
            row.ended = description(&end);
        });
        let ordered = tokio::select! {
            biased;
            () = stop_ordered(&mut orders.stop) => {
                seat.change(|row| row.state = ProcessState::Stopped);
                return;
            }
            Some(Restart) = orders.restart.recv() => true,
            () = pause(wait) => false,
        };
        if ordered {
            history.forget();
        }
        seat.change(|row| row.restarts = row.restarts.saturating_add(1));
    }
}

async fn run(
    spec: &NodeSpec,
    grace: Duration,
    seat: &Seat,
    slot: Option<StartSlot>,
    orders: &mut Orders,
) -> RunEnd {
    let (mut child, listeners) = match start(spec, seat, slot) {
        Ok(started) => started,
        Err(error) => return RunEnd::NotStarted(error),
    };
    // Waiting for a child closes its standard input, which tells a supervised node to end: kept apart until then.
    let lifeline = child.stdin.take();
    let ordered = tokio::select! {
        ended = child.wait() => {
            hear_out(listeners).await;
            return match ended {
                Ok(status) => RunEnd::Ended(status),
                Err(error) => RunEnd::NotStarted(error),
            };
        }
        () = stop_ordered(&mut orders.stop) => RunEnd::StopOrdered,
        Some(Restart) = orders.restart.recv() => RunEnd::RestartOrdered,
    };
    end(&mut child, grace).await;
    drop(lifeline);
    hear_out(listeners).await;
    seat.change(|row| {
        row.state = ProcessState::Stopped;
        row.pid = 0;
    });
    ordered
}

fn start(
    spec: &NodeSpec,
    seat: &Seat,
    slot: Option<StartSlot>,
) -> io::Result<(Child, Vec<JoinHandle<()>>)> {
    let log = Arc::new(Mutex::new(LogFile::open(&spec.log, LOG_BYTES_MAX)?));
    let mut child = Command::new(&spec.program)
        .arg("--config")
        .arg(&spec.config)
        .env("JUKINET_SUPERVISED", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A terminal's interrupt goes to the supervisor alone, which then stops the nodes in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let pid = child.id().unwrap_or(0);
    seat.change(|row| {
        row.state = ProcessState::Starting;
        row.pid = pid;
        row.addresses.clear();
    });
    let mut listeners = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let words = Words {
            log: Arc::clone(&log),
            node: spec.name.clone(),
            seat: seat.clone(),
            slot,
        };
        listeners.push(tokio::spawn(words.hear(stdout)));
    }
    if let Some(stderr) = child.stderr.take() {
        listeners.push(tokio::spawn(hear_log(stderr, log)));
    }
    Ok((child, listeners))
}

/// Asks the process to end, and kills it where it does not.
async fn end(child: &mut Child, grace: Duration) {
    if let Some(pid) = child.id() {
        terminate(pid);
    }
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        // Killing fails only for a process that is gone.
        let _gone = child.kill().await;
    }
}

/// Whoever listens to a node's standard output.
struct Words {
    log: Arc<Mutex<LogFile>>,
    node: String,
    seat: Seat,
    slot: Option<StartSlot>,
}

impl Words {
    /// Takes the ready line from standard output; every other line goes to the log.
    async fn hear(mut self, mut stdout: impl AsyncRead + Unpin) {
        let mut pending = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = tokio::select! {
                read = stdout.read(&mut chunk) => read,
                () = held_long_enough(self.slot.as_mut()) => {
                    self.slot = None;
                    continue;
                }
            };
            let Ok(read @ 1..) = read else { break };
            pending.extend_from_slice(chunk.get(..read).unwrap_or_default());
            while let Some(length) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=length).collect();
                self.take(&line);
            }
            if pending.len() > LINE_BYTES_MAX {
                append(&self.log, &pending);
                pending.clear();
            }
        }
        append(&self.log, &pending);
    }

    fn take(&mut self, line: &[u8]) {
        match ready_line::parse(&String::from_utf8_lossy(line), &self.node) {
            Some(addresses) => {
                self.slot = None;
                self.seat.change(|row| {
                    row.state = ProcessState::Ready;
                    row.addresses = addresses;
                });
            }
            None => append(&self.log, line),
        }
    }
}

async fn hear_log(mut stderr: impl AsyncRead + Unpin, log: Arc<Mutex<LogFile>>) {
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        append(&log, chunk.get(..read).unwrap_or_default());
    }
}

fn append(log: &Mutex<LogFile>, bytes: &[u8]) {
    // A full disk must not stop the reading: a node blocked on its log would stand still.
    let _lost = log
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write(bytes);
}

/// Lets the listeners read what the ended process left; a grandchild may hold the pipes open for ever.
async fn hear_out(listeners: Vec<JoinHandle<()>>) {
    for mut listener in listeners {
        if tokio::time::timeout(HEAR_OUT, &mut listener).await.is_err() {
            listener.abort();
        }
    }
}

async fn stop_ordered(stop: &mut watch::Receiver<bool>) {
    // A supervisor that is gone is an order to stop, too.
    let _gone = stop.wait_for(|stop| *stop).await;
}

async fn pause(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

fn description(end: &RunEnd) -> String {
    match end {
        RunEnd::Ended(status) => status.to_string(),
        RunEnd::NotStarted(error) => error.to_string(),
        RunEnd::RestartOrdered | RunEnd::StopOrdered => String::new(),
    }
}

const HEAR_OUT: Duration = Duration::from_millis(500);

/// A longer line is no ready line.
const LINE_BYTES_MAX: usize = 64 * 1024;
