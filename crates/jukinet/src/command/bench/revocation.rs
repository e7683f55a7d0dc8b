//! From the order to revoke a node's certificate until the last node of the prefecture judges by the
//! new list, and the node's links are closed and its next dial is refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use juki_admin::{PeerReport, StatusReport};
use juki_domain::{ErrorCode, NodeRole};
use serde_json::Value;

use super::SEED;
use super::figures::Figures;
use crate::cli::ByArgs;
use crate::cli::Preset;
use crate::command::operator::{SYSTEM_MANAGER, Signer};
use crate::command::pki::{Holder, bring, holders, order_for, reports};
use crate::deployment::NodePlace;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

/// An empty network needs no residents' files; one resident each is the least there is.
pub(super) const NEARLY_NOBODY: f64 = 1e-9;
const PATIENCE: Duration = Duration::from_secs(60);
/// Asking takes the nodes time that they need for passing the list on.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Every run revokes another node of one network: a town's server, then a town's firewall, in turn.
pub(crate) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    screen.line(text::bench_preparing(screen.lang));
    let mut network =
        LiveNetwork::make(folder, Preset::Yamaguchi2002, SEED, NEARLY_NOBODY, screen)?;
    network.start(screen).await?;
    let measured = measure_all(&network, runs, figures, screen).await;
    network.stop().await?;
    measured
}

async fn measure_all(
    network: &LiveNetwork,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let mut reachable = holders(network.deployment());
    let towns: Vec<NodePlace> = reachable
        .iter()
        .map(|holder| holder.place.clone())
        .filter(|place| place.role == NodeRole::MunicipalCs)
        .collect();
    for (run, town) in (1..=runs).zip(&towns) {
        screen.line(text::bench_run(screen.lang, run, runs));
        let firewall = peers_of(network, town)
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(ErrorCode::ConfigBadValue, town.name.to_string()))?;
        let revoked = if run % 2 == 1 {
            town.clone()
        } else {
            network.deployment().place(&firewall, screen.lang)?
        };
        // The revoked node is told nothing more, and whoever is behind it cannot be reached.
        let cut_off = [&revoked.name, &town.name];
        reachable.retain(|holder| !cut_off.contains(&&holder.place.name));
        let times = revoke(network, &reachable, &revoked, screen).await?;
        figures.add("revocation_informed_s", "s", times.informed.as_secs_f64());
        figures.add("revocation_closed_s", "s", times.closed.as_secs_f64());
        let last = times.informed.max(times.closed);
        figures.add("revocation_s", "s", last.as_secs_f64());
    }
    Ok(())
}

struct Times {
    /// Until the last node judged by the new list.
    informed: Duration,
    /// Until the last peer had closed its link to the revoked node and refused the next.
    closed: Duration,
}

async fn revoke(
    network: &LiveNetwork,
    reachable: &[Holder],
    revoked: &NodePlace,
    screen: Screen,
) -> Result<Times, Failure> {
    let peers = peers_of(network, revoked);
    let mut waiting: Vec<(Holder, Wait)> = Vec::new();
    for (holder, report) in reachable.iter().zip(reports(reachable).await) {
        let refused = report.as_ref().and_then(|report| {
            let peer = peer_in(report, revoked)?;
            peers.contains(holder.name()).then_some(peer.refusals)
        });
        waiting.push((
            holder.clone(),
            Wait {
                informed: false,
                refusals: refused,
            },
        ));
    }
    // A card's PIN is entered before: what is measured begins when the order leaves.
    let signer = Signer::unlock(
        network.deployment(),
        &ByArgs::default(),
        SYSTEM_MANAGER,
        screen,
    )?;
    let order = order_for(revoked, &signer)?;
    let began = Instant::now();
    let answer = bring(network.deployment(), &order, screen).await?;
    let list = answer.get("list").and_then(Value::as_u64).unwrap_or(0);
    let mut times = Times {
        informed: Duration::ZERO,
        closed: Duration::ZERO,
    };
    while !waiting.is_empty() {
        let asked: Vec<Holder> = waiting.iter().map(|(holder, _)| holder.clone()).collect();
        let answers = reports(&asked).await;
        let now = began.elapsed();
        for ((_, wait), report) in waiting.iter_mut().zip(&answers) {
            let Some(report) = report else { continue };
            if !wait.informed && is_informed(report, list) {
                wait.informed = true;
                times.informed = now;
            }
            if wait
                .refusals
                .is_some_and(|before| is_shut(report, revoked, before))
            {
                wait.refusals = None;
                times.closed = now;
            }
        }
        waiting.retain(|(_, wait)| !wait.informed || wait.refusals.is_some());
        if now > PATIENCE {
            let late: Vec<&str> = waiting.iter().map(|(holder, _)| holder.name()).collect();
            return Err(Failure::new(ErrorCode::CheckFailed, late.join(", ")));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(times)
}

/// What a node has not done yet.
struct Wait {
    informed: bool,
    /// Of a peer of the revoked node: how often it had refused it before.
    refusals: Option<u64>,
}

fn is_informed(report: &StatusReport, list: u64) -> bool {
    let number = report.more.get("revocation_list").and_then(Value::as_u64);
    number.is_some_and(|number| number >= list)
}

/// Whether this peer has closed its link to the revoked node and refused another one since.
fn is_shut(report: &StatusReport, revoked: &NodePlace, before: u64) -> bool {
    peer_in(report, revoked).is_some_and(|peer| !peer.up && peer.refusals > before)
}

fn peer_in<'a>(report: &'a StatusReport, revoked: &NodePlace) -> Option<&'a PeerReport> {
    report
        .peers
        .iter()
        .find(|peer| peer.name == revoked.name.as_str())
}

/// The nodes that this one has links with.
fn peers_of(network: &LiveNetwork, place: &NodePlace) -> BTreeSet<String> {
    let config = network.deployment().network().node_config(&place.name);
    let peers = config.map(|config| config.peer).unwrap_or_default();
    peers
        .into_iter()
        .map(|peer| peer.name.to_string())
        .collect()
}
