//! A hostile peer: it has stolen what a node or an operator had, and keeps to no rule.
//!
//! It is for tests and exercises on networks of one's own. No node links it. What it does is told
//! as a [`Report`]: each attempt, what came back, and whether the network held.

mod attack;
mod cli;
mod clock;
mod fault;
mod flood;
mod raw_link;
mod report;
mod slow_peers;
mod speaker;
mod stolen;
mod tampering;

use std::process::ExitCode;

pub use attack::{body, card, clock_set_back, forgery, frames, names, stolen_key};
pub use clock::ShiftedClock;
pub use fault::Fault;
pub use flood::{FloodReport, flood};
pub use raw_link::{Ended, RawConnection, RawLink, connect};
pub use report::{Attempt, Heard, Report};
pub use slow_peers::{SlowPeers, SlowReport, Slowness};
pub use speaker::{Answered, Overheard, Said, Speaker};
pub use stolen::StolenNode;
pub use tampering::{Mischief, Tampering, TamperingReport};

/// Runs the command line of this process: exit code 0 where the network held, 1 where it did not or
/// the attack could not be made, 2 for wrong usage.
#[must_use]
pub fn run() -> ExitCode {
    cli::run()
}
