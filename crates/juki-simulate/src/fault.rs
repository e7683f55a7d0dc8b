//! What fails, when, and for how long: a list that a file can hold and a seed can draw.

use juki_line::{Burst, Disturbance, LineSettings};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::scenario::YEAR_MS;

/// A fault at its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedFault {
    /// Milliseconds since the world began.
    pub at_ms: u64,
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
}

/// One fault. Nodes and lines are named as in `network.toml`; `for_ms` says when it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// A line carries nothing.
    LineCut {
        /// The line.
        line: String,
        /// How long.
        for_ms: u64,
    },
    /// A line loses, repeats, damages and reorders datagrams.
    LineBad {
        /// The line.
        line: String,
        /// Probability of losing each.
        loss: f64,
        /// Probability that a burst of losses begins at a datagram; bursts last twenty on average.
        bursts: f64,
        /// Probability of arriving twice.
        duplicate: f64,
        /// Probability of a wrong bit.
        corrupt: f64,
        /// Probability of being passed by later ones.
        reorder: f64,
        /// How long.
        for_ms: u64,
    },
    /// A line has the numbers of a slower one.
    LineSlow {
        /// The line.
        line: String,
        /// The preset.
        preset: String,
        /// How long.
        for_ms: u64,
    },
    /// A process is killed; its machine goes on.
    Kill {
        /// The node.
        node: String,
        /// When it starts again.
        for_ms: u64,
    },
    /// A machine loses power when its disk has done so many more operations.
    PowerLoss {
        /// The node.
        node: String,
        /// Writes and syncs until then; 0 = at once.
        after: u64,
        /// What the disk keeps of what was not synced.
        keep: u64,
        /// When it starts again.
        for_ms: u64,
    },
    /// A node is stopped in order and started again.
    Restart {
        /// The node.
        node: String,
        /// When it starts again.
        for_ms: u64,
    },
    /// A disk takes no more.
    DiskFull {
        /// The node.
        node: String,
        /// When there is room again.
        for_ms: u64,
    },
    /// A machine's clock is wrong, and is set right again.
    ClockWrong {
        /// The node.
        node: String,
        /// By how much; negative is slow.
        by_ms: i64,
        /// How long.
        for_ms: u64,
    },
}

impl Fault {
    /// Its kind, as files name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LineCut { .. } => "line-cut",
            Self::LineBad { .. } => "line-bad",
            Self::LineSlow { .. } => "line-slow",
            Self::Kill { .. } => "kill",
            Self::PowerLoss { .. } => "power-loss",
            Self::Restart { .. } => "restart",
            Self::DiskFull { .. } => "disk-full",
            Self::ClockWrong { .. } => "clock-wrong",
        }
    }

    /// The node or the line that it is about.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::LineCut { line, .. }
            | Self::LineBad { line, .. }
            | Self::LineSlow { line, .. } => line,
            Self::Kill { node, .. }
            | Self::PowerLoss { node, .. }
            | Self::Restart { node, .. }
            | Self::DiskFull { node, .. }
            | Self::ClockWrong { node, .. } => node,
        }
    }

    /// Whether its numbers are ones that a world can live through.
    pub(crate) fn is_bounded(&self) -> bool {
        let is_part = |part: &f64| (0.0..=1.0).contains(part);
        match self {
            Self::LineBad {
                loss,
                bursts,
                duplicate,
                corrupt,
                reorder,
                for_ms,
                ..
            } => {
                let parts = [loss, bursts, duplicate, corrupt, reorder];
                parts.into_iter().all(is_part) && *for_ms <= YEAR_MS
            }
            Self::ClockWrong { by_ms, for_ms, .. } => {
                by_ms.unsigned_abs() <= YEAR_MS && *for_ms <= YEAR_MS
            }
            Self::LineSlow { preset, for_ms, .. } => {
                LineSettings::preset(preset).is_some() && *for_ms <= YEAR_MS
            }
            Self::LineCut { for_ms, .. }
            | Self::Kill { for_ms, .. }
            | Self::PowerLoss { for_ms, .. }
            | Self::Restart { for_ms, .. }
            | Self::DiskFull { for_ms, .. } => *for_ms <= YEAR_MS,
        }
    }

    /// Draws one among those nodes and lines.
    pub(crate) fn draw(rng: &mut ChaCha8Rng, nodes: &[String], lines: &[String]) -> Self {
        let line = pick(rng, lines);
        let node = pick(rng, nodes);
        let for_ms = pause(rng);
        match rng.random_range(0..100) {
            0..20 => Self::LineCut { line, for_ms },
            20..34 => Self::LineBad {
                line,
                loss: rng.random_range(0.0..0.2),
                bursts: rng.random_range(0.0..0.01),
                duplicate: rng.random_range(0.0..0.1),
                corrupt: rng.random_range(0.0..0.05),
                reorder: rng.random_range(0.0..0.1),
                for_ms,
            },
            34..40 => Self::LineSlow {
                line,
                preset: "64k".to_owned(),
                for_ms,
            },
            40..52 => Self::Kill { node, for_ms },
            52..84 => Self::PowerLoss {
                node,
                after: if rng.random_bool(0.3) {
                    0
                } else {
                    rng.random_range(1..40)
                },
                keep: rng.random(),
                for_ms,
            },
            84..92 => Self::Restart { node, for_ms },
            92..96 => Self::DiskFull { node, for_ms },
            _ => Self::ClockWrong {
                node,
                by_ms: rng.random_range(-600_000..600_000),
                for_ms,
            },
        }
    }

    /// The numbers of a line while it is bad.
    pub(crate) fn disturbed(&self, settings: LineSettings) -> LineSettings {
        match self {
            Self::LineBad {
                loss,
                bursts,
                duplicate,
                corrupt,
                reorder,
                ..
            } => LineSettings {
                loss: *loss,
                disturbance: Disturbance {
                    burst: (*bursts > 0.0).then_some(Burst {
                        enter: *bursts,
                        leave: 0.05,
                        loss: 1.0,
                    }),
                    duplicate: *duplicate,
                    corrupt: *corrupt,
                    reorder: *reorder,
                    reorder_us: 50_000,
                    ..Disturbance::default()
                },
                ..settings
            },
            Self::LineSlow { preset, .. } => LineSettings::preset(preset).unwrap_or(settings),
            Self::LineCut { .. }
            | Self::Kill { .. }
            | Self::PowerLoss { .. }
            | Self::Restart { .. }
            | Self::DiskFull { .. }
            | Self::ClockWrong { .. } => settings,
        }
    }
}

/// Mostly short, sometimes minutes.
fn pause(rng: &mut ChaCha8Rng) -> u64 {
    match rng.random_range(0..10) {
        0..4 => rng.random_range(1..1_000),
        4..8 => rng.random_range(1_000..30_000),
        _ => rng.random_range(30_000..300_000),
    }
}

fn pick(rng: &mut ChaCha8Rng, of: &[String]) -> String {
    let at = rng.random_range(0..of.len().max(1));
    of.get(at).cloned().unwrap_or_default()
}
