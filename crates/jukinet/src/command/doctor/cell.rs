//! One check of one link, and how it came out.

use juki_domain::Lang;
use serde::Serialize;

use crate::text::matrix as say;

/// What is checked at each link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Check {
    /// The configurations of both ends, and of the line between them, name each other.
    Route,
    /// Whoever is dialled runs, has announced itself and is bound.
    Port,
    /// Certificates, and what the last handshake said of them.
    Tls,
    /// The clocks of both ends.
    Clock,
    /// The calendars of both ends.
    Calendar,
    /// Hop protocol and programs of both ends.
    Version,
    /// The ledger, and that no tier above holds more of a journal than its writer.
    Chain,
}

impl Check {
    /// All checks, in the order of the matrix.
    pub(super) const ALL: [Self; 7] = [
        Self::Route,
        Self::Port,
        Self::Tls,
        Self::Clock,
        Self::Calendar,
        Self::Version,
        Self::Chain,
    ];

    /// What people call it.
    pub(super) fn label(self, lang: Lang) -> String {
        match self {
            Self::Route => say::check_route(lang),
            Self::Port => say::check_port(lang),
            Self::Tls => say::check_tls(lang),
            Self::Clock => say::check_clock(lang),
            Self::Calendar => say::check_calendar(lang),
            Self::Version => say::check_version(lang),
            Self::Chain => say::check_chain(lang),
        }
    }
}

/// How a check of a link came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    /// Nothing is wrong.
    Good,
    /// It works, and something wants a look.
    Doubtful,
    /// It does not work, or will not after the next start.
    Bad,
    /// Nobody here can tell: nothing runs, or the ends have not spoken yet.
    Unknown,
    /// What would have to be looked at is on another machine.
    Elsewhere,
}

impl Mark {
    /// The sign in the matrix.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Doubtful => "?",
            Self::Bad => "!!",
            Self::Unknown => "-",
            Self::Elsewhere => "->",
        }
    }

    /// Whether somebody has to do something.
    pub(super) fn is_finding(self) -> bool {
        matches!(self, Self::Doubtful | Self::Bad)
    }
}

/// One check of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) mark: Mark,
    /// What is wrong, or what was seen.
    pub(super) cause: String,
    /// The next command.
    pub(super) todo: String,
}

impl Cell {
    pub(super) fn bad(cause: String, todo: String) -> Self {
        Self {
            mark: Mark::Bad,
            cause,
            todo,
        }
    }

    pub(super) fn doubtful(cause: String, todo: String) -> Self {
        Self {
            mark: Mark::Doubtful,
            cause,
            todo,
        }
    }

    /// A cell that asks for nothing.
    pub(super) fn plain(mark: Mark) -> Self {
        Self {
            mark,
            cause: String::new(),
            todo: String::new(),
        }
    }
}
