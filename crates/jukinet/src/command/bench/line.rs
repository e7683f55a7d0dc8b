//! What a leased line of 64 kbit/s carries with the firewalls' pacing, and what a relay of lines passes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use juki_admin::AdminClient;
use juki_domain::ErrorCode;
use juki_line::LineSettings;
use juki_topology::{NodeConfig, SharedSegment};
use serde_json::Value;

use super::change::change;
use super::figures::{Figures, ms, quantile};
use super::query;
use super::relay;
use crate::cli::Preset;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

/// The town whose line is slow.
const TOWN: &str = "cs-352047";
/// The firewall at the line's upper end.
const UPPER: &str = "fw-prefecture-35";
const ACCESS_POINT: &str = "ap-35-1";
const TERMINAL: &str = "agency-mhlw";
const PRESET: &str = "64k";
/// Residents of the network: few, since a whole register takes a slow line minutes.
const SCALE: f64 = 0.005;
/// Residents whose addresses change.
const CHANGED: usize = 100;
/// Changes that wait for the line: more than it carries while it is measured.
const BACKLOG: usize = 34_000;
/// How long blocks are counted, alone and beside questions.
const WINDOW: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Until the line is as busy as it stays.
const WARM_UP: Duration = Duration::from_secs(10);
/// Between two questions.
const PACE: Duration = Duration::from_millis(300);

pub(super) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    relay::measure(&folder.join("relay"), runs, figures, screen).await?;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let folder = folder.join(format!("line-{run}"));
        let mut network = LiveNetwork::make(&folder, Preset::Demo, u64::from(run), SCALE, screen)?;
        network.start(screen).await?;
        network.load(screen).await?;
        network.stop().await?;
        narrow(&network)?;
        network.start(screen).await?;
        let measured = one(&network, figures, screen).await;
        network.stop().await?;
        measured?;
    }
    Ok(())
}

/// Gives the town's line and the terminal's 64 kbit/s, and both together 64 kbit/s behind them.
fn narrow(network: &LiveNetwork) -> Result<(), Failure> {
    let deployment = network.deployment();
    let slow = LineSettings::preset(PRESET).unwrap_or_default();
    let change = |node: &str, change: &dyn Fn(&mut NodeConfig)| {
        let place = deployment.place(node, juki_domain::Lang::En)?;
        let path = place.config();
        let text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        let mut config = NodeConfig::parse(&text, &path.display().to_string())?;
        change(&mut config);
        fs::write(&path, config.to_toml()?).map_err(|error| Failure::file(&path, &error))
    };
    change(ACCESS_POINT, &|config| {
        let slow_ones = [TOWN, TERMINAL];
        let lines = config.relay.iter_mut();
        for relay in lines.filter(|relay| slow_ones.contains(&relay.name.as_str())) {
            relay.bandwidth_bps = slow.bandwidth_bps;
            relay.delay_us = slow.delay_us;
            relay.jitter_us = slow.jitter_us;
            relay.queue_bytes = slow.queue_bytes;
            relay.mtu = slow.mtu;
        }
        let names = config.relay.iter().map(|relay| relay.name.clone());
        config.segment = vec![SharedSegment {
            name: config.node.name.clone(),
            bandwidth_bps: slow.bandwidth_bps,
            queue_bytes: slow.queue_bytes,
            lines: names
                .filter(|name| slow_ones.contains(&name.as_str()))
                .collect(),
        }];
    })?;
    for (firewall, peer) in [
        (format!("fw-{TOWN}"), UPPER.to_owned()),
        (UPPER.to_owned(), format!("fw-{TOWN}")),
    ] {
        change(&firewall, &|config| {
            let peers = config.peer.iter_mut();
            for peer in peers.filter(|known| known.name.as_str() == peer) {
                peer.line_bps = slow.bandwidth_bps;
            }
        })?;
    }
    Ok(())
}

