//! Asks the supervisor and every node how they are, again and again over the same connections.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use juki_admin::{AdminClient, NodeState, StatusReport};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::NodeStatus;
use crate::deployment::{Deployment, NodePlace};
use crate::local_time::unix_now;
use crate::supervisor::{ProcessState, SupervisedNode};

/// Whoever looks at a deployment.
#[derive(Debug)]
pub(crate) struct Lookout {
    deployment: Deployment,
    supervisor: AdminClient,
    nodes: Vec<(NodePlace, Arc<AdminClient>)>,
}

/// What a look has shown.
#[derive(Debug)]
pub(crate) struct Sight {
    /// Every node, in the network's order.
    pub(crate) rows: Vec<NodeStatus>,
    supervised: Option<Vec<SupervisedNode>>,
}

impl Sight {
    /// Whether a running supervisor keeps this node.
    pub(crate) fn is_supervised(&self, node: &str) -> bool {
        let supervised = self.supervised.iter().flatten();
        supervised.into_iter().any(|known| known.node == node)
    }
}

impl Lookout {
    /// Somebody who looks at this deployment.
    pub(crate) fn new(deployment: &Deployment) -> Self {
        let client = |path| AdminClient::new(path).with_timeout(ANSWER_TIMEOUT);
        let places = deployment.places().into_iter();
        Self {
            supervisor: client(deployment.supervisor_socket()),
            nodes: places
                .map(|place| {
                    let socket = place.admin_socket();
                    (place, Arc::new(client(socket)))
                })
                .collect(),
            deployment: deployment.clone(),
        }
    }

    /// Looks once.
    pub(crate) async fn look(&self) -> Sight {
        let supervised: Option<Vec<SupervisedNode>> = self.supervisor.get_json("/nodes").await.ok();
        let slots = Arc::new(Semaphore::new(ASKED_AT_ONCE));
        let mut asked = JoinSet::new();
        for (position, (place, client)) in self.nodes.iter().enumerate() {
            let known = supervised.iter().flatten();
            let known = known
                .into_iter()
                .find(|node| node.node == place.name.as_str())
                .cloned();
            let (place, client) = (place.clone(), Arc::clone(client));
            let slots = Arc::clone(&slots);
            asked.spawn(async move {
                let _slot = slots.acquire_owned().await;
                (position, row(place, known, &client).await)
            });
        }
        let mut rows = Vec::new();
        while let Some(joined) = asked.join_next().await {
            rows.extend(joined);
        }
        rows.sort_by_key(|(position, _)| *position);
        let mut rows: Vec<NodeStatus> = rows.into_iter().map(|(_, row)| row).collect();
        for (row, (place, _)) in rows.iter_mut().zip(&self.nodes) {
            if row.pid != 0 && row.address.is_empty() {
                row.address = announced_address(&self.deployment, place);
            }
        }
        Sight { rows, supervised }
    }
}

/// What the supervisor knows; `None` where none answers.
pub(crate) async fn supervised(deployment: &Deployment) -> Option<Vec<SupervisedNode>> {
    AdminClient::new(deployment.supervisor_socket())
        .with_timeout(ANSWER_TIMEOUT)
        .get_json("/nodes")
        .await
        .ok()
}

/// The process that listens on a socket; `None` where none does.
pub(crate) async fn running_process(socket: &Path) -> Option<u32> {
    let stream = UnixStream::connect(socket).await.ok()?;
    stream
        .peer_cred()
        .ok()?
        .pid()
        .and_then(|pid| u32::try_from(pid).ok())
}

async fn row(place: NodePlace, known: Option<SupervisedNode>, client: &AdminClient) -> NodeStatus {
    let pid = match &known {
        Some(node) => node.pid,
        // Started by hand, or not at all.
        None => running_process(&place.admin_socket()).await.unwrap_or(0),
    };
    let report = if pid == 0 {
        None
    } else {
        client.get_json::<StatusReport>("/status").await.ok()
    };
    let first = known
        .as_ref()
        .filter(|_| pid != 0)
        .and_then(|node| node.addresses.first())
        .map(|(_, address)| address.clone());
    NodeStatus {
        node: place.name.to_string(),
        kind: place.role.program().to_owned(),
        address: first.unwrap_or_default(),
        state: state_name(known.as_ref(), report.as_ref(), pid).to_owned(),
        pid,
        rss_bytes: resident_bytes(pid),
        behind: report.as_ref().map_or(0, |report| report.behind),
        log: place.log.display().to_string(),
        data: place.data().display().to_string(),
        ended: known.map(|node| node.ended).unwrap_or_default(),
        report,
    }
}

