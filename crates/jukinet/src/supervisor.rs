//! The supervisor: starts nodes as processes, watches them, restarts them within bounds, stops them.

mod api;
mod log_file;
mod node_process;
mod ready_line;
mod restart_policy;
mod signals;
mod start_slots;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub(crate) use api::router;
pub(crate) use log_file::{LOG_BYTES_MAX, LogFile, last_line};
pub(crate) use restart_policy::{RestartPolicy, STOP_GRACE};
pub(crate) use signals::{interrupted, terminate};

/// What is needed to run one node.
#[derive(Debug, Clone)]
pub(crate) struct NodeSpec {
    /// The node's name.
    pub(crate) name: String,
    /// The name of its program.
    pub(crate) kind: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// Where its log goes.
    pub(crate) log: PathBuf,
}

/// What the supervisor knows of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SupervisedNode {
    /// The node's name.
    pub(crate) node: String,
    /// The name of its program.
    pub(crate) kind: String,
    /// Where in its life it is.
    pub(crate) state: ProcessState,
    /// Its process; 0 where none runs.
    pub(crate) pid: u32,
    /// How often it was started again.
    pub(crate) restarts: u32,
    /// The addresses of its ready line, by interface.
    pub(crate) addresses: Vec<(String, String)>,
    /// Why the last process ended; empty where none has.
    pub(crate) ended: String,
}

/// Where in its life a supervised node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProcessState {
    /// The process runs and has not said that it is ready.
    Starting,
    /// The process has said that it is ready.
    Ready,
    /// The process ended by itself and will be started again.
    Restarting,
    /// It ended too often, or at once for its configuration; it stays down until asked for.
    Failed,
    /// It was asked to end.
    Stopped,
}

impl ProcessState {
    /// The word used in JSON and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// What may be asked of a running supervisor; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SupervisorHandle {
    table: watch::Sender<Vec<SupervisedNode>>,
    orders: Vec<(String, mpsc::Sender<Restart>)>,
    stop: watch::Sender<bool>,
}

/// The order to start a node anew.
#[derive(Debug)]
pub(crate) struct Restart;

/// A running supervisor. Dropping it kills its nodes; [`Supervisor::stopped`] ends them in order.
#[derive(Debug)]
pub(crate) struct Supervisor {
    handle: SupervisorHandle,
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// Starts every node, in this order and a few at a time.
    pub(crate) fn start(specs: Vec<NodeSpec>, policy: RestartPolicy) -> Self {
        let rows = specs.iter().map(|spec| SupervisedNode {
            node: spec.name.clone(),
            kind: spec.kind.clone(),
            state: ProcessState::Starting,
            pid: 0,
            restarts: 0,
            addresses: Vec::new(),
            ended: String::new(),
        });
        let table = watch::Sender::new(rows.collect());
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let mut orders = Vec::new();
        let mut turns = Vec::new();
        for (row, spec) in specs.into_iter().enumerate() {
            let (order, ordered) = mpsc::channel(1);
            orders.push((spec.name.clone(), order));
            let seat = Seat {
                row,
                table: table.clone(),
            };
            let (turn, my_turn) = oneshot::channel();
            turns.push(turn);
            let orders = node_process::Orders {
                restart: ordered,
                stop: stop.subscribe(),
            };
            tasks.spawn(node_process::keep(spec, policy, seat, my_turn, orders));
        }
        tasks.spawn(start_slots::give_turns(turns));
        Self {
            handle: SupervisorHandle {
                table,
                orders,
                stop,
            },
            tasks,
        }
    }

    /// The handle for servers and views.
    pub(crate) fn handle(&self) -> SupervisorHandle {
        self.handle.clone()
    }

    /// Waits until a stop was ordered and every process is gone.
    pub(crate) async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl SupervisorHandle {
    /// Every node as it is now.
    pub(crate) fn nodes(&self) -> Vec<SupervisedNode> {
        self.table.borrow().clone()
    }

    /// Sees every change of [`SupervisorHandle::nodes`].
    pub(crate) fn changes(&self) -> watch::Receiver<Vec<SupervisedNode>> {
        self.table.subscribe()
    }

    /// Orders all nodes to stop.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Resolves when a stop was ordered.
    pub(crate) async fn stop_ordered(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives in this handle, so the wait ends with the order alone.
        let _ordered = stop.wait_for(|stop| *stop).await;
    }

    /// Orders a node to stop and start anew, with its restarts forgotten; false where there is no such node.
    pub(crate) fn restart(&self, node: &str) -> bool {
        match self.orders.iter().find(|(name, _)| name == node) {
            // A full queue holds the same order already.
            Some((_, order)) => {
                let _full = order.try_send(Restart);
                true
            }
            None => false,
        }
    }
}

/// One node's row in the table.
#[derive(Debug, Clone)]
struct Seat {
    row: usize,
    table: watch::Sender<Vec<SupervisedNode>>,
}

impl Seat {
    fn change(&self, change: impl FnOnce(&mut SupervisedNode)) {
        self.table.send_modify(|rows| {
            if let Some(row) = rows.get_mut(self.row) {
                change(row);
            }
        });
    }
}

#[cfg(test)]
mod tests;
