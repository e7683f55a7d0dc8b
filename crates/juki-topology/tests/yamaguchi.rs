//! The preset of the whole prefecture.

use std::collections::BTreeMap;

use juki_domain::{LegalBasisTable, NodeId, NodeRole, ServiceId};
use juki_topology::{Network, NodeConfig};

const MUNICIPALITIES: &str = include_str!("../../../configs/yamaguchi-2002-municipalities.csv");
const LEGAL_BASIS: &str = include_str!("../../../configs/legal-basis.csv");

fn yamaguchi(unshaped: bool) -> Network {
    let table = LegalBasisTable::parse(LEGAL_BASIS).expect("the table");
    Network::yamaguchi_2002(1, "yamaguchi-1", 1_700_000_000, table.all(), unshaped)
        .expect("the prefecture's network")
}

fn id(name: &str) -> NodeId {
    name.parse().expect("a node name")
}

#[test]
fn all_56_municipalities_of_the_prefecture_stand_in_it_with_their_names() {
    let network = yamaguchi(false);
    let known: Vec<(String, String)> = MUNICIPALITIES
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',');
            let code = cells.next().expect("a code").to_owned();
            (code, cells.next().expect("a name").to_owned())
        })
        .collect();
    let in_network: Vec<(String, String)> = network
        .parts()
        .municipalities
        .iter()
        .map(|municipality| (municipality.code.to_string(), municipality.label.clone()))
        .collect();
    assert_eq!(known.len(), 56);
    assert_eq!(in_network, known);
}

#[test]
fn it_has_one_firewall_for_each_office_and_eight_access_points() {
    let mut roles: BTreeMap<NodeRole, usize> = BTreeMap::new();
    for node in yamaguchi(false).nodes() {
        *roles.entry(node.role).or_default() += 1;
    }
    let expected = [
        (NodeRole::MunicipalCs, 56),
        (NodeRole::PrefectureServer, 1),
        (NodeRole::NationalCenter, 1),
        (NodeRole::FirewallProxy, 67),
        (NodeRole::AgencyTerminal, 9),
        (NodeRole::AccessPoint, 8),
    ];
    assert_eq!(roles, expected.into_iter().collect());
}

#[test]
fn lines_carry_more_to_larger_municipalities_and_everything_where_unshaped() {
    let network = yamaguchi(false);
    let bits = |name: &str| {
        let lines = network.lines();
        let line = lines.iter().find(|line| line.name == id(name));
        line.expect("a line").settings.bandwidth_bps
    };
    assert_eq!(
        [bits("cs-355011"), bits("cs-352136"), bits("cs-352012")],
        [64_000, 128_000, 1_536_000]
    );
    let unshaped = yamaguchi(true);
    assert!(
        unshaped
            .lines()
            .iter()
            .all(|line| line.settings.is_unshaped())
    );
}

#[test]
fn the_prefectures_own_offices_ask_their_server_and_national_bodies_the_nation() {
    let network = yamaguchi(false);
    let path = |from: &str, to: &str| network.path(&id(from), &id(to), ServiceId::Query);
    path("agency-yamaguchi", "prefecture-35").expect("its own server");
    path("prefecture-35", "agency-yamaguchi").expect("back");
    path("agency-yamaguchi", "national").expect_err("not the nation");
    path("agency-mhlw", "national").expect("the nation");
    path("agency-mhlw", "prefecture-35").expect_err("not a prefecture");
    path("agency-mhlw", "agency-mic").expect_err("not each other");
}

#[test]
fn every_node_reads_its_own_configuration_back() {
    let network = yamaguchi(false);
    for node in network.nodes() {
        let config = network.node_config(&node.name).expect("a configuration");
        let text = config.to_toml().expect("writable");
        NodeConfig::parse(&text, "node.toml").expect("readable");
    }
    let text = network.to_toml().expect("writable");
    assert_eq!(
        Network::parse(&text, "network.toml").expect("readable"),
        network
    );
}

#[test]
fn an_office_of_a_prefecture_that_is_not_there_is_refused_by_name() {
    let mut parts = yamaguchi(false).parts().clone();
    parts.agencies[0].prefecture = Some("34".parse().expect("a code"));
    let error = Network::new(parts).expect_err("no such prefecture");
    assert_eq!(error.key, "agency.prefecture");
}
