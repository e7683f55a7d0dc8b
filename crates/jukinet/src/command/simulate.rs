//! `jukinet simulate`: whole networks in virtual time, by the program beside this one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use juki_domain::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::SimulateArgs;
use crate::command::bench::Figures;
use crate::command::up::program_folder;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;
use crate::text::simulate as say;

/// What the program says of one world.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) trace: String,
    pub(crate) counts: Counts,
    pub(crate) busy_s: f64,
    pub(crate) wall_s: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Counts {
    pub(crate) faults: u64,
    pub(crate) changes: u64,
    pub(crate) questions: u64,
    pub(crate) provided: u64,
    pub(crate) datagrams: u64,
}

/// A world that was not sound, and how it is seen again.
#[derive(Debug, Serialize)]
struct Failed {
    seed: u64,
    violations: Vec<String>,
    replay: String,
}

pub(crate) fn run(args: &SimulateArgs, screen: Screen) -> Ending {
    if args.write.is_some() || args.shrink.is_some() {
        return of_one(args, screen);
    }
    let mut figures = Figures::new("simulate");
    let mut failed = Vec::new();
    let mut worlds = 0_u32;
    let mut sums = [0; 4];
    let mut traces = BTreeMap::new();
    each_world(&arguments(args), &mut |world| {
        worlds += 1;
        let counts = world.counts;
        let added = [
            counts.changes,
            counts.provided,
            counts.faults,
            counts.datagrams,
        ];
        sums.iter_mut()
            .zip(added)
            .for_each(|(sum, added)| *sum += added);
        figures.add("sim_speed", "x", world.busy_s / world.wall_s.max(1e-9));
        traces.insert(world.seed.to_string(), world.trace.clone());
        screen.line(say::world(
            screen.lang,
            world.seed,
            counts.changes,
            counts.questions,
            counts.faults,
            world.trace.get(..12).unwrap_or_default(),
            &format!("{:.1}", world.wall_s),
        ));
        if !world.violations.is_empty() {
            let replay = replay(args, world.seed);
            for violation in &world.violations {
                screen.line(say::violation(screen.lang, violation));
            }
            screen.line(say::replay(screen.lang, &replay));
            failed.push(Failed {
                seed: world.seed,
                violations: world.violations,
                replay,
            });
        }
    })?;
    let violations: usize = failed.iter().map(|failed| failed.violations.len()).sum();
    let [changes, provided, faults, datagrams] = sums;
    let counted = [
        ("sim_seeds", u64::from(worlds)),
        (
            "sim_violations",
            u64::try_from(violations).unwrap_or(u64::MAX),
        ),
        ("sim_changes", changes),
        ("sim_provided", provided),
        ("sim_faults", faults),
        ("sim_datagrams", datagrams),
    ];
    for (metric, count) in counted {
        figures.add_bytes(metric, count);
    }
    let more = [("failed", json!(failed)), ("traces", json!(traces))];
    figures.show_with(screen, more)?;
    Ok(if failed.is_empty() {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

/// Writes one world into a file, as it is or made small.
fn of_one(args: &SimulateArgs, screen: Screen) -> Ending {
    let status = program(&arguments(args))?
        .status()
        .map_err(|error| Failure::new(ErrorCode::ProgramMissing, error.to_string()))?;
    let file = args.write.as_ref().or(args.shrink.as_ref());
    let file = file
        .map(|file| file.display().to_string())
        .unwrap_or_default();
    match (status.code(), &args.write) {
        (Some(0), Some(_)) => {
            screen.line(say::written(screen.lang, &file));
            screen.document(&json!({"scenario": file}))?;
            Ok(Outcome::Held)
        }
        (Some(1), None) => {
            screen.line(say::shrunk(screen.lang, &file));
            screen.document(&json!({"scenario": file, "fails": true}))?;
            Ok(Outcome::NotHeld)
        }
        // It has said why on standard error.
        _ => Err(Failure::new(
            ErrorCode::CheckFailed,
            say::no_world(screen.lang),
        )),
    }
}

/// Runs worlds and tells each as soon as it has ended.
pub(crate) fn each_world(
    arguments: &[OsString],
    told: &mut dyn FnMut(World),
) -> Result<(), Failure> {
    let failed = |error: String| Failure::new(ErrorCode::CheckFailed, error);
    let mut child = program(arguments)?
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(ErrorCode::ProgramMissing, error.to_string()))?;
    let output = child.stdout.take();
    for line in output
        .into_iter()
        .flat_map(|output| BufReader::new(output).lines())
    {
        let line = line.map_err(|error| failed(error.to_string()))?;
        told(serde_json::from_str(&line).map_err(|error| failed(error.to_string()))?);
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    match status.code() {
        Some(0 | 1) => Ok(()),
        // It has said why on standard error.
        Some(_) | None => Err(failed(status.to_string())),
    }
}

fn program(arguments: &[OsString]) -> Result<Command, Failure> {
    let path = program_folder()?.join(PROGRAM);
    if !path.is_file() {
        let folder = path.parent().map(|folder| folder.display().to_string());
        let lang = juki_domain::Lang::En;
        let detail = text::programs_missing(lang, &folder.unwrap_or_default(), PROGRAM);
        return Err(Failure::new(ErrorCode::ProgramMissing, detail));
    }
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null());
    Ok(command)
}

fn arguments(args: &SimulateArgs) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |name: &str, value: Option<OsString>| {
        if let Some(value) = value {
            arguments.push(name.into());
            arguments.push(value);
        }
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string().into());
    add("--seeds", args.seeds.clone().map(Into::into));
    add("--scenario", args.scenario.clone().map(Into::into));
    add("--prefecture", number(args.prefecture));
    add("--shrink", args.shrink.clone().map(Into::into));
    add("--write", args.write.clone().map(Into::into));
    add("--bug", args.bug.clone().map(Into::into));
    add("--workers", number(args.workers.map(u64::from)));
    if args.twice {
        arguments.push("--twice".into());
    }
    arguments
}

/// The command that runs a world again.
fn replay(args: &SimulateArgs, seed: u64) -> String {
    let mut command = "jukinet simulate".to_owned();
    match (&args.scenario, args.prefecture) {
        (Some(file), _) => command.push_str(&format!(" --scenario {}", file.display())),
        (None, Some(minutes)) => command.push_str(&format!(" --prefecture {minutes}")),
        (None, None) => command.push_str(&format!(" --seeds {seed}")),
    }
    if let Some(bug) = &args.bug {
        command.push_str(&format!(" --bug {bug}"));
    }
    command
}

/// The program that simulates, beside this one.
const PROGRAM: &str = "juki-simulate";
