//! The demo network: every allowed service reaches, every other pair is refused.

use std::collections::{BTreeMap, BTreeSet};

use juki_domain::{ErrorCode, MunicipalityCode, NodeId, NodeRole, ServiceId};
use juki_topology::{
    AccessPoint, DEMO_BODY, DialAddress, Interface, Municipality, Network, NetworkNode, NodeConfig,
    Route,
};

fn demo() -> Network {
    Network::demo(1, "demo-1", 1_700_000_000).expect("the demo network")
}

fn id(name: &str) -> NodeId {
    name.parse().expect("a node name")
}

fn config(network: &Network, name: &str) -> NodeConfig {
    network
        .node_config(&id(name))
        .expect("a node of the network")
}

/// What the design allows, written down without looking at routes or rules.
fn is_allowed(from: &str, to: &str, service: ServiceId) -> bool {
    let tier = |lower: &str, upper: &str| {
        (lower.starts_with("cs-35") && upper == "prefecture-35")
            || (lower == "prefecture-35" && upper == "national")
    };
    let asks = |lower: &str, upper: &str| lower.starts_with("agency-") && upper == "national";
    let watched = |lower: &str, upper: &str| {
        lower
            .strip_prefix("fw-")
            .is_some_and(|office| tier(office, upper) || asks(office, upper))
    };
    // The top's own firewall is beside it: no firewall in between could tell services apart.
    let top = |one: &str, other: &str| one == "fw-national" && other == "national";
    let way = |allowed: &dyn Fn(&str, &str) -> bool| allowed(from, to) || allowed(to, from);
    way(&top)
        || match service {
            ServiceId::Journal | ServiceId::CodeAllocation => way(&tier),
            ServiceId::Query => way(&asks),
            ServiceId::Monitor => way(&tier) || way(&asks) || way(&watched),
            ServiceId::Registrar => way(&tier) || way(&asks),
        }
}

#[test]
fn the_demo_has_thirteen_nodes_and_five_lines() {
    let network = demo();
    let names: Vec<String> = network
        .nodes()
        .iter()
        .map(|node| node.name.to_string())
        .collect();
    let expected = [
        "national",
        "fw-national",
        "prefecture-35",
        "fw-prefecture-35",
        "agency-mhlw",
        "fw-agency-mhlw",
        "cs-352047",
        "fw-cs-352047",
        "cs-355011",
        "fw-cs-355011",
        "cs-355020",
        "fw-cs-355020",
        "ap-35-1",
    ];
    assert_eq!(names, expected);
    let lines: Vec<String> = network.line_names().iter().map(NodeId::to_string).collect();
    let expected = [
        "prefecture-35",
        "agency-mhlw",
        "cs-352047",
        "cs-355011",
        "cs-355020",
    ];
    assert_eq!(lines, expected);
    assert!(
        network
            .lines()
            .iter()
            .all(|line| line.settings.is_unshaped())
    );
    assert_eq!(network.calendar().base.to_string(), "2002-10-15");
    assert_eq!(network.parts().agencies[0].body, DEMO_BODY);
}

#[test]
fn every_allowed_service_reaches_and_every_other_pair_is_refused() {
    let network = demo();
    let nodes = network.nodes();
    let mut reached = 0;
    for from in &nodes {
        for to in &nodes {
            for service in ServiceId::ALL {
                let path = network.path(&from.name, &to.name, service);
                let allowed = is_allowed(from.name.as_str(), to.name.as_str(), service);
                assert_eq!(
                    path.is_ok(),
                    allowed,
                    "{} -> {}: {path:?}",
                    from.name,
                    to.name
                );
                reached += usize::from(allowed);
            }
        }
    }
    // Four tier pairs with four services, one agency with three, five firewalls with one and the
    // top's firewall with all, there and back.
    assert_eq!(reached, (4 * 4 + 3 + 5 + 5) * 2);
}

