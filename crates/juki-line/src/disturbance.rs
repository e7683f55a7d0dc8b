//! What a bad line does to datagrams beyond delaying them and losing some at random.

use serde::{Deserialize, Serialize};

use crate::settings::LineSettingsError;

/// How the part of the delay that varies is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JitterShape {
    /// Anything from 0 to `jitter_us`, all alike.
    #[default]
    Uniform,
    /// Mostly short and now and then long, as queues on the way are: `jitter_us` on average and at
    /// most ten times that.
    Exponential,
}

/// Losses that come in bursts: the model of Gilbert and Elliott. Before each datagram the line may
/// change between a good state, where [`crate::LineSettings::loss`] holds, and a bad one. Bad states
/// last `1 / leave` datagrams on average, and `enter / (enter + leave)` of all datagrams meet one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// Probability of falling into the bad state, per datagram, 0 to 1.
    pub enter: f64,
    /// Probability of leaving it, per datagram, above 0 to 1.
    pub leave: f64,
    /// Probability of losing a datagram in the bad state, 0 to 1.
    #[serde(default = "all")]
    pub loss: f64,
}

/// What a bad line does: all of it is off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Disturbance {
    /// The distribution of the jitter.
    pub jitter: JitterShape,
    /// Losses in bursts, beside the independent ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<Burst>,
    /// Probability that a datagram arrives twice, 0 to 1.
    pub duplicate: f64,
    /// Probability that one bit of a datagram is turned over, 0 to 1.
    pub corrupt: f64,
    /// Probability that a datagram is held back while later ones pass it, 0 to 1.
    pub reorder: f64,
    /// How long such a datagram, or the second of two, is held back at most, in microseconds.
    pub reorder_us: u64,
}

impl Burst {
    /// Share of datagrams lost where nothing else loses any: the mean over both states.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        self.loss * self.enter / (self.enter + self.leave)
    }
}

impl Disturbance {
    /// Whether it does nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.burst.is_none()
            && self.duplicate <= 0.0
            && self.corrupt <= 0.0
            && self.reorder <= 0.0
            && self.jitter == JitterShape::Uniform
    }

    pub(crate) fn check(&self) -> Result<(), LineSettingsError> {
        let is_probability = |p: f64| (0.0..=1.0).contains(&p);
        if let Some(burst) = &self.burst {
            let lawful = [burst.enter, burst.leave, burst.loss].map(is_probability);
            if lawful.contains(&false) || burst.leave <= 0.0 {
                return Err(LineSettingsError::Burst);
            }
        }
        let named = [
            (self.duplicate, LineSettingsError::Duplicate),
            (self.corrupt, LineSettingsError::Corrupt),
            (self.reorder, LineSettingsError::Reorder),
        ];
        if let Some((_, error)) = named.into_iter().find(|(p, _)| !is_probability(*p)) {
            return Err(error);
        }
        if self.reorder_us > crate::LineSettings::DELAY_US_MAX {
            return Err(LineSettingsError::ReorderTime);
        }
        Ok(())
    }
}

fn all() -> f64 {
    1.0
}
