//! The fault laboratory's commands: random kills of processes, worlds in virtual time, bad lines.

use network::{Deployment, until};
use serde_json::Value;

/// The median of a metric.
fn metric(printed: &Value, name: &str) -> Option<f64> {
    let rows = printed["rows"].as_array()?;
    rows.iter().find(|row| row["metric"] == name)?["median"].as_f64()
}

#[test]
fn twenty_kills_at_random_lose_double_and_reorder_nothing() {
    let nowhere = Deployment::nowhere();
    let printed = nowhere.jukinet(&["bench", "kills", "--runs", "1", "--json"]);
    let printed = printed.held().json();
    assert_eq!(metric(&printed, "kills"), Some(20.0));
    assert_eq!(metric(&printed, "kills_violations"), Some(0.0));
    assert!(metric(&printed, "kills_changes") > Some(100.0));
}

#[test]
fn worlds_are_told_by_seed_and_a_planted_bug_is_made_small_and_found_again() {
    let nowhere = Deployment::nowhere();
    let sound = nowhere.jukinet(&["simulate", "--seeds", "3..4", "--json"]);
    let sound = sound.held().json();
    assert_eq!(metric(&sound, "sim_seeds"), Some(2.0));
    assert_eq!(metric(&sound, "sim_violations"), Some(0.0));
    assert_ne!(sound["traces"]["3"], sound["traces"]["4"]);
    let bug = ["--bug", "skip-sync"];
    let many = ["simulate", "--seeds", "2000..2009", "--json"];
    let found = nowhere.jukinet(&[&many[..], &bug].concat());
    assert_eq!(found.code(), Some(1), "{}", found.text());
    let failed = found.json()["failed"][0].clone();
    let seed = failed["seed"].to_string();
    let replay = failed["replay"].as_str().unwrap();
    assert_eq!(
        replay,
        format!("jukinet simulate --seeds {seed} --bug skip-sync")
    );
    let shrink = ["simulate", "--seeds", &seed, "--shrink", "small.toml"];
    let small = nowhere.jukinet(&[&shrink[..], &bug].concat());
    assert_eq!(small.code(), Some(1), "{}", small.text());
    let again = nowhere.jukinet(&["simulate", "--scenario", "small.toml", "--json"]);
    assert_eq!(again.code(), Some(1), "{}", again.text());
    let missing = nowhere.jukinet(&["simulate", "--scenario", "nowhere.toml"]);
    assert_eq!(missing.code(), Some(1), "{}", missing.text());
}

#[test]
fn a_change_comes_over_a_line_that_loses_in_bursts_doubles_damages_and_flaps() {
    let net = Deployment::up();
    let line = |arguments: &[&str]| {
        let all = [&["line", "net"][..], arguments, &["--json"]].concat();
        net.jukinet(&all).held().json()
    };
    let bad = [
        "set",
        "cs-352047",
        "--burst-enter",
        "0.02",
        "--burst-leave",
        "0.3",
        "--duplicate",
        "0.1",
        "--corrupt",
        "0.05",
        "--reorder",
        "0.1",
        "--reorder-us",
        "20000",
        "--jitter-us",
        "5000",
    ];
    let set = line(&bad);
    assert_eq!(set["upward"]["settings"]["disturbance"]["duplicate"], 0.1);
    let flaps = [
        "flap",
        "cs-352047",
        "--down-ms",
        "200",
        "--up-ms",
        "800",
        "--for-s",
        "5",
    ];
    assert_eq!(line(&flaps)["schedule"]["flapping"]["down_ms"], 200);
    line(&["capture", "cs-352047"]);
    assert_eq!(net.birth("cs-352047", "bad-line")["outcome"], "accepted");
    net.arrives("cs-352047", "bad-line");
    let listed = || line(&["list"]).as_array().cloned();
    let of_town = |lines: Vec<Value>| lines.into_iter().find(|line| line["name"] == "cs-352047");
    let carried = until("datagrams on the bad line", || {
        listed()
            .and_then(of_town)
            .filter(|line| line["upward"]["duplicated"].as_u64() > Some(0))
    });
    assert!(
        carried["capture"]["datagrams"].as_u64() > Some(0),
        "{carried}"
    );
    let file = net.node("ap-35-1").join("data/cs-352047.pcap");
    assert!(std::fs::metadata(file).unwrap().len() > 24);
}

#[test]
fn a_window_of_maintenance_has_a_time_that_is_one() {
    let net = Deployment::made();
    let wrong = net.jukinet(&[
        "line",
        "net",
        "schedule",
        "cs-352047",
        "--from",
        "today",
        "--minutes",
        "5",
    ]);
    assert_eq!(wrong.code(), Some(1), "{}", wrong.text());
    assert!(
        wrong.text().contains("2026-12-05T01:00"),
        "{}",
        wrong.text()
    );
}
