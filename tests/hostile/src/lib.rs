//! A network with somebody in the wrong place.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a step of a test that fails ends the test"
)]

mod background;
mod told;

pub use background::Background;
pub use told::{Attacked, attack};

use network::{Deployment, until};

/// The demo's network in which these nodes' places are free.
///
/// # Panics
/// Where the others do not come up.
#[must_use]
pub fn without(nodes: &[&str]) -> Deployment {
    let net = Deployment::made();
    up_without(&net, nodes);
    net
}

/// Starts all nodes but these.
///
/// # Panics
/// Where they do not come up.
pub fn up_without(net: &Deployment, nodes: &[&str]) {
    let mut words = vec!["up", "net", "--detach", "--except"];
    words.extend(nodes);
    let _up = net.jukinet(&words).held();
    until("the other nodes", || {
        let is_there = |row: &serde_json::Value| {
            row["state"] == "ready" || nodes.iter().any(|absent| row["node"] == *absent)
        };
        net.status().iter().all(is_there).then_some(())
    });
}

/// A node in its own place again, with all its links up.
///
/// # Panics
/// Where it does not come up.
#[must_use]
pub fn own_again<'a>(net: &'a Deployment, program: &str, node: &str) -> Background<'a> {
    let config = net.node(node).join("node.toml");
    let started = Background::start(net, program, &["--config", config.to_str().unwrap()]);
    until(&format!("{node} in its own place"), || {
        let report = net.report(node)?;
        report.peers.iter().all(|peer| peer.up).then_some(())
    });
    started
}

/// The path of a node's folder as a word of a command.
#[must_use]
pub fn folder(net: &Deployment, node: &str) -> String {
    net.node(node).display().to_string()
}
