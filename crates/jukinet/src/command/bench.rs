//! `jukinet bench`: figures of a network of separate processes, or of one part, on this machine.
//!
//! Every run on a network has unshaped lines and all protections on. Clients, nodes and the
//! supervisor share the machine's cores.

mod alert;
mod analysis;
pub(crate) mod bare;
mod change;
mod controls;
mod figures;
mod flood;
mod kills;
mod line;
mod load;
mod memory;
mod population;
mod probe;
mod query;
mod relay;
mod revocation;
mod simulation;
mod slow_peers;
mod startup;
mod verify;

use std::path::{Path, PathBuf};

use juki_crypto::{SystemRandomness, random_array};

use crate::cli::{BenchArgs, BenchName, Preset};
use crate::failure::{Ending, Failure, Outcome};
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

pub(crate) use self::figures::Figures;

/// Part of the census's residents that the demo's network holds: 3,000 in all.
const SCALE: f64 = 3_000.0 / 51_779.0;
const SEED: u64 = 7;
const RUNS: u32 = 5;
/// Residents whom questions are about.
const ASKED: usize = 500;
/// A load takes minutes.
const LOADS: u32 = 3;

pub(crate) async fn run(args: &BenchArgs, screen: Screen) -> Ending {
    let folder = Folder::draw();
    let mut figures = Figures::new(name_of(args.name));
    let runs = args.runs.unwrap_or(match args.name {
        BenchName::Load | BenchName::Simulation | BenchName::Line => LOADS,
        BenchName::Kills => 1,
        BenchName::Query
        | BenchName::Change
        | BenchName::Flood
        | BenchName::Population
        | BenchName::Startup
        | BenchName::Controls
        | BenchName::Revocation => RUNS,
    });
    let mut outcome = Outcome::Held;
    match args.name {
        BenchName::Kills => {
            let network = started(&folder.0, screen).await?;
            outcome = kills::measure(network, runs, &mut figures, screen).await?;
        }
        BenchName::Query => {
            let mut network = started(&folder.0, screen).await?;
            let measured = query::measure(&network, runs, &mut figures, screen).await;
            network.stop().await?;
            measured?;
        }
        BenchName::Change => {
            let mut network = started(&folder.0, screen).await?;
            let measured = change::measure(&network, runs, &mut figures, screen).await;
            network.stop().await?;
            measured?;
        }
        BenchName::Flood => {
            let mut network = started(&folder.0, screen).await?;
            let samples = network.samples(query::TOWN, ASKED)?;
            let measured = flood::measure(&network, &samples, runs, &mut figures, screen).await;
            network.stop().await?;
            measured?;
        }
        BenchName::Line => line::measure(&folder.0, runs, &mut figures, screen).await?,
        BenchName::Simulation => simulation::measure(runs, &mut figures, screen)?,
        BenchName::Population => population::measure(&folder.0, runs, &mut figures, screen)?,
        BenchName::Load => load::measure(&folder.0, runs, &mut figures, screen).await?,
        BenchName::Startup => startup::measure(&folder.0, runs, &mut figures, screen).await?,
        BenchName::Controls => controls::measure(&folder.0, runs, &mut figures, screen).await?,
        BenchName::Revocation => {
            revocation::measure(&folder.0, runs, &mut figures, screen).await?;
        }
    }
    figures.show(screen)?;
    Ok(outcome)
}

/// The demo's network, running and with its residents.
async fn started(folder: &Path, screen: Screen) -> Result<LiveNetwork, Failure> {
    screen.line(text::bench_preparing(screen.lang));
    let mut network = LiveNetwork::make(folder, Preset::Demo, SEED, SCALE, screen)?;
    network.start(screen).await?;
    network.load(screen).await?;
    Ok(network)
}

/// The prefecture's network with files of all its residents, not running.
fn prefecture(folder: &Path, screen: Screen) -> Result<LiveNetwork, Failure> {
    LiveNetwork::make(folder, Preset::Yamaguchi2002, SEED, 1.0, screen)
}

fn name_of(name: BenchName) -> &'static str {
    match name {
        BenchName::Query => "query",
        BenchName::Change => "change",
        BenchName::Flood => "flood",
        BenchName::Population => "population",
        BenchName::Load => "load",
        BenchName::Startup => "startup",
        BenchName::Controls => "controls",
        BenchName::Revocation => "revocation",
        BenchName::Simulation => "simulation",
        BenchName::Kills => "kills",
        BenchName::Line => "line",
    }
}

/// A temporary folder that goes with the benchmark.
struct Folder(PathBuf);

impl Folder {
    fn draw() -> Self {
        let drawn = u32::from_be_bytes(random_array(&SystemRandomness));
        Self(std::env::temp_dir().join(format!("jukinet-bench-{drawn:08x}")))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the temporary folder and the machine's to clear.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}