/// One word for supervisor and node together. During a start it goes from `starting` to `ready`, with
/// `connecting` between where that takes long, and never back.
fn state_name(
    known: Option<&SupervisedNode>,
    report: Option<&StatusReport>,
    pid: u32,
) -> &'static str {
    match (report, known) {
        (Some(report), Some(node))
            if node.state == ProcessState::Starting && is_young(report, unix_now()) =>
        {
            ProcessState::Starting.name()
        }
        (Some(report), _) => report.state.name(),
        // It does not answer just now: the supervisor's word stands.
        (None, Some(node)) => node.state.name(),
        (None, None) if pid == 0 => ProcessState::Stopped.name(),
        (None, None) => ProcessState::Starting.name(),
    }
}

/// Whether a node that waits for its peers has waited for a moment only.
fn is_young(report: &StatusReport, now_s: u64) -> bool {
    let down = report.peers.iter().filter(|peer| peer.dialled && !peer.up);
    report.state == NodeState::Connecting
        && down
            .map(|peer| now_s.saturating_sub(peer.since_unix_s))
            .all(|seconds| seconds < YOUNG_S)
}

/// The first address that the node's configuration has announced.
fn announced_address(deployment: &Deployment, place: &NodePlace) -> String {
    let Some(config) = deployment.network().node_config(&place.name) else {
        return String::new();
    };
    let listen = config
        .listen
        .into_iter()
        .filter_map(|listen| listen.announce);
    let relays = config.relay.into_iter().filter_map(|relay| relay.announce);
    let register = config
        .register
        .into_iter()
        .filter_map(|register| register.announce);
    let first = listen.chain(register).chain(relays).next();
    first
        .and_then(|path| fs::read_to_string(place.folder.join(path)).ok())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Memory of a process in bytes, from /proc; 0 where it is gone.
fn resident_bytes(pid: u32) -> u64 {
    // Size and resident pages: the kernel writes nothing shorter, and many are read at each look.
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages = text.split_whitespace().nth(1);
    pages
        .and_then(|pages| pages.parse::<u64>().ok())
        .unwrap_or(0)
        .saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or(0))
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Enough that one slow node does not hold up the others.
const ASKED_AT_ONCE: usize = 16;

/// As long as nodes themselves call a cut link a moment's.
const YOUNG_S: u64 = 3;

#[cfg(test)]
mod tests {
    use juki_admin::PeerReport;

    use super::*;

    fn supervised(state: ProcessState) -> SupervisedNode {
        SupervisedNode {
            node: "cs-352047".to_owned(),
            kind: "municipal-cs".to_owned(),
            state,
            pid: 7,
            restarts: 0,
            addresses: Vec::new(),
            ended: String::new(),
        }
    }

    fn waiting_since(since_unix_s: u64) -> StatusReport {
        let mut report = StatusReport::new("cs-352047", "municipal-cs", NodeState::Connecting);
        report.peers.push(PeerReport {
            dialled: true,
            since_unix_s,
            ..PeerReport::default()
        });
        report
    }

    #[test]
    fn a_node_that_has_just_begun_to_wait_is_starting() {
        assert!(is_young(&waiting_since(1_000), 1_002));
        assert!(!is_young(&waiting_since(1_000), 1_003));
        let (now, long) = (waiting_since(unix_now()), waiting_since(0));
        let up = StatusReport::new("cs-352047", "municipal-cs", NodeState::Ready);
        let state = |known, report| state_name(known, report, 7);
        let (starting, ready) = (
            supervised(ProcessState::Starting),
            supervised(ProcessState::Ready),
        );
        assert_eq!(state(Some(&starting), None), "starting");
        assert_eq!(state(Some(&starting), Some(&now)), "starting");
        assert_eq!(state(Some(&starting), Some(&long)), "connecting");
        assert_eq!(state(Some(&ready), Some(&long)), "connecting");
        assert_eq!(state(Some(&starting), Some(&up)), "ready");
        assert_eq!(state(Some(&ready), None), "ready");
    }
}
