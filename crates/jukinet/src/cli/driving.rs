//! Commands that drive running nodes: communication servers, terminals, the registrar.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ByArgs, FolderArgs};
use juki_domain::CivilDate;

use super::civil_date;

/// Arguments of `cs`.
#[derive(Debug, Args)]
pub(crate) struct CsArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The communication server's node name
    pub(crate) node: String,
    #[command(subcommand)]
    pub(crate) action: CsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CsAction {
    /// Take in a register's file: all residents, or a day's changes
    Import(ImportArgs),
    /// Report one change
    Change(ChangeArgs),
    /// Show what became of one reported change
    State(StateArgs),
    /// Write the resident record codes of all residents into a file for the register
    Codes(CodesArgs),
}

/// Arguments of `cs .. import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The CSV file
    pub(crate) file: PathBuf,
    /// The date of the entries of a file without reasons (the first full export)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = civil_date)]
    pub(crate) initial_date: Option<CivilDate>,
    /// Write every refused row into this CSV file: line, code, column, reason
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Write the codes of the file's residents into this CSV file; it is as secret as the register
    #[arg(long, value_name = "FILE")]
    pub(crate) codes: Option<PathBuf>,
}

/// Arguments of `cs .. codes`.
#[derive(Debug, Args)]
pub(crate) struct CodesArgs {
    /// The CSV file to write; it is as secret as the register
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `cs .. change`.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Number of the resident in the existing register (宛名番号)
    #[arg(long)]
    pub(crate) resident: String,
    /// Why the record changes, for example move-in or 転入等
    #[arg(long)]
    pub(crate) reason: String,
    /// When it happened (default: the network's date)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = civil_date)]
    pub(crate) event_date: Option<CivilDate>,
    /// Name that makes a repeated report harmless; drawn where it is absent
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Family name and given name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Birth date
    #[arg(long)]
    pub(crate) birth: Option<String>,
    /// Sex
    #[arg(long, value_name = "male|female")]
    pub(crate) sex: Option<String>,
    /// Address
    #[arg(long)]
    pub(crate) address: Option<String>,
    /// Number of the move-out certificate
    #[arg(long)]
    pub(crate) certificate: Option<String>,
    /// Code of the municipality moved from or to
    #[arg(long, value_name = "CODE")]
    pub(crate) counterpart: Option<String>,
}

/// Arguments of `cs .. state`.
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// The key that the change was reported under
    pub(crate) key: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReconcileCommand {
    /// Compare a full export of a register with what its communication server holds
    #[command(
        after_help = "Examples:\n  jukinet reconcile register ./demo cs-352047 residents.csv --worklist work.csv\n  jukinet reconcile register ./demo cs-352047 residents.csv --corrections fix.csv --apply\n\nThe work list holds both sides of each difference and the corrections hold records: both are as\nsecret as the register. The screen shows neither. Exit code: 0 no difference (with --apply: none\nleft), 1 differences."
    )]
    Register(ReconcileRegisterArgs),
}

/// Arguments of `reconcile register`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileRegisterArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The communication server's node name
    pub(crate) node: String,
    /// The register's full export (CSV, without reasons of change)
    pub(crate) file: PathBuf,
    /// Write every difference with both sides into this CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) worklist: Option<PathBuf>,
    /// Write the changes that make the server agree with the register into this CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) corrections: Option<PathBuf>,
    /// Import these changes at once and compare again
    #[arg(long)]
    pub(crate) apply: bool,
}

/// Arguments of `query`.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The affair that the law permits the inquiry for
    #[arg(long)]
    pub(crate) affair: String,
    /// Resident record code; - reads it from standard input
    #[arg(long, conflicts_with_all = ["name", "birth", "sex", "address"], required_unless_present = "name")]
    pub(crate) code: Option<String>,
    /// Family name and given name; without sex or address only where the affair permits that
    #[arg(long, requires = "birth")]
    pub(crate) name: Option<String>,
    /// The name is only a name's beginning, where the affair permits that; sex or address is needed
    #[arg(long, requires = "name")]
    pub(crate) name_begins: bool,
    /// Birth date
    #[arg(long, requires = "name")]
    pub(crate) birth: Option<String>,
    /// Sex
    #[arg(long, value_name = "male|female", requires = "name")]
    pub(crate) sex: Option<String>,
    /// Address
    #[arg(long, requires = "name")]
    pub(crate) address: Option<String>,
    /// The session in which it is asked; without it the one that began last at the terminal
    #[arg(long, value_name = "TOKEN")]
    pub(crate) session: Option<String>,
    /// The terminal; needed where the network has several
    #[arg(long)]
    pub(crate) node: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PkiCommand {
    /// Show every node's certificate, how long it is valid, and the revocation list that it judges by
    #[command(
        after_help = "Examples:\n  jukinet pki status ./demo\n  jukinet pki status ./demo --json"
    )]
    Status(FolderArgs),
    /// Give nodes new keys and certificates while they work; no request is lost
    #[command(
        after_help = "Examples:\n  jukinet pki rotate ./demo cs-355011\n  jukinet pki rotate ./demo --all --revoke-old"
    )]
    Rotate(RotateArgs),
    /// Move the network from its root authority to a new one while it works
    #[command(
        after_help = "Examples:\n  jukinet pki roll-ca ./demo\n  jukinet pki roll-ca ./demo --step trust"
    )]
    RollCa(RollCaArgs),
    /// Revoke a node's certificate; the list travels through the network by itself
    #[command(after_help = "Example:\n  jukinet pki revoke ./demo cs-355011")]
    Revoke(RevokeArgs),
}

/// Arguments of `pki rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The node that gets a new certificate
    #[arg(required_unless_present = "all")]
    pub(crate) node: Option<String>,
    /// Every node, one after the other
    #[arg(long, conflicts_with = "node")]
    pub(crate) all: bool,
    /// How many days the new certificates are valid
    #[arg(long, value_name = "N", default_value_t = 730, value_parser = clap::value_parser!(u64).range(1..=730))]
    pub(crate) days: u64,
    /// Revoke each certificate that was replaced
    #[arg(long)]
    pub(crate) revoke_old: bool,
    #[command(flatten)]
    pub(crate) by: ByArgs,
}

/// Arguments of `pki roll-ca`.
#[derive(Debug, Args)]
pub(crate) struct RollCaArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// Do this step alone: make the new root, trust both, move certificates over, drop the old root
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "new|trust|move|drop"
    )]
    pub(crate) step: Option<RollStep>,
    /// File with the pass phrase of the present root's key; without it the one beside the key
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// The steps of a roll-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RollStep {
    /// Make the new root.
    New,
    /// Every node trusts both.
    Trust,
    /// Every node's certificate stands under the new one.
    Move,
    /// Every node trusts the new one alone.
    Drop,
}

impl RollStep {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Trust => "trust",
            Self::Move => "move",
            Self::Drop => "drop",
        }
    }
}

/// Arguments of `pki revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The node whose certificate is revoked
    pub(crate) node: String,
    #[command(flatten)]
    pub(crate) by: ByArgs,
}
