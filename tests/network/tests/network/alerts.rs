//! What a firewall or a node raises is heard at the prefecture and at the nation.

use juki_domain::ServiceId;
use network::{Deployment, Hostile, Seat, until};
use serde_json::Value;

const OWN: &str = "cs-355011";
const FIREWALL: &str = "fw-cs-355011";

fn without_own() -> Deployment {
    let net = Deployment::made();
    let up = ["up", "net", "--detach", "--except", OWN];
    let _up = net.jukinet(&up).held();
    net
}

/// The alerts that a node has heard of.
fn alerts(net: &Deployment, node: &str) -> Vec<Value> {
    let shown = net.jukinet(&["alerts", "net", "--node", node, "--json"]);
    let report = shown.held().json();
    report["alerts"].as_array().unwrap().clone()
}

/// Waits for an alert of this kind about this peer.
fn heard(net: &Deployment, node: &str, kind: &str, peer: &str) -> Value {
    until(&format!("{kind} about {peer} at {node}"), || {
        let mut all = alerts(net, node).into_iter();
        all.find(|alert| alert["kind"] == kind && alert["peer"] == peer)
    })
}

#[test]
fn what_a_firewall_stops_is_level_two_at_prefecture_and_nation() {
    let net = without_own();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    for _ in 0..3 {
        let mut forged = peer.header(ServiceId::Journal, "prefecture-35");
        forged.source = "cs-352047".parse().unwrap();
        peer.send(forged.frame(&[5; 64]).unwrap());
        let _refused = peer.refusal(forged.message_id);
    }
    for target in [
        "national",
        "cs-352047",
        "fw-national",
        "agency-mhlw",
        "fw-cs-352047",
        "fw-prefecture-35",
    ] {
        let probe = peer.header(ServiceId::Query, target);
        peer.send(probe.frame(&[5; 64]).unwrap());
        let _refused = peer.refusal(probe.message_id);
    }
    for node in ["prefecture-35", "national"] {
        for (kind, code) in [("forged-header", "JKP-1002"), ("scan", "JKP-1005")] {
            let alert = heard(&net, node, kind, OWN);
            assert_eq!(
                (
                    alert["node"].as_str(),
                    alert["level"].as_u64(),
                    alert["code"].as_str()
                ),
                (Some(FIREWALL), Some(2), Some(code)),
                "{alert}"
            );
        }
    }
    // The firewall itself knows that it was heard.
    until("the acknowledgement", || {
        let own = net.get(FIREWALL, "/monitor/alerts");
        let last = own["alerts"].as_array()?.last()?["evidence"].as_u64()?;
        (own["passed"].as_u64()? >= last).then_some(())
    });
    let shown = net.jukinet(&["alerts", "net"]).held().text();
    assert!(
        shown.contains("forged-header") && shown.contains("Level 2"),
        "{shown}"
    );
}

#[test]
fn what_passes_a_firewall_and_is_refused_behind_it_is_level_three() {
    let net = without_own();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    let (id, frame) = peer.say("prefecture-35", ServiceId::Journal, b"\x08\xbb\xaa\x15");
    peer.send(frame);
    assert_eq!(peer.refusal(id).code, "JKE-1002");
    for node in ["prefecture-35", "national"] {
        let alert = heard(&net, node, "refused-behind", OWN);
        assert_eq!(
            (
                alert["node"].as_str(),
                alert["level"].as_u64(),
                alert["code"].as_str()
            ),
            (Some("prefecture-35"), Some(3), Some("JKE-1002")),
            "{alert}"
        );
    }
}

#[test]
fn a_sound_network_raises_nothing_and_its_neighbours_keep_each_others_checkpoints() {
    let net = Deployment::up();
    net.passes("cs-352047", "an-ordinary-birth");
    let pairs = [
        ("cs-352047", "prefecture-35"),
        ("fw-cs-352047", "prefecture-35"),
        ("prefecture-35", "cs-352047"),
        ("prefecture-35", "fw-cs-352047"),
        ("prefecture-35", "national"),
        ("national", "prefecture-35"),
        ("national", "fw-national"),
        ("national", "agency-mhlw"),
        ("fw-national", "national"),
    ];
    for (keeper, node) in pairs {
        until(&format!("{keeper} keeps a checkpoint of {node}"), || {
            let known = net.get(keeper, "/monitor/alerts");
            let mut kept = known["neighbours"].as_array()?.iter();
            kept.find(|kept| kept["node"] == node)?["seq"].as_u64()
        });
    }
    net.passes("cs-355020", "another-birth");
    for node in ["national", "prefecture-35", "cs-352047"] {
        assert_eq!(alerts(&net, node), Vec::<Value>::new(), "{node}");
    }
}

#[test]
fn an_alert_that_nobody_could_hear_is_told_after_the_firewall_has_started_again() {
    let net = without_own();
    let _cut = net.jukinet(&["line", "net", "down", OWN]).held();
    let mut peer = Hostile::sit(&net, Seat::of(OWN));
    peer.link_up();
    for _ in 0..3 {
        let mut forged = peer.header(ServiceId::Journal, "prefecture-35");
        forged.source = "cs-352047".parse().unwrap();
        peer.send(forged.frame(&[5; 64]).unwrap());
        let _refused = peer.refusal(forged.message_id);
    }
    until("the firewall's own record", || {
        let own = net.get(FIREWALL, "/monitor/alerts");
        (!own["alerts"].as_array()?.is_empty()).then_some(())
    });
    drop(peer);
    network::kill(net.pid(FIREWALL));
    let _mended = net.jukinet(&["line", "net", "up", OWN]).held();
    let alert = heard(&net, "national", "forged-header", OWN);
    assert_eq!(alert["node"], FIREWALL, "{alert}");
}