#[test]
fn a_journal_passes_exactly_two_firewalls_per_tier() {
    let path = demo().path(&id("cs-352047"), &id("prefecture-35"), ServiceId::Journal);
    let names: Vec<String> = path
        .expect("allowed")
        .iter()
        .map(NodeId::to_string)
        .collect();
    assert_eq!(
        names,
        [
            "cs-352047",
            "fw-cs-352047",
            "fw-prefecture-35",
            "prefecture-35"
        ]
    );
}

#[test]
fn refusals_name_the_node_and_the_reason() {
    let network = demo();
    let refused = |from, to, service| {
        let refused = network
            .path(&id(from), &id(to), service)
            .expect_err("refused");
        (refused.node.to_string(), refused.code)
    };
    let no_route = |node: &str| (node.to_owned(), ErrorCode::NoRoute);
    let query = ServiceId::Query;
    assert_eq!(
        refused("cs-352047", "cs-355011", ServiceId::Journal),
        no_route("cs-352047")
    );
    assert_eq!(
        refused("agency-mhlw", "prefecture-35", query),
        no_route("agency-mhlw")
    );
    assert_eq!(refused("nobody", "national", query), no_route("nobody"));
    let no_rule = ("fw-prefecture-35".to_owned(), ErrorCode::PolicyNoRule);
    assert_eq!(refused("prefecture-35", "national", query), no_rule);
}

/// Even a server that ignores its own routes gets nothing past the firewalls.
#[test]
fn no_firewall_has_a_rule_or_route_from_one_line_to_another() {
    let network = demo();
    for node in network
        .nodes()
        .iter()
        .filter(|node| node.role == NodeRole::FirewallProxy)
    {
        let config = config(&network, node.name.as_str());
        for rule in &config.rule {
            let sides = [rule.from, rule.to];
            let inside = sides
                .iter()
                .filter(|side| **side == Interface::Inside)
                .count();
            assert_eq!(inside, 1, "{}: {rule:?}", node.name);
        }
        for route in &config.route {
            assert_ne!(route.to, Route::ANY, "{}", node.name);
        }
    }
}

#[test]
fn every_derived_configuration_reads_back_and_passes_its_own_checks() {
    let network = demo();
    for node in network.nodes() {
        let config = config(&network, node.name.as_str());
        let text = config.to_toml().expect("writable");
        let mut again = NodeConfig::parse(&text, "node.toml").expect("readable");
        if let Some(policy) = config.policy_toml().expect("writable") {
            again = again.with_policy(&policy, "policy.toml").expect("readable");
        }
        assert_eq!(again, config);
        assert_eq!(
            (&config.node.name, config.node.role),
            (&node.name, node.role)
        );
    }
}

#[test]
fn network_toml_reads_back_to_the_same_network() {
    let network = demo();
    let text = network.to_toml().expect("writable");
    assert_eq!(
        Network::parse(&text, "network.toml").expect("readable"),
        network
    );
}

#[test]
fn every_dialled_file_is_announced_by_one_node_and_leads_to_the_named_peer() {
    let network = demo();
    let mut announced = BTreeMap::new();
    let mut targets = BTreeMap::new();
    for node in network.nodes() {
        let config = config(&network, node.name.as_str());
        for listen in &config.listen {
            let path = listen.announce.clone().expect("announced");
            assert_eq!(
                announced.insert(path, (node.name.clone(), listen.interface)),
                None
            );
        }
        for relay in &config.relay {
            let DialAddress::File(target) = relay.target.clone() else {
                panic!("fixed")
            };
            targets.insert(relay.announce.clone().expect("announced"), target);
        }
    }
    for node in network.nodes() {
        for peer in config(&network, node.name.as_str()).peer {
            let Some(dial) = peer.dial else { continue };
            let DialAddress::File(path) = dial else {
                panic!("fixed")
            };
            let through_a_relay = targets.contains_key(&path);
            assert_eq!(
                through_a_relay,
                peer.interface != Interface::Inside,
                "{}",
                node.name
            );
            let end = targets.get(&path).unwrap_or(&path);
            let (name, interface) = announced.get(end).expect("announced by somebody");
            assert_eq!(*name, peer.name);
            // The dialled side names the dialler on the interface that it announces.
            let back = config(&network, name.as_str());
            let entry = back.peer_named(&node.name).expect("named there too");
            assert_eq!((entry.interface, &entry.dial), (*interface, &None));
        }
    }
}

