//! The leased-line model: what happens to one datagram on one direction of a line.
//!
//! Nothing here does I/O or reads a clock: time comes in as the duration since the line was put
//! into service, randomness is drawn from a seed, so the same offers give the same verdicts.

mod disturbance;
mod model;
mod schedule;
mod segment;
mod settings;

pub use disturbance::{Burst, Disturbance, JitterShape};
pub use model::{Delivery, DropReason, LineCounters, LineModel, OVERHEAD_BYTES, Verdict};
pub use schedule::{Flapping, Outage, Schedule, ScheduleError};
pub use segment::{Segment, SegmentFull};
pub use settings::{Direction, LineSettings, LineSettingsError, PRESET_NAMES};
