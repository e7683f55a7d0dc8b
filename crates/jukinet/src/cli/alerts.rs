//! `jukinet alerts`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `alerts`.
#[derive(Debug, Args)]
pub(crate) struct AlertsArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The node that is asked; without it the national center, which hears of all
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
}
