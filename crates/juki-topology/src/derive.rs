//! From a network to the configuration of one node.
//!
//! A server knows its own firewall alone. A firewall knows its server, the firewall above and those
//! below, and passes frames only between its server and the server at the other end of one line:
//! never from one line to another, so that offices beside each other stay apart.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_line::{LineSettings, Schedule};

use crate::access::Access;
use crate::dial::DialAddress;
use crate::interface::Interface;
use crate::network::Network;
use crate::node_config::{
    Limits, Listen, NodeConfig, NodeSection, Peer, Register, Relay, Route, Rule, SharedSegment,
};
use crate::office::{FIREWALL_SERVICES, Line, Office};
use crate::policy_file::FirewallSection;
use crate::watch::Watch;

/// The configuration of the node of that name.
pub(crate) fn node_config(network: &Network, name: &NodeId) -> Option<NodeConfig> {
    let offices = &network.offices;
    if let Some(office) = offices.iter().find(|office| office.server.name == *name) {
        return Some(server_config(network, office));
    }
    if let Some(office) = offices.iter().find(|office| office.firewall == *name) {
        return Some(firewall_config(network, office));
    }
    let access_points = &network.parts().access_points;
    access_points
        .iter()
        .any(|known| known.name == *name)
        .then(|| relay_config(network, name))
}

fn server_config(network: &Network, office: &Office) -> NodeConfig {
    let server = &office.server;
    let mut config = blank(network, &server.name, server.role);
    config.node.municipality = server.municipality;
    config.node.prefecture = server.prefecture;
    config.node.body.clone_from(&server.body);
    match server.role {
        NodeRole::MunicipalCs => {
            config.node.papers = Some(PathBuf::from("../../papers"));
            config.node.label = Some(server.label.clone());
            config.register = Some(Register {
                http: ANY_PORT,
                announce: Some(announce_path(&server.name, "register")),
                token: PathBuf::from("register.token"),
                drop: Some(PathBuf::from(format!("../../registers/{}", server.name))),
                poll_ms: Register::poll_ms_default(),
                file_bytes_max: Register::file_bytes_max_default(),
            });
        }
        NodeRole::PrefectureServer | NodeRole::NationalCenter => {
            config.access = network.parts().access;
        }
        NodeRole::AgencyTerminal | NodeRole::FirewallProxy | NodeRole::AccessPoint => {}
    }
    let partners = partners(network, office);
    config.peer.push(Peer {
        name: office.firewall.clone(),
        interface: Interface::Inside,
        dial: Some(dial(network, &office.firewall, Interface::Inside.name())),
        line_bps: 0,
        speaks_for: partners.clone(),
    });
    config.route = partners
        .iter()
        .map(|partner| route(partner, &office.firewall))
        .collect();
    config
}

fn firewall_config(network: &Network, office: &Office) -> NodeConfig {
    let server = &office.server.name;
    let mut config = blank(network, &office.firewall, NodeRole::FirewallProxy);
    config.firewall = Some(FirewallSection {
        policy: PathBuf::from(POLICY_FILE),
    });
    config
        .listen
        .push(listen(network, &office.firewall, Interface::Inside));
    config.peer.push(Peer {
        name: server.clone(),
        interface: Interface::Inside,
        dial: None,
        line_bps: 0,
        speaks_for: vec![server.clone()],
    });
    config.route.push(route(server, server));
    if let Some(uplink) = &office.uplink {
        let line = &uplink.line;
        config.peer.push(Peer {
            name: line.upper.clone(),
            interface: uplink.interface,
            dial: Some(dial(network, &line.access_point, line.name.as_str())),
            line_bps: line.settings.bandwidth_bps,
            speaks_for: vec![uplink.upper_server.clone()],
        });
        config.route.push(route(&uplink.upper_server, &line.upper));
        allow(
            &mut config.rule,
            server,
            uplink.interface,
            uplink.services,
            &uplink.upper_server,
        );
    }
    for (lower, uplink) in office.lower(&network.offices) {
        let interface = uplink.line.upper_interface;
        if config
            .listen
            .iter()
            .all(|listen| listen.interface != interface)
        {
            config
                .listen
                .push(listen(network, &office.firewall, interface));
        }
        config.peer.push(lower_peer(lower, &uplink.line));
        config
            .route
            .push(route(&lower.server.name, &lower.firewall));
        config.route.push(route(&lower.firewall, &lower.firewall));
        allow(
            &mut config.rule,
            server,
            interface,
            uplink.services,
            &lower.server.name,
        );
        allow(
            &mut config.rule,
            server,
            interface,
            FIREWALL_SERVICES,
            &lower.firewall,
        );
    }
    config
}

/// The firewall at the lower end of a line, which dials.
fn lower_peer(lower: &Office, line: &Line) -> Peer {
    Peer {
        name: lower.firewall.clone(),
        interface: line.upper_interface,
        dial: None,
        line_bps: line.settings.bandwidth_bps,
        speaks_for: vec![lower.server.name.clone(), lower.firewall.clone()],
    }
}

