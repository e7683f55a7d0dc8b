//! What is said of one world: a line of JSON.

use std::time::Duration;

use serde::Serialize;

use crate::counts::{Counts, Outcome};
use crate::deployment::DeploymentError;

/// How one world ended.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What was not as it must be.
    pub violations: Vec<String>,
    /// The digest over its datagrams.
    pub trace: String,
    /// How often things happened.
    pub counts: Counts,
    /// Virtual seconds in which things happened.
    pub busy_s: f64,
    /// Virtual seconds in all.
    pub total_s: f64,
    /// Seconds that it took.
    pub wall_s: f64,
}

impl Report {
    /// The report of a run that took so long.
    #[must_use]
    pub fn new(seed: u64, ended: Result<Outcome, DeploymentError>, wall: Duration) -> Self {
        let wall_s = wall.as_secs_f64();
        match ended {
            Ok(outcome) => Self {
                seed,
                violations: outcome.violations,
                trace: outcome.trace,
                counts: outcome.counts,
                busy_s: outcome.busy.as_secs_f64(),
                total_s: outcome.total.as_secs_f64(),
                wall_s,
            },
            Err(error) => Self {
                seed,
                violations: vec![error.to_string()],
                trace: String::new(),
                counts: Counts::default(),
                busy_s: 0.0,
                total_s: 0.0,
                wall_s,
            },
        }
    }
}
