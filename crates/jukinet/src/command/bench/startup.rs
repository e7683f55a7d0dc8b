//! Until the prefecture's network is ready: new and empty, and with all its residents.

use std::path::Path;
use std::time::{Duration, Instant};

use juki_domain::ErrorCode;

use super::figures::Figures;
use super::memory::{processes, proportional_bytes};
use super::{SEED, prefecture};
use crate::cli::Preset;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

/// How long a ready network is left alone before its memory is read.
const REST: Duration = Duration::from_secs(2);
/// An empty network needs no residents' files; one resident each is the least there is.
const NEARLY_NOBODY: f64 = 1e-9;

/// New networks first, each in a folder of its own; then one is loaded and started again and again.
pub(super) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let mut network =
            LiveNetwork::make(folder, Preset::Yamaguchi2002, SEED, NEARLY_NOBODY, screen)?;
        let began = Instant::now();
        network.start(screen).await?;
        figures.add("startup_empty_s", "s", began.elapsed().as_secs_f64());
        tokio::time::sleep(REST).await;
        let pids = processes(&network).await;
        figures.add_bytes("idle_rss_bytes", proportional_bytes(&pids));
        network.stop().await?;
        std::fs::remove_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    screen.line(text::bench_loading(screen.lang));
    let mut network = prefecture(folder, screen)?;
    network.start(screen).await?;
    network.load(screen).await?;
    network.stop().await?;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let began = Instant::now();
        network.start(screen).await?;
        figures.add("startup_loaded_s", "s", began.elapsed().as_secs_f64());
        if network.residents_at_top().await? != network.residents()
            || !network.digests_equal().await?
        {
            let what = "the tiers differ after a start".to_owned();
            return Err(Failure::new(ErrorCode::CheckFailed, what));
        }
        tokio::time::sleep(REST).await;
        let pids = processes(&network).await;
        figures.add_bytes("loaded_rss_bytes", proportional_bytes(&pids));
        network.stop().await?;
    }
    Ok(())
}
