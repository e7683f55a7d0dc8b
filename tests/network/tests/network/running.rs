//! Up, status, down; and what happens to whoever is left alone.

use std::path::Path;

use network::{Deployment, until};
use serde_json::Value;

#[test]
fn a_network_goes_up_says_what_it_is_and_goes_down_without_a_trace() {
    let net = Deployment::up();
    let rows = net.status();
    assert!(rows.len() >= 12, "{rows:?}");
    let running = net.processes();
    for row in &rows {
        let pid = u32::try_from(row["pid"].as_u64().unwrap()).unwrap();
        assert!(running.contains(&pid), "{row}");
        assert_eq!(
            (row["state"].as_str(), row["behind"].as_u64()),
            (Some("ready"), Some(0)),
            "{row}"
        );
        assert!(row["rss_bytes"].as_u64().unwrap() > 1 << 20, "{row}");
        assert!(
            Path::new(row["log"].as_str().unwrap()).is_file()
                && Path::new(row["data"].as_str().unwrap()).is_dir(),
            "{row}"
        );
    }
    let of_kind = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    assert_eq!(
        (
            of_kind("municipal-cs"),
            of_kind("firewall-proxy"),
            of_kind("agency-terminal"),
            of_kind("access-point")
        ),
        (3, 6, 1, 1)
    );
    assert!(
        rows.iter()
            .any(|row| row["address"].as_str().unwrap().starts_with("127.0.0.1:"))
    );
    net.down();
    assert!(
        net.processes().is_empty(),
        "down returned before all were gone"
    );
    assert!(
        net.status()
            .iter()
            .all(|row| row["state"] == "stopped" && row["pid"] == 0)
    );
}

#[test]
fn nodes_end_when_their_supervisor_is_killed() {
    let net = Deployment::up();
    let state: Value =
        serde_json::from_slice(&std::fs::read(net.net().join("run/state.json")).unwrap()).unwrap();
    let supervisor = u32::try_from(state["supervisor_pid"].as_u64().unwrap()).unwrap();
    assert!(net.processes().contains(&supervisor) && net.processes().len() > 12);
    network::kill(supervisor);
    net.is_quiet();
    let _again = net.jukinet(&["up", "net", "--detach"]).held();
    net.passes("cs-352047", "after-the-supervisor");
}

#[test]
fn a_network_that_went_down_goes_on_where_it_was() {
    let net = Deployment::up();
    net.passes("cs-352047", "first-day");
    net.down();
    let _again = net.jukinet(&["up", "net", "--detach"]).held();
    net.settles(1);
    assert_eq!(net.birth("cs-352047", "first-day")["outcome"], "duplicate");
    until("the state of the first day's change", || {
        (net.get("cs-352047", "/v1/changes/first-day")["state"] == "at-national").then_some(())
    });
}
