//! `jukinet bench`: figures of a network of separate processes on this machine.
//!
//! Every run is on the demo's network with unshaped lines, all protections on. Clients, nodes and
//! the supervisor share the machine's cores.

mod change;
mod figures;
mod query;

use std::path::PathBuf;

use juki_crypto::{SystemRandomness, random_array};

use crate::cli::{BenchArgs, BenchName};
use crate::failure::{Ending, Outcome};
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

use self::figures::Figures;

/// Part of the census's residents that the network holds: 3,000 in all.
const SCALE: f64 = 3_000.0 / 51_779.0;
const SEED: u64 = 7;

pub(crate) async fn run(args: &BenchArgs, screen: Screen) -> Ending {
    let folder = Folder::draw();
    screen.line(text::bench_preparing(screen.lang));
    let mut network = LiveNetwork::make(&folder.0, SEED, SCALE, screen)?;
    network.start(screen).await?;
    network.load(screen).await?;
    let mut figures = Figures::new(name_of(args.name));
    let measured = match args.name {
        BenchName::Query => query::measure(&network, args.runs, &mut figures, screen).await,
        BenchName::Change => change::measure(&network, args.runs, &mut figures, screen).await,
    };
    network.stop().await?;
    measured?;
    figures.show(screen)?;
    Ok(Outcome::Held)
}

fn name_of(name: BenchName) -> &'static str {
    match name {
        BenchName::Query => "query",
        BenchName::Change => "change",
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
