//! `jukinet simulate`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("worlds").required(true))]
pub(crate) struct SimulateArgs {
    /// Seeds of small worlds, the last included: A..B, or one number
    #[arg(long, value_name = "A..B", group = "worlds")]
    pub(crate) seeds: Option<String>,
    /// A scenario file
    #[arg(long, value_name = "FILE", group = "worlds")]
    pub(crate) scenario: Option<PathBuf>,
    /// The whole prefecture for so many virtual minutes
    #[arg(long, value_name = "MINUTES", group = "worlds")]
    pub(crate) prefecture: Option<u64>,
    /// Run every world twice: it must go the same way
    #[arg(long)]
    pub(crate) twice: bool,
    /// Make a failing world small and write it into this scenario file
    #[arg(long, value_name = "FILE")]
    pub(crate) shrink: Option<PathBuf>,
    /// Write the world into this scenario file and run nothing
    #[arg(long, value_name = "FILE", conflicts_with = "shrink")]
    pub(crate) write: Option<PathBuf>,
    /// Plant a bug that the checks have to find: skip-sync
    #[arg(long, value_name = "BUG")]
    pub(crate) bug: Option<String>,
    /// Worlds that run side by side; without it one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
}
