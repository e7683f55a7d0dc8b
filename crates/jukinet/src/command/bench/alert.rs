//! How long an alert is on its way to those who have to hear of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, NodeId, NodeRole, ServiceId};
use juki_transport::LinkEvent;
use juki_wire::{Flags, FrameKind, Header, Priority};
use serde_json::Value;
use tokio::sync::mpsc;

use super::SEED;
use super::bare::{Office, new_message};
use super::figures::Figures;
use super::revocation::NEARLY_NOBODY;
use crate::cli::{Preset, Selection};
use crate::deployment::NodePlace;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

/// Longer than an alert may take.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// As many headers with another's name as a firewall takes for mistakes, and one more.
const FORGED: usize = 3;

/// In the place of a municipality's server, frames are sent in another's name: from the first of them
/// until the alert of its firewall is on record at the prefecture and at the nation, in seconds. Each run
/// takes another municipality of one network.
pub(super) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    screen.line(text::bench_preparing(screen.lang));
    let preset = Preset::Yamaguchi2002;
    let mut network = LiveNetwork::make(folder, preset, SEED, NEARLY_NOBODY, screen)?;
    let places = network.deployment().places();
    let towns = places
        .into_iter()
        .filter(|place| place.role == NodeRole::MunicipalCs);
    let towns: Vec<NodePlace> = towns
        .take(usize::try_from(runs).unwrap_or(usize::MAX))
        .collect();
    let except = towns
        .iter()
        .filter_map(|town| town.name.as_str().parse().ok());
    let selection = Selection {
        except: except.collect(),
        ..Selection::default()
    };
    network.start_selected(selection, screen).await?;
    let mut measured = Ok(());
    for (run, town) in (1..).zip(&towns) {
        screen.line(text::bench_run(screen.lang, run, runs));
        match way_of_alert(&network, town, screen).await {
            Ok(way) => figures.add("alert_s", "s", way.as_secs_f64()),
            Err(failure) => {
                measured = Err(failure);
                break;
            }
        }
    }
    network.stop().await?;
    measured
}

async fn way_of_alert(
    network: &LiveNetwork,
    town: &NodePlace,
    screen: Screen,
) -> Result<Duration, Failure> {
    let deployment = network.deployment();
    let prefecture = deployment.only(NodeRole::PrefectureServer, None, screen.lang)?;
    let nation = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let (office, events) = Office::open(deployment.config_of(town)?, &town.folder)?;
    let _drained = tokio::spawn(drain(events));
    office.up().await;
    let began = Instant::now();
    for _ in 0..FORGED {
        forge(&office, &nation.name, &prefecture.name);
    }
    for place in [&prefecture, &nation] {
        let client = AdminClient::new(place.admin_socket());
        while !has_heard(&client, town).await? {
            if began.elapsed() > PATIENCE {
                let detail = format!("{}: no alert about {}", place.name, town.name);
                return Err(Failure::new(ErrorCode::CheckFailed, detail));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(began.elapsed())
}

/// Sends a frame in another's name.
fn forge(office: &Arc<Office>, source: &NodeId, destination: &NodeId) {
    let header = Header {
        kind: FrameKind::Message,
        service: ServiceId::Journal,
        priority: Priority::Interactive,
        flags: Flags::default(),
        source: source.clone(),
        destination: destination.clone(),
        calendar_version: 1,
        message_id: new_message(),
        session: [0; 16],
        sequence: 1,
    };
    if let Ok(frame) = header.frame(&[5; 64]) {
        office.pass(&header, frame);
    }
}

async fn has_heard(client: &AdminClient, town: &NodePlace) -> Result<bool, Failure> {
    let report: Value = client.get_json("/monitor/alerts").await?;
    let alerts = report.get("alerts").and_then(Value::as_array);
    let about = |alert: &Value| {
        let own = |name: &str| alert.get(name).and_then(Value::as_str);
        own("peer") == Some(town.name.as_str()) && own("kind") == Some("forged-header")
    };
    Ok(alerts.is_some_and(|alerts| alerts.iter().any(about)))
}

/// Refusals come back; nobody reads them here.
async fn drain(mut events: mpsc::Receiver<LinkEvent>) {
    while events.recv().await.is_some() {}
}
