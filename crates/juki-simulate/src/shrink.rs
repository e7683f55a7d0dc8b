//! Makes a failing scenario small: fewer faults, less time, while it fails still.

use crate::deployment::DeploymentError;
use crate::scenario::Scenario;
use crate::world::run;

/// A small scenario that fails, and what it took to find it.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The scenario.
    pub scenario: Scenario,
    /// What it violates.
    pub violations: Vec<String>,
    /// How many worlds were run.
    pub runs: u32,
}

/// Shrinks a scenario in at most so many runs; none where it does not fail at all.
///
/// Faults are taken away in halves, then quarters and so on (Zeller and Hildebrandt's ddmin), then
/// the time after the failure and the line's character. `told` hears of every step.
///
/// # Errors
/// [`DeploymentError`] where a world cannot be built.
pub fn shrink(
    scenario: &Scenario,
    runs_max: u32,
    told: &mut dyn FnMut(&Shrunk),
) -> Result<Option<Shrunk>, DeploymentError> {
    let mut search = Search {
        runs: 0,
        runs_max,
        told,
    };
    let Some(mut best) = search.fails(scenario.clone())? else {
        return Ok(None);
    };
    let mut part = best.scenario.faults.len().div_ceil(2);
    while part > 0 && search.runs < runs_max {
        let shorter = search.without_a_part(&best.scenario, part)?;
        match shorter {
            Some(shorter) => best = shorter,
            None if part == 1 => break,
            None => part = part.div_ceil(2),
        }
        part = part.min(best.scenario.faults.len());
    }
    for change in [shorter, calmer] {
        while search.runs < runs_max {
            let Some(candidate) = change(&best.scenario) else {
                break;
            };
            match search.fails(candidate)? {
                Some(smaller) => best = smaller,
                None => break,
            }
        }
    }
    best.runs = search.runs;
    Ok(Some(best))
}

struct Search<'a> {
    runs: u32,
    runs_max: u32,
    told: &'a mut dyn FnMut(&Shrunk),
}

impl Search<'_> {
    fn fails(&mut self, scenario: Scenario) -> Result<Option<Shrunk>, DeploymentError> {
        self.runs += 1;
        let outcome = run(&scenario)?;
        if outcome.violations.is_empty() {
            return Ok(None);
        }
        let found = Shrunk {
            scenario,
            violations: outcome.violations,
            runs: self.runs,
        };
        (self.told)(&found);
        Ok(Some(found))
    }

    /// The first of the scenarios without so many neighbouring faults that fails still.
    fn without_a_part(
        &mut self,
        scenario: &Scenario,
        part: usize,
    ) -> Result<Option<Shrunk>, DeploymentError> {
        for from in (0..scenario.faults.len()).step_by(part) {
            if self.runs >= self.runs_max {
                return Ok(None);
            }
            let mut candidate = scenario.clone();
            let until = (from + part).min(candidate.faults.len());
            candidate.faults.drain(from..until);
            if let Some(found) = self.fails(candidate)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Three quarters of the time.
fn shorter(scenario: &Scenario) -> Option<Scenario> {
    let minutes = scenario.minutes * 3 / 4;
    (minutes > 0).then(|| {
        let mut shorter = scenario.clone();
        shorter.minutes = minutes;
        shorter
            .faults
            .retain(|fault| fault.at_ms < minutes * 60_000);
        shorter
    })
}

/// On lines that pass everything at once.
fn calmer(scenario: &Scenario) -> Option<Scenario> {
    (scenario.line != "unshaped").then(|| Scenario {
        line: "unshaped".to_owned(),
        ..scenario.clone()
    })
}
