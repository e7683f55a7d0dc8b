//! Peers that cannot show who they are, and one that is no longer trusted.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use juki_domain::ErrorCode;
use juki_pki::{
    Authority, generate_key, public_key_info, public_key_of, read_certificates, read_key,
};
use juki_topology::NodeConfig;
use juki_transport::Identity;
use network::{Deployment, Hostile, Seat, firewall_codes, until};

const OWN: &str = "cs-355011";
const FIREWALL: &str = "fw-cs-355011";
const DAY_S: u64 = 86_400;

/// The node's identity with another certificate, for a key of its own, from this authority.
fn certified(net: &Deployment, issuing: &Authority, (from, until): (u64, u64)) -> Identity {
    let config = std::fs::read_to_string(net.node(OWN).join("node.toml")).unwrap();
    let network = NodeConfig::parse(&config, "node.toml")
        .unwrap()
        .node
        .network;
    let key = generate_key().unwrap();
    let public = public_key_info(&public_key_of(&key).unwrap());
    let certificate = issuing
        .issue_node(&OWN.parse().unwrap(), &network, &public, from, until)
        .unwrap();
    let own = Identity::read(&net.node(OWN).join("keys")).unwrap();
    Identity {
        key,
        chain: vec![certificate, issuing.certificate().to_vec()],
        ..own
    }
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[test]
fn certificates_of_others_are_refused_each_with_its_code_and_recorded() {
    let net = Deployment::made();
    let _up = net
        .jukinet(&["up", "net", "--detach", "--except", OWN])
        .held();
    let now = now_s();
    let config = std::fs::read_to_string(net.node(OWN).join("node.toml")).unwrap();
    let network = NodeConfig::parse(&config, "node.toml")
        .unwrap()
        .node
        .network;
    // Another network of the same name: its authorities have other keys.
    let (root_key, issuing_key) = (generate_key().unwrap(), generate_key().unwrap());
    let root = Authority::root(&network, &root_key, now, now + DAY_S).unwrap();
    let foreign = root
        .issuing(&network, &issuing_key, now, now + DAY_S)
        .unwrap();
    let keys = net.node("national").join("keys");
    let issuing = Authority::open(
        &read_certificates(&keys.join("issuing.crt")).unwrap()[0],
        &read_key(&keys.join("issuing.key")).unwrap(),
    )
    .unwrap();
    let of = |node: &str| Identity::read(&net.node(node).join("keys")).unwrap();
    let cases = [
        (
            ErrorCode::CertificateUnknownAuthority,
            None,
            certified(&net, &foreign, (now, now + DAY_S)),
        ),
        (
            ErrorCode::CertificateExpired,
            None,
            certified(&net, &issuing, (now - 9 * DAY_S, now - 8 * DAY_S)),
        ),
        (ErrorCode::PeerNotNamed, Some("cs-352047"), of("cs-352047")),
    ];
    for (code, name, identity) in cases {
        let mut peer = Hostile::sit(
            &net,
            Seat {
                node: OWN,
                name,
                identity: Some(identity),
            },
        );
        assert_eq!(peer.broken(), code);
        drop(peer);
        until(code.code(), || {
            net.metrics(FIREWALL)
                .contains(&format!(
                    "juki_links_refused_total{{error_code=\"{code}\"}}"
                ))
                .then_some(())
        });
        net.passes("cs-352047", &format!("beside-{}", code.code()));
    }
    // The same way in works for whoever has the right certificate.
    Hostile::sit(&net, Seat::of(OWN)).link_up();
    net.down();
    let recorded = firewall_codes(&net, FIREWALL);
    for code in ["JKT-1001", "JKT-1002", "JKT-1005"] {
        assert!(
            recorded.iter().any(|recorded| recorded == code),
            "{code} is not on record: {recorded:?}"
        );
    }
}

#[test]
fn a_revoked_node_loses_its_links_within_seconds_and_gets_none_again() {
    let net = Deployment::up();
    net.passes(OWN, "while-trusted");
    let linked = || {
        net.report(FIREWALL)
            .unwrap()
            .peers
            .iter()
            .any(|peer| peer.name == OWN && peer.up)
    };
    assert!(linked());
    let by_another = net.jukinet(&["pki", "revoke", "net", OWN, "--by", "card-manager"]);
    assert!(
        by_another.text().contains("JKA-1005"),
        "{}",
        by_another.text()
    );
    let revoked = Instant::now();
    let told = net
        .jukinet(&["pki", "revoke", "net", OWN, "--json"])
        .held()
        .json();
    until("the end of its link", || (!linked()).then_some(()));
    assert!(
        revoked.elapsed().as_secs() < 10,
        "it took {:?}",
        revoked.elapsed()
    );
    assert_eq!(told["not_informed"], serde_json::json!([]), "{told}");
    let status = net
        .jukinet(&["pki", "status", "net", "--json"])
        .held()
        .json();
    for row in status["nodes"].as_array().unwrap() {
        let (class, informed) = (&row["class"], row["list"] == told["list"]);
        if row["node"] == OWN {
            assert_eq!(class, "revoked");
        } else {
            assert!(informed && class == "valid", "{row}");
        }
    }
    until("its refusal", || {
        net.metrics(FIREWALL)
            .contains("juki_links_refused_total{error_code=\"JKT-1003\"}")
            .then_some(())
    });
    assert_eq!(net.birth(OWN, "not-trusted-any-more")["state"], "at-cs");
    net.passes("cs-352047", "beside-the-revoked");
    network::kill(net.pid(OWN));
    until("its next run", || net.report(OWN));
    assert!(!linked(), "a restart makes it no better");
    assert_eq!(
        net.get(OWN, "/v1/changes/not-trusted-any-more")["state"],
        "at-cs"
    );
    net.down();
    assert!(firewall_codes(&net, FIREWALL).contains(&"JKT-1003".to_owned()));
}
