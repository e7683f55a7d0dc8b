//! Why an attack could not be made at all, which says nothing about the network.

use std::io;
use std::path::PathBuf;

use juki_domain::ErrorCode;
use juki_node::KeysError;
use juki_topology::ConfigError;

use crate::Ended;

/// An attack could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The stolen configuration is none.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stolen keys are none.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The connection ended before anything could be tried.
    #[error("the connection ended: {0}")]
    Ended(Ended),
    /// Something is not there that the attack needs.
    #[error("{0}")]
    Missing(String),
    /// A socket, or the TLS library, refuses.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::File { .. } => ErrorCode::ConfigUnreadable,
            Self::Config(error) => error.code(),
            Self::Keys(error) => error.code(),
            Self::Ended(ended) => ended.code.unwrap_or(ErrorCode::LineDown),
            Self::Missing(_) | Self::Refused(_) => ErrorCode::CheckFailed,
        }
    }

    pub(crate) fn refused(error: impl std::fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }
}
