//! Why the operator's command failed, told to a person.

use std::error::Error as _;
use std::io;

use juki_admin::ClientError;
use juki_domain::{ErrorCode, Lang};

/// A command could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What happened.
    pub(crate) code: ErrorCode,
    detail: String,
    todo: Option<String>,
}

impl Failure {
    /// A failure of this kind; the detail names the file or the item, never a person.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            todo: None,
        }
    }

    /// The operator's input could not be read.
    pub(crate) fn input(error: &io::Error) -> Self {
        Self::new(ErrorCode::TextInvalid, error.to_string())
    }

    /// Two lines: what failed and where; what to do.
    pub(crate) fn explained(&self, lang: Lang) -> String {
        let explanation = self.code.explain(lang);
        let todo = self.todo.as_deref().unwrap_or(explanation.todo);
        let what = explanation.what.trim_end_matches(['.', '。']);
        format!("{} {what}: {}\n  → {todo}", self.code.code(), self.detail)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = error.code();
        match error {
            ClientError::Refused(problem) => Self {
                code,
                detail: problem.detail,
                todo: Some(problem.todo),
            },
            ClientError::NotReachable { .. }
            | ClientError::Timeout { .. }
            | ClientError::Status { .. }
            | ClientError::Broken { .. }
            | ClientError::Malformed { .. }
            | ClientError::File { .. } => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                Self::new(code, format!("{error}{}", cause.unwrap_or_default()))
            }
        }
    }
}