fn relay_config(network: &Network, name: &NodeId) -> NodeConfig {
    let mut config = blank(network, name, NodeRole::AccessPoint);
    let lines = network.lines();
    config.relay = lines
        .iter()
        .filter(|line| line.access_point == *name)
        .map(|line| relay(network, line))
        .collect();
    let mut points = network.parts().access_points.iter();
    let point = points.find(|point| point.name == *name);
    let uplink = point.and_then(|point| point.uplink.as_deref());
    let settings = uplink.and_then(LineSettings::preset);
    config.segment = settings
        .into_iter()
        .map(|settings| SharedSegment {
            name: name.clone(),
            bandwidth_bps: settings.bandwidth_bps,
            queue_bytes: settings.queue_bytes,
            lines: config
                .relay
                .iter()
                .map(|relay| relay.name.clone())
                .collect(),
        })
        .collect();
    config
}

fn relay(network: &Network, line: &Line) -> Relay {
    let settings = line.settings;
    Relay {
        name: line.name.clone(),
        listen: address(network, &line.access_point, line.name.as_str()),
        announce: Some(announce_path(&line.access_point, line.name.as_str())),
        target: dial(network, &line.upper, line.upper_interface.name()),
        bandwidth_bps: settings.bandwidth_bps,
        delay_us: settings.delay_us,
        jitter_us: settings.jitter_us,
        loss: settings.loss,
        queue_bytes: settings.queue_bytes,
        mtu: settings.mtu,
        disturbance: settings.disturbance,
        schedule: Schedule::default(),
    }
}

/// Lets a firewall's server and a partner on the other side of one interface talk both ways.
/// Partners with the same services share a rule per direction.
fn allow(
    rules: &mut Vec<Rule>,
    server: &NodeId,
    interface: Interface,
    services: &[ServiceId],
    partner: &NodeId,
) {
    let find = |rule: &&mut Rule| rule.from == interface && rule.services == services;
    if let Some(inward) = rules.iter_mut().find(find) {
        inward.sources.push(partner.clone());
    } else {
        rules.push(Rule {
            services: services.to_vec(),
            sources: vec![partner.clone()],
            destinations: vec![server.clone()],
            ..Rule::new(interface, Interface::Inside)
        });
    }
    let find = |rule: &&mut Rule| rule.to == interface && rule.services == services;
    if let Some(outward) = rules.iter_mut().find(find) {
        outward.destinations.push(partner.clone());
    } else {
        rules.push(Rule {
            services: services.to_vec(),
            sources: vec![server.clone()],
            destinations: vec![partner.clone()],
            ..Rule::new(Interface::Inside, interface)
        });
    }
}

/// The nodes with which an office's server talks: the server above, those below with their
/// firewalls, and at the top its own firewall.
fn partners(network: &Network, office: &Office) -> Vec<NodeId> {
    let upper = office
        .uplink
        .iter()
        .map(|uplink| uplink.upper_server.clone());
    let own_firewall = office.uplink.is_none().then(|| office.firewall.clone());
    let lower = office
        .lower(&network.offices)
        .flat_map(|(lower, _)| [lower.server.name.clone(), lower.firewall.clone()]);
    upper.chain(own_firewall).chain(lower).collect()
}

fn blank(network: &Network, name: &NodeId, role: NodeRole) -> NodeConfig {
    NodeConfig {
        node: NodeSection {
            name: name.clone(),
            role,
            label: None,
            network: network.id().to_owned(),
            municipality: None,
            prefecture: None,
            body: None,
            data: PathBuf::from("data"),
            keys: PathBuf::from("keys"),
            papers: None,
            secrets: None,
        },
        calendar: network.calendar().clone(),
        listen: Vec::new(),
        peer: Vec::new(),
        route: Vec::new(),
        firewall: None,
        rule: Vec::new(),
        watch: Watch::default(),
        register: None,
        access: Access::default(),
        card: None,
        relay: Vec::new(),
        segment: Vec::new(),
        limits: Limits::default(),
    }
}

fn listen(network: &Network, node: &NodeId, interface: Interface) -> Listen {
    Listen {
        interface,
        address: address(network, node, interface.name()),
        announce: Some(announce_path(node, interface.name())),
    }
}

fn route(to: &NodeId, via: &NodeId) -> Route {
    Route {
        to: to.to_string(),
        via: via.clone(),
    }
}

/// The address to bind: fixed on a machine, any free port elsewhere.
fn address(network: &Network, node: &NodeId, place: &str) -> SocketAddr {
    network.placement.address(node, place).unwrap_or(ANY_PORT)
}

fn dial(network: &Network, node: &NodeId, place: &str) -> DialAddress {
    match network.placement.address(node, place) {
        Some(address) => DialAddress::Fixed(address),
        None => DialAddress::File(announce_path(node, place)),
    }
}

/// The file that announces an address, seen from a node's folder in the deployment folder.
fn announce_path(node: &NodeId, place: &str) -> PathBuf {
    PathBuf::from(format!("../../run/{node}.{place}.addr"))
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The file of a firewall's policy, beside its `node.toml`.
const POLICY_FILE: &str = "policy.toml";
