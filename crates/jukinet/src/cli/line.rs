//! `jukinet line`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `line`.
#[derive(Debug, Args)]
pub(crate) struct LineArgs {
    /// The deployment folder
    pub(crate) dir: PathBuf,
    #[command(subcommand)]
    pub(crate) action: LineAction,
}

/// What is done with lines.
#[derive(Debug, Subcommand)]
pub(crate) enum LineAction {
    /// Show every line with its counters
    List,
    /// Cut a line
    Down {
        #[command(flatten)]
        line: LineChoice,
    },
    /// Mend a line
    Up {
        #[command(flatten)]
        line: LineChoice,
    },
    /// Change what a line can carry; what is not named stays
    Set {
        #[command(flatten)]
        line: LineChoice,
        #[command(flatten)]
        numbers: SetArgs,
    },
    /// Let a line come and go for a while, down first
    Flap {
        /// The line: its lower end's name
        line: String,
        #[command(flatten)]
        flap: FlapArgs,
    },
    /// Plan when a line is down for maintenance, in place of what was planned; without a window
    /// nothing is planned any more
    Schedule {
        /// The line: its lower end's name
        line: String,
        #[command(flatten)]
        outage: OutageArgs,
    },
    /// Write what passes a line into a file for a packet analyser; what it shows is sealed
    Capture {
        /// The line: its lower end's name
        line: String,
        /// End the capture; its file stays
        #[arg(long)]
        off: bool,
    },
}

/// What a line is to carry.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Bits a second; 0 does not shape
    #[arg(long, value_name = "N")]
    pub(crate) bandwidth_bps: Option<u64>,
    /// One-way delay in microseconds
    #[arg(long, value_name = "N")]
    pub(crate) delay_us: Option<u64>,
    /// Added to the delay, in microseconds: anything from 0 to this
    #[arg(long, value_name = "N")]
    pub(crate) jitter_us: Option<u64>,
    /// Part of the datagrams that is lost, 0 to 1
    #[arg(long, value_name = "F")]
    pub(crate) loss: Option<f64>,
    /// Bytes that may wait for the line
    #[arg(long, value_name = "N")]
    pub(crate) queue_bytes: Option<u64>,
    /// Longest datagram in bytes, with its headers
    #[arg(long, value_name = "N")]
    pub(crate) mtu: Option<u16>,
    /// Probability that a burst of losses begins at a datagram, 0 to 1; 0 ends bursts
    #[arg(long, value_name = "F", requires = "burst_leave")]
    pub(crate) burst_enter: Option<f64>,
    /// Probability that such a burst ends at a datagram, above 0 to 1
    #[arg(long, value_name = "F", requires = "burst_enter")]
    pub(crate) burst_leave: Option<f64>,
    /// Part of the datagrams that arrive twice, 0 to 1
    #[arg(long, value_name = "F")]
    pub(crate) duplicate: Option<f64>,
    /// Part of the datagrams in which a bit is turned over, 0 to 1
    #[arg(long, value_name = "F")]
    pub(crate) corrupt: Option<f64>,
    /// Part of the datagrams that later ones pass, 0 to 1
    #[arg(long, value_name = "F")]
    pub(crate) reorder: Option<f64>,
    /// How long those and second copies are held back at most, in microseconds
    #[arg(long, value_name = "N")]
    pub(crate) reorder_us: Option<u64>,
}

/// How a line comes and goes.
#[derive(Debug, Args)]
pub(crate) struct FlapArgs {
    /// Milliseconds that it is down each time
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) down_ms: u64,
    /// Milliseconds that it is up in between
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub(crate) up_ms: u64,
    /// Seconds until it stays up; 0 ends it at once
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) for_s: u64,
}

/// A window of maintenance.
#[derive(Debug, Args)]
pub(crate) struct OutageArgs {
    /// When it begins, by the machine's clock in UTC, such as 2026-12-05T01:00
    #[arg(long, value_name = "TIME", requires = "minutes")]
    pub(crate) from: Option<String>,
    /// How many minutes it lasts
    #[arg(long, value_name = "N", requires = "from", value_parser = clap::value_parser!(u64).range(1..=525_600))]
    pub(crate) minutes: Option<u64>,
    /// After how many days it comes again; without it once
    #[arg(long, value_name = "N", requires = "from", value_parser = clap::value_parser!(u64).range(1..=3_650))]
    pub(crate) every_days: Option<u64>,
}

/// A line, or one direction of it.
#[derive(Debug, Args)]
pub(crate) struct LineChoice {
    /// The line: its lower end's name
    pub(crate) line: String,
    /// Only what goes towards the center (upward) or away from it (downward)
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "upward|downward"
    )]
    pub(crate) direction: Option<LineDirection>,
}

/// Which way along a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineDirection {
    /// Towards the center.
    Upward,
    /// Away from the center.
    Downward,
}

impl LineDirection {
    /// The name that access points know it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upward => "upward",
            Self::Downward => "downward",
        }
    }
}
