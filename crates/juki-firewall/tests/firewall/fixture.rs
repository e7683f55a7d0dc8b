//! One firewall between a municipality's server and the line to its prefecture.

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_firewall::{Policy, RefusedBy, Verdict};
use juki_topology::{Interface, NodeConfig, Peer, Route, Rule};
use juki_wire::{Flags, FrameKind, Header, MessageId, Priority};

pub(crate) const CS: &str = "cs-352047";
pub(crate) const PREFECTURE: &str = "prefecture-35";
pub(crate) const FAR_FIREWALL: &str = "fw-prefecture-35";
pub(crate) const OTHER_CS: &str = "cs-355011";

pub(crate) fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub(crate) fn nodes(names: &[&str]) -> Vec<NodeId> {
    names.iter().map(|name| node(name)).collect()
}

pub(crate) fn header(source: &str, destination: &str, service: ServiceId) -> Header {
    Header {
        kind: FrameKind::Message,
        service,
        priority: Priority::Interactive,
        flags: Flags::default(),
        source: node(source),
        destination: node(destination),
        calendar_version: 1,
        message_id: MessageId([7; 16]),
        session: [0; 16],
        sequence: 1,
    }
}

pub(crate) fn peer(name: &str, interface: Interface, speaks_for: &[&str]) -> Peer {
    Peer {
        name: node(name),
        interface,
        dial: None,
        line_bps: 0,
        speaks_for: nodes(speaks_for),
    }
}

pub(crate) fn route(to: &str, via: &str) -> Route {
    Route {
        to: to.to_owned(),
        via: node(via),
    }
}

/// A firewall without peers, routes and rules.
pub(crate) fn bare() -> NodeConfig {
    let text = r#"
        [node]
        name = "fw-cs-352047"
        role = "firewall-proxy"
        network = "test"
        [calendar]
        base = "2002-10-15"
        anchor_unix_s = 1
        version = 1
    "#;
    NodeConfig::parse(text, "node.toml").unwrap()
}

/// Journal and code allocation between one municipality and its prefecture, and nothing else.
pub(crate) fn config() -> NodeConfig {
    let services = vec![ServiceId::Journal, ServiceId::CodeAllocation];
    let rule = |from, to, source, destination| Rule {
        services: services.clone(),
        sources: nodes(&[source]),
        destinations: nodes(&[destination]),
        ..Rule::new(from, to)
    };
    NodeConfig {
        peer: vec![
            peer(CS, Interface::Inside, &[CS]),
            peer(FAR_FIREWALL, Interface::Line, &[PREFECTURE, OTHER_CS]),
        ],
        route: vec![route(CS, CS), route(Route::ANY, FAR_FIREWALL)],
        rule: vec![
            rule(Interface::Inside, Interface::Line, CS, PREFECTURE),
            rule(Interface::Line, Interface::Inside, PREFECTURE, CS),
        ],
        ..bare()
    }
}

/// The peer a frame passes to, or the rule and code that refuse it.
pub(crate) fn judge(
    config: &NodeConfig,
    peer: &str,
    header: &Header,
    bytes: usize,
) -> Result<String, (RefusedBy, ErrorCode)> {
    let mut policy = Policy::new(config).unwrap();
    match policy.judge(0, &node(peer), header, bytes) {
        Verdict::Pass { to, .. } => Ok(to.to_string()),
        Verdict::Refuse { rule, code } => Err((rule, code)),
    }
}
