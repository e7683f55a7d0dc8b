//! The command line: `jukinet COMMAND ..`.

mod alerts;
mod audit;
mod basis;
mod driving;
mod firewall;
mod japanese;
mod line;
mod operator;
mod population;
mod purge;
mod selection;
mod simulate;

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use juki_domain::{CivilDate, Lang};

pub(crate) use alerts::AlertsArgs;
pub(crate) use audit::{
    AnalyseArgs, AuditCommand, Days, ExportArgs, SearchArgs, Sources, SupplyArgs, TrafficArgs,
    Wanted, WantedOutcome,
};
pub(crate) use basis::{BasisCommand, BasisFileArgs, BasisPublishArgs, BasisShowArgs};
pub(crate) use driving::{
    ChangeArgs, CodesArgs, CsAction, CsArgs, ImportArgs, PkiCommand, QueryArgs, ReconcileCommand,
    ReconcileRegisterArgs, RevokeArgs, RollCaArgs, RollStep, RotateArgs, StateArgs,
};
pub(crate) use firewall::{ExplainArgs, FirewallAction, FirewallArgs};
pub(crate) use japanese::in_japanese;
pub(crate) use line::{LineAction, LineArgs, LineChoice, OutageArgs, SetArgs};
pub(crate) use operator::{
    ByArgs, CardArgs, EnrolArgs, LoginArgs, LogoutArgs, OperatorCommand, PinArgs, RevokeCardArgs,
};
pub(crate) use population::PopulationArgs;
pub(crate) use purge::{PurgeArgs, PurgeGroup};
pub(crate) use selection::Selection;
pub(crate) use simulate::SimulateArgs;

/// Builds, runs, watches and examines a resident registry network on this machine
#[derive(Debug, Parser)]
#[command(name = "jukinet", version, propagate_version = true, after_help = EXAMPLES, max_term_width = 110)]
pub(crate) struct Cli {
    /// Language of what people read; the default follows LANG
    #[arg(long, global = true, value_name = "ja|en", value_parser = lang)]
    pub(crate) lang: Option<Lang>,

