//! The handle that shows and changes the lines while they run.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use juki_domain::ErrorCode;
use juki_line::{
    Direction, LineCounters, LineSettings, LineSettingsError, Schedule, ScheduleError,
};
use serde::Serialize;

use crate::capture::{Capture, CaptureStatus};
use crate::pipe::Pipe;
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
    /// The schedule cannot be kept.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The file of a capture cannot be made.
    #[error("the capture's file cannot be written: {0}")]
    Capture(String),
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
    /// Whether it carries anything in both directions.
    pub up: bool,
    /// Senders below the line that are remembered.
    pub clients: usize,
    /// Datagrams from below that found no upper end or too many senders before them.
    pub undeliverable: u64,
    /// When it is down on purpose.
    pub schedule: Schedule,
    /// What its capture holds, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureStatus>,
    /// Towards the center.
    pub upward: DirectionStatus,
    /// Away from the center.
    pub downward: DirectionStatus,
}

/// One direction of a line as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DirectionStatus {
    /// Whether it carries anything.
    pub up: bool,
    /// Its numbers.
    pub settings: LineSettings,
    /// What it has carried and dropped.
    #[serde(flatten)]
    pub counters: Counters,
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
    /// Datagrams that found the line's queue before a shared stretch full.
    pub dropped_shared: u64,
}

impl RelayControl {
    pub(crate) fn new(lines: Vec<Arc<Line>>) -> Self {
        Self {
            lines: lines.into(),
        }
    }

    /// Gives a direction of a line, or both where none is named, new numbers.
    ///
    /// # Errors
    /// An unknown line, or numbers out of bounds; then nothing changes.
    pub fn set(
        &self,
        line: &str,
        direction: Option<Direction>,
        settings: LineSettings,
    ) -> Result<(), ControlError> {
        self.change(line, direction, |_| settings)
    }

    /// Gives a direction of a line, or both where none is named, the numbers made of its old ones.
    ///
    /// # Errors
    /// An unknown line, or numbers out of bounds; then nothing changes.
    pub fn change(
        &self,
        line: &str,
        direction: Option<Direction>,
        new: impl Fn(LineSettings) -> LineSettings,
    ) -> Result<(), ControlError> {
        let line = self.find(line)?;
        let mut changes = Vec::new();
        for (way, pipe) in pipes(line, direction) {
            let settings = new(pipe.settings());
            settings.check()?;
            changes.push((way, pipe, settings));
        }
        for (way, pipe, settings) in changes {
            pipe.set(settings);
            tracing::info!(event = "line.set", line = line.name(), direction = ?way, ?settings);
        }
        Ok(())
    }

    /// Mends a direction of a line, or both where none is named.
    ///
    /// # Errors
    /// An unknown line.
    pub fn up(&self, line: &str, direction: Option<Direction>) -> Result<(), ControlError> {
        self.switch(line, direction, true)
    }

    /// Cuts a direction of a line, or both where none is named; what is on its way there is lost.
    ///
    /// # Errors
    /// An unknown line.
    pub fn down(&self, line: &str, direction: Option<Direction>) -> Result<(), ControlError> {
        self.switch(line, direction, false)
    }

    /// Gives a line another schedule of outages and flapping, in place of the one it has.
    ///
    /// # Errors
    /// An unknown line, or a schedule that cannot be kept; then nothing changes.
    pub fn schedule(&self, line: &str, schedule: Schedule) -> Result<(), ControlError> {
        let line = self.find(line)?;
        schedule.check()?;
        tracing::info!(event = "line.scheduled", line = line.name(), ?schedule);
        line.switch().set_schedule(line, schedule);
        Ok(())
    }

    /// Begins to write what passes a line into a new file of so many bytes at most.
    ///
    /// # Errors
    /// An unknown line, or a file that cannot be made; then nothing changes.
    pub fn capture(&self, line: &str, path: &Path, bytes_max: u64) -> Result<(), ControlError> {
        let line = self.find(line)?;
        let capture = Capture::create(path, bytes_max)
            .map(Arc::new)
            .map_err(|error| ControlError::Capture(error.to_string()))?;
        line.upward().tap().set(Some(Arc::clone(&capture)));
        line.downward().tap().set(Some(capture));
        Ok(())
    }

    /// Ends the capture of a line; its file stays.
    ///
    /// # Errors
    /// An unknown line.
    pub fn end_capture(&self, line: &str) -> Result<(), ControlError> {
        let line = self.find(line)?;
        line.upward().tap().set(None);
        line.downward().tap().set(None);
        Ok(())
    }

    /// Every line as it is now.
    #[must_use]
    pub fn list(&self) -> Vec<LineStatus> {
        self.lines.iter().map(|line| status(line)).collect()
    }

    fn switch(
        &self,
        line: &str,
        direction: Option<Direction>,
        is_up: bool,
    ) -> Result<(), ControlError> {
        let line = self.find(line)?;
        for (way, _) in pipes(line, direction) {
            line.switch().set_up(line, way, is_up);
        }
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
            Self::UnknownLine(_) | Self::Settings(_) | Self::Schedule(_) => {
                ErrorCode::ConfigBadValue
            }
            Self::Capture(_) => ErrorCode::DiskFailed,
        }
    }
}

/// The named direction, or both.
fn pipes(line: &Line, direction: Option<Direction>) -> impl Iterator<Item = (Direction, &Pipe)> {
    let both = [
        (Direction::Upward, line.upward().as_ref()),
        (Direction::Downward, line.downward().as_ref()),
    ];
    both.into_iter()
        .filter(move |(way, _)| direction.is_none_or(|wanted| wanted == *way))
}

fn status(line: &Line) -> LineStatus {
    let (upward, downward) = (one_way(line.upward()), one_way(line.downward()));
    LineStatus {
        name: line.name().to_owned(),
        listen: line.listen(),
        target: line.target(),
        up: upward.up && downward.up,
        clients: line.clients(),
        undeliverable: line.undeliverable(),
        schedule: line.switch().schedule(),
        capture: line.upward().tap().status(),
        upward,
        downward,
    }
}

fn one_way(pipe: &Pipe) -> DirectionStatus {
    DirectionStatus {
        up: pipe.is_up(),
        settings: pipe.settings(),
        counters: pipe.counters(),
    }
}
