//! `jukinet basis`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum BasisCommand {
    /// Show the table that is in force at a node that answers
    #[command(
        after_help = "Examples:\n  jukinet basis show ./demo\n  jukinet basis show ./demo --node prefecture-35 --json"
    )]
    Show(BasisShowArgs),
    /// Examine a new table, and say what it would change; nothing is put in force
    #[command(
        after_help = "Examples:\n  jukinet basis check ./demo\n  jukinet basis check ./demo --file new.csv --json"
    )]
    Check(BasisFileArgs),
    /// Have the registrar sign a new table and put it in force at every node that can be reached
    #[command(
        after_help = "Examples:\n  jukinet basis publish ./demo --file new.csv\n  jukinet basis publish ./demo --by system-manager"
    )]
    Publish(BasisPublishArgs),
}

/// Arguments of `basis show`.
#[derive(Debug, Args)]
pub(crate) struct BasisShowArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The node whose table is shown: a prefecture's server or the national center (default)
    #[arg(long)]
    pub(crate) node: Option<String>,
}

/// Arguments of `basis check` and `basis publish`.
#[derive(Debug, Args)]
pub(crate) struct BasisFileArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The table (default: legal-basis.csv in the deployment folder)
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Arguments of `basis publish`.
#[derive(Debug, Args)]
pub(crate) struct BasisPublishArgs {
    #[command(flatten)]
    pub(crate) table: BasisFileArgs,
    /// The system manager's card that signs the order (default: system-manager)
    #[arg(long, value_name = "CARD")]
    pub(crate) by: Option<String>,
    /// File with that card's PIN; without it JUKINET_PIN, the demo's PIN file or the keyboard
    #[arg(long, value_name = "FILE")]
    pub(crate) by_pin_file: Option<PathBuf>,
}
