//! Yamaguchi's 56 registers, loaded side by side into a network of 142 processes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use juki_audit::Outcome;
use network::{Codes, Dice, LOAD_PATIENCE, Prefecture, Register, Supervised, Told, audits, until};
use serde_json::{Value, json};

const NODES: usize = 142;
const KILLS: usize = 10;
/// Of how many servers, those with the most rows left, one is killed.
const LARGEST: usize = 5;
/// Part of the real residents: the load lasts long enough to be disturbed ten times.
const SCALE: &str = "0.01";
/// Births reported beside the load, at most.
const BIRTHS_MAX: usize = 300;

/// The municipalities that do not take part yet.
const LEFT_OUT: [&str; 3] = ["--except", "cs-355*", "fw-cs-355*"];

/// Births that were acknowledged: key, which is the number in the register too, and code.
type Births = BTreeMap<String, Vec<(String, String)>>;

#[test]
fn all_56_registers_load_side_by_side_until_three_tiers_are_equal_whatever_is_killed() {
    let seed = Dice::seed();
    println!("JUKI_SEED={seed}");
    let net = Prefecture::made(SCALE);
    assert_eq!((net.registers.len(), net.rows() > 10_000), (56, true));
    net.start(&[]);
    let (told, disturbed) = (Arc::new(Told::default()), AtomicBool::new(false));
    let births = Mutex::new(Births::new());
    let (cut, killed) = std::thread::scope(|scope| {
        let load = scope.spawn(|| net.load(&net.registers, &told));
        let _births = scope.spawn(|| report_births(&net, Dice::new(!seed), &births, &disturbed));
        let killed = kill_ten(&net, Dice::new(seed), &told);
        let cut = load.join();
        disturbed.store(true, Ordering::Relaxed);
        (cut.unwrap(), killed)
    });
    println!("killed {killed:?}, then posted again {cut} times");
    assert!(cut > 0, "no import was cut");
    let births = births.into_inner().unwrap();
    println!("{} births", births.values().map(Vec::len).sum::<usize>());
    let born = |server: &str| births.get(server).map_or(&[][..], Vec::as_slice);
    net.until_nothing_misses(|net| {
        net.differences(|register| register.rows + born(&register.server).len() as u64)
    });
    all_stand_as_often_restarted_as_killed(&net, &killed);
    every_code_is_where_it_was_told_and_nowhere_twice(&net, &told, &births);
    net.down();
    every_ledger_is_intact(&net);
}

