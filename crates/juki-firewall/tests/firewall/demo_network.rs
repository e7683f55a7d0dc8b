//! Every firewall of the demo network against the network's own walk.

use crate::fixture::{header, nodes};
use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_firewall::{Policy, Verdict};
use juki_topology::Network;

fn demo() -> (Network, Vec<NodeId>) {
    let network = Network::demo(1, "test", 1_000_000).unwrap();
    let names = network.nodes().into_iter().map(|node| node.name).collect();
    (network, names)
}

#[test]
fn a_frame_passes_a_firewall_of_the_demo_only_as_a_step_of_its_allowed_way() {
    let (network, names) = demo();
    let mut passed = 0;
    for firewall in network
        .nodes()
        .into_iter()
        .filter(|node| node.role == NodeRole::FirewallProxy)
    {
        let mut policy = Policy::new(&network.node_config(&firewall.name).unwrap()).unwrap();
        for from in &names {
            for source in &names {
                for destination in &names {
                    for service in ServiceId::ALL {
                        let header = header(source.as_str(), destination.as_str(), service);
                        let way = network
                            .path(source, destination, service)
                            .unwrap_or_default();
                        let next = way
                            .windows(3)
                            .find(|step| step[0] == *from && step[1] == firewall.name)
                            .map(|step| &step[2]);
                        let verdict = match policy.judge(0, from, &header, 1000) {
                            Verdict::Pass { to, .. } => Some(to),
                            Verdict::Refuse { .. } => None,
                        };
                        assert_eq!(
                            verdict,
                            next,
                            "{from} hands {} from {source} to {destination} to {}",
                            service.name(),
                            firewall.name
                        );
                        passed += usize::from(next.is_some());
                    }
                }
            }
        }
    }
    // Both ways over two firewalls: four services for each of 3 municipalities and the prefecture,
    // three for the agency. Five firewalls speak for themselves over the firewall above.
    assert_eq!(passed, (4 * 4 + 3) * 2 * 2 + 5 * 2);
}

#[test]
fn a_municipality_reaches_neither_its_neighbour_nor_the_national_center() {
    let (network, _) = demo();
    let firewall = &nodes(&["fw-cs-352047"])[0];
    let mut policy = Policy::new(&network.node_config(firewall).unwrap()).unwrap();
    let cs = &nodes(&["cs-352047"])[0];
    for destination in ["cs-355011", "national", "agency-mhlw"] {
        for service in ServiceId::ALL {
            let verdict = policy.judge(0, cs, &header(cs.as_str(), destination, service), 100);
            assert!(
                matches!(verdict, Verdict::Refuse { .. }),
                "{destination} {}",
                service.name()
            );
        }
    }
}
