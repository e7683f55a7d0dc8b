//! Whole networks in virtual time: the nodes' own code on machines that fail.
//!
//! A [`World`] holds municipalities, prefecture, national center, a terminal and all their
//! firewalls. Each runs the same `start` as its program, on a [`juki_node::Machine`] whose clock is
//! tokio's paused one, whose sockets are on a [`VirtualNetwork`] of leased lines, and whose ledger
//! lies on a disk that loses power. Registers ask as the [`model`] says, and when all has settled
//! every invariant is checked against it.
//!
//! One seed decides everything that happens. What a world does not cover: the index on disk (it is
//! in memory and lost at every crash), real sockets and files, Argon2, HTTP, other threads.

mod arguments;
mod batch;
mod check;
mod counts;
mod deployment;
mod fault;
mod medium;
pub mod model;
mod questions;
mod randomness;
mod report;
mod scenario;
mod shrink;
mod station;
mod virtual_network;
mod world;

pub use arguments::Arguments;
pub use batch::{batch, scenarios};
pub use counts::{Counts, Outcome};
pub use deployment::{Card, Deployment, DeploymentError, Place};
pub use fault::{Fault, TimedFault};
pub use medium::{Medium, Power};
pub use randomness::SeededRandomness;
pub use report::Report;
pub use scenario::{BEGIN_MS, Bug, Scenario, ScenarioError};
pub use shrink::{Shrunk, shrink};
pub use station::{MachineClock, Started, Station};
pub use virtual_network::VirtualNetwork;
pub use world::{World, run};
