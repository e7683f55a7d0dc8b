//! `jukinet down`: stops a deployment's nodes and waits until all are gone.

use std::path::Path;
use std::time::{Duration, Instant};

use juki_admin::{AdminClient, ClientError};
use juki_domain::ErrorCode;
use serde_json::{Value, json};

use crate::cli::FolderArgs;
use crate::command::status::running_process;
use crate::command::up::is_supervised;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::supervisor::{STOP_GRACE, terminate};
use crate::text;

pub(crate) async fn run(args: &FolderArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let began = Instant::now();
    let supervised = stop_supervisor(&deployment).await?;
    let lone = lone_nodes(&deployment).await;
    if !supervised && lone.is_empty() {
        let detail = text::not_running(screen.lang, &deployment.folder().display().to_string());
        return Err(Failure::new(ErrorCode::NotRunning, detail));
    }
    lone.iter().for_each(|(_, pid)| terminate(*pid));
    loop {
        let left: Vec<&str> = lone
            .iter()
            .filter(|(_, pid)| is_alive(*pid))
            .map(|(name, _)| name.as_str())
            .collect();
        let supervisor = is_supervised(&deployment).then_some("supervisor");
        let left: Vec<&str> = supervisor.into_iter().chain(left).collect();
        if left.is_empty() {
            break;
        }
        if began.elapsed() > WAIT_MAX {
            return Err(Failure::new(
                ErrorCode::CheckFailed,
                text::still_there(screen.lang, &left.join(", ")),
            ));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    screen.line(text::all_stopped(screen.lang));
    screen.document(&json!({"stopped_s": began.elapsed().as_secs_f64()}))?;
    Ok(Outcome::Held)
}

/// Asks a running supervisor to end; false where none runs.
async fn stop_supervisor(deployment: &Deployment) -> Result<bool, Failure> {
    let client = AdminClient::new(deployment.supervisor_socket());
    let began = Instant::now();
    while is_supervised(deployment) {
        match client.post_json::<_, Value>("/down", &json!({})).await {
            Ok(_) => return Ok(true),
            // It has the lock and not yet, or no longer, its socket.
            Err(ClientError::NotReachable { .. } | ClientError::Broken { .. })
                if began.elapsed() < SOCKET_WAIT =>
            {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Nodes that run without a supervisor, by hand or because it was killed: name and process.
async fn lone_nodes(deployment: &Deployment) -> Vec<(String, u32)> {
    if is_supervised(deployment) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for place in deployment.places() {
        if let Some(pid) = running_process(&place.admin_socket()).await {
            found.push((place.name.to_string(), pid));
        }
    }
    found
}

fn is_alive(pid: u32) -> bool {
    Path::new("/proc")
        .join(pid.to_string())
        .join("exe")
        .exists()
}

/// A supervisor kills nodes that do not stop in their time; the rest is for ending itself.
const WAIT_MAX: Duration = STOP_GRACE.saturating_mul(3);
const SOCKET_WAIT: Duration = Duration::from_secs(5);
const LOOK_INTERVAL: Duration = Duration::from_millis(30);
