//! Operators' cards: what becomes of those that are lost, locked, withdrawn or new.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use juki_access::{CardCertificate, Role};
use juki_audit::{PIN_FAILED, PinFailed};
use juki_crypto::{SigningKey, SystemRandomness};
use juki_services::cards::{CARD_ACT, CARD_LIST, CardListRecord};
use juki_services::query::{EndedFor, SESSION_ENDED, SessionEnded};
use juki_smartcard::SoftCard;
use network::{Deployment, Printed, audits, payloads, until};
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
fn copies_of_a_card_that_are_tried_at_once_have_three_tries_together() {
    let net = Deployment::up();
    let card = net.net().join("cards/agency-mhlw.card");
    let pin = fs::read_to_string(card.with_extension("pin")).unwrap();
    let wrong = if pin.trim() == "475869" {
        "475868"
    } else {
        "475869"
    };
    // A copy has all the tries of the card it was made of.
    let copies: Vec<PathBuf> = (0..8)
        .map(|number| card.with_file_name(format!("copy-{number}.card")))
        .collect();
    for copy in &copies {
        fs::copy(&card, copy).unwrap();
    }
    let mut told = in_parallel(copies.into_iter(), |copy| {
        let body = json!({"card": copy, "pin": wrong});
        net.post("agency-mhlw", "/operator/login", &body)
            .unwrap_err()
    });
    told.sort();
    assert_eq!(told[..3], ["JKA-1006"; 3]);
    assert_eq!(told[3..], ["JKA-1007"; 5]);
    assert_eq!(log_in(&net, "agency-mhlw"), Err("JKA-1007".to_owned()));
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

/// Fifty operators of one office, each with a card of their own.
fn staff(net: &Deployment) -> Vec<PathBuf> {
    let issuing = juki_pki::read_key(&net.node("national").join("keys/issuing.key")).unwrap();
    let registrar = SigningKey::from_pkcs8(&issuing).unwrap();
    let make = |number: usize| {
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        let (serial, operator) = (format!("staff{number}"), format!("mhlw-{number}"));
        let certificate = CardCertificate {
            serial: serial.clone(),
            operator: operator.clone(),
            body: "mhlw".to_owned(),
            roles: vec![Role::BusinessOperator as u32],
            key: key.public().as_bytes().to_vec(),
            valid_until_s: 4_000_000_000,
            signature: Vec::new(),
        };
        let certificate = certificate.signed(&registrar).encode_to_vec();
        let file = net.folder().join(format!("{serial}.card"));
        SoftCard::create(
            &file,
            "475869",
            &serial,
            &operator,
            &certificate,
            key.pkcs8(),
        )
        .unwrap();
        file
    };
    in_parallel(100..150, make)
}

fn in_parallel<T: Send, R: Send>(
    work: impl Iterator<Item = T> + Send,
    each: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let waiting = Mutex::new(work);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(next) = next else { return };
                    let result = each(next);
                    done.lock().unwrap().push(result);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn fifty_operators_are_logged_in_at_one_terminal_and_each_asks_as_themselves() {
    let net = Deployment::up();
    let sessions = in_parallel(staff(&net).into_iter(), |card| {
        let body = json!({"card": card, "pin": "475869"});
        let answer = net.post("agency-mhlw", "/operator/login", &body).unwrap();
        answer["session"].as_str().unwrap().to_owned()
    });
    let outcomes = in_parallel([&sessions[..], &sessions].concat().into_iter(), |session| {
        ask(&net, Some(&session)).unwrap()["outcome"].clone()
    });
    assert_eq!(outcomes, vec![json!("no-match"); 100]);
    for session in &sessions[..2] {
        let _ended = operator(&net, "logout", &["--session", session]).held();
        assert_eq!(ask(&net, Some(session)), Err("JKA-1210".to_owned()));
    }
    assert!(ask(&net, Some(&sessions[2])).is_ok());
    net.down();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for record in audits(&net, "national") {
        *asked.entry(record.operator).or_default() += 1;
    }
    assert_eq!(asked.len(), 50);
    assert_eq!(asked.values().sum::<usize>(), 101);
    assert!(asked.values().all(|count| *count >= 2), "{asked:?}");
}

/// A token of SoftHSM in a folder of its own, and the network whose terminal has it in its reader.
fn with_a_token() -> (Deployment, PathBuf) {
    let net = Deployment::made();
    let (configuration, tokens) = (net.folder().join("hsm.conf"), net.folder().join("tokens"));
    fs::create_dir(&tokens).unwrap();
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&configuration, text).unwrap();
    let made = std::process::Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "hanako"])
        .args(["--so-pin", "99887766", "--pin", "475869"])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("softhsm2 is installed: apt-get install softhsm2");
    assert!(made.status.success(), "{made:?}");
    fs::write(net.folder().join("token.pin"), "475869\n").unwrap();
    let file = net.node("agency-mhlw").join("node.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        format!("{text}\n[card]\npkcs11_module = \"{MODULE}\"\n"),
    )
    .unwrap();
    let _up = with(&net, &configuration, &["up", "net", "--detach"]).held();
    (net, configuration)
}

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

fn with(net: &Deployment, configuration: &Path, arguments: &[&str]) -> Printed {
    let mut command = net.command("jukinet", arguments);
    command.env("SOFTHSM2_CONF", configuration);
    Printed::new(command.output().unwrap())
}

#[test]
fn a_pkcs11_token_is_enrolled_logs_in_and_locks_after_three_wrong_pins_though_the_module_never_does()
 {
    let (net, hsm) = with_a_token();
    let enrolment = ["--operator", "mhlw-3", "--body", "mhlw"];
    let on_token = [
        "--pkcs11",
        MODULE,
        "--token",
        "hanako",
        "--token-pin-file",
        "token.pin",
    ];
    let line = [
        &["operator", "enrol", "net", "--json"],
        &enrolment[..],
        &on_token,
    ]
    .concat();
    let made = with(&net, &hsm, &line).held().json();
    let serial = made["card"].as_str().unwrap();
    let log_in = |pin: &str| {
        let body = json!({"token": "hanako", "pin": pin});
        net.post("agency-mhlw", "/operator/login", &body)
    };
    until("the card list at the terminal", || {
        (log_in("475869") == Err("JKA-1201".to_owned())).then_some(())
    });
    let _lent = operator(&net, "lend", &[serial]).held();
    until("a list without the card", || log_in("475869").ok());
    let told = with(
        &net,
        &hsm,
        &[
            "operator",
            "login",
            "net",
            "--pkcs11",
            MODULE,
            "--token",
            "hanako",
            "--pin-file",
            "token.pin",
            "--json",
        ],
    );
    let session = told.held().json()["session"].as_str().unwrap().to_owned();
    assert_eq!(ask(&net, Some(&session)).unwrap()["outcome"], "no-match");
    let other_module = json!({"token": "hanako", "pkcs11": "/tmp/evil.so", "pin": "475869"});
    let refused = net.post("agency-mhlw", "/operator/login", &other_module);
    assert_eq!(refused, Err("JKA-1212".to_owned()));
    for _ in 0..3 {
        assert_eq!(log_in("475868"), Err("JKA-1006".to_owned()));
    }
    assert_eq!(log_in("475869"), Err("JKA-1007".to_owned()));
    let _unlocked = operator(&net, "unlock", &[serial]).held();
    assert!(log_in("475869").is_ok());
    let _lost = operator(&net, "lost", &[serial]).held();
    until("the end of the token's use", || {
        (log_in("475869") == Err("JKA-1201".to_owned())).then_some(())
    });
}
