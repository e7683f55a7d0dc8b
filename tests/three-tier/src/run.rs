//! What a run is made of and how it ended.

use juki_crypto::Digest;

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many residents there are.
    pub residents: usize,
    /// How long things happen, in virtual milliseconds.
    pub busy_ms: u64,
    /// Whether anything fails.
    pub faults: bool,
    /// The town whose ledger skips its syncs: a planted bug.
    pub skip_sync_in: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            residents: 14,
            busy_ms: 60_000,
            faults: true,
            skip_sync_in: None,
        }
    }
}

/// How often things happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Losses of power.
    pub power_losses: u64,
    /// Losses of power in the middle of a turn or a start.
    pub mid_turn: u64,
    /// Torn tails cut at a start.
    pub torn_tails: u64,
    /// Starts that took up an older index.
    pub partial_indexes: u64,
    /// Stops in order.
    pub stops: u64,
    /// Processes killed while their machine went on.
    pub kills: u64,
    /// Turns that ended because the index failed.
    pub index_failures: u64,
    /// Lines cut.
    pub cuts: u64,
    /// Frames that arrived twice.
    pub repeated: u64,
    /// Frames lost.
    pub lost: u64,
    /// Frames refused on the way.
    pub refused_frames: u64,
    /// Frames refused as replayed.
    pub replays_refused: u64,
    /// Changes acknowledged.
    pub acknowledged: u64,
    /// Requests refused as they had to be.
    pub refused_requests: u64,
    /// Requests answered as known already.
    pub duplicates: u64,
    /// Questions answered.
    pub questions: u64,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was not as it must be; empty for a sound run.
    pub violations: Vec<String>,
    /// A digest over time, ends, kind and length of every frame.
    pub trace: Digest,
    /// How often things happened.
    pub counts: Counts,
}
