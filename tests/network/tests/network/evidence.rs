//! Ledgers: intact after work, and one byte is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use network::Deployment;

const NODES: [&str; 6] = [
    "national",
    "prefecture-35",
    "cs-352047",
    "fw-national",
    "fw-cs-352047",
    "agency-mhlw",
];

fn segment(net: &Deployment, node: &str) -> PathBuf {
    let files = fs::read_dir(net.node(node).join("data/ledger")).unwrap();
    files.map(|file| file.unwrap().path()).min().unwrap()
}

/// Flips a bit in the middle of what was written.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[used / 2] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn ledgers_verify_after_work_and_one_flipped_bit_is_found() {
    let net = Deployment::up();
    net.passes("cs-352047", "something-to-keep");
    net.down();
    let ledgers: Vec<String> = NODES
        .iter()
        .map(|node| net.node(node).join("data/ledger").display().to_string())
        .collect();
    let verify: Vec<&str> = ["audit", "verify", "--json"]
        .into_iter()
        .chain(ledgers.iter().map(String::as_str))
        .collect();
    let intact = net.jukinet(&verify).held().json();
    assert_eq!(intact.as_array().unwrap().len(), NODES.len());
    for report in intact.as_array().unwrap() {
        assert!(
            report["intact"] == true && report["entries"].as_u64() > Some(0),
            "{report}"
        );
        assert_eq!(report["opened"], report["entries"], "{report}");
    }
    flip(&segment(&net, "prefecture-35"));
    let damaged = net.jukinet(&verify);
    assert_eq!(damaged.code(), Some(1), "{}", damaged.text());
    let reports = damaged.json();
    let bad: Vec<_> = reports
        .as_array()
        .unwrap()
        .iter()
        .filter(|report| report["intact"] == false)
        .collect();
    assert!(
        bad.len() == 1 && bad[0]["path"] == ledgers[1].as_str() && bad[0]["entry"].is_u64(),
        "{reports}"
    );
}

#[test]
fn a_node_whose_ledger_is_damaged_does_not_start_and_says_where() {
    let net = Deployment::up();
    net.passes("cs-352047", "something-to-damage");
    net.down();
    let file = segment(&net, "national");
    let sound = fs::read(&file).unwrap();
    flip(&file);
    let refused = net.refuses("national-center", &net.node("national").join("node.toml"));
    assert_eq!(refused.code(), Some(1), "{}", refused.text());
    assert!(
        refused.text().contains("JKS-1001")
            && refused.text().contains("segment 1 is damaged at byte"),
        "{}",
        refused.text()
    );
    fs::write(&file, sound).unwrap();
    let _again = net.jukinet(&["up", "net", "--detach"]).held();
    net.settles(1);
}
