//! The seams to the machine: the clock, the files under a ledger, tasks and threads.
//!
//! Everything above takes these as values, so a test can put a disk that loses power or a clock
//! that jumps in their place.

mod clock;
mod clock_watch;
mod disk;
mod files;
mod power_loss;
mod priority;
mod tasks;

pub use clock::{Calendar, Clock, SystemClock};
pub use clock_watch::{ClockJump, ClockReader, ClockReading, ClockWatch, SystemClocks};
pub use disk::DiskFiles;
pub use files::Files;
pub use power_loss::{PowerLossFiles, SkipSync};
pub use priority::give_way;
pub use tasks::{Running, TaskGroup, Threads, Work, spawn};
