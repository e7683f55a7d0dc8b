//! `jukinet operator`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use juki_access::{ListedFor, Role};

use super::FolderArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Log in at a terminal with an operator's card
    #[command(
        after_help = "Examples:\n  jukinet operator login ./demo --card agency-mhlw\n  jukinet operator login ./demo --token hanako\n  jukinet operator login ./demo --pkcs11 /usr/lib/softhsm/libsofthsm2.so --token hanako"
    )]
    Login(LoginArgs),
    /// End a session at a terminal
    #[command(after_help = "Example:\n  jukinet operator logout ./demo")]
    Logout(LogoutArgs),
    /// Choose a PIN in place of the old or temporary one
    #[command(
        after_help = "Examples:\n  jukinet operator pin ./demo --card hanako\n  jukinet operator pin ./demo --card hanako --new-pin-file new.pin"
    )]
    Pin(PinArgs),
    /// Make a card with a temporary PIN for an operator; it serves when it is lent
    #[command(
        after_help = "Examples:\n  jukinet operator enrol ./demo --operator mhlw-2 --body mhlw --name hanako\n  jukinet operator enrol ./demo --operator audit-2 --body center --role auditor\n  jukinet operator enrol ./demo --operator mhlw-3 --body mhlw --pkcs11 /usr/lib/softhsm/libsofthsm2.so --token hanako"
    )]
    Enrol(EnrolArgs),
    /// Hand a card out to its operator
    #[command(after_help = "Example:\n  jukinet operator lend ./demo hanako")]
    Lend(CardArgs),
    /// Take a card back, also one that was lost and found
    #[command(after_help = "Example:\n  jukinet operator return ./demo hanako")]
    Return(CardArgs),
    /// Report a card as lost: every reachable node refuses it within seconds
    #[command(after_help = "Example:\n  jukinet operator lost ./demo agency-mhlw")]
    Lost(CardArgs),
    /// Withdraw a card for good, or suspend it until it is unlocked
    #[command(
        after_help = "Examples:\n  jukinet operator revoke ./demo hanako\n  jukinet operator revoke ./demo hanako --reason locked"
    )]
    Revoke(RevokeCardArgs),
    /// Give a locked card its tries back, and end a suspension
    #[command(after_help = "Example:\n  jukinet operator unlock ./demo agency-mhlw")]
    Unlock(CardArgs),
    /// Record that somebody looked whether a card is where it should be
    #[command(
        after_help = "Example:\n  jukinet operator inspect ./demo agency-mhlw --note 'in the safe'"
    )]
    Inspect(CardArgs),
    /// Show the card ledger: who has which card, what was done with it, by whom and when
    #[command(
        after_help = "Examples:\n  jukinet operator ledger ./demo\n  jukinet operator ledger ./demo --json"
    )]
    Ledger(FolderArgs),
}

/// Arguments of `operator login`.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The card: its name in the folder `cards`, or a card file
    #[arg(long, required_unless_present = "token")]
    pub(crate) card: Option<String>,
    /// The label of a PKCS#11 token in the terminal's reader, in place of a card file
    #[arg(long, value_name = "LABEL", conflicts_with = "card")]
    pub(crate) token: Option<String>,
    /// The module that the token is meant to be in; it must be the one of the terminal's configuration
    #[arg(long, value_name = "MODULE", requires = "token")]
    pub(crate) pkcs11: Option<PathBuf>,
    /// File with the PIN; without it JUKINET_PIN, the demo's PIN file or the keyboard
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// The terminal; needed where the network has several
    #[arg(long)]
    pub(crate) node: Option<String>,
}

/// Arguments of `operator logout`.
#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The session to end; without it the one that began last at the terminal
    #[arg(long, value_name = "TOKEN")]
    pub(crate) session: Option<String>,
    /// The terminal; needed where the network has several
    #[arg(long)]
    pub(crate) node: Option<String>,
}

/// Arguments of `operator pin`.
#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The card: its name in the folder `cards`, or a card file
    #[arg(long)]
    pub(crate) card: String,
    /// File with the PIN; without it JUKINET_PIN, the demo's PIN file or the keyboard
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// File with the new PIN; without it JUKINET_NEW_PIN or the keyboard
    #[arg(long, value_name = "FILE")]
    pub(crate) new_pin_file: Option<PathBuf>,
}

/// Arguments of `operator enrol`.
#[derive(Debug, Args)]
pub(crate) struct EnrolArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The operator's id in the office: no name, no blank
    #[arg(long)]
    pub(crate) operator: String,
    /// The body that the operator works for
    #[arg(long)]
    pub(crate) body: String,
    /// A role of the card; may be given several times
    #[arg(long, value_parser = role, default_value = "business-operator")]
    pub(crate) role: Vec<Role>,
    /// The card file's name in the folder `cards`; without it the operator's id
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How many days the card serves
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=1830))]
    pub(crate) days: u32,
    /// Make the key on a token of this PKCS#11 module in place of a card file
    #[arg(
        id = "enrol_pkcs11",
        long = "pkcs11",
        value_name = "MODULE",
        requires = "enrol_token"
    )]
    pub(crate) pkcs11: Option<PathBuf>,
    /// The token's label
    #[arg(
        id = "enrol_token",
        long = "token",
        value_name = "LABEL",
        requires = "enrol_pkcs11",
        conflicts_with = "name"
    )]
    pub(crate) token: Option<String>,
    /// File with the token's PIN; without it JUKINET_TOKEN_PIN or the keyboard
    #[arg(long, value_name = "FILE", requires = "enrol_token")]
    pub(crate) token_pin_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) by: ByArgs,
}

/// Arguments of what is done with one card.
#[derive(Debug, Args)]
pub(crate) struct CardArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The card: its name in the folder `cards`, a card file, or its serial
    #[arg(id = "acted_card", value_name = "CARD")]
    pub(crate) card: String,
    /// A remark for the card ledger
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) note: String,
    #[command(flatten)]
    pub(crate) by: ByArgs,
}

/// Arguments of `operator revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeCardArgs {
    #[command(flatten)]
    pub(crate) card: CardArgs,
    /// Why: revoked and expired are for good, locked holds until it is unlocked
    #[arg(id = "withdrawal", long = "reason", value_enum, default_value_t = Withdrawal::Revoked)]
    pub(crate) reason: Withdrawal,
}

/// Why a card is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Withdrawal {
    /// Withdrawn for good
    Revoked,
    /// Its time is over
    Expired,
    /// Suspended until it is unlocked
    Locked,
}

impl Withdrawal {
    /// The reason as the card list gives it.
    pub(crate) fn listed_for(self) -> ListedFor {
        match self {
            Self::Revoked => ListedFor::Revoked,
            Self::Expired => ListedFor::Expired,
            Self::Locked => ListedFor::Locked,
        }
    }
}

/// Whose card signs the act.
#[derive(Debug, Default, Args)]
pub(crate) struct ByArgs {
    /// The card that signs this; without it card-manager, or system-manager for what is a system manager's
    #[arg(long, value_name = "CARD")]
    pub(crate) by: Option<String>,
    /// File with that card's PIN; without it JUKINET_PIN, the demo's PIN file or the keyboard
    #[arg(long, value_name = "FILE")]
    pub(crate) by_pin_file: Option<PathBuf>,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = Role::ALL.into_iter().map(Role::name).collect();
        names.join(", ")
    })
}
