//! The command that makes a synthetic population.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;
use juki_domain::CivilDate;

use super::{civil_date, scale};

/// Arguments of `population`.
#[derive(Debug, Args)]
pub(crate) struct PopulationArgs {
    /// Codes of municipalities, five or six digits
    #[arg(long, value_name = "CODE", num_args = 1.., required = true)]
    pub(crate) municipality: Vec<String>,
    /// Part of the real number of residents
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = scale)]
    pub(crate) scale: f64,
    /// Number that the residents are drawn from
    #[arg(long, value_name = "N")]
    pub(crate) seed: u64,
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The day of the full export; the daily changes are those of the days after it
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2002-10-15", value_parser = civil_date)]
    pub(crate) date: CivilDate,
    /// For how many days to write changes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(..=366))]
    pub(crate) days: u16,
    /// Threads that make the files; the bytes do not depend on it (default: the machine's cores)
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroU16>,
}

fn threads(text: &str) -> Result<NonZeroU16, String> {
    match text.parse::<NonZeroU16>() {
        Ok(count) if count.get() <= THREADS_MAX => Ok(count),
        Ok(_) | Err(_) => Err(format!("a number from 1 to {THREADS_MAX}")),
    }
}

/// More threads than any machine of ours has cores would only take memory.
const THREADS_MAX: u16 = 256;
