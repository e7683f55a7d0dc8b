//! The leased-line model: what happens to one datagram on one direction of a line.
//!
//! Nothing here does I/O or reads a clock: time comes in as the duration since the line was put
//! into service, randomness is drawn from a seed, so the same offers give the same verdicts.

mod model;
mod settings;

pub use model::{DropReason, LineCounters, LineModel, OVERHEAD_BYTES, Verdict};
pub use settings::{Direction, LineSettings, LineSettingsError, PRESET_NAMES};
