//! What `doctor` says of links while something is wrong with them.

use std::fs;
use std::process::Command;

use network::{Deployment, kill, until};
use serde_json::Value;

/// The cells of the matrix: findings that name both ends of a link.
fn cells(deployment: &Deployment) -> Vec<Value> {
    let printed = deployment.jukinet(&["doctor", "net", "--json"]);
    let findings: Vec<Value> = serde_json::from_value(printed.json()).unwrap();
    findings
        .into_iter()
        .filter(|finding| finding.get("peer").is_some())
        .collect()
}

/// A link and one of its checks.
type Cell<'a> = (&'a str, &'a str, &'a str);

/// Waits until a check of a link has a finding with these words in its cause; its next command has
/// these.
fn finds(deployment: &Deployment, cell: Cell<'_>, cause: &str, todo: &str) -> Value {
    let (check, node, peer) = cell;
    let finding = until(&format!("{cause}: {check} of {node} - {peer}"), || {
        cells(deployment).into_iter().find(|cell| {
            (&cell["check"], &cell["node"], &cell["peer"])
                == (&check.into(), &node.into(), &peer.into())
                && ["bad", "doubtful"].contains(&cell["grade"].as_str().unwrap())
                && cell["cause"].as_str().unwrap().contains(cause)
        })
    });
    assert!(
        finding["todo"].as_str().unwrap().contains(todo),
        "{finding}"
    );
    finding
}

#[test]
fn a_network_in_order_is_told_in_one_line_and_in_full_where_asked() {
    let deployment = Deployment::up();
    let doctor = deployment.jukinet(&["doctor", "net"]).held();
    let line = "11 links, 7 checks each: all good";
    assert!(
        doctor.text().contains(line) && !doctor.text().contains("fw-national"),
        "{}",
        doctor.text()
    );
    let all = deployment.jukinet(&["doctor", "net", "--all"]).held();
    assert!(all.text().contains("fw-national") && all.text().contains(line));
    let cells = cells(&deployment);
    assert_eq!(cells.len(), 77);
    assert!(
        cells.iter().all(|cell| cell["grade"] == "good"),
        "{cells:?}"
    );
}

#[test]
fn a_firewall_that_does_not_come_back_and_a_file_that_is_gone_are_told_with_the_next_command() {
    let deployment = Deployment::up();
    let file = deployment.net().join("run/fw-prefecture-35.line.addr");
    fs::remove_file(&file).unwrap();
    let pid = deployment.pid("fw-prefecture-35");
    let _finding = finds(
        &deployment,
        ("port", "fw-cs-352047", "fw-prefecture-35"),
        "fw-prefecture-35.line.addr",
        &format!("kill {pid}"),
    );
    // What it advises mends it.
    let mended = Command::new("kill").arg(pid.to_string()).status().unwrap();
    assert!(mended.success());
    until("the firewall's new announcement", || {
        file.exists().then_some(())
    });
    let config = deployment.node("fw-cs-355020").join("node.toml");
    fs::write(&config, "[nodde]\n").unwrap();
    kill(deployment.pid("fw-cs-355020"));
    let _finding = finds(
        &deployment,
        ("port", "cs-355020", "fw-cs-355020"),
        "fw-cs-355020 does not run: failed",
        "logs/fw-cs-355020.log",
    );
    let _finding = finds(
        &deployment,
        ("route", "cs-355020", "fw-cs-355020"),
        "nodde",
        "nodes/fw-cs-355020/node.toml --check",
    );
    let doctor = deployment.jukinet(&["doctor", "net"]);
    assert_eq!(doctor.code(), Some(1), "{}", doctor.text());
}

#[test]
fn a_revoked_certificate_and_a_wrong_calendar_are_told_with_the_node_that_has_them() {
    let deployment = Deployment::made();
    let config = deployment.node("cs-355011").join("node.toml");
    let text = fs::read_to_string(&config).unwrap();
    let wrong = text.replacen("version = 1", "version = 2", 1);
    assert_ne!(wrong, text);
    fs::write(&config, wrong).unwrap();
    let _up = deployment.jukinet(&["up", "net", "--detach"]).held();
    let _finding = finds(
        &deployment,
        ("calendar", "cs-355011", "fw-cs-355011"),
        "cs-355011 has version 2",
        "nodes/cs-355011/node.toml",
    );
    let _revoked = deployment
        .jukinet(&["pki", "revoke", "net", "cs-355020"])
        .held();
    let _finding = finds(
        &deployment,
        ("TLS", "cs-355020", "fw-cs-355020"),
        "JKT-1003",
        "jukinet new",
    );
    until("the refusal at the firewall itself", || {
        let report = deployment.report("fw-cs-355020")?;
        let mut peers = report.peers.iter();
        peers
            .any(|peer| peer.name == "cs-355020" && peer.last_error == "JKT-1003" && !peer.up)
            .then_some(())
    });
}

#[test]
fn a_server_put_back_to_an_old_copy_of_its_ledger_is_told_with_what_the_tier_above_holds() {
    let deployment = Deployment::up();
    deployment.passes("cs-355020", "first");
    deployment.down();
    let data = deployment.node("cs-355020").join("data");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        assert!(
            Command::new("cp")
                .arg("-a")
                .arg(from)
                .arg(to)
                .status()
                .unwrap()
                .success()
        );
    };
    let backup = deployment.folder().join("backup");
    copy(&data.join("ledger"), &backup);
    let _up = deployment.jukinet(&["up", "net", "--detach"]).held();
    deployment.passes("cs-355020", "second");
    let good = cells(&deployment);
    assert!(good.iter().all(|cell| cell["grade"] == "good"), "{good:?}");
    deployment.down();
    for stale in ["ledger", "index"] {
        fs::remove_dir_all(data.join(stale)).unwrap();
    }
    copy(&backup, &data.join("ledger"));
    let _up = deployment.jukinet(&["up", "net", "--detach"]).held();
    let chain = ("chain", "cs-355020", "fw-cs-355020");
    let finding = finds(&deployment, chain, "JKJ-1008", "data/ledger");
    assert_eq!(finding["grade"], "bad");
    assert!(
        finding["cause"]
            .as_str()
            .unwrap()
            .contains("prefecture-35 has")
    );
}
