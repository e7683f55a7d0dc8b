//! A firewall's policy: reviewed, explained, changed while the network works.

use std::fs;

use network::{Deployment, Printed, firewall_codes, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const FIREWALL: &str = "fw-cs-352047";
const CS: &str = "cs-352047";

/// Runs the firewall's `--check` with these further words.
fn check(net: &Deployment, more: &[&str]) -> Printed {
    let config = net.node(FIREWALL).join("node.toml");
    let mut words = vec!["--config", config.to_str().unwrap(), "--check"];
    words.extend(more);
    net.run("firewall-proxy", &words)
}

#[test]
fn a_policy_is_read_and_explained_before_anything_runs() {
    let net = Deployment::made();
    let summary = check(&net, &["--lang", "en"]).held().text();
    assert!(summary.contains("fw-cs-352047: 2 rules, "), "{summary}");
    assert!(
        summary.contains("1  line -> inside: journal, code-allocation"),
        "{summary}"
    );
    let ja = check(&net, &["--lang", "ja"]).held().text();
    assert!(ja.contains("ほかはすべて拒む"), "{ja}");

    let sample = ["--sample", CS, "prefecture-35", "journal"];
    let passes = check(&net, &[&sample[..], &["--lang", "en"]].concat()).held();
    let text = passes.text();
    for step in ["speaks-for", "route", "rule", "hours", "size", "rate"] {
        assert!(text.contains(&format!("ok  {step}")), "{step}: {text}");
    }
    assert!(text.contains("passes to fw-prefecture-35"), "{text}");

    let neighbour = ["--sample", CS, "cs-355011", "journal", "--json"];
    let refused = check(&net, &neighbour);
    assert_eq!(refused.code(), Some(1));
    let document = refused.json();
    assert_eq!(
        (&document["passes"], &document["code"]),
        (&json!(false), &json!("JKP-1005"))
    );
    let forged = ["--sample", "prefecture-35", CS, "journal", "--peer", CS];
    let forged = check(&net, &[&forged[..], &["--lang", "ja"]].concat());
    assert_eq!(forged.code(), Some(1));
    assert!(
        forged.text().contains("NO  speaks-for") && forged.text().contains("JKP-1002"),
        "{}",
        forged.text()
    );
    for wrong in [
        ["--sample", CS, "No Name", "journal"].as_slice(),
        &["--sample", CS, "prefecture-35", "telegraph"],
        &["--sample", CS, "prefecture-35", "journal", "--at", "noon"],
    ] {
        assert_eq!(check(&net, wrong).code(), Some(2), "{wrong:?}");
    }

    // Hours in the file are explained for any time of the network's week.
    let file = net.node(FIREWALL).join("policy.toml");
    let policy = fs::read_to_string(&file).unwrap();
    let hours = policy.replace("[[rule]]\n", "[[rule]]\nhours = \"Tue 08:00-20:00\"\n");
    fs::write(&file, &hours).unwrap();
    let at = |time| check(&net, &[&sample[..], &["--at", time, "--json"]].concat()).json();
    assert_eq!(at("2002-10-15T12:00")["passes"], true);
    assert_eq!(at("2002-10-15T20:00")["code"], "JKW-1101");
    assert_eq!(at("2002-10-16T12:00")["code"], "JKW-1101");

    // A wrong line is named, and the firewall does not start with it.
    fs::write(
        &file,
        policy.replace("[[rule]]\n", "[[rule]]\nhour = \"daily\"\n"),
    )
    .unwrap();
    let refused = check(&net, &["--lang", "en"]);
    assert_eq!(refused.code(), Some(2));
    let text = refused.text();
    assert!(
        text.contains("policy.toml:") && text.contains("rule.hour") && text.contains("JKC-1002"),
        "{text}"
    );
}

#[test]
fn a_policy_changes_while_the_network_works_and_a_bad_one_does_not_count() {
    let net = Deployment::up();
    let file = net.node(FIREWALL).join("policy.toml");
    let policy = fs::read_to_string(&file).unwrap();
    let firewall = |words: &[&str]| net.jukinet(&[&["firewall", "net", FIREWALL], words].concat());
    let ups = || {
        let report = net.report(FIREWALL).expect("it runs");
        assert!(report.peers.iter().all(|peer| peer.up), "{report:?}");
        report.peers.iter().map(|peer| peer.reconnects).sum::<u64>()
    };
    let before = (ups(), net.pid(FIREWALL));
    net.passes(CS, "before");

    // Without the journal nothing of the town goes up; the links stay.
    fs::write(&file, policy.replace("\"journal\", ", "")).unwrap();
    let change = firewall(&["reload", "--json"]).held().json();
    assert_eq!(change, json!({"added": 0, "removed": 2, "changed": 0}));
    let explained = firewall(&["explain", CS, "prefecture-35", "journal", "--json"]);
    assert_eq!(explained.code(), Some(1));
    assert_eq!(explained.json()["code"], "JKP-1001");
    let _birth = net.birth(CS, "held-up");
    until("a refusal of the journal", || {
        let refused = net.report(FIREWALL)?.more.get("refused")?.clone();
        refused["JKP-1001"].as_u64().filter(|count| *count > 0)
    });

    // A bad file leaves that in force and says why.
    fs::write(&file, "[[rule]]\nfrom = \"roof\"\n").unwrap();
    let bad = firewall(&["reload"]);
    assert_eq!(bad.code(), Some(1));
    assert!(
        bad.text().contains("JKW-1106") && bad.text().contains("policy.toml:2"),
        "{}",
        bad.text()
    );
    assert_eq!(
        firewall(&["explain", CS, "prefecture-35", "journal", "--json"]).json()["code"],
        "JKP-1001"
    );

    // The signal takes the first policy in force again, and what was held up arrives.
    fs::write(&file, &policy).unwrap();
    let pid = Pid::from_raw(i32::try_from(net.pid(FIREWALL)).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    until("the policy of the signal", || {
        let status = firewall(&["status", "--json"]).held().json();
        (status["by"] == "signal").then_some(())
    });
    net.arrives(CS, "held-up");
    assert_eq!(
        (ups(), net.pid(FIREWALL)),
        before,
        "no link and no process ended"
    );
    let status = firewall(&["status"]).held().text();
    assert!(status.contains("journal, code-allocation"), "{status}");
    let refused = net.report(FIREWALL).expect("it runs").more["refused"].clone();
    let codes: Vec<&String> = refused.as_object().unwrap().keys().collect();
    assert_eq!(codes, ["JKP-1001"]);
    net.down();
    // While all nodes stop, a frame may find the next one gone (JKL-2001).
    let codes = firewall_codes(&net, FIREWALL);
    assert!(codes.iter().any(|code| code == "JKP-1001"), "{codes:?}");
    let known = |code: &String| code == "JKP-1001" || code == "JKL-2001";
    assert!(codes.iter().all(known), "{codes:?}");
}
