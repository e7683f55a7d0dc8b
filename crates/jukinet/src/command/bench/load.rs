//! The whole prefecture: from the start of its network until every resident is equal on three tiers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::figures::{Figures, quantile};
use super::memory::{processes, proportional_bytes};
use super::prefecture;
use super::probe::Probe;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

/// Looking at the memory of all nodes costs some milliseconds of a core.
const MEMORY_EVERY: Duration = Duration::from_secs(1);

/// Each run loads a new network. An operator asks and a clerk reports births all the while.
pub(super) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let mut network = prefecture(folder, screen)?;
        let loaded = one(&mut network, figures, screen).await;
        network.stop().await?;
        loaded?;
        std::fs::remove_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    Ok(())
}

async fn one(
    network: &mut LiveNetwork,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let began = Instant::now();
    network.start(screen).await?;
    let ready = began.elapsed();
    let peak = Arc::new(AtomicU64::new(0));
    let watch = tokio::spawn(watch_memory(processes(network).await, Arc::clone(&peak)));
    let questions = Probe::questions(network, screen)?;
    let changes = Probe::changes(network, screen)?;
    let registered = network.register_all(screen).await;
    let mut changes = changes.end().await?;
    registered?;
    let residents = network.residents() + changes.len() as u64;
    let equal = network.wait_equal(residents, screen).await;
    let took = began.elapsed();
    let mut questions = questions.end().await?;
    watch.abort();
    equal?;
    questions.sort_by(f64::total_cmp);
    changes.sort_by(f64::total_cmp);
    figures.add("load_s", "s", took.as_secs_f64());
    figures.add("load_ready_s", "s", ready.as_secs_f64());
    figures.add_bytes("load_rss_peak_bytes", peak.load(Ordering::Relaxed));
    figures.add("load_query_p50_ms", "ms", quantile(&questions, 0.5));
    figures.add("load_query_p99_ms", "ms", quantile(&questions, 0.99));
    figures.add("load_change_p50_ms", "ms", quantile(&changes, 0.5));
    figures.add("load_change_p99_ms", "ms", quantile(&changes, 0.99));
    figures.add_bytes("load_residents", residents);
    Ok(())
}

async fn watch_memory(pids: Vec<u32>, peak: Arc<AtomicU64>) {
    loop {
        peak.fetch_max(proportional_bytes(&pids), Ordering::Relaxed);
        tokio::time::sleep(MEMORY_EVERY).await;
    }
}
