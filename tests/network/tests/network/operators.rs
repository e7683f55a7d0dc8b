//! Operators' cards: what becomes of those that are lost, locked, withdrawn or new.

use std::fs;
use std::time::{Duration, Instant};

use juki_services::cards::{CARD_ACT, CARD_LIST, CardListRecord};
use juki_services::query::{EndedFor, PIN_FAILED, PinFailed, SESSION_ENDED, SessionEnded};
use network::{Deployment, Printed, payloads, until};
use prost::Message as _;
use serde_json::{Value, json};

const LAWFUL: &str = "war-bereaved-pension";
const STRANGER: &str = "91234567891";

fn operator(net: &Deployment, act: &str, more: &[&str]) -> Printed {
    net.jukinet(&[&["operator", act, "net"], more].concat())
}

fn log_in(net: &Deployment, card: &str) -> Result<String, String> {
    let file = net.net().join(format!("cards/{card}.card"));
    let pin = fs::read_to_string(file.with_extension("pin")).unwrap();
    let body = json!({"card": file, "pin": pin.trim()});
    net.post("agency-mhlw", "/operator/login", &body)
        .map(|answer| answer["session"].as_str().unwrap().to_owned())
}

fn ask(net: &Deployment, session: Option<&str>) -> Result<Value, String> {
    let mut question = json!({"affair": LAWFUL, "code": STRANGER});
    if let Some(session) = session {
        question["session"] = json!(session);
    }
    net.post("agency-mhlw", "/query", &question)
}

fn ledger(net: &Deployment) -> Vec<Value> {
    let rows = operator(net, "ledger", &["--json"]).held().json();
    serde_json::from_value(rows).unwrap()
}

fn row(net: &Deployment, operator: &str) -> Value {
    let rows = ledger(net);
    rows.into_iter()
        .find(|row| row["operator"] == operator)
        .unwrap()
}

#[test]
fn a_lost_card_is_refused_everywhere_within_five_seconds_and_its_session_ends() {
    let net = Deployment::up();
    let session = log_in(&net, "agency-mhlw").unwrap();
    assert_eq!(ask(&net, Some(&session)).unwrap()["outcome"], "no-match");
    let began = Instant::now();
    let lost = operator(&net, "lost", &["agency-mhlw", "--json"])
        .held()
        .json();
    assert_eq!((&lost["state"], &lost["list"]), (&json!("lost"), &json!(1)));
    until("the end of the session", || {
        (ask(&net, Some(&session)) == Err("JKA-1210".to_owned())).then_some(())
    });
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(log_in(&net, "agency-mhlw"), Err("JKA-1201".to_owned()));
    let nobody = ask(&net, None).unwrap();
    assert_eq!(nobody["code"], "JKA-1001", "no card, no session: {nobody}");

    let found = operator(&net, "return", &["agency-mhlw", "--json"]).held();
    assert_eq!(found.json()["state"], "returned");
    let _lent = operator(&net, "lend", &["agency-mhlw"]).held();
    until("the card's return into use", || {
        log_in(&net, "agency-mhlw").ok()
    });
    let told: Vec<Value> = row(&net, "mhlw-1")["acts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["act"].clone())
        .collect();
    assert_eq!(told, ["entered", "lost", "return", "lend"]);

    net.down();
    let ended: Vec<SessionEnded> = payloads(&net, "agency-mhlw", SESSION_ENDED)
        .iter()
        .map(|bytes| SessionEnded::decode(bytes.as_slice()).unwrap())
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].reason, EndedFor::Listed as u32);
    for node in ["agency-mhlw", "national", "prefecture-35"] {
        let numbers: Vec<u64> = payloads(&net, node, CARD_LIST)
            .iter()
            .map(|bytes| CardListRecord::decode(bytes.as_slice()).unwrap().number)
            .collect();
        assert_eq!(numbers, [1, 2, 3], "{node}");
    }
    assert_eq!(payloads(&net, "national", CARD_ACT).len(), 4 + 3);
}

