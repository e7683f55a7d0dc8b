//! Processes killed at random while registers report changes: nothing acknowledged is lost, doubled
//! or reordered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use juki_admin::AdminClient;
use juki_crypto::{SystemRandomness, random_array};
use juki_domain::{ErrorCode, NodeRole};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::change::change;
use super::figures::Figures;
use crate::cli::VerifyArgs;
use crate::command::audit;
use crate::command::status::supervised;
use crate::failure::{Failure, Outcome};
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;
use crate::text;

/// Kills of one run.
const KILLS: u32 = 20;
/// A node that ends more often within a minute stays down, as a broken one should.
const KILLS_PER_MINUTE: usize = 4;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a register waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How long everything may take to come together after the last kill.
const SETTLE_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A change that a communication server acknowledged.
#[derive(Debug, Clone)]
struct Acknowledged {
    key: String,
    seq: u64,
}

/// What a server says of a change.
#[derive(Debug, Deserialize)]
struct Told {
    outcome: String,
    seq: Option<u64>,
}

/// Each run kills twenty times; what is found is counted over all.
pub(super) async fn measure(
    mut network: LiveNetwork,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<Outcome, Failure> {
    let mut violations = Vec::new();
    let mut kills = 0;
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        let found = one(&network, run, figures, screen).await?;
        kills += u64::from(KILLS);
        violations.extend(found);
    }
    network.stop().await?;
    let args = VerifyArgs {
        path: vec![network.deployment().folder().to_owned()],
        key: None,
    };
    if audit::verify_quietly(&args, screen)? == Outcome::NotHeld {
        violations.push("a ledger does not verify".to_owned());
    }
    for violation in &violations {
        screen.line(text::simulate::violation(screen.lang, violation));
    }
    figures.add_bytes("kills", kills);
    let count = u64::try_from(violations.len()).unwrap_or(u64::MAX);
    figures.add_bytes("kills_violations", count);
    Ok(if violations.is_empty() {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

async fn one(
    network: &LiveNetwork,
    run: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<Vec<String>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut towns = Vec::new();
    for place in network.deployment().places() {
        if place.role != NodeRole::MunicipalCs {
            continue;
        }
        let name = place.name.to_string();
        let client = AdminClient::new(place.admin_socket());
        let head = head(&client).await;
        let samples = network.samples(&name, 200)?;
        let date = network.civil_date()?;
        let writer = Writer {
            client: AdminClient::new(place.admin_socket()),
            prefix: format!("kill-{run}-{name}"),
            samples,
            date,
            stop: Arc::clone(&stop),
        };
        towns.push((name, client, head, tokio::spawn(writer.write())));
    }
    kill_at_random(network).await;
    stop.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let mut found = Vec::new();
    let mut acknowledged = Vec::new();
    for (name, client, head, writer) in towns {
        let written = ended(writer).await?;
        acknowledged.push((name, client, head, written));
    }
    settle(network, &acknowledged, screen).await?;
    figures.add("kills_settle_s", "s", began.elapsed().as_secs_f64());
    let mut all = 0;
    for (name, client, before, written) in &acknowledged {
        all += written.len();
        found.extend(check(name, client, *before, written).await);
    }
    figures.add_bytes("kills_changes", u64::try_from(all).unwrap_or(u64::MAX));
    Ok(found)
}

async fn ended(writer: JoinHandle<Vec<Acknowledged>>) -> Result<Vec<Acknowledged>, Failure> {
    writer
        .await
        .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))
}

/// A register that reports one change after the other, each until it is answered.
struct Writer {
    client: AdminClient,
    prefix: String,
    samples: Vec<Sample>,
    date: String,
    stop: Arc<AtomicBool>,
}

impl Writer {
    async fn write(self) -> Vec<Acknowledged> {
        let mut written = Vec::new();
        for (number, sample) in self.samples.iter().cycle().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let key = format!("{}-{number}", self.prefix);
            let body = change(&key, sample, &self.date, number);
            let seq = loop {
                let told: Result<Told, _> = self.client.post_json("/v1/changes", &body).await;
                match told {
                    Ok(Told { seq: Some(seq), .. }) => break seq,
                    // It is down, or was killed over the answer: whether it has the change, only
                    // asking again with the same key tells.
                    Ok(Told { seq: None, .. }) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
                }
            };
            written.push(Acknowledged { key, seq });
        }
        written
    }
}

