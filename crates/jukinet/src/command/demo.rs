//! `jukinet demo`: a small prefecture from nothing, and what a network is for.

mod report;
mod story;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use juki_crypto::{SystemRandomness, random_array};
use juki_domain::ErrorCode;
use juki_topology::Access;
use serde_json::json;

use crate::cli::{DemoArgs, Preset};
use crate::failure::{Ending, Failure, Outcome};
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::supervisor::interrupted;
use crate::text;

/// Residents of the demo in all.
const RESIDENTS: f64 = 3_000.0;
/// Residents of its three municipalities in the census.
const CENSUS: f64 = 51_779.0;
const STEPS: usize = 5;

/// Where the demo lives, and whether it goes when the demo ends.
struct Home {
    dir: PathBuf,
    kept: bool,
}

impl Home {
    fn choose(args: &DemoArgs) -> Self {
        match &args.dir {
            Some(dir) => Self {
                dir: dir.clone(),
                kept: true,
            },
            None => {
                let drawn = u32::from_be_bytes(random_array(&SystemRandomness));
                let dir = std::env::temp_dir().join(format!("jukinet-demo-{drawn:08x}"));
                Self { dir, kept: false }
            }
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is in the temporary folder and the machine's to clear.
            let _left = fs::remove_dir_all(&self.dir);
        }
    }
}

pub(crate) async fn run(args: &DemoArgs, screen: Screen) -> Ending {
    let began = Instant::now();
    let home = Home::choose(args);
    step(1, &text::demo_making(screen.lang), screen);
    let mut network = LiveNetwork::make_with(
        &home.dir,
        (Preset::Demo, Access::default()),
        args.seed,
        RESIDENTS / CENSUS,
        screen,
    )?;
    let told = tell(&mut network, &home, args, began, screen).await;
    network.stop().await?;
    told
}

async fn tell(
    network: &mut LiveNetwork,
    home: &Home,
    args: &DemoArgs,
    began: Instant,
    screen: Screen,
) -> Ending {
    let count = network.deployment().places().len();
    step(2, &text::demo_starting(screen.lang, count), screen);
    network.start(screen).await?;
    step(
        3,
        &text::demo_loading(screen.lang, network.residents()),
        screen,
    );
    network.load(screen).await?;
    let ready_s = began.elapsed().as_secs_f64();
    screen.line(text::demo_ready(screen.lang, &format!("{ready_s:.1}")));
    step(4, &text::demo_changes(screen.lang), screen);
    let story = story::Story::new(network, screen);
    story.changes().await?;
    step(5, &text::demo_provision(screen.lang), screen);
    let (answered, refused) = story.provision().await?;
    let equal = network.digests_equal().await?;
    let word = if equal {
        text::demo_equal(screen.lang)
    } else {
        text::demo_unequal(screen.lang)
    };
    screen.line(text::demo_digests(screen.lang, &word));
    report::show(network, &home.dir, home.kept, screen).await?;
    screen.document(&json!({
        "ready_s": (ready_s * 100.0).round() / 100.0,
        "processes": network.processes().await,
        "residents": network.residents_at_top().await?,
        "digests_equal": equal,
        "provisions_answered": answered,
        "provisions_refused": refused,
    }))?;
    if !args.exit {
        screen.line(text::demo_wait(screen.lang));
        interrupted().await;
    }
    Ok(if equal && answered > 0 && refused > 0 {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

fn step(n: usize, what: &str, screen: Screen) {
    screen.line(text::demo_step(screen.lang, n, STEPS, what));
}

/// The absolute path of the demo's folder, as people paste it.
pub(crate) fn absolute(dir: &Path) -> Result<PathBuf, Failure> {
    dir.canonicalize()
        .map_err(|error| Failure::new(ErrorCode::DiskFailed, error.to_string()))
}
