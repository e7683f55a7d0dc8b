//! Three tiers in one thread: nodes on disks that lose power, a network that delays, repeats and
//! cuts, registers that ask, and a model that knows what must come out.
//!
//! One seed decides everything that happens. What a seed does not cover: real sockets and
//! firewalls, the index on disk, threads, and the randomness of HPKE.

mod cast;
mod check;
mod faults;
mod index;
mod journal_writer;
mod network;
mod node;
mod puppet;
mod run;
mod terminal;
mod world;

pub use juki_simulate::model::{Acknowledged, Draft, Place, Resident, TownHall};
pub use juki_simulate::{Medium, Power, SeededRandomness};

pub use cast::{Cast, Post, cast, municipality};
pub use index::KeptIndex;
pub use journal_writer::JournalWriter;
pub use network::{Flight, Network};
pub use node::{Boot, Node, NodeLedger, registry};
pub use puppet::{Heard, Puppet};
pub use run::{Counts, Options, Outcome};
pub use terminal::Terminal;
pub use world::World;

/// How many seeds a test runs: `default`, or what `JUKI_SEEDS` says.
#[must_use]
pub fn seeds(default: u64) -> u64 {
    std::env::var("JUKI_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(default)
}
