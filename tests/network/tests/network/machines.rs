//! One network in two copies of its folder, each with its part of the nodes, as on two machines.

use std::fs;
use std::net::UdpSocket;
use std::process::Command;

use network::Deployment;
use serde_json::Value;

/// More than one machine of the demo's network has listeners.
const PORTS: u16 = 16;

/// The first of some ports in a row that nobody has, at or above this one. Ports that the system gives
/// to whoever asks for any begin at 32768: a fixed one there would be taken now and then.
fn free_ports(at_least: u16) -> u16 {
    (at_least..30_000)
        .step_by(usize::from(PORTS))
        .find(|from| {
            let free = |n| UdpSocket::bind(("0.0.0.0", from + n)).ok();
            (0..PORTS).map(free).collect::<Option<Vec<_>>>().is_some()
        })
        .unwrap()
}

/// The demo's network on two machines: `net` for the towns, `away` for all above them.
fn two_copies() -> Deployment {
    let deployment = Deployment::made();
    let machine = |name: &str, address: &str, port_from: u16, nodes: &str| {
        format!(
            "\n[[machine]]\nname = \"{name}\"\naddress = \"{address}\"\nport_from = {port_from}\nnodes = [{nodes}]\n"
        )
    };
    let first = free_ports(20_000);
    let above = "\"*national\", \"*prefecture-35\", \"*agency*\", \"kind:access-point\"";
    let machines = machine("center", "127.0.0.2", first, above)
        + &machine(
            "towns",
            "127.0.0.1",
            free_ports(first + PORTS),
            "\"cs-*\", \"fw-cs-*\"",
        );
    let file = deployment.net().join("network.toml");
    let text = fs::read_to_string(&file).unwrap() + &machines;
    fs::write(&file, text).unwrap();
    let derive = || {
        deployment
            .jukinet(&["derive", "net", "--json"])
            .held()
            .json()
    };
    let written = derive();
    assert!(
        written["written"].as_array().unwrap().len() > 6,
        "{written}"
    );
    assert_eq!(derive()["written"], serde_json::json!([]));
    let copied = Command::new("cp")
        .args(["-a", "net", "away"])
        .current_dir(deployment.folder())
        .status()
        .unwrap();
    assert!(copied.success());
    deployment
}

#[test]
fn two_machines_start_their_parts_and_a_change_goes_from_one_to_the_other() {
    let deployment = two_copies();
    // Each machine keeps its own keys alone.
    fs::remove_dir_all(deployment.node("national").join("keys")).unwrap();

    // The towns' part is complete before there is anything above it.
    let towns = ["up", "net", "--detach", "--only", "cs-*", "fw-cs-*"];
    let up = deployment.jukinet(&towns).held();
    assert!(
        up.text()
            .contains("all nodes of this machine are ready: 6 of 13")
            && up
                .text()
                .contains("peers that live elsewhere: ap-35-1, fw-prefecture-35"),
        "{}",
        up.text()
    );
    let second = deployment.jukinet(&["up", "net", "--only", "kind:access-point"]);
    assert!(
        second.code() == Some(1) && second.text().contains("one folder has one supervisor"),
        "{}",
        second.text()
    );
    let doctor = deployment
        .jukinet(&["doctor", "net", "--json"])
        .held()
        .json();
    let findings: Vec<Value> = serde_json::from_value(doctor).unwrap();
    let graded = |grade: &str| {
        findings
            .iter()
            .filter(|finding| finding["grade"] == grade)
            .count()
    };
    assert!(
        graded("bad") == 0 && graded("elsewhere") > 0,
        "{findings:?}"
    );

    let center = ["up", "away", "--detach", "--except", "cs-*", "fw-cs-*"];
    let _up = deployment.jukinet(&center).held();
    deployment.passes("cs-352047", "across");
    let status = deployment
        .jukinet(&["status", "away", "--json"])
        .held()
        .json();
    let rows: Vec<Value> = serde_json::from_value(status).unwrap();
    let national = rows
        .iter()
        .find(|row| row["node"] == "fw-national")
        .unwrap();
    assert!(
        national["state"] == "ready"
            && national["address"]
                .as_str()
                .unwrap()
                .starts_with("127.0.0.2:"),
        "{national}"
    );
    let _down = deployment.jukinet(&["down", "away"]).held();
}
