//! The chassis of every node: arguments, keys, telemetry, the engine, an orderly end.
//!
//! A node's `main` names its role and how to start it; [`run`] does the rest.

mod admin_task;
mod arguments;
mod data_lock;
mod engine;
mod expiry_reminder;
mod index_writer;
mod keys;
mod link_events;
mod link_status;
mod links;
mod machine;
mod monitor_api;
mod pki_desk;
mod replay;
mod run;
mod secrets;
mod sequencer_thread;
mod service_node;
mod telemetry;
mod tickets;
mod trace;

pub use admin_task::AdminTask;
pub use arguments::Arguments;
pub use engine::{Engine, EngineHandle, EngineParts, Reporter, Reports, transport_settings};
pub use keys::{Keys, KeysError};
pub use link_status::{link_status, peers_up};
pub use links::{Handover, LedgerThread, Stored};
pub use machine::{AnyFiles, Machine, OpenFolder, OpenIndex};
pub use monitor_api::{alert_row, monitor_report};
pub use pki_desk::pki_routes;
pub use replay::{LedgerAdapter, open_ledger};
pub use run::{Node, Prepared, StartError, Stop, admin_socket, configuration, run, run_with};
pub use service_node::ServiceNode;
pub use telemetry::render as render_metrics;
pub use tickets::CallError;
pub use trace::Hops;

/// Nodes allocate many small pieces on two threads; the system's allocator was a tenth of their
/// time (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
