//! How often operators and bodies may ask a node that answers.

use juki_domain::RATE_PER_MIN_MAX;
use serde::{Deserialize, Serialize};

/// Questions a minute over all affairs together; rows of the legal-basis table may bound single
/// affairs more narrowly. One minute's worth may be asked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Of one operator: 1 to 60,000,000.
    pub operator_per_min: u32,
    /// Of all operators of a body together: 1 to 60,000,000.
    pub body_per_min: u32,
}

impl Default for Access {
    /// Ten a second are more than a person types and fewer than a file would be read out with.
    fn default() -> Self {
        Self {
            operator_per_min: 600,
            body_per_min: 6_000,
        }
    }
}

impl Access {
    /// What a network is given whose load is measured: no bound that a machine reaches.
    pub const MEASURED: Self = Self {
        operator_per_min: RATE_PER_MIN_MAX,
        body_per_min: RATE_PER_MIN_MAX,
    };

    /// Whether it is as in every network that says nothing else.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The first key that is out of bounds, with what to write.
    pub(crate) fn out_of_bounds(self) -> Option<(&'static str, &'static str)> {
        [
            ("operator_per_min", self.operator_per_min),
            ("body_per_min", self.body_per_min),
        ]
        .into_iter()
        .find(|(_, rate)| !(1..=RATE_PER_MIN_MAX).contains(rate))
        .map(|(key, _)| (key, "is out of bounds; write 1 to 60000000"))
    }
}
