//! Why a command failed, told to a person.

use std::io;
use std::path::Path;

use juki_admin::ClientError;
use juki_domain::{ErrorCode, Lang};
use juki_topology::ConfigError;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every check of the command held.
    Held,
    /// The command has shown what did not hold.
    NotHeld,
}

/// A command could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: ErrorCode,
    detail: String,
    todo: Option<String>,
}

/// What a command returns.
pub(crate) type Ending = Result<Outcome, Failure>;

impl Failure {
    /// A failure of this kind; the detail names the file, node or value.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            todo: None,
        }
    }

    /// A file or folder could not be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(
            ErrorCode::DiskFailed,
            format!("{}: {error}", path.display()),
        )
    }

    /// The same failure with a next step of its own.
    pub(crate) fn with_todo(mut self, todo: impl Into<String>) -> Self {
        self.todo = Some(todo.into());
        self
    }

    /// 2 for usage and bad configuration, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.code.code().starts_with("JKC-") {
            2
        } else {
            1
        }
    }

    /// What failed and where, in one line for a table.
    pub(crate) fn sentence(&self) -> String {
        match &self.todo {
            Some(todo) => format!("{} {}: {todo}", self.code.code(), self.detail),
            None => format!("{} {}", self.code.code(), self.detail),
        }
    }

    /// Two lines: what failed and where; what to do.
    pub(crate) fn explained(&self, lang: Lang) -> String {
        let explanation = self.code.explain(lang);
        let todo = self.todo.as_deref().unwrap_or(explanation.todo);
        let what = explanation.what.trim_end_matches(['.', '。']);
        format!("{} {}: {}\n  → {todo}", self.code.code(), what, self.detail)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = error.code();
        match error {
            ClientError::Refused(problem) => {
                Self::new(code, problem.detail.clone()).with_todo(problem.todo)
            }
            ClientError::NotReachable { .. }
            | ClientError::Timeout { .. }
            | ClientError::Status { .. }
            | ClientError::Broken { .. }
            | ClientError::Malformed { .. }
            | ClientError::File { .. } => Self::new(code, with_causes(&error)),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let line = error
            .line
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        let key = if error.key.is_empty() {
            String::new()
        } else {
            format!(": {}", error.key)
        };
        Self::new(error.code, format!("{}{line}{key}", error.file)).with_todo(error.sentence)
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.ends_with(&own) {
            text = format!("{text}: {own}");
        }
        cause = error.source();
    }
    text
}
