//! The numbers of a line and the presets that name usual ones.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disturbance::{Disturbance, JitterShape};

/// Which way a datagram travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards the center: from the dialling side to the dialled side.
    Upward,
    /// Away from the center.
    Downward,
}

/// The numbers of one direction of a line. Both directions of a leased line usually share them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineSettings {
    /// Bits per second; 0 = unshaped, then the queue never fills.
    pub bandwidth_bps: u64,
    /// One-way delay in microseconds, at most [`LineSettings::DELAY_US_MAX`].
    pub delay_us: u64,
    /// Added to the delay in microseconds, as [`Disturbance::jitter`] says (by default anything from
    /// 0 to this), never reordering.
    pub jitter_us: u64,
    /// Probability of losing a datagram, 0 to 1; each alone.
    pub loss: f64,
    /// Bytes that may wait for the transmitter, at most [`LineSettings::QUEUE_BYTES_MAX`]; the
    /// tail is dropped. A datagram that finds the transmitter idle always fits.
    pub queue_bytes: u64,
    /// Longest datagram in bytes with its UDP and IP headers, 68 or more.
    pub mtu: u16,
    /// What a bad line does beyond that.
    #[serde(skip_serializing_if = "Disturbance::is_none")]
    pub disturbance: Disturbance,
}

/// A line cannot have these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineSettingsError {
    /// Longer than [`LineSettings::DELAY_US_MAX`].
    #[error("delay_us is at most 60000000 (one minute)")]
    Delay,
    /// Longer than [`LineSettings::DELAY_US_MAX`].
    #[error("jitter_us is at most 60000000 (one minute)")]
    Jitter,
    /// Not a probability.
    #[error("loss is a probability from 0 to 1")]
    Loss,
    /// More than [`LineSettings::QUEUE_BYTES_MAX`].
    #[error("queue_bytes is at most 67108864 (64 MiB)")]
    Queue,
    /// Below the least that IPv4 asks of any link.
    #[error("mtu is at least 68")]
    Mtu,
    /// Not probabilities, or a bad state that never ends.
    #[error("burst has probabilities from 0 to 1, and leave is above 0")]
    Burst,
    /// Not a probability.
    #[error("duplicate is a probability from 0 to 1")]
    Duplicate,
    /// Not a probability.
    #[error("corrupt is a probability from 0 to 1")]
    Corrupt,
    /// Not a probability.
    #[error("reorder is a probability from 0 to 1")]
    Reorder,
    /// Longer than [`LineSettings::DELAY_US_MAX`].
    #[error("reorder_us is at most 60000000 (one minute)")]
    ReorderTime,
}

/// Names that [`LineSettings::preset`] knows, slowest line first.
pub const PRESET_NAMES: [&str; 6] = ["64k", "128k", "1.5m", "atm-6m", "fibre", "unshaped"];

impl LineSettings {
    /// Longest delay and jitter: one minute in microseconds.
    pub const DELAY_US_MAX: u64 = 60_000_000;
    /// Longest queue: 64 MiB.
    pub const QUEUE_BYTES_MAX: u64 = 64 << 20;
    /// Least MTU (RFC 791).
    pub const MTU_MIN: u16 = 68;

    /// A line that passes everything at once.
    pub const UNSHAPED: Self = Self {
        bandwidth_bps: 0,
        delay_us: 0,
        jitter_us: 0,
        loss: 0.0,
        queue_bytes: 8_192,
        mtu: u16::MAX,
        disturbance: Disturbance {
            jitter: JitterShape::Uniform,
            burst: None,
            duplicate: 0.0,
            corrupt: 0.0,
            reorder: 0.0,
            reorder_us: 0,
        },
    };

    /// The settings of that name in [`PRESET_NAMES`].
    ///
    /// The bit rates are those of the services that the names say; delay, jitter and queues are
    /// chosen for exercises, not measured on a real line.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let shaped = |bandwidth_bps, delay_us, jitter_us, queue_bytes| Self {
            bandwidth_bps,
            delay_us,
            jitter_us,
            queue_bytes,
            mtu: 1_500,
            ..Self::UNSHAPED
        };
        match name {
            "64k" => Some(shaped(64_000, 10_000, 2_000, 8_192)),
            "128k" => Some(shaped(128_000, 10_000, 2_000, 8_192)),
            "1.5m" => Some(shaped(1_536_000, 8_000, 1_000, 32_768)),
            "atm-6m" => Some(shaped(6_000_000, 6_000, 1_000, 65_536)),
            "fibre" => Some(shaped(100_000_000, 2_000, 200, 524_288)),
            "unshaped" => Some(Self::UNSHAPED),
            _ => None,
        }
    }

    /// Whether every datagram within the MTU passes at once and unharmed.
    #[must_use]
    pub fn is_unshaped(&self) -> bool {
        self.bandwidth_bps == 0
            && self.delay_us == 0
            && self.jitter_us == 0
            && self.loss <= 0.0
            && self.disturbance.is_none()
    }

    /// Checks every number against its bounds.
    ///
    /// # Errors
    /// The first number that is out of bounds.
    pub fn check(&self) -> Result<(), LineSettingsError> {
        if self.delay_us > Self::DELAY_US_MAX {
            return Err(LineSettingsError::Delay);
        }
        if self.jitter_us > Self::DELAY_US_MAX {
            return Err(LineSettingsError::Jitter);
        }
        if !(0.0..=1.0).contains(&self.loss) {
            return Err(LineSettingsError::Loss);
        }
        if self.queue_bytes > Self::QUEUE_BYTES_MAX {
            return Err(LineSettingsError::Queue);
        }
        if self.mtu < Self::MTU_MIN {
            return Err(LineSettingsError::Mtu);
        }
        self.disturbance.check()
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_micros(self.delay_us)
    }
}

