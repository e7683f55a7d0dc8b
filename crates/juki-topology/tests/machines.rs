//! Networks on several machines: where their nodes listen, what is refused.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use juki_topology::{DialAddress, Interface, Network, NodeConfig};

/// The demo's network with these sections behind it.
fn with(machines: &str) -> Result<Network, String> {
    let demo = Network::demo(1, "demo", 1_700_000_000)
        .unwrap()
        .to_toml()
        .unwrap();
    let text = format!("{demo}\n{machines}");
    Network::parse(&text, "network.toml").map_err(|error| error.to_string())
}

fn machine(name: &str, address: &str, port_from: u32, nodes: &str) -> String {
    format!(
        "[[machine]]\nname = \"{name}\"\naddress = \"{address}\"\nport_from = {port_from}\nnodes = [{nodes}]\n"
    )
}

fn config(network: &Network, node: &str) -> NodeConfig {
    network.node_config(&node.parse().unwrap()).unwrap()
}

#[test]
fn nodes_on_machines_listen_on_ports_in_the_networks_order_and_are_dialled_there() {
    let upper = machine(
        "upper",
        "10.0.0.1",
        47_000,
        "\"*national\", \"*prefecture-35\", \"*agency*\", \"kind:access-point\"",
    );
    let lower = machine("lower", "10.0.0.2", 47_000, "\"cs-*\", \"fw-cs-*\"");
    let network = with(&format!("{upper}{lower}")).unwrap();
    let national = config(&network, "fw-national");
    let listens: Vec<String> = national
        .listen
        .iter()
        .map(|listen| listen.address.to_string())
        .collect();
    assert_eq!(listens[0], "10.0.0.1:47000");
    assert!(
        listens.len() > 1 && listens[1] == "10.0.0.1:47001",
        "{listens:?}"
    );
    let dialled = |node: &str| config(&network, node).peer[0].dial.clone().unwrap();
    assert_eq!(
        dialled("national"),
        DialAddress::Fixed("10.0.0.1:47000".parse().unwrap())
    );
    let cs = config(&network, "fw-cs-352047");
    let inside = cs
        .listen
        .iter()
        .find(|listen| listen.interface == Interface::Inside);
    assert_eq!(inside.unwrap().address.ip().to_string(), "10.0.0.2");
    // Across: the lower firewall dials the relay, the relay the upper firewall.
    let relay = config(&network, "ap-35-1")
        .relay
        .into_iter()
        .find(|relay| relay.name.as_str() == "cs-352047")
        .unwrap();
    let up = cs.peer.iter().find_map(|peer| peer.dial.clone()).unwrap();
    assert_eq!(up, DialAddress::Fixed(relay.listen));
    let prefecture = config(&network, "fw-prefecture-35");
    let line = prefecture
        .listen
        .iter()
        .find(|listen| listen.interface == Interface::Line);
    assert_eq!(relay.target, DialAddress::Fixed(line.unwrap().address));
    assert_eq!(
        network
            .machine_of(&"cs-352047".parse().unwrap())
            .unwrap()
            .as_str(),
        "lower"
    );
    for node in network.nodes() {
        let text = config(&network, node.name.as_str()).to_toml().unwrap();
        NodeConfig::parse(&text, "node.toml").unwrap();
    }
    let again = Network::parse(&network.to_toml().unwrap(), "network.toml").unwrap();
    assert_eq!(again, network);
}

#[test]
fn without_machines_nothing_changes_and_a_center_alone_may_be_elsewhere() {
    let network = with("").unwrap();
    assert!(!network.to_toml().unwrap().contains("machine"));
    let network = with(&machine("center", "10.0.0.1", 47_000, "\"*national\"")).unwrap();
    let relays = config(&network, "ap-35-1").relay;
    let to_center = relays
        .iter()
        .find(|relay| relay.name.as_str() == "prefecture-35");
    assert!(matches!(to_center.unwrap().target, DialAddress::Fixed(_)));
    let lower = config(&network, "fw-cs-352047");
    assert!(
        lower
            .peer
            .iter()
            .all(|peer| !matches!(peer.dial, Some(DialAddress::Fixed(_))))
    );
}

#[test]
fn machines_that_do_not_fit_are_refused_with_the_way_out() {
    let all = "\"*\"";
    let refused = |machines: &str, words: &str| {
        let error = with(machines).unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(
        &machine("a", "10.0.0.1", 47_000, "\"cs-999999\""),
        "fits no node",
    );
    refused(
        &machine("a", "10.0.0.1", 47_000, "\"kind:router\""),
        "is not a pattern",
    );
    refused(
        &machine("a", "0.0.0.0", 47_000, all),
        "no address that others reach",
    );
    refused(&machine("a", "10.0.0.1", 65_530, all), "too few ports");
    refused(&machine("a", "10.0.0.1", 0, all), "is 0");
    refused(&machine("a", "10.0.0.1", 47_000, ""), "is empty");
    let cs = machine("a", "10.0.0.1", 47_000, "\"cs-*\"");
    refused(&cs, "which is on no machine");
    let two = |second: &str| {
        format!(
            "{}{second}",
            machine("a", "10.0.0.1", 47_000, "\"*national\"")
        )
    };
    refused(
        &two(&machine("b", "10.0.0.2", 47_000, all)),
        "is on two machines",
    );
    refused(
        &two(&machine("a", "10.0.0.2", 47_000, "\"kind:access-point\"")),
        "stands twice",
    );
    let same = machine(
        "b",
        "10.0.0.1",
        47_001,
        "\"*prefecture-35\", \"kind:access-point\"",
    );
    refused(&two(&same), "twice");
}
