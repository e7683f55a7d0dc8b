//! Captured firewalls: what they drop, delay, alter, repeat and reorder, and what they can read.

use hostile::{Background, attack, folder, own_again, without};
use network::{Deployment, security_notes, until};
use serde_json::Value;

const TOWN: &str = "cs-355011";
const FIREWALL: &str = "fw-cs-355011";
const THIEF: &str = "cs-355020";

/// The firewall's place is taken.
fn captured<'a>(net: &'a Deployment, mischief: &str, more: &[&str]) -> Background<'a> {
    let place = folder(net, FIREWALL);
    let words = ["firewall", "--node", &place, "--do", mischief];
    Background::start(net, "juki-adversary", &[&words, more].concat()).ready()
}

/// The firewall's place is given back; what was done there.
fn done(captured: Background<'_>) -> Value {
    captured.stop();
    serde_json::from_str(&captured.ended()).unwrap()
}

#[test]
fn what_a_captured_firewall_does_to_frames_is_noticed_by_the_ends_and_loses_nothing() {
    let net = without(&[FIREWALL, TOWN, THIEF]);
    let kept = net.folder().join("kept");
    let keep = ["--keep", kept.to_str().unwrap()];
    let first = captured(&net, "nothing", &keep);
    let town = own_again(&net, "municipal-cs", TOWN);
    net.passes(TOWN, "unharmed");
    let seen = done(first);
    assert!(seen["seen"].as_u64() > Some(0) && seen["tampered"].is_u64());

    let journal = ["--service", "journal", "--count"];
    for (mischief, count) in [
        ("drop", "2"),
        ("alter", "2"),
        ("repeat", "4"),
        ("swap", "4"),
        ("delay=700", "4"),
    ] {
        let hostile = captured(&net, mischief, &[&journal[..], &[count]].concat());
        net.passes(TOWN, mischief);
        let seen = done(hostile);
        assert!(seen["tampered"].as_u64() > Some(0), "{mischief}: {seen}");
    }
    // What was kept there is of no use to the keys of another town.
    let place = folder(&net, THIEF);
    let words = ["body", "--node", &place, "--frames", kept.to_str().unwrap()];
    let bodies = attack(&net, &words);
    let closed = (THIEF, "JKE-1003");
    assert_eq!(bodies.refused("opens the session's secret"), closed);
    assert_eq!(bodies.refused("opens the body as its own").0, THIEF);
    let not_spoken_for = ("fw-cs-355020", "JKP-1002");
    assert_eq!(bodies.refused("sends the frame as it is"), not_spoken_for);
    let (by, code) = bodies.refused("sends the body under its own name");
    assert!(
        ["prefecture-35", "national"].contains(&by) && code.starts_with("JKE-"),
        "{by} {code}"
    );

    let thief = own_again(&net, "municipal-cs", THIEF);
    let firewall = own_again(&net, "firewall-proxy", FIREWALL);
    net.settles(6);
    drop((thief, town, firewall));
    net.down();
    net.is_quiet();
    let notes = security_notes(&net, "prefecture-35");
    for code in ["JKE-1002", "JKE-1003"] {
        let noted = notes
            .iter()
            .any(|note| note.code == code && note.source == TOWN);
        assert!(noted, "{code} is not on record: {notes:?}");
    }
}

#[test]
fn a_question_that_a_captured_firewall_drops_is_told_as_unanswered_and_one_it_delays_is_answered() {
    let (terminal, firewall) = ("agency-mhlw", "fw-agency-mhlw");
    let net = without(&[firewall, terminal]);
    let place = folder(&net, firewall);
    let words = [
        "firewall",
        "--node",
        &place,
        "--service",
        "query",
        "--count",
        "1",
        "--do",
    ];
    let taken = |mischief: &str| {
        Background::start(&net, "juki-adversary", &[&words[..], &[mischief]].concat()).ready()
    };
    let ask = || {
        let affair = "war-bereaved-pension";
        let code = ["--code", "91234567891", "--json"];
        net.jukinet(&[&["query", "net", "--affair", affair], &code[..]].concat())
    };
    let dropping = taken("drop");
    let terminal = own_again(&net, "agency-terminal", terminal);
    net.log_in();
    let dropped = ask();
    assert!(
        dropped.code() == Some(1) && dropped.text().contains("JKL-2004"),
        "{}",
        dropped.text()
    );
    assert_eq!(ask().json()["outcome"], "no-match");
    assert_eq!(done(dropping)["tampered"], 1);
    let delaying = taken("delay=1000");
    until("the terminal's link to it", || {
        let report = net.report("agency-mhlw")?;
        report.peers.iter().all(|peer| peer.up).then_some(())
    });
    assert_eq!(ask().json()["outcome"], "no-match");
    assert_eq!(done(delaying)["tampered"], 1);
    drop(terminal);
}