/// Kills nodes of all kinds, or lets them sleep for a while, at times that nobody foresees.
async fn kill_at_random(network: &LiveNetwork) {
    let mut killed: BTreeMap<String, VecDeque<Instant>> = BTreeMap::new();
    let mut done = 0;
    while done < KILLS {
        tokio::time::sleep(Duration::from_millis(300 + u64::from(draw()) % 900)).await;
        let nodes = supervised(network.deployment()).await.unwrap_or_default();
        let now = Instant::now();
        let may_end = |name: &str| {
            let times = killed.get(name).map_or(0, |times| {
                times
                    .iter()
                    .filter(|at| now.duration_since(**at) < MINUTE)
                    .count()
            });
            times < KILLS_PER_MINUTE
        };
        let running = nodes
            .iter()
            .filter(|node| node.pid != 0 && may_end(&node.node));
        let running: Vec<_> = running.collect();
        let Some(node) = running.get(draw() as usize % running.len().max(1)) else {
            continue;
        };
        let pid = i32::try_from(node.pid).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else {
            continue;
        };
        if draw().is_multiple_of(4) {
            // Asleep for so long that its peers may give it up.
            let _stopped = kill_process(pid, Signal::STOP);
            tokio::time::sleep(Duration::from_millis(u64::from(draw()) % 3_000)).await;
            let _woken = kill_process(pid, Signal::CONT);
        }
        if kill_process(pid, Signal::KILL).is_ok() {
            killed.entry(node.node.clone()).or_default().push_back(now);
            done += 1;
        }
    }
}

fn draw() -> u32 {
    u32::from_be_bytes(random_array(&SystemRandomness))
}

type Town = (String, AdminClient, u64, Vec<Acknowledged>);

/// Waits until every change is at the center and three tiers are equal.
async fn settle(network: &LiveNetwork, towns: &[Town], screen: Screen) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let mut all_there = true;
        for (_, client, before, written) in towns {
            let expected = before + u64::try_from(written.len()).unwrap_or(u64::MAX);
            let status: Value = client.get_json("/status").await.unwrap_or_default();
            let at = |key: &str| status.pointer(key).and_then(Value::as_u64);
            all_there &= at("/journal/head").is_some_and(|head| head >= expected)
                && at("/journal/head") == at("/journal/at_national");
        }
        if all_there && network.digests_equal().await.unwrap_or(false) {
            return Ok(());
        }
        if began.elapsed() > SETTLE_MAX {
            let what = text::demo_late(screen.lang, "kills");
            return Err(Failure::new(ErrorCode::CheckFailed, what));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether a town's journal holds just what was acknowledged, in the order in which it was.
async fn check(
    name: &str,
    client: &AdminClient,
    before: u64,
    written: &[Acknowledged],
) -> Vec<String> {
    let mut found = Vec::new();
    for pair in written.windows(2) {
        if let [one, next] = pair
            && next.seq != one.seq + 1
        {
            let (one, next) = (one.seq, next.seq);
            found.push(format!("{name}: number {next} follows {one}"));
        }
    }
    for done in written {
        let told: Result<Told, _> = client.get_json(&format!("/v1/changes/{}", done.key)).await;
        let kept = told.is_ok_and(|told| told.outcome == "accepted" && told.seq == Some(done.seq));
        if !kept {
            found.push(format!(
                "{name}: {} was acknowledged as {} and is not",
                done.key, done.seq
            ));
        }
    }
    let head = head(client).await;
    let expected = before + u64::try_from(written.len()).unwrap_or(u64::MAX);
    if head != expected {
        found.push(format!(
            "{name}: the journal ends with {head}, {expected} was acknowledged"
        ));
    }
    found
}

async fn head(client: &AdminClient) -> u64 {
    let status: Value = client.get_json("/status").await.unwrap_or_default();
    status
        .pointer("/journal/head")
        .and_then(Value::as_u64)
        .unwrap_or(0)
}
