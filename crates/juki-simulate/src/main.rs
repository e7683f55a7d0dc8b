//! `juki-simulate`: worlds out of seeds or files, one JSON object for each. `jukinet simulate` runs it
//! and says the same for people.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use juki_simulate::{Arguments, Report, batch, scenarios, shrink};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match work(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            // A closed error output leaves nowhere to report to.
            let _ = writeln!(io::stderr(), "juki-simulate: {sentence}");
            ExitCode::from(2)
        }
    }
}

/// Whether every world was sound.
fn work(arguments: &Arguments) -> Result<bool, String> {
    let scenarios = scenarios(arguments)?;
    if let Some(path) = &arguments.write {
        let [scenario] = scenarios.as_slice() else {
            return Err("--write takes one scenario".to_owned());
        };
        return scenario.write(path).map(|()| true);
    }
    if let Some(path) = &arguments.shrink {
        let [scenario] = scenarios.as_slice() else {
            return Err("--shrink takes one scenario".to_owned());
        };
        let mut told = |found: &juki_simulate::Shrunk| {
            let (faults, minutes) = (found.scenario.faults.len(), found.scenario.minutes);
            let runs = found.runs;
            let _ = writeln!(
                io::stderr(),
                "run {runs}: {faults} faults in {minutes} minutes"
            );
        };
        let shrunk = shrink(scenario, SHRINK_RUNS, &mut told).map_err(|error| error.to_string())?;
        let Some(shrunk) = shrunk else {
            return Err("this scenario does not fail".to_owned());
        };
        shrunk.scenario.write(path)?;
        return Ok(false);
    }
    let mut all_sound = true;
    batch(scenarios, arguments, &mut |report: &Report| {
        all_sound &= report.violations.is_empty();
        // A report of plain names and numbers always has a JSON form.
        let line = serde_json::to_string(report).unwrap_or_default();
        let mut out = io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
    });
    Ok(all_sound)
}

/// Worlds that a shrinking may run.
const SHRINK_RUNS: u32 = 300;
