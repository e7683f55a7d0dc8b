//! Many worlds, side by side.

use std::fs::File;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::report::Report;
use crate::scenario::{Bug, Scenario};
use crate::world::run;

/// The scenarios that the arguments name.
///
/// # Errors
/// A sentence on what is wrong with them, or with a file.
pub fn scenarios(arguments: &Arguments) -> Result<Vec<Scenario>, String> {
    let mut scenarios = if let Some(seeds) = &arguments.seeds {
        seeds.clone().map(Scenario::small).collect()
    } else if let Some(path) = &arguments.scenario {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut text = String::new();
        let file = File::open(path).map_err(|error| named(&error))?;
        let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| named(&error))?;
        vec![Scenario::parse(&text).map_err(|error| named(&error))?]
    } else if let Some(minutes) = arguments.prefecture {
        vec![Scenario::prefecture(arguments.seed, minutes)]
    } else {
        return Err("name --seeds A..B, --scenario FILE or --prefecture MINUTES".to_owned());
    };
    if let Some(name) = &arguments.bug {
        let bug = Bug::from_name(name).ok_or_else(|| format!("there is no bug {name}"))?;
        for scenario in &mut scenarios {
            scenario.bug = Some(bug);
        }
    }
    Ok(scenarios)
}

/// Runs scenarios on several threads and reports each when it has ended, until `told` says false.
pub fn batch(
    scenarios: Vec<Scenario>,
    arguments: &Arguments,
    told: &mut dyn FnMut(&Report) -> bool,
) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = arguments
        .workers
        .map_or(cores, usize::from)
        .min(scenarios.len());
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (ended, reports) = sync_channel(workers.max(1));
    let ended = Mutex::new(ended);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let ended = ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (scenarios, next, stopped) = (&scenarios, &next, &stopped);
            scope.spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(at) else {
                        return;
                    };
                    if ended.send(one(scenario, arguments.twice)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        for report in reports {
            if !told(&report) {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    });
}

/// A scenario file is read so far; a longer one is no TOML any more.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// Runs a world, or the same twice.
fn one(scenario: &Scenario, twice: bool) -> Report {
    let start = Instant::now();
    let mut report = Report::new(scenario.seed, run(scenario), start.elapsed());
    if twice {
        let again = Report::new(scenario.seed, run(scenario), start.elapsed());
        if again.trace != report.trace || again.counts != report.counts {
            let sentence = "the same scenario runs another way the second time";
            report.violations.push(sentence.to_owned());
        }
    }
    report
}