#[test]
fn announce_files_have_the_names_that_the_deployment_folder_promises() {
    let network = demo();
    let national = config(&network, "fw-national");
    let announced: BTreeSet<String> = national
        .listen
        .iter()
        .map(|listen| {
            listen
                .announce
                .as_ref()
                .expect("announced")
                .display()
                .to_string()
        })
        .collect();
    let expected = ["agency-line", "inside", "line"]
        .map(|interface| format!("../../run/fw-national.{interface}.addr"));
    assert_eq!(announced, BTreeSet::from(expected));
    let relay = &config(&network, "ap-35-1").relay[2];
    let path = relay
        .announce
        .as_ref()
        .expect("announced")
        .display()
        .to_string();
    assert_eq!(path, "../../run/ap-35-1.cs-352047.addr");
    let cs = config(&network, "cs-352047");
    assert_eq!(
        cs.node.papers.expect("papers").display().to_string(),
        "../../papers"
    );
    assert_eq!(
        cs.register.expect("a register").token.display().to_string(),
        "register.token"
    );
}

#[test]
fn unknown_nodes_have_no_configuration() {
    assert_eq!(demo().node_config(&id("cs-352012")), None);
}

#[test]
fn an_unlawful_network_id_is_refused() {
    for network_id in ["", "-x", "x-", "Demo", "a.b", &"x".repeat(33)] {
        let error = Network::demo(1, network_id, 0).expect_err("no network id");
        assert_eq!(
            (error.code, error.key.as_str()),
            (ErrorCode::ConfigBadValue, "network.id")
        );
    }
}

/// The largest preset planned is 56 municipalities at 8 access points.
#[test]
fn a_network_of_56_municipalities_at_8_access_points_keeps_them_apart() {
    let mut parts = demo().parts().clone();
    let codes =
        (35_201..35_257).map(|number| MunicipalityCode::from_number(number).expect("a code"));
    parts.municipalities = (0..)
        .zip(codes)
        .map(|(index, code)| Municipality {
            code,
            label: format!("自治体{index}"),
            access_point: id(&format!("ap-35-{}", 1 + index % 8)),
            line: "1.5m".to_owned(),
        })
        .collect();
    parts.access_points = (1..=8)
        .map(|number| AccessPoint {
            name: id(&format!("ap-35-{number}")),
            label: "局".to_owned(),
            uplink: None,
        })
        .collect();
    let network = Network::new(parts).expect("a network");
    assert_eq!(
        (network.nodes().len(), network.lines().len()),
        (56 * 2 + 6 + 8, 58)
    );
    let is_cs = |node: &&NetworkNode| node.role == NodeRole::MunicipalCs;
    let servers: Vec<NodeId> = network
        .nodes()
        .iter()
        .filter(is_cs)
        .map(|node| node.name.clone())
        .collect();
    let prefecture = id("prefecture-35");
    for server in &servers {
        network
            .path(server, &prefecture, ServiceId::Journal)
            .expect("up");
        network
            .path(&prefecture, server, ServiceId::Journal)
            .expect("down");
        for other in &servers {
            assert!(network.path(server, other, ServiceId::Journal).is_err());
        }
    }
    for node in network.nodes() {
        let text = config(&network, node.name.as_str())
            .to_toml()
            .expect("writable");
        NodeConfig::parse(&text, "node.toml").expect("readable");
    }
}
