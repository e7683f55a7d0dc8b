//! Memory of all nodes together.

use std::fs;

use crate::command::status;
use crate::live_network::LiveNetwork;

/// The processes of a network's nodes.
pub(super) async fn processes(network: &LiveNetwork) -> Vec<u32> {
    let nodes = status::supervised(network.deployment())
        .await
        .unwrap_or_default();
    nodes
        .iter()
        .map(|node| node.pid)
        .filter(|pid| *pid != 0)
        .collect()
}

/// The sum of the processes' proportional set sizes in bytes: shared pages are counted once.
pub(super) fn proportional_bytes(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| of_process(*pid)).sum()
}

/// 0 for a process that is gone.
fn of_process(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1024)
}
