//! `jukinet status`: every node's state.

use std::fs;
use std::path::Path;
use std::time::Duration;

use juki_admin::{AdminClient, StatusReport};
use juki_domain::Lang;
use serde::Serialize;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use crate::cli::StatusArgs;
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::unix_now;
use crate::screen::{Screen, table_text};
use crate::supervisor::{ProcessState, SupervisedNode, interrupted};
use crate::text;

/// One node's line. The JSON form is part of the command surface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NodeStatus {
    pub(crate) node: String,
    /// The name of its program.
    pub(crate) kind: String,
    /// The first address that it listens on; empty where there is none.
    pub(crate) address: String,
    pub(crate) state: String,
    /// 0 where it does not run.
    pub(crate) pid: u32,
    pub(crate) rss_bytes: u64,
    /// How many entries the tier above has not acknowledged.
    pub(crate) behind: u64,
    pub(crate) log: String,
    pub(crate) data: String,
    /// Why its last process ended; empty where none has.
    #[serde(skip)]
    pub(crate) ended: String,
    #[serde(skip)]
    pub(crate) report: Option<StatusReport>,
}

pub(crate) async fn run(args: &StatusArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let rows = collect(&deployment).await;
    screen.document(&rows)?;
    if screen.json {
        return Ok(Outcome::Held);
    }
    if args.watch {
        watch(&deployment, screen).await
    } else {
        show(&deployment, &rows, screen)
    }
}

async fn watch(deployment: &Deployment, screen: Screen) -> Ending {
    let ended = interrupted();
    tokio::pin!(ended);
    loop {
        let rows = collect(deployment).await;
        screen.clear();
        show(deployment, &rows, screen)?;
        tokio::select! {
            () = &mut ended => return Ok(Outcome::Held),
            () = tokio::time::sleep(REPAINT_INTERVAL) => {}
        }
    }
}

/// Asks the supervisor and every node.
pub(crate) async fn collect(deployment: &Deployment) -> Vec<NodeStatus> {
    let supervised = supervised(deployment).await.unwrap_or_default();
    let mut asked = JoinSet::new();
    for (position, place) in deployment.places().into_iter().enumerate() {
        let known = supervised
            .iter()
            .find(|node| node.node == place.name.as_str())
            .cloned();
        let announced = announced_address(deployment, &place);
        asked.spawn(async move { (position, row(place, known, announced).await) });
    }
    let mut rows = Vec::new();
    while let Some(joined) = asked.join_next().await {
        rows.extend(joined);
    }
    rows.sort_by_key(|(position, _)| *position);
    rows.into_iter().map(|(_, row)| row).collect()
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

async fn row(place: NodePlace, known: Option<SupervisedNode>, announced: String) -> NodeStatus {
    let pid = match &known {
        Some(node) => node.pid,
        // Started by hand, or not at all.
        None => running_process(&place.admin_socket()).await.unwrap_or(0),
    };
    let client = AdminClient::new(place.admin_socket()).with_timeout(ANSWER_TIMEOUT);
    let report = if pid == 0 {
        None
    } else {
        client.get_json::<StatusReport>("/status").await.ok()
    };
    let first = known
        .as_ref()
        .and_then(|node| node.addresses.first())
        .map(|(_, address)| address.clone());
    NodeStatus {
        node: place.name.to_string(),
        kind: place.role.program().to_owned(),
        address: if pid == 0 {
            String::new()
        } else {
            first.unwrap_or(announced)
        },
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

fn state_name(
    known: Option<&SupervisedNode>,
    report: Option<&StatusReport>,
    pid: u32,
) -> &'static str {
    match (report, known) {
        (Some(report), _) => report.state.name(),
        // It does not answer just now: the supervisor's word stands.
        (None, Some(node)) => node.state.name(),
        (None, None) if pid == 0 => ProcessState::Stopped.name(),
        (None, None) => ProcessState::Starting.name(),
    }
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
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse::<u64>().ok())
        .unwrap_or(0)
        .saturating_mul(1024)
}

fn show(deployment: &Deployment, rows: &[NodeStatus], screen: Screen) -> Result<Outcome, Failure> {
    screen.line(table(rows, screen.lang));
    let ready = rows
        .iter()
        .filter(|row| row.state == ProcessState::Ready.name())
        .count();
    let date = deployment
        .network()
        .calendar()
        .date_at(unix_now())
        .map(|date| match screen.lang {
            Lang::Ja => date.to_japanese(),
            Lang::En => date.to_string(),
        });
    screen.line(text::summary(
        screen.lang,
        ready,
        rows.len(),
        &date.unwrap_or_default(),
    ));
    Ok(Outcome::Held)
}

pub(crate) fn table(rows: &[NodeStatus], lang: Lang) -> String {
    let header = [
        text::head_node(lang),
        text::head_kind(lang),
        text::head_state(lang),
        text::head_address(lang),
        text::head_pid(lang),
        text::head_memory(lang),
        text::head_behind(lang),
    ];
    let line = |row: &NodeStatus| {
        vec![
            row.node.clone(),
            row.kind.clone(),
            row.state.clone(),
            row.address.clone(),
            row.pid.to_string(),
            format!("{} MiB", row.rss_bytes / (1024 * 1024)),
            row.behind.to_string(),
        ]
    };
    table_text(
        &header.each_ref().map(String::as_str),
        rows.iter().map(line).collect(),
    )
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const REPAINT_INTERVAL: Duration = Duration::from_secs(1);
