//! Which nodes listen on which machine, where a network has several.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use juki_domain::NodeId;
use serde::{Deserialize, Serialize};

use crate::assemble;
use crate::config_error::Finding;
use crate::interface::Interface;
use crate::network::NetworkParts;
use crate::node_pattern::NodePattern;
use crate::office::Office;
use crate::text_form;

/// One machine: the nodes on it listen where others reach them. Nodes on no machine listen on the
/// loopback interface and are found by announced files, so only on the machine where they run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its name: 1 to 32 of `a-z 0-9 -`, beginning with a letter.
    #[serde(with = "text_form::single")]
    pub name: NodeId,
    /// The address that the other machines reach.
    pub address: IpAddr,
    /// The first UDP port; one for each place where a node listens follows, in the network's order.
    pub port_from: u16,
    /// Its nodes, by names or patterns.
    #[serde(with = "text_form::list")]
    pub nodes: Vec<NodePattern>,
}

/// Where nodes on machines listen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Placement {
    addresses: BTreeMap<(NodeId, String), SocketAddr>,
    machines: BTreeMap<NodeId, NodeId>,
}

impl Placement {
    /// Gives each listener of each machine its port.
    pub(crate) fn new(parts: &NetworkParts, offices: &[Office]) -> Result<Self, Finding> {
        let mut placement = Self::default();
        let nodes = assemble::nodes(parts, offices);
        let places = listeners(parts, offices);
        for (index, machine) in parts.machines.iter().enumerate() {
            check_machine(parts, index, machine)?;
            for pattern in &machine.nodes {
                let mut fitting = nodes
                    .iter()
                    .filter(|node| pattern.matches(&node.name, node.role))
                    .peekable();
                if fitting.peek().is_none() {
                    let sentence =
                        format!("\"{pattern}\" fits no node; see jukinet status for names");
                    return Err(Finding::value("machine", index, "nodes", sentence));
                }
                for node in fitting {
                    let other = placement
                        .machines
                        .insert(node.name.clone(), machine.name.clone());
                    if other.is_some_and(|other| other != machine.name) {
                        let sentence = format!("{} is on two machines; keep it on one", node.name);
                        return Err(Finding::value("machine", index, "nodes", sentence));
                    }
                }
            }
            placement.give_ports(index, machine, &places)?;
        }
        placement.check_reach(offices)?;
        Ok(placement)
    }

    /// Where a node on a machine listens: on an interface, or at an access point for a line.
    pub(crate) fn address(&self, node: &NodeId, place: &str) -> Option<SocketAddr> {
        self.addresses
            .get(&(node.clone(), place.to_owned()))
            .copied()
    }

    /// The machine of a node; none where it is on none.
    pub(crate) fn machine(&self, node: &NodeId) -> Option<&NodeId> {
        self.machines.get(node)
    }

    fn give_ports(
        &mut self,
        index: usize,
        machine: &Machine,
        places: &[(NodeId, String)],
    ) -> Result<(), Finding> {
        let mut next = Some(machine.port_from);
        for place in places {
            if self.machine(&place.0) != Some(&machine.name) {
                continue;
            }
            let Some(port) = next else {
                let sentence = "leaves too few ports below 65536; begin lower";
                return Err(Finding::value("machine", index, "port_from", sentence));
            };
            let address = SocketAddr::new(machine.address, port);
            if self.addresses.values().any(|taken| *taken == address) {
                let sentence = format!("gives {address} twice; begin where the other machine ends");
                return Err(Finding::value("machine", index, "port_from", sentence));
            }
            self.addresses.insert(place.clone(), address);
            next = port.checked_add(1);
        }
        Ok(())
    }

    /// Whoever dials from a machine must find a listener on a machine.
    fn check_reach(&self, offices: &[Office]) -> Result<(), Finding> {
        let ways = offices.iter().flat_map(|office| {
            let inside = (&office.server.name, &office.firewall);
            let line = office.uplink.as_ref().map(|uplink| &uplink.line);
            let up = line.into_iter().flat_map(|line| {
                [
                    (&line.lower, &line.access_point),
                    (&line.access_point, &line.upper),
                ]
            });
            std::iter::once(inside).chain(up)
        });
        for (dialler, listener) in ways {
            if let (Some(machine), None) = (self.machine(dialler), self.machine(listener)) {
                let sentence = format!(
                    "{dialler} is on {machine} and dials {listener}, which is on no machine; put {listener} on one"
                );
                return Err(Finding::value("machine", 0, "nodes", sentence));
            }
        }
        Ok(())
    }
}

fn check_machine(parts: &NetworkParts, index: usize, machine: &Machine) -> Result<(), Finding> {
    let earlier = parts.machines.iter().take(index);
    if earlier.into_iter().any(|other| other.name == machine.name) {
        let sentence = format!("\"{}\" stands twice; keep one section", machine.name);
        return Err(Finding::value("machine", index, "name", sentence));
    }
    if machine.address.is_unspecified() || machine.address.is_multicast() {
        let sentence = "is no address that others reach; write that of the machine's interface";
        return Err(Finding::value("machine", index, "address", sentence));
    }
    if machine.port_from == 0 {
        let sentence = "is 0; write the first port to use";
        return Err(Finding::value("machine", index, "port_from", sentence));
    }
    if machine.nodes.is_empty() {
        let sentence = "is empty; name the machine's nodes";
        return Err(Finding::value("machine", index, "nodes", sentence));
    }
    Ok(())
}

/// Every place where a node listens for others, in the network's order: node and interface, or
/// access point and line.
fn listeners(parts: &NetworkParts, offices: &[Office]) -> Vec<(NodeId, String)> {
    let mut places = Vec::new();
    for office in offices {
        let mut interfaces = vec![Interface::Inside];
        for (_, uplink) in office.lower(offices) {
            if !interfaces.contains(&uplink.line.upper_interface) {
                interfaces.push(uplink.line.upper_interface);
            }
        }
        let named = |interface: Interface| (office.firewall.clone(), interface.name().to_owned());
        places.extend(interfaces.into_iter().map(named));
    }
    let lines = || offices.iter().filter_map(|office| office.uplink.as_ref());
    for access_point in &parts.access_points {
        let own = lines().filter(|uplink| uplink.line.access_point == access_point.name);
        places.extend(own.map(|uplink| (access_point.name.clone(), uplink.line.name.to_string())));
    }
    places
}
