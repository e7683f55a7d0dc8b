//! Why a request over the admin socket did not succeed.

use std::io;
use std::path::PathBuf;

use juki_domain::ErrorCode;

use crate::problem::Problem;

/// A request over the admin socket did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error("nobody answers on {socket}")]
    NotReachable {
        /// The socket's path.
        socket: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The answer did not come in time.
    #[error("no answer to {request} within {seconds} s")]
    Timeout {
        /// Method and path.
        request: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// The node refused and says why.
    #[error("{} {}: {}", .0.code, .0.title, .0.detail)]
    Refused(Box<Problem>),
    /// The node answered with an error status and no problem document.
    #[error("{request} was answered with status {status}")]
    Status {
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection broke in the middle.
    #[error("the connection broke during {request}")]
    Broken {
        /// Method and path.
        request: String,
        /// What HTTP said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not what was expected.
    #[error("the answer to {request} is not of the expected form")]
    Malformed {
        /// Method and path.
        request: String,
        /// Where the form differs.
        #[source]
        source: serde_json::Error,
    },
    /// The file to send cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ClientError {
    /// The code to report this under.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotReachable { .. } => ErrorCode::NotRunning,
            Self::Timeout { .. } => ErrorCode::AnswerTimeout,
            Self::Refused(problem) => problem.error_code().unwrap_or(ErrorCode::CheckFailed),
            Self::Broken { .. } => ErrorCode::LineDown,
            Self::File { .. } => ErrorCode::DiskFailed,
            Self::Status { .. } | Self::Malformed { .. } => ErrorCode::CheckFailed,
        }
    }
}
