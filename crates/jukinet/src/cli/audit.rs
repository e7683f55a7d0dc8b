//! Evidence: ledgers verified, searched, exported and analysed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use juki_domain::CivilDate;

use super::{PurgeArgs, VerifyArgs, civil_date};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify ledgers, each by itself and against its neighbours' checkpoints; name the first bad entry
    #[command(
        after_help = "Examples:\n  jukinet audit verify ./demo\n  jukinet audit verify ./demo/nodes/national/data/ledger ./demo/nodes/prefecture-35/data/ledger"
    )]
    Verify(VerifyArgs),
    /// Remove contents older than the law keeps them from a stopped node's ledger; the chain stays
    #[command(
        after_help = "Example:\n  jukinet audit purge ./demo fw-cs-352047 --days 1095 --what communication alerts --reason 'term of three years'"
    )]
    Purge(PurgeArgs),
    /// Find requests for identity records in ledgers
    #[command(
        after_help = "Examples:\n  jukinet audit search ./demo --outcome refused\n  jukinet audit search ./demo --operator mhlw-1 --from 2002-10-01 --to 2002-10-31\n  jukinet audit search ./demo --person - --json < code.txt"
    )]
    Search(SearchArgs),
    /// Write requests for identity records into a file, with a manifest that ties it to the ledgers
    #[command(
        after_help = "Examples:\n  jukinet audit export ./demo --out requests.csv\n  jukinet audit export ./demo --out requests.jsonl --from 2002-10-01"
    )]
    Export(ExportArgs),
    /// Show the supply ledger of the law: recipient, affair, date, number and method
    #[command(
        after_help = "Examples:\n  jukinet audit supply ./demo\n  jukinet audit supply ./demo --monthly --out supply.csv"
    )]
    Supply(SupplyArgs),
    /// Show the history of communication: like frames with times, number, bytes and verdict
    #[command(
        after_help = "Examples:\n  jukinet audit traffic ./demo --service query\n  jukinet audit traffic ./demo --peer cs-352047 --refused"
    )]
    Traffic(TrafficArgs),
    /// Look for misuse: odd hours, mass searches, one person asked for by many, refusals, silence
    #[command(
        after_help = "Examples:\n  jukinet audit analyse ./demo\n  jukinet audit analyse ./demo --from 2002-10-01 --out report.html\n  jukinet audit analyse ./demo/nodes/national/data/ledger --listed colleagues.txt --json\n\nExit code: 0 nothing was found, 1 findings. A running deployment writes a report of each civil day\ninto its folder `reports`."
    )]
    Analyse(AnalyseArgs),
}

/// Which ledgers are read.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// Deployment folders or ledger folders
    #[arg(required = true)]
    pub(crate) path: Vec<PathBuf>,
}

/// From one civil date to another.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Days {
    /// The first civil date
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = civil_date)]
    pub(crate) from: Option<CivilDate>,
    /// The last civil date
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = civil_date)]
    pub(crate) to: Option<CivilDate>,
}

impl Days {
    /// Whether a date is among them.
    pub(crate) fn contain(&self, date: CivilDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }
}

/// Which requests are wanted.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    #[command(flatten)]
    pub(crate) days: Days,
    /// The operator
    #[arg(long)]
    pub(crate) operator: Option<String>,
    /// The card
    #[arg(long)]
    pub(crate) card: Option<String>,
    /// The terminal
    #[arg(long)]
    pub(crate) terminal: Option<String>,
    /// The body
    #[arg(long)]
    pub(crate) body: Option<String>,
    /// The affair
    #[arg(long)]
    pub(crate) affair: Option<String>,
    /// Pseudonym of a person (32 hexadecimal digits); - reads a resident record code from standard input
    #[arg(long, value_name = "PSEUDONYM|-")]
    pub(crate) person: Option<String>,
    /// What became of the request
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "match|no-match|several|refused"
    )]
    pub(crate) outcome: Option<WantedOutcome>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WantedOutcome {
    /// One person's items were shown.
    Match,
    /// Nobody fits.
    NoMatch,
    /// More than one person fits.
    Several,
    /// Refused.
    Refused,
}

/// Arguments of `audit search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How many requests to show
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// The file to write, CSV or with the ending .jsonl one JSON object a line; the manifest goes beside it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `audit supply`.
#[derive(Debug, Args)]
pub(crate) struct SupplyArgs {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) days: Days,
    /// Sum by month, as the yearly report to the public has it
    #[arg(long)]
    pub(crate) monthly: bool,
    /// Write the lines into this CSV file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `audit traffic`.
#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) days: Days,
    /// Only frames of this service
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// Only frames from or to this node
    #[arg(long, value_name = "NODE")]
    pub(crate) peer: Option<String>,
    /// Only frames that were refused or could not be sent
    #[arg(long)]
    pub(crate) refused: bool,
    /// How many runs to show
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
}

/// Arguments of `audit analyse`.
#[derive(Debug, Args)]
pub(crate) struct AnalyseArgs {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) days: Days,
    /// File of colleagues and listed persons: a resident record code or a pseudonym a line
    #[arg(long, value_name = "FILE")]
    pub(crate) listed: Option<PathBuf>,
    /// File of thresholds; without it analysis.toml of the deployment, else the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Write the report into this file: .html, .json or plain text
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