/// Kills a process of each kind, and of four kinds another one, while the load goes on.
fn kill_ten(net: &Prefecture, mut dice: Dice, told: &Told) -> Vec<String> {
    let mut kinds: Vec<String> = net.supervised().into_iter().map(|row| row.kind).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    let mut again = kinds.clone();
    dice.shuffle(&mut again);
    kinds.extend(again);
    kinds.truncate(KILLS);
    dice.shuffle(&mut kinds);
    // The first of them in any case cuts an import.
    let server = kinds.iter().position(|kind| kind == "municipal-cs");
    kinds.swap(0, server.unwrap());
    let (mut killed, mut arrived) = (Vec::new(), 0);
    for (turn, kind) in kinds.iter().enumerate() {
        // Half of the way is into the communication servers, half of it up to the nation.
        let due = 2 * net.rows() * (turn as u64 + 1) / (KILLS as u64 + 2);
        let began = Instant::now();
        while told.count() + arrived < due {
            let center = net.report("national");
            arrived = center.map_or(arrived, |report| arrived.max(report.residents));
            assert!(
                began.elapsed() < LOAD_PATIENCE,
                "{killed:?}: it stands still"
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let largest = servers_with_most_left(net, told);
        let fits = |row: &Supervised| {
            row.kind == *kind && (kind != "municipal-cs" || largest.contains(&row.node))
        };
        let victim = until("a process to kill", || {
            let mut running = net.supervised();
            running.retain(|row| row.pid != 0 && fits(row));
            (!running.is_empty()).then(|| dice.one(&running).clone())
        });
        network::kill(victim.pid);
        // A process that is gone could not be killed once more.
        until("the supervisor's notice", || {
            let mut rows = net.supervised().into_iter();
            rows.all(|row| row.pid != victim.pid).then_some(())
        });
        killed.push(victim.node);
    }
    killed
}

/// The servers that have the longest way to go.
fn servers_with_most_left(net: &Prefecture, told: &Told) -> Vec<String> {
    let mut left: Vec<_> = net
        .registers
        .iter()
        .map(|register| (told.left(register), &register.server))
        .collect();
    left.sort();
    left.into_iter()
        .rev()
        .map(|(_, server)| server.clone())
        .take(LARGEST)
        .collect()
}

/// Reports births at one server after the other until the load is through; each again until it is
/// acknowledged.
fn report_births(net: &Prefecture, mut dice: Dice, births: &Mutex<Births>, through: &AtomicBool) {
    for number in 0..BIRTHS_MAX {
        if through.load(Ordering::Relaxed) {
            return;
        }
        let server = &dice.one(&net.registers).server;
        let key = format!("born-{number}");
        let code = born(net, server, &key);
        let mut births = births.lock().unwrap();
        births.entry(server.clone()).or_default().push((key, code));
    }
}

/// Reports a birth until it is acknowledged, and gives the code.
fn born(net: &Prefecture, server: &str, key: &str) -> String {
    let body = json!({
        "key": key, "resident": key, "reason": "birth", "event_date": "2002-10-15",
        "name": "検査　届出", "birth": "2002-10-15", "sex": "female", "address": "山口県萩市大字江向510番地",
    });
    let mut code = String::new();
    net.until_nothing_misses(|net| match net.post(server, "/v1/changes", &body) {
        Ok(answer) => {
            assert!(
                answer["outcome"] == "accepted" || answer["outcome"] == "duplicate",
                "{answer}"
            );
            answer["resident_code"]
                .as_str()
                .unwrap()
                .clone_into(&mut code);
            Vec::new()
        }
        Err(code) => vec![format!("{key} at {server}: {code}")],
    });
    code
}

fn all_stand_as_often_restarted_as_killed(net: &Prefecture, killed: &[String]) {
    net.until_nothing_misses(|net| {
        let rows = net.status();
        assert_eq!(rows.len(), NODES);
        rows.iter()
            .filter(|row| row["state"] != "ready" || row["behind"] != 0)
            .map(Value::to_string)
            .collect()
    });
    for row in net.supervised() {
        let times = killed.iter().filter(|node| **node == row.node).count();
        assert!(
            row.state == "ready" && row.restarts as usize == times,
            "killed {times} times: {row:?}"
        );
    }
}

fn every_code_is_where_it_was_told_and_nowhere_twice(
    net: &Prefecture,
    told: &Told,
    births: &Births,
) {
    for (server, births) in births {
        for (key, code) in births {
            told.keep(server, key, code);
            let state = net.get(server, &format!("/v1/changes/{key}"));
            assert_eq!(
                (state["state"].as_str(), state["resident_code"].as_str()),
                (Some("at-national"), Some(code.as_str())),
                "{key} of {server}"
            );
        }
    }
    let told = told.codes();
    let (mut held, mut distinct) = (Codes::new(), BTreeSet::new());
    for Register { server, .. } in &net.registers {
        let codes = net.codes(server);
        for code in codes.values() {
            assert!(distinct.insert(code.clone()), "{server} gave a code anew");
        }
        held.insert(server.clone(), codes);
    }
    assert!(
        held == told,
        "a register holds other codes than it was told"
    );
}

fn every_ledger_is_intact(net: &Prefecture) {
    let nodes = fs::read_dir(net.net().join("nodes")).unwrap();
    let ledgers = nodes.map(|node| node.unwrap().path().join("data/ledger"));
    let ledgers: Vec<String> = ledgers
        .filter(|folder| folder.is_dir())
        .map(|folder| folder.display().to_string())
        .collect();
    let verify: Vec<&str> = ["audit", "verify", "--json"]
        .into_iter()
        .chain(ledgers.iter().map(String::as_str))
        .collect();
    let reports = net.jukinet(&verify).held().json();
    let reports = reports.as_array().unwrap();
    assert!(reports.len() > net.registers.len() + 2, "{}", reports.len());
    for report in reports {
        assert!(
            report["intact"] == true && report["opened"] == report["entries"],
            "{report}"
        );
    }
}

#[test]
fn a_partial_start_and_live_queries_go_on_during_the_load() {
    let net = Prefecture::made(SCALE);
    net.start(&LEFT_OUT);
    let part: Vec<Register> = net
        .registers
        .iter()
        .filter(|register| !register.municipality.starts_with("355"))
        .cloned()
        .collect();
    assert!(part.len() > 20 && part.len() < 56, "{}", part.len());
    for terminal in ["agency-mhlw", "agency-yamaguchi"] {
        let login = ["operator", "login", "net", "--card", terminal];
        let _in = net
            .jukinet(&[&login[..], &["--node", terminal]].concat())
            .held();
    }
    let known = born(&net, "cs-352047", "known");
    net.arrives("cs-352047", "known");
    let (told, through) = (Arc::new(Told::default()), AtomicBool::new(false));
    let asked = std::thread::scope(|scope| {
        let load = scope.spawn(|| net.load(&part, &told));
        let questions = scope.spawn(|| ask_until(&net, &known, &told, &through));
        let cut = load.join();
        through.store(true, Ordering::Relaxed);
        assert_eq!(cut.unwrap(), 0);
        questions.join().unwrap()
    });
    net.down();
    every_question_is_on_record(&net, &asked);
}

/// The message ids of what was asked, by the body that asked.
#[derive(Default)]
struct Asked {
    of_nation: Vec<String>,
    of_prefecture: Vec<String>,
}

/// Asks until the load is through, and once more: about one who was there before, about nobody,
/// and about whoever has been loaded last.
fn ask_until(net: &Prefecture, known: &str, told: &Told, through: &AtomicBool) -> Asked {
    let mut asked = Asked::default();
    loop {
        let last = through.load(Ordering::Relaxed);
        let loaded = told.codes().into_values().next_back();
        let loaded = loaded.and_then(|codes| codes.into_values().next_back());
        let pension = |code: &str| ask(net, "agency-mhlw", "war-bereaved-pension", code);
        for (code, wanted) in [(known, "match"), ("91234567891", "no-match")] {
            asked.of_nation.push(answered(&pension(code), &[wanted]));
        }
        if let Some(code) = loaded {
            // Whether it has come up to the nation yet is not said.
            let answer = pension(&code);
            asked
                .of_nation
                .push(answered(&answer, &["match", "no-match"]));
        }
        let passport = ask(net, "agency-yamaguchi", "passport", known);
        asked.of_prefecture.push(answered(&passport, &["match"]));
        let refused = |body: &str, affair| ask(net, body, affair, known)["code"].clone();
        assert_eq!(refused("agency-mhlw", "passport"), "JKA-1101");
        assert_eq!(
            refused("agency-yamaguchi", "war-bereaved-pension"),
            "JKA-1101"
        );
        if last {
            return asked;
        }
    }
}

fn ask(net: &Prefecture, terminal: &str, affair: &str, code: &str) -> Value {
    let question = json!({"affair": affair, "code": code});
    net.post(terminal, "/query", &question).unwrap()
}

/// The id of a question that was answered with one of these outcomes.
fn answered(answer: &Value, wanted: &[&str]) -> String {
    let outcome = answer["outcome"].as_str().unwrap();
    assert!(wanted.contains(&outcome), "{answer}");
    answer["message_id"].as_str().unwrap().to_owned()
}

/// Each tier recorded what was asked of it, in its order, and nothing of the other's.
fn every_question_is_on_record(net: &Prefecture, asked: &Asked) {
    for (tier, body, affair, ids) in [
        ("national", "mhlw", "war-bereaved-pension", &asked.of_nation),
        (
            "prefecture-35",
            "yamaguchi",
            "passport",
            &asked.of_prefecture,
        ),
    ] {
        let records = audits(net, tier);
        assert!(records.iter().all(|record| record.body == body));
        let (lawful, refused): (Vec<_>, Vec<_>) = records
            .iter()
            .partition(|record| record.outcome != Outcome::Refused as u32);
        let recorded: Vec<&str> = lawful.iter().map(|record| &*record.message_id).collect();
        assert_eq!(recorded, *ids, "{tier}");
        assert!(lawful.iter().all(|record| record.affair == affair));
        assert_eq!(refused.len(), asked.of_prefecture.len());
        assert!(refused.iter().all(|record| record.refusal == "JKA-1101"));
    }
}
