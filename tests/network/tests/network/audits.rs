//! Ledgers searched, exported and analysed while their nodes run.

use std::fs;

use juki_crypto::sha256;
use network::{Deployment, until};
use serde_json::Value;

const LAWFUL: &str = "war-bereaved-pension";

fn ask(net: &Deployment, affair: &str, code: &str) -> Value {
    net.jukinet(&["query", "net", "--affair", affair, "--code", code, "--json"])
        .json()
}

/// A network in which one question was answered, one hit nobody and three were overreach.
fn asked() -> (Deployment, String) {
    let net = Deployment::up();
    let born = net.birth("cs-352047", "asked-about");
    net.arrives("cs-352047", "asked-about");
    let code = born["resident_code"].as_str().unwrap().to_owned();
    net.log_in();
    assert_eq!(ask(&net, LAWFUL, &code)["outcome"], "match");
    assert_eq!(ask(&net, LAWFUL, "91234567891")["outcome"], "no-match");
    for _ in 0..3 {
        let unlawful = ask(&net, "radio-station-licence", &code);
        assert_eq!(unlawful["code"], "JKA-1101", "{unlawful}");
    }
    (net, code)
}

#[test]
fn requests_are_found_exported_and_summed_while_the_network_runs() {
    let (net, code) = asked();
    let found = |more: &[&str]| {
        let all = [&["audit", "search", "net", "--json"], more].concat();
        let found = net.jukinet(&all).held().json();
        found["requests"].as_array().unwrap().clone()
    };
    assert_eq!(found(&[]).len(), 5);
    let refused = found(&["--outcome", "refused", "--body", "mhlw"]);
    assert_eq!(refused.len(), 3);
    assert!(refused.iter().all(|one| one["refusal"] == "JKA-1101"));
    let answered = found(&["--outcome", "match"]);
    let [answered] = answered.as_slice() else {
        panic!("{answered:?}")
    };
    let person = answered["person"].as_str().unwrap();
    let of_person = found(&["--person", person]);
    // What was refused was about the same person.
    assert!(
        of_person.contains(answered) && of_person.len() == 4,
        "{of_person:?}"
    );
    assert!(!format!("{answered}").contains(&code), "{answered}");
    assert_eq!(found(&["--from", "2002-12-01"]).len(), 0);
    let supply = net
        .jukinet(&["audit", "supply", "net", "--monthly", "--json"])
        .held()
        .json();
    assert_eq!(
        (
            supply["records"].as_u64(),
            supply["lines"][0]["recipient"].as_str(),
            supply["lines"][0]["date"].as_str(),
        ),
        (Some(1), Some("mhlw"), Some("2002-10")),
        "{supply}"
    );
    for file in ["out.csv", "out.jsonl"] {
        let manifest = net
            .jukinet(&["audit", "export", "net", "--out", file, "--json"])
            .held()
            .json();
        let written = fs::read(net.folder().join(file)).unwrap();
        let digest: String = sha256(&written)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            (manifest["rows"].as_u64(), manifest["sha256"].as_str()),
            (Some(5), Some(digest.as_str())),
            "{manifest}"
        );
        let national = manifest["ledgers"].as_array().unwrap().iter();
        let mut national = national.filter(|ledger| ledger["node"] == "national");
        assert!(national.next().unwrap()["head"]["entry"].as_u64() > Some(5));
        assert!(!String::from_utf8(written).unwrap().contains(&code));
    }
}