#[test]
fn a_suspended_card_serves_again_when_it_is_unlocked_and_a_withdrawn_one_does_not() {
    let net = Deployment::up();
    let suspended = operator(&net, "revoke", &["agency-mhlw", "--reason", "locked"]).held();
    assert!(suspended.text().contains("locked"), "{}", suspended.text());
    until("the card list at the terminal", || {
        (log_in(&net, "agency-mhlw") == Err("JKA-1201".to_owned())).then_some(())
    });
    let lent_again = operator(&net, "lend", &["agency-mhlw"]);
    assert!(
        lent_again.text().contains("JKA-1206"),
        "{}",
        lent_again.text()
    );
    let _lifted = operator(&net, "unlock", &["agency-mhlw"]).held();
    until("the card's return into use", || {
        log_in(&net, "agency-mhlw").ok()
    });
    let _inspected = operator(&net, "inspect", &["agency-mhlw", "--note", "in the safe"]).held();
    let _withdrawn = operator(&net, "revoke", &["agency-mhlw"]).held();
    let unlocked = operator(&net, "unlock", &["agency-mhlw"]);
    assert!(unlocked.text().contains("JKA-1206"), "{}", unlocked.text());
    until("the card list at the terminal", || {
        (log_in(&net, "agency-mhlw") == Err("JKA-1201".to_owned())).then_some(())
    });
    let row = row(&net, "mhlw-1");
    assert_eq!(row["state"], "revoked");
    let notes: Vec<&Value> = row["acts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["act"] == "inspect")
        .map(|line| &line["note"])
        .collect();
    assert_eq!(notes, ["in the safe"]);
}

#[test]
fn a_locked_card_is_unlocked_by_the_registrar_and_a_copy_of_it_does_not_get_new_tries() {
    let net = Deployment::up();
    let card = net.net().join("cards/agency-mhlw.card");
    let copy = net.net().join("cards/copy.card");
    fs::copy(&card, &copy).unwrap();
    fs::copy(card.with_extension("pin"), copy.with_extension("pin")).unwrap();
    let pin = fs::read_to_string(card.with_extension("pin")).unwrap();
    let wrong = if pin.trim() == "475869" {
        "475868"
    } else {
        "475869"
    };
    let mistype = || {
        let body = json!({"card": card, "pin": wrong});
        net.post("agency-mhlw", "/operator/login", &body)
    };
    for _ in 0..3 {
        assert_eq!(mistype(), Err("JKA-1006".to_owned()));
    }
    assert_eq!(log_in(&net, "agency-mhlw"), Err("JKA-1007".to_owned()));
    assert_eq!(
        log_in(&net, "copy"),
        Err("JKA-1007".to_owned()),
        "the terminal counts by the card's serial"
    );
    let unlocked = operator(&net, "unlock", &["agency-mhlw", "--json"])
        .held()
        .json();
    assert_eq!(unlocked["unlockings"], 1);
    assert!(log_in(&net, "agency-mhlw").is_ok());
    net.down();
    let failed: Vec<u32> = payloads(&net, "agency-mhlw", PIN_FAILED)
        .iter()
        .map(|bytes| PinFailed::decode(bytes.as_slice()).unwrap().left)
        .collect();
    assert_eq!(failed, [2, 1, 0]);
}

#[test]
fn a_new_card_serves_when_it_is_lent_and_its_pin_is_its_operators_own() {
    let net = Deployment::up();
    let enrolment = ["--operator", "mhlw-2", "--body", "mhlw", "--name", "second"];
    let made = operator(&net, "enrol", &[&enrolment[..], &["--json"]].concat())
        .held()
        .json();
    assert_eq!(made["state"], "not-lent");
    until("the card list at the terminal", || {
        (log_in(&net, "second") == Err("JKA-1201".to_owned())).then_some(())
    });
    let _lent = operator(&net, "lend", &["second"]).held();
    until("the list without the card", || {
        (log_in(&net, "second") == Err("JKA-1207".to_owned())).then_some(())
    });
    let new_pin = net.folder().join("new.pin");
    let change = ["--card", "second", "--new-pin-file", "new.pin"];
    fs::write(&new_pin, "123456\n").unwrap();
    let simple = operator(&net, "pin", &change);
    assert!(simple.text().contains("JKA-1208"), "{}", simple.text());
    fs::write(&new_pin, "475869\n").unwrap();
    let _changed = operator(&net, "pin", &change).held();
    let card = net.net().join("cards/second.card");
    assert!(!card.with_extension("pin").exists());
    let told = net
        .jukinet(&[
            "operator",
            "login",
            "net",
            "--card",
            "second",
            "--pin-file",
            "new.pin",
        ])
        .held()
        .text();
    assert!(
        told.contains("art. 30-34") && told.contains("1,000,000 yen"),
        "{told}"
    );
    let answer = ask(&net, None).unwrap();
    assert_eq!(answer["outcome"], "no-match", "{answer}");
}

#[test]
fn a_card_manager_does_not_do_what_is_the_system_managers() {
    let net = Deployment::up();
    let enrolment = ["--operator", "chief-2", "--body", "center"];
    let role = ["--role", "system-manager"];
    let by_card_manager = [&enrolment[..], &role, &["--by", "card-manager"]].concat();
    let refused = operator(&net, "enrol", &by_card_manager);
    assert_eq!(refused.code(), Some(1));
    assert!(refused.text().contains("JKA-1005"), "{}", refused.text());
    assert!(!net.net().join("cards/chief-2.card").exists());
    let by_operator = operator(&net, "lost", &["auditor", "--by", "agency-mhlw"]);
    assert!(by_operator.text().contains("JKA-1005"));
    let _made = operator(&net, "enrol", &[&enrolment[..], &role].concat()).held();
    assert_eq!(ledger(&net).len(), 5);

    // Without any right of its own, a card of another network is nothing here.
    let other = Deployment::made();
    let stolen = other.net().join("cards/system-manager.card");
    let by_stranger = ["auditor", "--by", stolen.to_str().unwrap()];
    let refused = operator(&net, "lost", &by_stranger);
    assert!(refused.text().contains("JKA-1003"), "{}", refused.text());
    let shown = operator(&net, "ledger", &["--lang", "ja"]).held().text();
    assert!(
        shown.contains("システム管理者") && shown.contains("未貸与"),
        "{shown}"
    );
}
