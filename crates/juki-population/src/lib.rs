//! Synthetic households, their residents and their daily changes.
//!
//! Nobody here exists: names, families and addresses are drawn from public tables
//! (configs/population) by a seed. One seed gives one population, byte for byte, on every machine,
//! and each municipality's is independent of every other's. Residents are generated in blocks of a
//! few thousand, so memory is flat however large the municipality is.

mod age;
mod block;
mod daily;
mod draw;
mod fate;
mod household;
mod name;
mod place;
mod population;
mod table;

pub use daily::{DailyChanges, DayFile};
pub use place::census_residents;
pub use population::{Population, PopulationError, PopulationSettings, Resident};
