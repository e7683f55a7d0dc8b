//! The handle that shows and changes the lines while they run.

use std::net::SocketAddr;
use std::sync::Arc;

use juki_domain::ErrorCode;
use juki_line::{LineCounters, LineSettings, LineSettingsError};
use serde::Serialize;

use crate::relay::Line;

/// Shows and changes the lines of one access point.
#[derive(Debug, Clone)]
pub struct RelayControl {
    lines: Arc<[Arc<Line>]>,
}

/// A line cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// This access point has no line of that name.
    #[error("there is no line {0} at this access point")]
    UnknownLine(String),
    /// The numbers are out of bounds.
    #[error(transparent)]
    Settings(#[from] LineSettingsError),
}

/// One line as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineStatus {
    /// Its name.
    pub name: String,
    /// Where the lower end finds it.
    pub listen: SocketAddr,
    /// Where the upper end was last found.
    pub target: Option<SocketAddr>,
    /// Whether it carries anything.
    pub up: bool,
    /// The numbers of each direction.
    pub settings: LineSettings,
    /// Senders below the line that are remembered.
    pub clients: usize,
    /// Datagrams from below that found no upper end or too many senders before them.
    pub undeliverable: u64,
    /// Towards the center.
    pub upward: Counters,
    /// Away from the center.
    pub downward: Counters,
}

/// What one direction has carried and dropped since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// By the line's own numbers; what is still on its way counts as delivered.
    #[serde(flatten)]
    pub line: LineCounters,
    /// Datagrams that were on their way when the line was cut.
    pub dropped_cut: u64,
    /// Datagrams beyond what the relay keeps on their way.
    pub dropped_overflow: u64,
}

impl RelayControl {
    pub(crate) fn new(lines: Vec<Arc<Line>>) -> Self {
        Self {
            lines: lines.into(),
        }
    }

    /// Gives both directions of a line new numbers.
    ///
    /// # Errors
    /// An unknown line, or numbers out of bounds; then nothing changes.
    pub fn set(&self, line: &str, settings: LineSettings) -> Result<(), ControlError> {
        settings.check()?;
        let line = self.find(line)?;
        line.upward().set(settings);
        line.downward().set(settings);
        tracing::info!(event = "line.set", line = line.name(), ?settings);
        Ok(())
    }

    /// Mends a line.
    ///
    /// # Errors
    /// An unknown line.
    pub fn up(&self, line: &str) -> Result<(), ControlError> {
        self.switch(line, true)
    }

    /// Cuts a line; what is on its way is lost.
    ///
    /// # Errors
    /// An unknown line.
    pub fn down(&self, line: &str) -> Result<(), ControlError> {
        self.switch(line, false)
    }

    /// Every line as it is now.
    #[must_use]
    pub fn list(&self) -> Vec<LineStatus> {
        self.lines.iter().map(|line| status(line)).collect()
    }

    fn switch(&self, line: &str, is_up: bool) -> Result<(), ControlError> {
        let line = self.find(line)?;
        line.upward().set_up(is_up);
        line.downward().set_up(is_up);
        tracing::info!(event = "line.switched", line = line.name(), is_up);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&Line, ControlError> {
        let line = self.lines.iter().find(|line| line.name() == name);
        line.map(Arc::as_ref)
            .ok_or_else(|| ControlError::UnknownLine(name.to_owned()))
    }
}

impl ControlError {
    /// The code for the operator.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownLine(_) | Self::Settings(_) => ErrorCode::ConfigBadValue,
        }
    }
}

fn status(line: &Line) -> LineStatus {
    LineStatus {
        name: line.name().to_owned(),
        listen: line.listen(),
        target: line.target(),
        up: line.upward().is_up(),
        settings: line.upward().settings(),
        clients: line.clients(),
        undeliverable: line.undeliverable(),
        upward: line.upward().counters(),
        downward: line.downward().counters(),
    }
}
