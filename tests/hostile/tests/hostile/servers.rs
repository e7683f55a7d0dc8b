//! Servers in the wrong hands: a town's, a prefecture's, a revoked one.

use hostile::{attack, folder, own_again, up_without, without};
use juki_journal::{BLOCK, BLOCK_REFUSED, Refused};
use network::{Deployment, firewall_alerts, firewall_codes, payloads, security_notes, until};
use prost::Message as _;

const TOWN: &str = "cs-355011";
const FIREWALL: &str = "fw-cs-355011";
const PREFECTURE: &str = "prefecture-35";

/// The codes with which blocks were refused, as a tier's ledger has them.
fn refused_blocks(net: &Deployment, node: &str) -> Vec<String> {
    let refused = payloads(net, node, BLOCK_REFUSED);
    refused
        .iter()
        .map(|bytes| Refused::decode(bytes.as_slice()).unwrap().code)
        .collect()
}

#[test]
fn a_town_that_repeats_alters_or_takes_anothers_name_is_refused_and_recorded() {
    let net = without(&[TOWN]);
    let place = folder(&net, TOWN);
    let frames = attack(&net, &["frames", "--node", &place]);
    let replayed = (PREFECTURE, "JKE-1002");
    let altered = (PREFECTURE, "JKE-1003");
    for (what, expected) in [
        ("the same frame again", replayed),
        ("its last byte altered", altered),
        ("another calendar in its header", altered),
        ("another number in its header", altered),
        ("the overtaken frame again", replayed),
        ("a frame far behind", replayed),
    ] {
        assert_eq!(frames.refused(what), expected, "{what}");
    }
    let others = ["names", "--node", &place, "--other", "cs-352047"];
    let names = attack(&net, &others);
    let wrong_writer = (PREFECTURE, "JKJ-1003");
    assert_eq!(
        names.refused("a frame in the other's name"),
        (FIREWALL, "JKP-1002")
    );
    assert_eq!(names.refused("asks for the other's journal"), wrong_writer);
    assert_eq!(
        names.refused("a block of the other's journal"),
        wrong_writer
    );
    assert_eq!(
        names.refused("asks for the other's codes"),
        (PREFECTURE, "JKP-1001")
    );
    // Twice more: then the firewall's detector has enough.
    for _ in 0..2 {
        let _again = attack(&net, &others);
    }
    net.passes("cs-352047", "beside-the-attacks");
    let own = own_again(&net, "municipal-cs", TOWN);
    net.passes(TOWN, "own-again");
    drop(own);
    net.down();
    net.is_quiet();
    let notes = security_notes(&net, PREFECTURE);
    for code in ["JKE-1002", "JKE-1003"] {
        let noted = notes
            .iter()
            .any(|note| note.code == code && note.source == TOWN);
        assert!(noted, "{code} is not on record: {notes:?}");
    }
    let refused = refused_blocks(&net, PREFECTURE);
    assert!(
        !refused.is_empty() && refused.iter().all(|code| code == "JKJ-1003"),
        "{refused:?}"
    );
    assert!(firewall_codes(&net, FIREWALL).contains(&"JKP-1002".to_owned()));
    let alerts = firewall_alerts(&net, FIREWALL);
    assert!(
        alerts.contains(&"forged-header".to_owned()),
        "the detector has found {alerts:?}"
    );
}

#[test]
fn a_prefecture_that_forges_a_towns_entries_is_refused_by_the_nation_and_recorded() {
    let writer = "cs-352047";
    let net = Deployment::up();
    net.passes(writer, "while-honest");
    net.down();
    net.is_quiet();
    up_without(&net, &[PREFECTURE]);
    assert_eq!(net.birth(writer, "to-be-forged")["outcome"], "accepted");
    let place = folder(&net, PREFECTURE);
    let forgery = attack(&net, &["forgery", "--node", &place, "--writer", writer]);
    for (what, code) in [
        ("an invented entry under its own signature", "JKJ-1001"),
        ("the town's block under its own signature", "JKJ-1001"),
        ("the town's block with another header", "JKJ-1001"),
        ("the town's block with another entry", "JKJ-1006"),
    ] {
        assert_eq!(forgery.refused(what), ("national", code), "{what}");
    }
    let own = own_again(&net, "prefecture-server", PREFECTURE);
    net.arrives(writer, "to-be-forged");
    net.settles(2);
    drop(own);
    net.down();
    net.is_quiet();
    assert_eq!(
        refused_blocks(&net, "national"),
        ["JKJ-1001", "JKJ-1001", "JKJ-1001", "JKJ-1006"]
    );
    assert_eq!(payloads(&net, "national", BLOCK).len(), 2);
}

#[test]
fn a_stolen_node_key_opens_no_link_once_it_is_revoked() {
    let net = Deployment::up();
    net.passes(TOWN, "while-trusted");
    let _revoked = net.jukinet(&["pki", "revoke", "net", TOWN]).held();
    until("the list at its firewall", || {
        let report = net.report(FIREWALL)?;
        let up = report.peers.iter().any(|peer| peer.name == TOWN && peer.up);
        (!up).then_some(())
    });
    let place = folder(&net, TOWN);
    let stolen = attack(&net, &["stolen-key", "--node", &place]);
    for what in ["attempt 1", "attempt 12"] {
        assert_eq!(
            (stolen.heard(what), stolen.code(what)),
            ("ended", "JKT-1003")
        );
    }
    net.passes("cs-352047", "beside-the-stolen-key");
    net.down();
    net.is_quiet();
    assert!(firewall_codes(&net, FIREWALL).contains(&"JKT-1003".to_owned()));
    let alerts = firewall_alerts(&net, FIREWALL);
    assert!(
        alerts.contains(&"handshake-failures".to_owned()),
        "the detector has found {alerts:?}"
    );
}