    /// Print one JSON document on standard output and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a small prefecture from nothing: births, a move, a death, one lawful answer, one refusal
    #[command(
        after_help = "Examples:\n  jukinet demo\n  jukinet demo --exit --json\n  jukinet demo --dir ./demo"
    )]
    Demo(DemoArgs),
    /// Make a deployment folder: network, keys, one folder per node
    #[command(
        after_help = "Examples:\n  jukinet new ./demo --preset demo --seed 7\n  jukinet new ./yamaguchi --preset yamaguchi-2002 --scale 0.01"
    )]
    New(NewArgs),
    /// Start and supervise the nodes of a deployment
    #[command(
        after_help = "Examples:\n  jukinet up ./demo\n  jukinet up ./demo --detach\n  jukinet up ./demo --only national fw-national\n  jukinet up ./demo --only '*national' kind:access-point"
    )]
    Up(UpArgs),
    /// Write the nodes' configurations anew from network.toml, for example after adding machines
    #[command(after_help = "Example:\n  jukinet derive ./demo")]
    Derive(FolderArgs),
    /// Stop the nodes of a deployment and wait until all are gone
    #[command(after_help = "Example:\n  jukinet down ./demo")]
    Down(FolderArgs),
    /// Show every node's state
    #[command(
        after_help = "Examples:\n  jukinet status ./demo --watch\n  jukinet status ./demo --json"
    )]
    Status(StatusArgs),
    /// Examine programs, folder, keys, nodes, clock and every link; name each cause and the next step
    #[command(
        after_help = "Examples:\n  jukinet doctor\n  jukinet doctor ./demo\n  jukinet doctor ./demo --all"
    )]
    Doctor(DoctorArgs),
    /// Show the way of one message through the nodes
    #[command(after_help = "Example:\n  jukinet trace ./demo 4f1c0b6a9d2e83775ab0c4d1e2f30918")]
    Trace(TraceArgs),
    /// Show what firewalls and nodes have raised, with the levels of the emergency plan
    #[command(
        after_help = "Examples:\n  jukinet alerts ./demo\n  jukinet alerts ./demo --node prefecture-35 --json"
    )]
    Alerts(AlertsArgs),
    /// Evidence: verify, search, export and analyse ledgers
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Drive a communication server as the existing register would
    #[command(
        after_help = "Examples:\n  jukinet cs ./demo cs-352047 import residents.csv --codes codes.csv\n  jukinet cs ./demo cs-352047 codes --out codes.csv\n  jukinet cs ./demo cs-352047 state 4f1c0b6a9d2e83775ab0c4d1e2f30918"
    )]
    Cs(CsArgs),
    /// Find out where two that should agree do not
    #[command(subcommand)]
    Reconcile(ReconcileCommand),
    /// Ask for identity records from an agency's terminal
    #[command(
        after_help = "Examples:\n  jukinet query ./demo --affair war-bereaved-pension --code 91234567891\n  jukinet query ./demo --affair war-bereaved-pension --name '山田　花子' --birth 1970-01-02 --sex female --address '山口県萩市大字江向510番地'"
    )]
    Query(QueryArgs),
    /// Operators: their sessions, their cards, the card ledger
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Certificates
    #[command(subcommand)]
    Pki(PkiCommand),
    /// The table of legal bases: which body may be given which items for which affair
    #[command(subcommand)]
    Basis(BasisCommand),
    /// Show leased lines or change them while they run
    #[command(
        after_help = "Examples:\n  jukinet line ./demo list\n  jukinet line ./demo down cs-355011\n  jukinet line ./demo up cs-355011 --direction upward\n  jukinet line ./demo set cs-355011 --bandwidth-bps 64000 --delay-us 20000\n  jukinet line ./demo set cs-355011 --burst-enter 0.01 --burst-leave 0.2\n  jukinet line ./demo flap cs-355011 --down-ms 500 --up-ms 3000 --for-s 60\n  jukinet line ./demo schedule cs-355011 --from 2026-12-05T01:00 --minutes 90 --every-days 7\n  jukinet line ./demo capture cs-355011"
    )]
    Line(LineArgs),
    /// Show a firewall's policy, change it while frames flow, or explain what it does to a frame
    #[command(
        after_help = "Examples:\n  jukinet firewall ./demo fw-cs-352047 status\n  jukinet firewall ./demo fw-cs-352047 reload\n  jukinet firewall ./demo fw-cs-352047 explain cs-352047 prefecture-35 journal --bytes 2000"
    )]
    Firewall(FirewallArgs),
    /// Measure a network of separate processes, or one part, on this machine
    #[command(
        after_help = "Examples:\n  jukinet bench query\n  jukinet bench change --json\n  jukinet bench population --runs 3"
    )]
    Bench(BenchArgs),
    /// Run whole networks in virtual time, with faults out of seeds, and check every invariant
    #[command(
        after_help = "Examples:\n  jukinet simulate --seeds 1..50\n  jukinet simulate --seeds 17 --shrink failing.toml\n  jukinet simulate --scenario failing.toml --twice\n  jukinet simulate --prefecture 60 --json"
    )]
    Simulate(SimulateArgs),
    /// Write synthetic residents as an existing register would export them
    #[command(
        after_help = "Examples:\n  jukinet population --municipality 352047 355011 --scale 0.1 --seed 7 --out ./residents\n  jukinet population --municipality 352012 --seed 7 --out ./residents --days 30 --threads 4 --json"
    )]
    Population(PopulationArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  jukinet completions bash > ~/.local/share/bash-completion/completions/jukinet"
    )]
    Completions(CompletionsArgs),
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Man(ManArgs),
    /// Stand in for a node in the pipeline that benchmarks compare with
    #[command(hide = true)]
    BareNode(BareNodeArgs),
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End when the story has been told instead of waiting for Ctrl-C
    #[arg(long)]
    pub(crate) exit: bool,
    /// Keep everything in this folder; without it a temporary one is used and removed at the end
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Number that the residents are drawn from
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(..1 << 63))]
    pub(crate) seed: u64,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub(crate) name: BenchName,
    /// How many runs the median is taken of (default: 5, of load 3)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: Option<u32>,
}

