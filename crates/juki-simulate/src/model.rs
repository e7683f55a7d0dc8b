//! The model: registers that ask, and what must come of it.

mod clerk;
mod mistakes;
mod resident;

pub use clerk::{Acknowledged, Asked, TownHall};
pub use resident::{Draft, Place, Resident};
