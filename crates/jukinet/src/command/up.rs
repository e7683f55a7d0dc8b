//! `jukinet up`: starts a deployment's nodes and keeps them running.

mod background;
mod foreground;
mod nap;
mod nightly;
mod readiness;

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use juki_domain::{ErrorCode, Lang, NodeRole};
use serde_json::Value;

use crate::cli::UpArgs;
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure};
use crate::screen::Screen;
use crate::supervisor::NodeSpec;
use crate::text;

/// What is to be started.
struct Start {
    deployment: Deployment,
    places: Vec<NodePlace>,
    specs: Vec<NodeSpec>,
    /// Some nodes of the network are left out: the others cannot reach all their peers.
    partial: bool,
}

impl Start {
    /// Whether this node is among those that are started.
    fn starts(&self, node: &str) -> bool {
        self.places.iter().any(|place| place.name.as_str() == node)
    }

    /// Whether a node can reach a peer that it dials: the peer, and the access point of a line between
    /// them, are started here.
    fn reaches(&self, node: &str, peer: &str) -> bool {
        let lines = self.deployment.network().lines();
        let between = lines
            .iter()
            .find(|line| line.lower.as_str() == node && line.upper.as_str() == peer);
        self.starts(peer) && between.is_none_or(|line| self.starts(line.access_point.as_str()))
    }

    /// The nodes that started ones dial or are dialled by, and that are not started here.
    fn elsewhere(&self) -> Vec<String> {
        let network = self.deployment.network();
        let mut names = BTreeSet::new();
        for node in network.nodes() {
            let peers = network.node_config(&node.name).map(|config| config.peer);
            for peer in peers.into_iter().flatten() {
                if self.starts(node.name.as_str()) && !self.starts(peer.name.as_str()) {
                    names.insert(peer.name.to_string());
                }
            }
        }
        for line in network.lines() {
            let ends = [&line.lower, &line.upper];
            if ends.iter().any(|end| self.starts(end.as_str()))
                && !self.starts(line.access_point.as_str())
            {
                names.insert(line.access_point.to_string());
            }
        }
        names.into_iter().collect()
    }
}

pub(crate) async fn run(args: &UpArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let places = deployment.selected(&args.selection, screen.lang)?;
    if places.is_empty() {
        return Err(Failure::new(
            ErrorCode::ConfigBadValue,
            text::nothing_selected(screen.lang),
        ));
    }
    let partial = places.len() < deployment.places().len();
    let places = deployment.in_start_order(places);
    let specs = specs(&places, screen.lang)?;
    let start = Start {
        deployment,
        places,
        specs,
        partial,
    };
    if args.detach {
        background::run(start, args, screen).await
    } else {
        foreground::run(start, args, screen).await
    }
}

/// The folder of this program, where the nodes' programs lie beside it.
pub(crate) fn program_folder() -> Result<PathBuf, Failure> {
    let own = env::current_exe()
        .map_err(|error| Failure::new(ErrorCode::ProgramMissing, error.to_string()))?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

/// The programs of these roles that are not there.
pub(crate) fn missing_programs(folder: &Path, roles: &[NodeRole]) -> Vec<&'static str> {
    let mut missing: Vec<&str> = roles
        .iter()
        .map(|role| role.program())
        .filter(|program| !folder.join(program).is_file())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn specs(places: &[NodePlace], lang: Lang) -> Result<Vec<NodeSpec>, Failure> {
    let folder = program_folder()?;
    let roles: Vec<NodeRole> = places.iter().map(|place| place.role).collect();
    let missing = missing_programs(&folder, &roles);
    if !missing.is_empty() {
        let detail =
            text::programs_missing(lang, &folder.display().to_string(), &missing.join(", "));
        return Err(
            Failure::new(ErrorCode::ProgramMissing, detail).with_todo(text::build_programs(lang))
        );
    }
    let spec = |place: &NodePlace| NodeSpec {
        name: place.name.to_string(),
        kind: place.role.program().to_owned(),
        program: folder.join(place.role.program()),
        config: place.config(),
        log: place.log.clone(),
    };
    Ok(places.iter().map(spec).collect())
}

/// Takes the lock that a running supervisor holds.
///
/// # Errors
/// [`ErrorCode::AlreadyRunning`] where another process holds it.
fn lock(deployment: &Deployment, lang: Lang) -> Result<File, Failure> {
    let path = deployment.supervisor_lock();
    let failed = |error: std::io::Error| Failure::file(&path, &error);
    fs::create_dir_all(deployment.run()).map_err(failed)?;
    fs::create_dir_all(deployment.logs()).map_err(failed)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let folder = deployment.folder().display().to_string();
            let detail =
                text::machines::already_running(lang, &folder, last_supervisor(deployment));
            let failure = Failure::new(ErrorCode::AlreadyRunning, detail);
            Err(failure.with_todo(text::machines::one_supervisor(lang, &folder)))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Whether a supervisor runs this deployment.
pub(crate) fn is_supervised(deployment: &Deployment) -> bool {
    let Ok(file) = File::open(deployment.supervisor_lock()) else {
        return false;
    };
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// The process that has written the state file last and has not taken leave; 0 where it has.
pub(crate) fn last_supervisor(deployment: &Deployment) -> u32 {
    let state = fs::read(deployment.state_file())
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let pid = state.and_then(|state| state.get("supervisor_pid").and_then(Value::as_u64));
    pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0)
}
