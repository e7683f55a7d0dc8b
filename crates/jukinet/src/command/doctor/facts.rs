//! What is known of both ends of each link: from the folder, the nodes and the supervisor.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use juki_admin::{NodeState, PeerReport, StatusReport};
use juki_domain::{NodeId, NodeRole};
use juki_pki::{RevocationList, not_after_of, read_certificates, read_revocation_list, serial_of};
use juki_topology::{DialAddress, Line, NodeConfig};
use serde_json::Value;

use super::ahead::{Ahead, ahead};
use super::sockets::BoundPorts;
use crate::command::status::{NodeStatus, Sight};
use crate::deployment::{Deployment, NodePlace};
use crate::supervisor::{ProcessState, last_line};

/// Where a node is, seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presence {
    /// It runs here.
    Here,
    /// It should run here and does not; with how it ended.
    Down(String),
    /// Nothing of this deployment runs here.
    NotStarted,
    /// Other nodes of the deployment run here, this one does not: it has its place elsewhere.
    Elsewhere,
}

/// One end of a link.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) name: String,
    pub(super) role: NodeRole,
    pub(super) pid: u32,
    pub(super) presence: Presence,
    /// The configuration, or what is wrong with it.
    pub(super) config: Result<NodeConfig, String>,
    pub(super) config_file: String,
    pub(super) log: String,
    pub(super) certificate: Certificate,
    pub(super) report: Option<StatusReport>,
    pub(super) ledger: PathBuf,
    /// Whether the ledger's folder holds a segment.
    pub(super) has_ledger: bool,
}

/// What a node's certificate file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) file: String,
    /// Empty where it cannot be read.
    pub(super) serial: Vec<u8>,
    pub(super) not_after: u64,
    /// The serials that this node's own revocation list names.
    pub(super) revokes: Vec<Vec<u8>>,
}

/// The leased line between two firewalls.
#[derive(Debug, Clone)]
pub(super) struct LineFacts {
    pub(super) name: String,
    pub(super) access_point: String,
    pub(super) presence: Presence,
    pub(super) log: String,
    /// Whether the relay is there in the access point's configuration.
    pub(super) is_relayed: bool,
    /// Whether it carries anything; none where the access point does not say.
    pub(super) up: Option<bool>,
}

/// One place where somebody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listening {
    /// The node that listens: the peer, or the access point of the line.
    pub(super) node: String,
    pub(super) pid: u32,
    /// The file that announces it, where it is not fixed.
    pub(super) file: Option<String>,
    /// What is announced or fixed.
    pub(super) address: Option<String>,
    /// Whether a socket of this machine has the address's port; none where that cannot be seen.
    pub(super) is_bound: Option<bool>,
}

/// One link: who dials, who listens, what lies between.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) node: End,
    pub(super) peer: End,
    pub(super) line: Option<LineFacts>,
    pub(super) listening: Vec<Listening>,
    /// Journals of which a tier above holds more than this end says it has: municipality, own
    /// number, the tier, its number.
    pub(super) ahead: Vec<Ahead>,
}

impl Link {
    /// What the dialling end says of the other.
    pub(super) fn seen_by_node(&self) -> Option<&PeerReport> {
        seen(self.node.report.as_ref(), &self.peer.name)
    }

    /// What the listening end says of the other.
    pub(super) fn seen_by_peer(&self) -> Option<&PeerReport> {
        seen(self.peer.report.as_ref(), &self.node.name)
    }

    /// Whether an end says that the link is up; none where neither says anything.
    pub(super) fn is_up(&self) -> Option<bool> {
        let mut said = self.seen_by_node().into_iter().chain(self.seen_by_peer());
        said.next()
            .map(|first| first.up || said.any(|peer| peer.up))
    }

    /// The codes under which the ends say that the link is down; none while it is up.
    pub(super) fn codes(&self) -> Vec<&str> {
        if self.is_up() == Some(true) {
            return Vec::new();
        }
        let said = self.seen_by_node().into_iter().chain(self.seen_by_peer());
        said.map(|peer| peer.last_error.as_str())
            .filter(|code| !code.is_empty())
            .collect()
    }
}

fn seen<'a>(report: Option<&'a StatusReport>, other: &str) -> Option<&'a PeerReport> {
    report?.peers.iter().find(|peer| peer.name == other)
}

/// Gathers every link of the deployment, in the network's order.
pub(super) fn gather(deployment: &Deployment, sight: &Sight, ports: &BoundPorts) -> Vec<Link> {
    let ends: HashMap<String, End> = deployment
        .places()
        .iter()
        .filter_map(|place| {
            let row = sight
                .rows
                .iter()
                .find(|row| row.node == place.name.as_str())?;
            Some((row.node.clone(), end(deployment, place, row, sight)))
        })
        .collect();
    let lines = deployment.network().lines();
    let mut links = Vec::new();
    for node in deployment.network().nodes() {
        let Some(derived) = deployment.network().node_config(&node.name) else {
            continue;
        };
        for peer in derived.peer.iter().filter(|peer| peer.dial.is_some()) {
            let (Some(own), Some(other)) =
                (ends.get(node.name.as_str()), ends.get(peer.name.as_str()))
            else {
                continue;
            };
            let between = |line: &&Line| line.lower == node.name && line.upper == peer.name;
            let line = lines.iter().find(between);
            let facts = line.and_then(|line| line_facts(line, &ends));
            let listening = listening(deployment, &node.name, other, line, &ends, ports);
            links.push(Link {
                ahead: ahead(own, &ends),
                node: own.clone(),
                peer: other.clone(),
                line: facts,
                listening,
            });
        }
    }
    links
}

