//! Floods and slow peers on every listener, while others work.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};

use hostile::{Background, folder, own_again, without};
use network::{Deployment, firewall_alerts, firewall_codes};
use serde_json::Value;

const ABSENT: &str = "cs-355020";
const TOWNS: [&str; 2] = ["cs-352047", "cs-355011"];
const SECONDS: &str = "8";

/// Connections to a register's port, each with a request that has begun and does not end.
fn slow_requests(net: &Deployment, town: &str) -> Vec<TcpStream> {
    let file = net.net().join(format!("run/{town}.register.addr"));
    let address: SocketAddr = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let begin = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"POST /v1/changes HTTP/1.1\r\nHost: x\r\nAuthor")
            .unwrap();
        stream
    };
    (0..200).map(begin).collect()
}

fn ended(background: Background<'_>) -> Value {
    serde_json::from_str(&background.ended()).unwrap()
}

#[test]
fn floods_and_slow_peers_on_every_listener_disturb_no_honest_request() {
    let net = without(&[ABSENT]);
    net.log_in();
    let run = net.net().join("run").display().to_string();
    let place = folder(&net, ABSENT);
    let targets = ["--run", &run, "--seconds", SECONDS];
    let slow = |how: &str| {
        let words = ["slow", "--node", &place, "--how", how, "--each", "4"];
        Background::start(&net, "juki-adversary", &[&words[..], &targets].concat())
    };
    let flood = Background::start(
        &net,
        "juki-adversary",
        &[&["flood", "--per-s", "1000"], &targets[..]].concat(),
    );
    let slow: BTreeMap<&str, Background<'_>> = ["no-hello", "half-hello", "half-frame"]
        .into_iter()
        .map(|how| (how, slow(how)))
        .collect();
    let requests: Vec<TcpStream> = TOWNS
        .iter()
        .flat_map(|town| slow_requests(&net, town))
        .collect();

    for number in 0..10 {
        for town in TOWNS {
            net.passes(town, &format!("beside-the-flood-{number}"));
        }
        let answer = net
            .jukinet(&[
                "query",
                "net",
                "--affair",
                "war-bereaved-pension",
                "--code",
                "91234567891",
                "--json",
            ])
            .held()
            .json();
        assert_eq!(answer["outcome"], "no-match", "{answer}");
    }
    assert!(ended(flood)["sent"].as_u64() > Some(1_000));
    for (how, peers) in slow {
        let report = ended(peers);
        let ended: u64 = report["ended"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert!(ended > 0, "{how}: nobody ended a slow peer: {report}");
    }
    drop(requests);

    let own = own_again(&net, "municipal-cs", ABSENT);
    net.passes(ABSENT, "own-again");
    net.settles(21);
    drop(own);
    net.down();
    net.is_quiet();
    // The strangers' names and the floods stand on record, and were found.
    for firewall in ["fw-national", "fw-prefecture-35", "fw-cs-352047"] {
        let codes = firewall_codes(&net, firewall);
        assert!(
            codes.contains(&"JKT-1005".to_owned()),
            "{firewall}: {codes:?}"
        );
        let alerts = firewall_alerts(&net, firewall);
        assert!(!alerts.is_empty(), "{firewall} has found nothing");
    }
    let own = firewall_codes(&net, "fw-cs-355020");
    assert!(own.contains(&"JKW-1103".to_owned()), "{own:?}");
}
