//! The named sides of a node.

use std::fmt;
use std::str::FromStr;

/// A side on which a node meets its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Within one office, between a server or terminal and its firewall.
    Inside,
    /// The leased line between an office and the office above it.
    Line,
    /// The line from a prefecture to the national center, seen from the prefecture.
    NationalLine,
    /// The line from an agency, seen from the national center.
    AgencyLine,
}

/// A text names no interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an interface is inside, line, national-line or agency-line")]
pub struct InterfaceError;

impl Interface {
    /// Every interface.
    pub const ALL: [Self; 4] = [
        Self::Inside,
        Self::Line,
        Self::NationalLine,
        Self::AgencyLine,
    ];

    /// The name used in configuration, announce files and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Line => "line",
            Self::NationalLine => "national-line",
            Self::AgencyLine => "agency-line",
        }
    }
}

impl FromStr for Interface {
    type Err = InterfaceError;

    fn from_str(text: &str) -> Result<Self, InterfaceError> {
        Self::ALL
            .into_iter()
            .find(|interface| interface.name() == text)
            .ok_or(InterfaceError)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