/// The benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchName {
    /// Interactive provision through the firewalls, audit durable first
    Query,
    /// Single changes until they are durable on three tiers
    Change,
    /// Interactive provision while strangers flood the firewalls with first packets of connections
    Flood,
    /// Files of all residents of Yamaguchi's 56 municipalities and of one day's changes
    Population,
    /// From the start of the prefecture's network until all its residents are equal on three tiers
    Load,
    /// Until the prefecture's network is ready, empty and loaded, and the memory it then has
    Startup,
    /// What the protections cost and how fast they take effect
    Controls,
    /// What a slow line carries with the firewalls' pacing, and what a relay of lines passes
    Line,
    /// Random kills of processes while changes are reported; what is acknowledged must stay
    Kills,
    /// Virtual over real time of a simulated prefecture on a working day with faults
    Simulation,
    /// Until the prefecture's last node refuses a node whose certificate is revoked
    Revocation,
}

/// Arguments of `bare-node`.
#[derive(Debug, Args)]
pub(crate) struct BareNodeArgs {
    /// The configuration of the node it stands in for
    #[arg(long)]
    pub(crate) config: PathBuf,
    /// Lengths of what it sends and writes, as the benchmark gives them
    #[arg(long)]
    pub(crate) sizes: String,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The folder to make; it must not exist or be empty
    pub(crate) dir: PathBuf,
    /// The network to make
    #[arg(long, value_enum, default_value_t = Preset::Demo)]
    pub(crate) preset: Preset,
    /// Number that the network's reproducible parts are drawn from
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 63))]
    pub(crate) seed: u64,
    /// Also write synthetic residents for each municipality: this part of their real number
    #[arg(long, value_name = "F", value_parser = scale)]
    pub(crate) scale: Option<f64>,
    /// Let every line pass everything at once instead of what its leased line carries
    #[arg(long)]
    pub(crate) unshaped: bool,
    /// Questions a minute that one operator may ask
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=60_000_000))]
    pub(crate) operator_per_min: u32,
    /// Questions a minute that all operators of a body may ask together
    #[arg(long, value_name = "N", default_value_t = 6_000, value_parser = clap::value_parser!(u32).range(1..=60_000_000))]
    pub(crate) body_per_min: u32,
}

/// The networks that `new` can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// Three municipalities of Yamaguchi, the prefecture, the national center, one agency
    Demo,
    /// The whole prefecture of August 2002: 56 municipalities, 8 access points, 9 bodies that ask
    #[value(name = "yamaguchi-2002")]
    Yamaguchi2002,
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// Run in the background and return when all nodes are ready
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How long to wait for the nodes, in seconds
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) ready_timeout_s: u64,
    /// What `--detach` starts in the background
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub(crate) in_background: bool,
}

/// Arguments of commands that take a folder alone.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// Show it anew every second until interrupted
    #[arg(long, conflicts_with = "json")]
    pub(crate) watch: bool,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The deployment folder; without it only the programs and the machine are examined
    pub(crate) dir: Option<PathBuf>,
    /// Show every link, not only those with a finding
    #[arg(long, requires = "dir", conflicts_with = "json")]
    pub(crate) all: bool,
}

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    /// The message's id: 32 hexadecimal digits
    #[arg(value_parser = message_id)]
    pub(crate) id: String,
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Ledger folders, or deployment folders for all ledgers in them
    #[arg(required = true)]
    pub(crate) path: Vec<PathBuf>,
    /// The node's storage key; without it the key beside the node's data folder is taken
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder to write into
    pub(crate) dir: PathBuf,
}

/// The definition of the command line, with help in this language.
pub(crate) fn definition(lang: Lang) -> clap::Command {
    match lang {
        Lang::En => Cli::command(),
        Lang::Ja => in_japanese(Cli::command()),
    }
}

fn lang(text: &str) -> Result<Lang, String> {
    text.parse().map_err(|_| "ja or en".to_owned())
}

fn civil_date(text: &str) -> Result<CivilDate, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= SCALE_MAX => Ok(value),
        Ok(_) | Err(_) => Err(format!("a number above 0 and up to {SCALE_MAX}")),
    }
}

fn message_id(text: &str) -> Result<String, String> {
    let fits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("32 hexadecimal digits".to_owned())
    }
}

/// Ten times the real population is more than any bench asks for.
const SCALE_MAX: f64 = 10.0;

const EXAMPLES: &str = "Examples:
  jukinet new ./demo --preset demo
  jukinet up ./demo --detach
  jukinet status ./demo
  jukinet down ./demo

Exit codes: 0 all checks of the command held, 1 failed, 2 usage or bad configuration.";

#[cfg(test)]
mod tests;
