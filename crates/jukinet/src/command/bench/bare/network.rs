//! The bare pipeline's processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use juki_domain::{ErrorCode, NodeRole};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::command::up;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;

const READY_PATIENCE: Duration = Duration::from_secs(20);

/// Lengths in bytes that the pipeline imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command::bench) struct Sizes {
    /// A question's frame.
    pub(in crate::command::bench) question: usize,
    /// Its answer's frame.
    pub(in crate::command::bench) answer: usize,
    /// The answer that the terminal's client reads.
    pub(in crate::command::bench) shown: usize,
    /// An audit record in the ledger.
    pub(in crate::command::bench) audit_record: usize,
    /// A journal entry in the ledger.
    pub(in crate::command::bench) entry: usize,
    /// What an entry adds to a block on the line.
    pub(in crate::command::bench) entry_on_line: usize,
    /// A block without its entries.
    pub(in crate::command::bench) block: usize,
    /// A receipt's frame.
    pub(in crate::command::bench) receipt: usize,
    /// The answer that the register reads.
    pub(in crate::command::bench) accepted: usize,
}

impl Sizes {
    /// Reads what the benchmark hands to a process; none where it is something else or too long.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let sizes: Self = serde_json::from_str(text).ok()?;
        let longest = [
            sizes.question,
            sizes.answer,
            sizes.shown,
            sizes.audit_record,
            sizes.entry,
            sizes.entry_on_line,
            sizes.block,
            sizes.receipt,
            sizes.accepted,
        ]
        .into_iter()
        .max()?;
        (longest <= SIZE_MAX).then_some(sizes)
    }
}

/// A running pipeline in the places of a deployment's nodes.
pub(in crate::command::bench) struct BareNetwork {
    processes: Vec<(Child, ChildStdin)>,
}

impl BareNetwork {
    /// Starts a process in the place of each node, which must not run, and waits until all are ready.
    pub(in crate::command::bench) async fn start(
        network: &LiveNetwork,
        sizes: Sizes,
    ) -> Result<Self, Failure> {
        let deployment = network.deployment();
        let failed =
            |error: std::io::Error| Failure::new(ErrorCode::ProgramMissing, error.to_string());
        let own = std::env::current_exe().map_err(failed)?;
        let lengths = serde_json::to_string(&sizes)
            .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
        let folder = up::program_folder()?;
        let mut started = Self {
            processes: Vec::new(),
        };
        let mut outputs = Vec::new();
        for name in deployment.network().start_order() {
            let place = deployment.place(name.as_str(), juki_domain::Lang::En)?;
            let mut command = if place.role == NodeRole::AccessPoint {
                Command::new(folder.join(place.role.program()))
            } else {
                let mut command = Command::new(&own);
                command.args(["bare-node", "--sizes", &lengths]);
                command
            };
            let log = log_file(deployment.folder(), name.as_str())?;
            let mut child = command
                .arg("--config")
                .arg(place.config())
                .env("JUKINET_SUPERVISED", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(log)
                .kill_on_drop(true)
                .spawn()
                .map_err(failed)?;
            let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(Failure::new(ErrorCode::NodeNotReady, name.to_string()));
            };
            started.processes.push((child, input));
            outputs.push((name, output));
        }
        for (name, output) in outputs {
            let mut lines = BufReader::new(output).lines();
            let ready = async {
                while let Ok(Some(line)) = lines.next_line().await {
                    if line.starts_with("ready") {
                        return true;
                    }
                }
                false
            };
            match tokio::time::timeout(READY_PATIENCE, ready).await {
                Ok(true) => {}
                Ok(false) | Err(_) => {
                    return Err(Failure::new(ErrorCode::NodeNotReady, name.to_string()));
                }
            }
        }
        Ok(started)
    }

    /// Ends every process and waits for it.
    pub(in crate::command::bench) async fn stop(self) {
        let (mut children, inputs): (Vec<_>, Vec<_>) = self.processes.into_iter().unzip();
        drop(inputs);
        for child in &mut children {
            if tokio::time::timeout(READY_PATIENCE, child.wait())
                .await
                .is_err()
            {
                // It goes with the value at the latest.
                let _ = child.start_kill();
            }
        }
    }
}

fn log_file(folder: &Path, node: &str) -> Result<std::fs::File, Failure> {
    let path: PathBuf = folder.join("logs").join(format!("{node}.bare.log"));
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::File::create(&path))
        .map_err(|error| Failure::file(&path, &error))
}

const SIZE_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_back_and_nothing_else_does() {
        let text = |question: usize| {
            format!(
                r#"{{"question":{question},"answer":2,"shown":3,"audit_record":4,"entry":5,"entry_on_line":6,"block":7,"receipt":8,"accepted":9}}"#
            )
        };
        let sizes = Sizes::parse(&text(1)).unwrap();
        assert_eq!((sizes.question, sizes.accepted), (1, 9));
        assert_eq!(serde_json::to_string(&sizes).unwrap(), text(1));
        for text in ["", "1,2", "{}", &text(999_999)] {
            assert_eq!(Sizes::parse(text), None, "{text}");
        }
    }
}