impl LineSettingsError {
    /// The key whose number is wrong.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Delay => "delay_us",
            Self::Jitter => "jitter_us",
            Self::Loss => "loss",
            Self::Queue => "queue_bytes",
            Self::Mtu => "mtu",
            Self::Burst => "disturbance.burst",
            Self::Duplicate => "disturbance.duplicate",
            Self::Corrupt => "disturbance.corrupt",
            Self::Reorder => "disturbance.reorder",
            Self::ReorderTime => "disturbance.reorder_us",
        }
    }
}

impl Default for LineSettings {
    fn default() -> Self {
        Self::UNSHAPED
    }
}

impl Direction {
    /// Both directions.
    pub const BOTH: [Self; 2] = [Self::Upward, Self::Downward];

    /// The seed of this direction's model on the line of that name (FNV-1a over name and
    /// direction), so that a line behaves alike at every start and unlike its neighbours.
    #[must_use]
    pub fn seed(self, line_name: &str) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        let tag = match self {
            Self::Upward => b'u',
            Self::Downward => b'd',
        };
        mix(line_name.bytes().fold(OFFSET, mix), tag)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upward => "upward",
            Self::Downward => "downward",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disturbance::Burst;

    #[test]
    fn every_preset_has_its_name_and_lawful_numbers() {
        for name in PRESET_NAMES {
            let settings = LineSettings::preset(name).expect("named");
            assert_eq!(settings.check(), Ok(()), "{name}");
            assert_eq!(settings.is_unshaped(), name == "unshaped", "{name}");
        }
        assert_eq!(LineSettings::preset("56k"), None);
    }

    #[test]
    fn presets_grow_in_bandwidth() {
        let rates: Vec<u64> = PRESET_NAMES[..5]
            .iter()
            .map(|name| LineSettings::preset(name).expect("named").bandwidth_bps)
            .collect();
        assert!(rates.windows(2).all(|pair| pair[0] < pair[1]), "{rates:?}");
    }

    #[test]
    fn numbers_out_of_bounds_are_refused_by_key() {
        let wrong = |change: fn(&mut LineSettings)| {
            let mut settings = LineSettings::UNSHAPED;
            change(&mut settings);
            settings.check().expect_err("out of bounds").key()
        };
        assert_eq!(wrong(|line| line.delay_us = 60_000_001), "delay_us");
        assert_eq!(wrong(|line| line.jitter_us = u64::MAX), "jitter_us");
        assert_eq!(wrong(|line| line.loss = 1.01), "loss");
        assert_eq!(wrong(|line| line.loss = f64::NAN), "loss");
        assert_eq!(
            wrong(|line| line.queue_bytes = (64 << 20) + 1),
            "queue_bytes"
        );
        assert_eq!(wrong(|line| line.mtu = 67), "mtu");
        let burst = |enter, leave, loss| Some(Burst { enter, leave, loss });
        assert_eq!(
            wrong(|line| line.disturbance.duplicate = -0.1),
            "disturbance.duplicate"
        );
        assert_eq!(
            wrong(|line| line.disturbance.corrupt = f64::INFINITY),
            "disturbance.corrupt"
        );
        assert_eq!(
            wrong(|line| line.disturbance.reorder = 2.0),
            "disturbance.reorder"
        );
        assert_eq!(
            wrong(|line| line.disturbance.reorder_us = u64::MAX),
            "disturbance.reorder_us"
        );
        for (enter, leave, loss) in [(0.1, 0.0, 1.0), (1.1, 0.5, 1.0), (0.1, 0.5, f64::NAN)] {
            let settings = LineSettings {
                disturbance: Disturbance {
                    burst: burst(enter, leave, loss),
                    ..Disturbance::default()
                },
                ..LineSettings::UNSHAPED
            };
            assert_eq!(settings.check(), Err(LineSettingsError::Burst));
        }
    }

    #[test]
    fn lines_and_directions_have_seeds_of_their_own() {
        let seeds = [
            Direction::Upward.seed("cs-352047"),
            Direction::Downward.seed("cs-352047"),
            Direction::Upward.seed("cs-355011"),
        ];
        assert!(seeds[0] != seeds[1] && seeds[0] != seeds[2] && seeds[1] != seeds[2]);
        assert_eq!(seeds[0], Direction::Upward.seed("cs-352047"));
    }
}
