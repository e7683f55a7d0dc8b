//! `jukinet status`: every node's state.

mod board;
mod lookout;
mod watch;

use juki_admin::StatusReport;
use juki_domain::Lang;
use juki_pki::Expiry;
use serde::Serialize;

use crate::cli::StatusArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::{DAY_S, unix_now};
use crate::screen::{Screen, table_text};
use crate::supervisor::ProcessState;
use crate::text;

pub(crate) use lookout::{Lookout, Sight, running_process, supervised};

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
    if args.watch {
        return watch::run(&deployment, screen).await;
    }
    let rows = collect(&deployment).await;
    screen.document(&rows)?;
    if screen.json {
        return Ok(Outcome::Held);
    }
    show(&deployment, &rows, screen)
}

/// Asks the supervisor and every node once.
pub(crate) async fn collect(deployment: &Deployment) -> Vec<NodeStatus> {
    Lookout::new(deployment).look().await.rows
}

fn show(deployment: &Deployment, rows: &[NodeStatus], screen: Screen) -> Result<Outcome, Failure> {
    screen.line(table(rows, screen.lang));
    let ready = rows
        .iter()
        .filter(|row| row.state == ProcessState::Ready.name())
        .count();
    let date = network_date(deployment, screen.lang);
    screen.line(text::summary(screen.lang, ready, rows.len(), &date));
    for row in rows {
        if let Some(warning) = ending(row, unix_now(), screen.lang) {
            screen.line(warning);
        }
    }
    Ok(Outcome::Held)
}

/// A warning where the node's certificate ends soon.
fn ending(row: &NodeStatus, now_s: u64, lang: Lang) -> Option<String> {
    let report = row.report.as_ref()?;
    let end = report.more.get("certificate_not_after_unix_s")?.as_u64()?;
    match Expiry::of(end, now_s) {
        Expiry::Far => None,
        Expiry::Ended => Some(text::pki::has_ended(lang, &row.node)),
        Expiry::Month | Expiry::Week | Expiry::Day => {
            let days = (end - now_s) / DAY_S;
            Some(text::pki::ends_soon(lang, &row.node, days))
        }
    }
}

/// The network's date; empty where it is beyond the years that dates can have.
fn network_date(deployment: &Deployment, lang: Lang) -> String {
    let date = deployment.network().calendar().date_at(unix_now());
    date.map(|date| match lang {
        Lang::Ja => date.to_japanese(),
        Lang::En => date.to_string(),
    })
    .unwrap_or_default()
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
