//! Signals to processes, and those that end this one.

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Asks a process to end. One that is gone already is fine.
pub(crate) fn terminate(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone = kill_process(pid, Signal::TERM);
    }
}

/// Resolves at the first SIGINT or SIGTERM; never where the system gives no signals.
pub(crate) async fn interrupted() {
    let caught = async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok::<(), std::io::Error>(())
    };
    if caught.await.is_err() {
        std::future::pending::<()>().await;
    }
}
