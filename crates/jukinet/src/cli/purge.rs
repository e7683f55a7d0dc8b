//! `jukinet audit purge`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `audit purge`.
#[derive(Debug, Args)]
pub(crate) struct PurgeArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The node, which must be stopped
    pub(crate) node: String,
    /// How many days contents are kept
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(crate) days: u32,
    /// What is removed: records of frames, records of operators' work, alerts
    #[arg(
        long,
        value_enum,
        num_args = 1..,
        required = true,
        hide_possible_values = true,
        value_name = "communication|operations|alerts"
    )]
    pub(crate) what: Vec<PurgeGroup>,
    /// Why: it stands in the ledger
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
}

/// What may be purged. Records on which a node's state stands are not among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurgeGroup {
    /// Records of frames and refusals.
    Communication,
    /// Records of operators' work.
    Operations,
    /// Alerts.
    Alerts,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason".to_owned()),
        text if text.len() > REASON_BYTES_MAX => Err("at most 500 bytes".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// Longest reason in bytes.
const REASON_BYTES_MAX: usize = 500;
