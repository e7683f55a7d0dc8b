//! `audit verify` over a ledger of a deployment.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use juki_crypto::{SigningKey, StorageKey, SystemRandomness};
use juki_ledger::{EntryKind, NewEntry};
use juki_runtime::DiskFiles;
use juki_store::{Ledger, LedgerIdentity, LedgerSettings};
use serde_json::Value;

fn jukinet(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jukinet"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn write_ledger(node: &Path) {
    write_ledger_of(node, "national", EntryKind(40));
}

fn write_ledger_of(node: &Path, name: &str, kind: EntryKind) {
    let keys = node.join("keys");
    let identity = LedgerIdentity {
        node: name.parse().unwrap(),
        storage: StorageKey::new(
            fs::read(keys.join("storage.key"))
                .unwrap()
                .try_into()
                .unwrap(),
        ),
        signing: Arc::new(
            SigningKey::from_pkcs8(&juki_pki::read_key(&keys.join("node.key")).unwrap()).unwrap(),
        ),
        randomness: Arc::new(SystemRandomness),
    };
    let files = DiskFiles::open(&node.join("data/ledger")).unwrap();
    let (mut ledger, _) = Ledger::open(files, identity, LedgerSettings::default(), 1).unwrap();
    for number in 0..40_u8 {
        ledger
            .append(
                2,
                NewEntry {
                    kind,
                    payload: vec![number; 100],
                },
            )
            .unwrap();
    }
    ledger.append_checkpoint(3).unwrap();
    ledger.sync().unwrap();
    ledger.close(4).unwrap();
}

#[test]
fn an_intact_ledger_verifies_and_one_flipped_byte_is_named() {
    let place = tempfile::tempdir().unwrap();
    assert!(jukinet(place.path(), &["new", "net"]).status.success());
    let node = place.path().join("net/nodes/national");
    write_ledger(&node);
    let verify = [
        "audit",
        "verify",
        "net/nodes/national/data/ledger",
        "--json",
    ];
    let report = |output: &Output| {
        serde_json::from_slice::<Vec<Value>>(&output.stdout)
            .unwrap()
            .swap_remove(0)
    };
    let output = jukinet(place.path(), &verify);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let intact = report(&output);
    assert_eq!(
        (intact["intact"].as_bool(), intact["node"].as_str()),
        (Some(true), Some("national"))
    );
    assert!(
        intact["entries"].as_u64().unwrap() >= 41 && intact["checkpoints"].as_u64().unwrap() >= 1,
        "{intact}"
    );
    assert_eq!(
        intact["opened"], intact["entries"],
        "the key beside the data folder was used"
    );
    let other = place
        .path()
        .join("net/nodes/prefecture-35/keys/storage.key");
    let output = jukinet(
        place.path(),
        &[&verify[..], &["--key", other.to_str().unwrap()]].concat(),
    );
    assert_eq!(
        output.status.code(),
        Some(1),
        "another node's key opens nothing"
    );
    let segment = fs::read_dir(node.join("data/ledger"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[used / 2] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let output = jukinet(place.path(), &verify);
    assert_eq!(output.status.code(), Some(1));
    let damaged = report(&output);
    assert!(
        damaged["intact"] == false && damaged["entry"].is_u64() && damaged["offset"].is_u64(),
        "{damaged}"
    );
}

#[test]
fn what_is_older_than_its_term_is_purged_and_the_ledger_says_so() {
    let place = tempfile::tempdir().unwrap();
    assert!(jukinet(place.path(), &["new", "net"]).status.success());
    let node = place.path().join("net/nodes/fw-national");
    write_ledger_of(&node, "fw-national", EntryKind(129));
    let purge = |days: &str, what: &str| {
        let words = [
            "audit",
            "purge",
            "net",
            "fw-national",
            "--days",
            days,
            "--what",
            what,
            "--reason",
            "the term is over",
            "--json",
        ];
        let output = jukinet(place.path(), &words);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let verified = || {
        let words = ["audit", "verify", "net", "--json"];
        let output = jukinet(place.path(), &words);
        let reports: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(output.status.success(), "{reports:?}");
        reports.into_iter().next().unwrap()
    };
    let before = verified();
    assert_eq!(
        purge("1", "operations")["purged"],
        0,
        "it holds none of these"
    );
    assert_eq!(verified(), before, "and nothing was written");
    let done = purge("1", "communication");
    assert_eq!(
        (done["purged"].as_u64(), done["node"].as_str()),
        (Some(40), Some("fw-national"))
    );
    let after = verified();
    assert_eq!(after["purged"], 40);
    assert!(
        after["entries"].as_u64() > before["entries"].as_u64(),
        "the purge is on record"
    );
    assert_eq!(purge("1", "communication")["purged"], 0, "once is enough");
}

#[test]
fn secret_keys_that_lie_apart_are_found_where_the_configuration_says() {
    let place = tempfile::tempdir().unwrap();
    assert!(jukinet(place.path(), &["new", "net"]).status.success());
    let node = place.path().join("net/nodes/fw-national");
    write_ledger_of(&node, "fw-national", EntryKind(129));
    let apart = place.path().join("apart");
    fs::create_dir(&apart).unwrap();
    for name in ["node.key", "storage.key", "seal.key"] {
        fs::rename(node.join("keys").join(name), apart.join(name)).unwrap();
    }
    let config = fs::read_to_string(node.join("node.toml")).unwrap();
    let secrets = format!("[node]\nsecrets = \"{}\"\n", apart.display());
    let config = config.replacen("[node]\n", &secrets, 1);
    fs::write(node.join("node.toml"), config).unwrap();
    let words = ["audit", "verify", "net", "--json"];
    let output = jukinet(place.path(), &words);
    let reports: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reports[0]["intact"], true, "{reports:?}");
    let words = [
        "audit",
        "purge",
        "net",
        "fw-national",
        "--days",
        "1",
        "--what",
        "communication",
        "--reason",
        "the term is over",
        "--json",
    ];
    let output = jukinet(place.path(), &words);
    let purged: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(purged["purged"], 40);
}

#[test]
fn a_node_that_runs_is_not_purged() {
    let place = tempfile::tempdir().unwrap();
    assert!(jukinet(place.path(), &["new", "net"]).status.success());
    let node = place.path().join("net/nodes/fw-national");
    write_ledger_of(&node, "fw-national", EntryKind(129));
    let lock = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(node.join("data/node.lock"))
        .unwrap();
    lock.lock().unwrap();
    let words = [
        "audit",
        "purge",
        "net",
        "fw-national",
        "--days",
        "0",
        "--what",
        "alerts",
        "--reason",
        "x",
    ];
    let refused = jukinet(place.path(), &words);
    assert_eq!(
        refused.status.code(),
        Some(1),
        "a node that runs is left alone"
    );
}
