//! `jukinet alerts`: what firewalls and nodes have raised.

use juki_admin::AdminClient;
use juki_domain::NodeRole;
use serde::{Deserialize, Serialize};

use crate::cli::AlertsArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::local_time::utc;
use crate::screen::Screen;
use crate::text::alerts as say;

#[derive(Debug, Serialize, Deserialize)]
struct Report {
    alerts: Vec<AlertRow>,
    passed: u64,
    lost: u64,
    neighbours: Vec<NeighbourRow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AlertRow {
    node: String,
    at_unix_ms: u64,
    kind: String,
    level: u32,
    count: u64,
    service: String,
    peer: String,
    code: String,
    evidence: u64,
    entry: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct NeighbourRow {
    node: String,
    seq: u64,
    kept_unix_ms: u64,
}

pub(crate) async fn run(args: &AlertsArgs, screen: Screen) -> Ending {
    let lang = screen.lang;
    let deployment = Deployment::open(&args.dir)?;
    let place = match &args.node {
        Some(name) => deployment.place(name, lang)?,
        None => deployment.only(NodeRole::NationalCenter, None, lang)?,
    };
    let client = AdminClient::new(place.admin_socket()).with_lang(lang);
    let report: Report = client.get_json("/monitor/alerts").await?;
    if report.alerts.is_empty() {
        screen.line(say::none(lang, place.name.as_str()));
    } else {
        let rows = report.alerts.iter().map(row).collect();
        let header = say::header(lang);
        screen.table(&header.split('|').collect::<Vec<_>>(), rows);
        screen.line(say::levels(lang));
    }
    if report.lost > 0 {
        screen.line(say::lost(lang, report.lost));
    }
    screen.document(&report)?;
    Ok(Outcome::Held)
}

fn row(alert: &AlertRow) -> Vec<String> {
    vec![
        utc(alert.at_unix_ms / 1000),
        alert.level.to_string(),
        alert.kind.clone(),
        alert.node.clone(),
        alert.peer.clone(),
        alert.code.clone(),
        alert.service.clone(),
        alert.count.to_string(),
        alert.evidence.to_string(),
    ]
}