async fn one(network: &LiveNetwork, figures: &mut Figures, screen: Screen) -> Result<(), Failure> {
    fill(network, screen).await?;
    tokio::time::sleep(WARM_UP).await;
    let slow = LineSettings::preset(PRESET).unwrap_or_default();
    let ratio = |rate: &Rate| rate.bits_per_s() / as_f64(slow.bandwidth_bps);
    let mut alone = Rate::default();
    let began = Instant::now();
    while began.elapsed() < WINDOW {
        alone.note(carried(network, screen).await?);
        tokio::time::sleep(LOOK_EVERY).await;
    }
    figures.add("line_goodput_ratio", "1", ratio(&alone));

    network.log_in(screen).await?;
    // About somebody whose address does not change meanwhile.
    let others = network.samples(TOWN, CHANGED + 1)?;
    let asked_about = others
        .last()
        .ok_or_else(|| Failure::new(ErrorCode::ResidentUnknown, TOWN))?;
    let question = query::question(asked_about);
    let mut beside = Rate::default();
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < WINDOW {
        let asked = Instant::now();
        let answer = network.ask(&question, screen).await?;
        if answer.get("outcome").and_then(Value::as_str) != Some("match") {
            return Err(Failure::new(ErrorCode::CheckFailed, answer.to_string()));
        }
        times.push(ms(asked.elapsed()));
        let next = Instant::now() + PACE;
        while Instant::now() < next {
            beside.note(carried(network, screen).await?);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    times.sort_by(f64::total_cmp);
    figures.add("line_goodput_beside_ratio", "1", ratio(&beside));
    figures.add("line_query_p50_ms", "ms", quantile(&times, 0.5));
    figures.add("line_query_p99_ms", "ms", quantile(&times, 0.99));
    Ok(())
}

/// The rate at which whole frames arrive: from one arrival to the last, since a frame counts when it
/// is there, and one may be on its way for many seconds.
#[derive(Default)]
struct Rate {
    first: Option<(Instant, u64)>,
    last: Option<(Instant, u64)>,
    seen: u64,
}

impl Rate {
    fn note(&mut self, bytes: u64) {
        if self.seen != 0 && self.seen != bytes {
            let arrival = (Instant::now(), bytes);
            self.first.get_or_insert(arrival);
            self.last = Some(arrival);
        }
        self.seen = bytes;
    }

    fn bits_per_s(&self) -> f64 {
        match (self.first, self.last) {
            (Some((began, from)), Some((ended, to))) if ended > began => {
                as_f64(to - from) * 8.0 / ended.duration_since(began).as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

/// Reports so many changes that the line is busy for minutes.
async fn fill(network: &LiveNetwork, screen: Screen) -> Result<(), Failure> {
    let samples = network.samples(TOWN, CHANGED)?;
    let date = network.civil_date()?;
    let place = network.deployment().place(TOWN, screen.lang)?;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let client = AdminClient::new(place.admin_socket());
        let (samples, date) = (samples.clone(), date.clone());
        writers.push(tokio::spawn(async move {
            let mine = samples.iter().skip(writer).step_by(WRITERS).cycle();
            for (number, sample) in mine.take(BACKLOG / WRITERS).enumerate() {
                let body = change(&format!("line-{writer}-{number}"), sample, &date, number);
                let _accepted: Value = client.post_json("/v1/changes", &body).await?;
            }
            Ok::<(), Failure>(())
        }));
    }
    for writer in writers {
        writer
            .await
            .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))??;
    }
    Ok(())
}

/// Bytes of the frames that came over the line, as the firewall above has judged them: whatever its
/// rules passed from there.
async fn carried(network: &LiveNetwork, screen: Screen) -> Result<u64, Failure> {
    let place = network.deployment().place(UPPER, screen.lang)?;
    let report: Value = AdminClient::new(place.admin_socket())
        .get_json("/firewall")
        .await?;
    let rules = report.get("rules").and_then(Value::as_array);
    let bytes = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("bytes")?.as_u64());
    // The journal's rule carries all but a thousandth of it.
    Ok(bytes.max().unwrap_or(0))
}

const WRITERS: usize = 8;

#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of a minute are far below 2^53"
)]
fn as_f64(number: u64) -> f64 {
    number as f64
}
