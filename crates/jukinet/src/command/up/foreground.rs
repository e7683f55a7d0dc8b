//! The supervisor's own process: it ends when it is interrupted or asked to.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use juki_admin::serve;
use juki_runtime::SystemClocks;
use juki_topology::NodeConfig;
use serde_json::json;
use tokio::sync::oneshot;

use super::readiness::Arrival;
use super::{Start, lock, nap, nightly};
use crate::cli::UpArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome, with_causes};
use crate::screen::{Screen, write_error};
use crate::supervisor::{
    ProcessState, RestartPolicy, SupervisedNode, Supervisor, SupervisorHandle, interrupted, router,
};
use crate::text;

pub(super) async fn run(start: Start, args: &UpArgs, screen: Screen) -> Ending {
    let _lock = lock(&start.deployment, screen.lang)?;
    forget_addresses(&start);
    let supervisor = Supervisor::start(start.specs.clone(), RestartPolicy::default());
    let handle = supervisor.handle();
    let (close, closed) = oneshot::channel::<()>();
    let socket = start.deployment.supervisor_socket();
    let mut served = tokio::spawn({
        let routes = router(handle.clone());
        async move {
            serve(&socket, routes, async {
                // A dropped sender closes the server, too.
                let _closed = closed.await;
            })
            .await
        }
    });
    let recorder = tokio::spawn(record(start.deployment.clone(), handle.clone()));
    let mut failure = None;
    tokio::select! {
        () = interrupted() => {}
        () = handle.stop_ordered() => {}
        () = report(&start, args, handle.clone(), screen) => {}
        ended = &mut served => {
            if let Ok(Err(error)) = ended {
                failure = Some(Failure::new(error.code(), with_causes(&error)));
            }
        }
    }
    screen.line(text::stopping(screen.lang));
    handle.stop();
    supervisor.stopped().await;
    recorder.abort();
    write_state(&start.deployment, 0, &handle.nodes());
    if close.send(()).is_ok() {
        let _ended = served.await;
    }
    screen.line(text::all_stopped(screen.lang));
    failure.map_or(Ok(Outcome::Held), Err)
}

/// Removes the addresses of a run before: dialling an address that nobody serves costs whole timeouts.
fn forget_addresses(start: &Start) {
    for place in &start.places {
        let Ok(config) = start.deployment.config_of(place) else {
            continue;
        };
        for path in announced(&config) {
            // An absent file is what is wanted.
            let _absent = fs::remove_file(place.folder.join(path));
        }
    }
}

fn announced(config: &NodeConfig) -> Vec<PathBuf> {
    let listen = config
        .listen
        .iter()
        .filter_map(|listen| listen.announce.clone());
    let relays = config
        .relay
        .iter()
        .filter_map(|relay| relay.announce.clone());
    let register = config
        .register
        .iter()
        .filter_map(|register| register.announce.clone());
    listen.chain(relays).chain(register).collect()
}

/// Tells when the nodes are ready, and afterwards without end what happens to them.
async fn report(start: &Start, args: &UpArgs, handle: SupervisorHandle, screen: Screen) {
    let mut arrival = Arrival::new(start, screen);
    let limit = Duration::from_secs(args.ready_timeout_s);
    let readiness = loop {
        let nodes = handle.nodes();
        if let Some(readiness) = arrival.look(&nodes).await {
            break readiness;
        }
        if arrival.waited() > limit {
            break arrival.result(&nodes);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    };
    match readiness.tell(start, screen) {
        Ok(()) if args.in_background => {}
        Ok(()) => screen.line(text::stop_with(
            screen.lang,
            &start.deployment.folder().display().to_string(),
        )),
        Err(failure) => write_error(&failure.explained(screen.lang)),
    }
    let quiet = AtomicBool::new(false);
    tokio::join!(
        tell_changes(start, &handle, &quiet, screen),
        nap::tell(start, SystemClocks, &quiet, screen),
        nightly::report(start.deployment.clone(), screen)
    );
}

async fn tell_changes(
    start: &Start,
    handle: &SupervisorHandle,
    quiet: &AtomicBool,
    screen: Screen,
) {
    let lang = screen.lang;
    let mut changes = handle.changes();
    let mut before = changes.borrow_and_update().clone();
    loop {
        // The sender lives in the handle.
        let _alive = changes.changed().await;
        let now = changes.borrow_and_update().clone();
        for (old, new) in before
            .iter()
            .zip(&now)
            .filter(|(old, new)| old.state != new.state)
        {
            let log = start
                .deployment
                .logs()
                .join(format!("{}.log", new.node))
                .display()
                .to_string();
            match new.state {
                ProcessState::Restarting | ProcessState::Ready if quiet.load(Ordering::Relaxed) => {
                }
                ProcessState::Restarting => {
                    write_error(&text::node_ended(lang, &new.node, &new.ended, &log))
                }
                ProcessState::Failed => {
                    write_error(&text::node_failed(lang, &new.node, &new.ended, &log))
                }
                ProcessState::Ready if old.state == ProcessState::Starting => {
                    screen.line(text::node_again(lang, &new.node))
                }
                ProcessState::Ready | ProcessState::Starting | ProcessState::Stopped => {}
            }
        }
        before = now;
    }
}

/// Keeps the supervisor's last word in a file, for those who come when it is gone.
async fn record(deployment: Deployment, handle: SupervisorHandle) {
    let mut changes = handle.changes();
    loop {
        let nodes = changes.borrow_and_update().clone();
        write_state(&deployment, std::process::id(), &nodes);
        tokio::time::sleep(RECORD_INTERVAL).await;
        let _alive = changes.changed().await;
    }
}

fn write_state(deployment: &Deployment, supervisor_pid: u32, nodes: &[SupervisedNode]) {
    let path = deployment.state_file();
    let fresh = path.with_extension("json.new");
    let text = json!({"supervisor_pid": supervisor_pid, "nodes": nodes}).to_string();
    // The file informs; a full disk is reported by the nodes, whose ledgers need it.
    let _lost = fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &path));
}

const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Changes come in bursts at the start.
const RECORD_INTERVAL: Duration = Duration::from_millis(100);