#[test]
fn analysis_finds_overreach_and_names_entries_that_hold_it() {
    let (net, code) = asked();
    let report = net.folder().join("report.html");
    let analyse = ["audit", "analyse", "net", "--out", "report.html", "--json"];
    let analysed = net.jukinet(&analyse);
    assert_eq!(analysed.code(), Some(1), "{}", analysed.text());
    let told = analysed.json();
    let findings = told["findings"].as_array().unwrap();
    let overreach: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["rule"] == "repeated-refusals")
        .collect();
    let [overreach] = overreach.as_slice() else {
        panic!("{told}")
    };
    assert_eq!(overreach["count"], 3, "{overreach}");
    let search = ["audit", "search", "net", "--outcome", "refused", "--json"];
    let refused = net.jukinet(&search).held().json();
    for evidence in overreach["evidence"].as_array().unwrap() {
        let is_it = |request: &&Value| {
            request["node"] == evidence["node"] && request["entry"] == evidence["entry"]
        };
        let requests = refused["requests"].as_array().unwrap();
        assert!(requests.iter().find(is_it).is_some(), "{evidence}");
    }
    let page = fs::read_to_string(report).unwrap();
    assert!(
        page.starts_with("<!DOCTYPE html>") && !page.contains("<script") && !page.contains(&code),
        "{page}"
    );
    // A colleague on the list, asked for once, is no finding; with a stricter threshold it is.
    fs::write(
        net.folder().join("listed.txt"),
        format!("# colleagues\n{code}\n"),
    )
    .unwrap();
    let settings = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../configs/analysis.toml"
    ))
    .unwrap();
    let strict = settings.replace("points_min = 3", "points_min = 1");
    fs::write(net.folder().join("strict.toml"), strict).unwrap();
    let listed = |more: &[&str]| {
        let all = [
            "audit",
            "analyse",
            "net",
            "--listed",
            "listed.txt",
            "--json",
        ];
        let told = net.jukinet(&[&all, more].concat()).json();
        let findings = told["findings"].as_array().unwrap().clone();
        findings
            .iter()
            .filter(|finding| finding["rule"] == "listed-person")
            .count()
    };
    assert_eq!(listed(&["--settings", "strict.toml"]), 1);
    fs::write(net.folder().join("listed.txt"), "123\n").unwrap();
    let wrong = net.jukinet(&["audit", "analyse", "net", "--listed", "listed.txt"]);
    assert!(
        wrong.code() == Some(2) && wrong.text().contains("line 1 of listed.txt"),
        "{}",
        wrong.text()
    );
}

#[test]
fn what_nodes_said_to_each_other_is_on_record_when_they_have_stopped() {
    let (net, _) = asked();
    net.down();
    let told = net
        .jukinet(&[
            "audit",
            "traffic",
            "net/nodes/national/data/ledger",
            "--json",
        ])
        .held()
        .json();
    let frames = |from: &str, to: &str, service: &str| -> u64 {
        let runs = told["runs"].as_array().unwrap().iter();
        runs.filter(|run| {
            run["from"] == from && run["to"] == to && run["service"] == service && run["code"] == ""
        })
        .map(|run| run["frames"].as_u64().unwrap())
        .sum()
    };
    assert!(frames("agency-mhlw", "national", "query") >= 5, "{told}");
    assert!(frames("national", "agency-mhlw", "query") >= 5, "{told}");
    assert!(
        frames("prefecture-35", "national", "journal") >= 1,
        "{told}"
    );
    let refused = net
        .jukinet(&[
            "audit",
            "traffic",
            "net",
            "--service",
            "query",
            "--refused",
            "--json",
        ])
        .held()
        .json();
    assert_eq!(refused["runs"].as_array().unwrap().len(), 0, "{refused}");
}

#[test]
fn a_day_that_is_over_has_its_report() {
    let net = Deployment::made();
    // The network as it is two days after it was made.
    let file = net.net().join("network.toml");
    let text = fs::read_to_string(&file).unwrap();
    let anchor: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("anchor_unix_s = "))
        .and_then(|number| number.parse().ok())
        .unwrap();
    let earlier = text.replace(
        &format!("anchor_unix_s = {anchor}"),
        &format!("anchor_unix_s = {}", anchor - 2 * 86_400 - 60),
    );
    fs::write(&file, earlier).unwrap();
    let _derived = net.jukinet(&["derive", "net"]).held();
    let _up = net.jukinet(&["up", "net", "--detach"]).held();
    let report = net.net().join("reports/analysis-2002-10-16.json");
    let told = until("the report of the day before", || {
        let text = fs::read_to_string(&report).ok()?;
        serde_json::from_str::<Value>(&text).ok()
    });
    assert!(told["findings"].as_array().unwrap().is_empty(), "{told}");
    assert!(report.with_extension("html").is_file() && report.with_extension("txt").is_file());
}
