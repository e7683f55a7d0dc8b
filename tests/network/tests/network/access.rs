//! Operators and questions.

use std::fs;

use juki_audit::Outcome;
use network::{Deployment, audits};

const LAWFUL: &str = "war-bereaved-pension";

fn ask(net: &Deployment, affair: &str, code: &str) -> serde_json::Value {
    net.jukinet(&["query", "net", "--affair", affair, "--code", code, "--json"])
        .json()
}

#[test]
fn a_question_without_login_or_without_legal_basis_is_refused_and_recorded() {
    let net = Deployment::up();
    let born = net.birth("cs-352047", "asked-about");
    net.arrives("cs-352047", "asked-about");
    let code = born["resident_code"].as_str().unwrap();
    let nobody = ask(&net, LAWFUL, code);
    assert_eq!(
        (nobody["outcome"].as_str(), nobody["code"].as_str()),
        (Some("refused"), Some("JKA-1001")),
        "{nobody}"
    );
    net.log_in();
    let unlawful = ask(&net, "radio-station-licence", code);
    assert_eq!(
        (unlawful["outcome"].as_str(), unlawful["code"].as_str()),
        (Some("refused"), Some("JKA-1101")),
        "{unlawful}"
    );
    let lawful = ask(&net, LAWFUL, code);
    assert_eq!(
        (
            lawful["outcome"].as_str(),
            lawful["record"]["code"].as_str()
        ),
        (Some("match"), Some(code)),
        "{lawful}"
    );
    let stranger = ask(&net, LAWFUL, "91234567891");
    assert_eq!(stranger["outcome"], "no-match", "{stranger}");
    let mistyped = ask(&net, LAWFUL, "91234567892");
    assert_eq!(
        (mistyped["outcome"].as_str(), mistyped["code"].as_str()),
        (Some("refused"), Some("JKD-1002")),
        "{mistyped}"
    );
    let trace = net
        .jukinet(&[
            "trace",
            "net",
            lawful["message_id"].as_str().unwrap(),
            "--json",
        ])
        .held()
        .json();
    assert!(
        trace.to_string().contains("fw-national") && !trace.to_string().contains(code),
        "{trace}"
    );
    net.down();
    let records = audits(&net, "national");
    let told: Vec<(u32, &str)> = records
        .iter()
        .map(|record| (record.outcome, record.refusal.as_str()))
        .collect();
    let of = |outcome: Outcome| outcome as u32;
    let refused = |code| (of(Outcome::Refused), code);
    assert_eq!(
        told,
        [
            refused("JKA-1001"),
            refused("JKA-1101"),
            (of(Outcome::Match), ""),
            (of(Outcome::NoMatch), ""),
            refused("JKD-1002")
        ]
    );
    assert!(
        records[1].operator == records[2].operator
            && !records[2].operator.is_empty()
            && records[2].body == "mhlw"
    );
}

#[test]
fn a_wrong_pin_is_refused_and_the_third_locks_the_card() {
    let net = Deployment::up();
    let pin = fs::read_to_string(net.net().join("cards/agency-mhlw.pin")).unwrap();
    let wrong = net.folder().join("wrong.pin");
    fs::write(
        &wrong,
        if pin.trim() == "111111" {
            "222222"
        } else {
            "111111"
        },
    )
    .unwrap();
    let log_in = |more: &[&str]| {
        net.jukinet(&[&["operator", "login", "net", "--card", "agency-mhlw"], more].concat())
    };
    let bad = ["--pin-file", wrong.to_str().unwrap()];
    let first = log_in(&bad);
    assert!(
        first.code() == Some(1) && first.text().contains("JKA-1006"),
        "{}",
        first.text()
    );
    let _right = log_in(&[]).held();
    for _ in 0..3 {
        let refused = log_in(&bad);
        assert!(refused.code() == Some(1), "{}", refused.text());
    }
    let locked = log_in(&[]);
    assert!(
        locked.code() == Some(1) && locked.text().contains("JKA-1007"),
        "{}",
        locked.text()
    );
    let log = fs::read_to_string(net.net().join("logs/agency-mhlw.log")).unwrap();
    assert!(
        log.contains("operator.refused") && log.contains("JKA-1006") && log.contains("JKA-1007"),
        "{log}"
    );
    assert!(!log.contains(pin.trim()), "the PIN stands in the log");
    net.passes("cs-352047", "beside-the-locked-card");
}
