//! Synthetic households, their residents and their daily changes.
//!
//! Nobody here exists: names, families and addresses are drawn from public tables
//! (configs/population) by a seed. One seed gives one population, byte for byte, on every machine,
//! and each municipality's is independent of every other's. Residents are generated in blocks of a
//! few thousand that do not depend on one another, so memory is flat however large the municipality
//! is, and who has several cores makes several blocks at a time.

mod age;
mod block;
mod correction;
mod daily;
mod draw;
mod event;
mod fate;
mod household;
mod name;
mod place;
mod population;
mod table;

pub use daily::{BlockChanges, DailyChanges, DayFile, DayFiles};
pub use place::{census_residents, has_invented_towns};
pub use population::{Population, PopulationError, PopulationSettings, Resident};