fn end(deployment: &Deployment, place: &NodePlace, row: &NodeStatus, sight: &Sight) -> End {
    let config = deployment
        .config_of(place)
        .map_err(|failure| failure.sentence());
    let ledger = place.data().join("ledger");
    let has_ledger = fs::read_dir(&ledger).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|end| end == "segment"))
    });
    End {
        name: row.node.clone(),
        role: place.role,
        pid: row.pid,
        presence: if deployment.is_keyless(place) {
            Presence::Elsewhere
        } else {
            presence(row, sight)
        },
        config,
        config_file: place.config().display().to_string(),
        log: row.log.clone(),
        certificate: certificate(place),
        report: row.report.clone(),
        ledger,
        has_ledger,
    }
}

fn presence(row: &NodeStatus, sight: &Sight) -> Presence {
    if row.report.is_some() {
        return Presence::Here;
    }
    if !sight.is_supervised(&row.node) {
        return if sight.rows.iter().any(|row| row.pid != 0) {
            Presence::Elsewhere
        } else {
            Presence::NotStarted
        };
    }
    let down = [
        ProcessState::Failed,
        ProcessState::Restarting,
        ProcessState::Stopped,
    ];
    if down.iter().any(|state| state.name() == row.state) {
        let line = last_line(row.log.as_ref());
        return Presence::Down(format!("{} {}: {line}", row.state, row.ended));
    }
    Presence::Here
}

fn certificate(place: &NodePlace) -> Certificate {
    let file = place.keys().join("node.crt");
    let own = read_certificates(&file)
        .ok()
        .and_then(|chain| chain.into_iter().next())
        .unwrap_or_default();
    let list = read_revocation_list(&place.keys().join("revocation.crl"))
        .ok()
        .and_then(|der| RevocationList::read(&der).ok());
    Certificate {
        file: file.display().to_string(),
        serial: serial_of(&own).unwrap_or_default(),
        not_after: not_after_of(&own).unwrap_or(0),
        revokes: list.map(|list| list.serials).unwrap_or_default(),
    }
}

fn line_facts(line: &Line, ends: &HashMap<String, End>) -> Option<LineFacts> {
    let access_point = ends.get(line.access_point.as_str())?;
    let relays = access_point
        .config
        .as_ref()
        .ok()
        .map(|config| &config.relay);
    let lines = access_point.report.as_ref()?.more.get("lines");
    let own =
        |known: &&Value| known.get("name").and_then(Value::as_str) == Some(line.name.as_str());
    let up = lines
        .and_then(Value::as_array)
        .and_then(|lines| lines.iter().find(own))
        .and_then(|line| line.get("up"))
        .and_then(Value::as_bool);
    Some(LineFacts {
        name: line.name.to_string(),
        access_point: access_point.name.clone(),
        presence: access_point.presence.clone(),
        log: access_point.log.clone(),
        is_relayed: relays.is_some_and(|relays| relays.iter().any(|relay| relay.name == line.name)),
        up,
    })
}

/// The places where the way from a node to its peer must find somebody, as the configurations have it.
fn listening(
    deployment: &Deployment,
    node: &NodeId,
    peer: &End,
    line: Option<&Line>,
    ends: &HashMap<String, End>,
    ports: &BoundPorts,
) -> Vec<Listening> {
    let configured = |name: &str| ends.get(name).and_then(|end| end.config.as_ref().ok());
    let dial = configured(node.as_str())
        .and_then(|config| {
            config
                .peer
                .iter()
                .find(|entry| entry.name.as_str() == peer.name)
        })
        .and_then(|entry| entry.dial.clone());
    let target = line.and_then(|line| {
        let relay = configured(line.access_point.as_str())?
            .relay
            .iter()
            .find(|relay| relay.name == line.name)?;
        Some((line.access_point.to_string(), relay.target.clone()))
    });
    let mut way = Vec::new();
    match (dial, line, target) {
        (Some(dial), Some(line), Some((access_point, target))) => {
            way.push((node.to_string(), dial, line.access_point.to_string()));
            way.push((access_point, target, peer.name.clone()));
        }
        (Some(dial), None, _) => way.push((node.to_string(), dial, peer.name.clone())),
        (Some(_) | None, _, _) => {}
    }
    way.into_iter()
        .filter_map(|(from, dial, listener)| {
            let listener = ends.get(&listener)?;
            let folder = deployment.place_folder(&from);
            let (file, address) = match dial {
                DialAddress::Fixed(address) => (None, Some(address.to_string())),
                DialAddress::File(path) => {
                    let path = folder.join(path);
                    let text = fs::read_to_string(&path).ok();
                    let address = text.map(|text| text.trim().to_owned());
                    // As people write it: without the way through the nodes' folders.
                    let file = path.file_name().map(|name| deployment.run().join(name));
                    let file = file.unwrap_or(path).display().to_string();
                    (
                        Some(file),
                        address.filter(|text| text.parse::<std::net::SocketAddr>().is_ok()),
                    )
                }
            };
            let here = listener.presence == Presence::Here;
            Some(Listening {
                node: listener.name.clone(),
                pid: listener.pid,
                is_bound: address
                    .as_deref()
                    .filter(|_| here)
                    .and_then(|address| ports.has(address)),
                file,
                address,
            })
        })
        .collect()
}

/// Whether a node says that it can no longer work.
pub(super) fn has_failed(report: Option<&StatusReport>) -> bool {
    report.is_some_and(|report| report.state == NodeState::Failed)
}
