//! Ledgers: intact after work, and one byte is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use juki_dispatch::SECURITY;
use juki_ledger::Entry;
use network::{Deployment, Hostile, Seat, entries, rewrite, until};
use serde_json::Value;

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

/// A network that has worked and is stopped, with evidence that neighbours keep of each other.
fn finished() -> Deployment {
    let net = Deployment::made();
    let up = ["up", "net", "--detach", "--except", "cs-355011"];
    let _up = net.jukinet(&up).held();
    net.passes("cs-352047", "something-to-keep");
    // An alert has the ledgers signed at once, and the checkpoints kept above.
    let mut peer = Hostile::sit(&net, Seat::of("cs-355011"));
    peer.link_up();
    let (id, frame) = peer.say(
        "prefecture-35",
        juki_domain::ServiceId::Journal,
        b"\x08\xbb\xaa\x15",
    );
    peer.send(frame);
    let _refused = peer.refusal(id);
    until("the alert at the nation", || {
        let heard = net.get("national", "/monitor/alerts");
        (!heard["alerts"].as_array()?.is_empty()).then_some(())
    });
    for key in ["later", "later-still"] {
        net.passes("cs-352047", key);
    }
    drop(peer);
    net.down();
    net.is_quiet();
    net
}

/// Copies a node's ledger, or puts the copy back.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The report on one node of `audit verify` over the whole deployment, which must be the only bad one.
fn only_bad(net: &Deployment, node: &str) -> Value {
    let verified = net.jukinet(&["audit", "verify", "net", "--json"]);
    assert_eq!(verified.code(), Some(1), "{}", verified.text());
    let reports = verified.json();
    let mut bad: Vec<Value> = reports
        .as_array()
        .unwrap()
        .iter()
        .filter(|report| report["intact"] == false)
        .cloned()
        .collect();
    assert_eq!(bad.len(), 1, "{reports}");
    let bad = bad.swap_remove(0);
    assert!(bad["path"].as_str().unwrap().contains(node), "{bad}");
    bad
}

/// The node whose ledger is falsified.
const VICTIM: &str = "prefecture-35";

/// What somebody with the node's keys does to its entries.
type Edit = Box<dyn FnOnce(&mut Vec<Entry>)>;

/// Rewrites the ledger: by itself it stands, and a neighbour proves that `changed` is bad.
fn is_proven(net: &Deployment, name: &str, (changed, through): (u64, u64), edit: Edit) {
    rewrite(net, VICTIM, edit);
    let ledger = net.node(VICTIM).join("data/ledger");
    let alone = net.jukinet(&["audit", "verify", ledger.to_str().unwrap()]);
    assert_eq!(alone.code(), Some(0), "{name}: {}", alone.text());
    let bad = only_bad(net, VICTIM);
    let number = |key: &str| bad[key].as_u64().unwrap();
    let (first, last) = (number("entry"), number("entry_at_most"));
    assert!(last <= through, "{name}: {bad}");
    assert!(
        (first..=last).contains(&changed),
        "{name}, entry {changed}: {bad}"
    );
    let keeper = bad["proven_by"]["node"].as_str().unwrap();
    assert_ne!(keeper, VICTIM, "{name}: {bad}");
    let proof = bad["proven_by"]["entry"].as_u64().unwrap();
    let named = entries(net, keeper)
        .into_iter()
        .find(|entry| entry.seq == proof)
        .unwrap();
    assert_eq!(
        named.kind,
        juki_incident::NEIGHBOUR_CHECKPOINT,
        "{name}: {bad}"
    );
}

#[test]
fn each_way_to_falsify_a_ledger_is_proven_by_a_neighbour() {
    let net = finished();
    let sound = net
        .jukinet(&["audit", "verify", "net", "--json"])
        .held()
        .json();
    let reports = sound.as_array().unwrap();
    assert!(reports.len() >= 11, "every node has a ledger: {sound}");
    let of_it = |report: &&Value| report["node"] == VICTIM;
    let of_it = reports.iter().find(of_it).unwrap();
    let through = of_it["witnessed_through"].as_u64().unwrap();
    let ledger = net.node(VICTIM).join("data/ledger");
    let kept = net.folder().join("kept");
    copy(&ledger, &kept);
    let all = entries(&net, VICTIM);
    let is_alarm = |entry: &&Entry| entry.kind == SECURITY;
    let alarm = all.iter().find(is_alarm).unwrap().seq;
    assert!(
        alarm <= through,
        "an alert's evidence is covered: {alarm} of {through}"
    );
    let place = usize::try_from(alarm).unwrap() - 1;
    let salted = |all: &mut Vec<Entry>| all.iter_mut().for_each(|entry| entry.salt[0] ^= 1);
    let edits: [(&str, u64, Edit); 4] = [
        (
            "edited",
            alarm,
            Box::new(move |all| all[place].payload[0] ^= 1),
        ),
        (
            "deleted",
            alarm,
            Box::new(move |all| drop(all.remove(place))),
        ),
        (
            "reordered",
            alarm - 1,
            Box::new(move |all| all.swap(place - 1, place)),
        ),
        ("rewritten", 1, Box::new(salted)),
    ];
    for (name, changed, edit) in edits {
        copy(&kept, &ledger);
        is_proven(&net, name, (changed, through), edit);
    }

    copy(&kept, &ledger);
    rewrite(&net, VICTIM, move |all| all.truncate(place));
    let bad = only_bad(&net, VICTIM);
    assert_eq!(
        bad["entry"], alarm,
        "the first number that is missing: {bad}"
    );
    assert!(bad["proven_by"]["node"].is_string(), "{bad}");

    // Whoever has no keys cannot even keep it standing by itself.
    copy(&kept, &ledger);
    flip(&segment(&net, VICTIM));
    let bad = only_bad(&net, VICTIM);
    assert!(bad["offset"].is_u64(), "{bad}");
    assert!(bad["proven_by"]["node"].is_string(), "{bad}");
    copy(&kept, &ledger);
    let _sound = net.jukinet(&["audit", "verify", "net"]).held();
}
