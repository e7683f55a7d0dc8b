//! The world of one scenario: machines, lines, registers, people at the terminal, and what fails.

mod asking;
mod failing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use juki_domain::NodeRole;
use juki_line::LineSettings;
use juki_transport::Timing;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::asking::Answer;
use self::failing::End;
use crate::check;
use crate::counts::{Counts, Outcome};
use crate::deployment::{Deployment, DeploymentError};
use crate::model::TownHall;
use crate::questions::Session;
use crate::randomness::SeededRandomness;
use crate::scenario::{BEGIN_MS, Bug, Scenario};
use crate::station::Station;
use crate::virtual_network::VirtualNetwork;

/// How long everything may take to settle once nothing fails any more.
const SETTLE_MS_MAX: u64 = 30 * 60_000;
/// How long a report may be old.
const REPORTED_MS: u64 = 6_000;
/// How long a probe of a link and dialling anew take at most.
const PROBED_MS: u64 = 10_000;
/// How often machines are looked at whose node may have ended by itself.
const LOOK_EVERY_MS: u64 = 250;
/// Answers on their way from nodes to those who asked.
const ANSWERS_MAX: usize = 4_096;
/// A world.
pub struct World {
    /// Its keys and configurations.
    pub deployment: Deployment,
    /// Its machines.
    pub stations: Vec<Station>,
    /// The registers and what must come of what they ask.
    pub town_hall: TownHall,
    /// Message ids of questions that were answered with a record.
    pub provided: BTreeSet<String>,
    /// What was not as it must be.
    pub violations: Vec<String>,
    /// How often things happened.
    pub counts: Counts,
    network: Arc<VirtualNetwork>,
    lines: BTreeMap<String, (usize, LineSettings)>,
    scenario: Scenario,
    rng: ChaCha8Rng,
    session_keys: SeededRandomness,
    session: Session,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    start: Instant,
    /// What ends by itself: nodes that start again, lines that are mended.
    ends: BTreeMap<(u64, u64), End>,
    ended: u64,
    next_fault: usize,
    looked_ms: u64,
    questions_waiting: usize,
}

/// Runs a scenario to its end on a runtime of its own, whose clock is paused.
///
/// # Errors
/// [`DeploymentError`] where the world cannot be built.
pub fn run(scenario: &Scenario) -> Result<Outcome, DeploymentError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(DeploymentError::of)?;
    runtime.block_on(async {
        let mut world = World::new(scenario)?;
        world.busy().await;
        let busy = world.start.elapsed();
        world.finish().await;
        let (datagrams, trace) = world.network.trace();
        world.counts.datagrams = datagrams;
        Ok(Outcome {
            violations: world.violations,
            trace: trace.iter().map(|byte| format!("{byte:02x}")).collect(),
            counts: world.counts,
            busy,
            total: world.start.elapsed(),
        })
    })
}

impl World {
    /// A world in which nothing has happened; all nodes start at once.
    ///
    /// # Errors
    /// [`DeploymentError`].
    pub fn new(scenario: &Scenario) -> Result<Self, DeploymentError> {
        let parts = scenario.network().map_err(DeploymentError::of)?;
        let seed = scenario.seed;
        let deployment = Deployment::new(&parts, BEGIN_MS / 1_000, seed)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let network = VirtualNetwork::new();
        tokio::spawn(Arc::clone(&network).deliver());
        let mut lines = BTreeMap::new();
        for line in &deployment.lines {
            let name = line.name.to_string();
            let number = network.lay_line(&name, line.ends, line.settings, seed);
            lines.insert(name, (number, line.settings));
        }
        let timing = timing(scenario);
        let mut stations = Vec::new();
        for place in deployment.places.clone() {
            let drawn = (BEGIN_MS, rng.random());
            let mut station = Station::new(place, Arc::clone(&network), drawn, timing);
            let first = deployment.towns.first().copied();
            let is_first = station.place.config.node.municipality == first && first.is_some();
            station.skips_sync = scenario.bug == Some(Bug::SkipSync)
                && is_first
                && station.place.role == NodeRole::MunicipalCs;
            stations.push(station);
        }
        for station in &stations {
            // A server and its firewall stand in one office.
            let firewall = format!("fw-{}", station.place.name);
            let beside = stations
                .iter()
                .find(|other| other.place.name.as_str() == firewall);
            if let Some(beside) = beside {
                network.lay_cable(station.place.address, beside.place.address);
            }
        }
        let town_hall = TownHall::new(rng.random(), scenario.residents, deployment.towns.clone());
        let starts = (0..stations.len()).map(|at| ((0, at as u64), End::Start(at)));
        Ok(Self {
            ended: stations.len() as u64,
            ends: starts.collect(),
            deployment,
            stations,
            town_hall,
            provided: BTreeSet::new(),
            violations: Vec::new(),
            counts: Counts::default(),
            network,
            lines,
            session_keys: SeededRandomness::new(rng.random()),
            session: Session::default(),
            rng,
            scenario: scenario.clone(),
            answers: mpsc::channel(ANSWERS_MAX),
            start: Instant::now(),
            next_fault: 0,
            looked_ms: 0,
            questions_waiting: 0,
        })
    }

    /// Virtual milliseconds since the world began.
    #[must_use]
    pub fn since_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The true time: that of a machine whose clock is right.
    fn now_ms(&self) -> u64 {
        BEGIN_MS + self.since_ms()
    }

    /// Lets things happen and fail.
    pub async fn busy(&mut self) {
        let end_ms = self.scenario.minutes * 60_000;
        let (mut next_act, mut next_question) = (2_000, 5_000);
        while self.since_ms() < end_ms && self.violations.is_empty() {
            let now = self.since_ms();
            if next_act <= now {
                next_act = now + self.pause(self.scenario.changes_per_hour);
                self.town_hall.act(self.now_ms());
            }
            if next_question <= now {
                next_question = now + self.pause(self.scenario.questions_per_hour);
                self.ask_about_somebody();
            }
            self.fail_due().await;
            self.step(next_act.min(next_question).min(end_ms)).await;
        }
    }

    /// Ends all faults, lets everything settle, checks everything.
    pub async fn finish(&mut self) {
        if self.violations.is_empty() {
            self.settle().await;
        }
        if self.violations.is_empty() {
            self.ask_in_the_end().await;
            let found = [check::registries(self), check::codes(self)];
            self.violations.extend(found.into_iter().flatten());
        }
        if self.violations.is_empty() {
            for station in &mut self.stations {
                if let Err(error) = station.stop().await {
                    let name = &station.place.name;
                    self.violations
                        .push(format!("{name} does not stop: {error}"));
                }
            }
            let found = check::ledgers(self);
            self.violations.extend(found);
        }
        for station in &mut self.stations {
            station.kill();
        }
        self.violations.append(&mut self.town_hall.violations);
        self.counts.changes = self.town_hall.acknowledged.len() as u64;
        self.counts.refused = self.town_hall.refused;
        self.counts.duplicates = self.town_hall.duplicates;
    }

    async fn settle(&mut self) {
        for (number, settings) in self.lines.values() {
            self.network.change_line(*number, |line| {
                line.set(*settings);
                line.set_up(true);
            });
        }
        for station in &self.stations {
            station.keep_power();
        }
        let ends = std::mem::take(&mut self.ends);
        for end in ends.into_values() {
            self.end(end).await;
        }
        // Whoever was cut off without noticing does so at its next probe.
        let probed = self.since_ms() + self.scenario.keep_alive_ms + PROBED_MS;
        while self.since_ms() < probed && self.violations.is_empty() {
            self.step(probed).await;
        }
        let until = self.since_ms() + SETTLE_MS_MAX;
        while self.since_ms() < until && self.violations.is_empty() {
            self.step(self.since_ms() + 1_000).await;
            if self.questions_waiting == 0 && check::unsettled(self).is_none() {
                self.links_up(until).await;
                // Entries that nobody waits for are synced and reported a little later.
                let later = self.since_ms() + REPORTED_MS;
                while self.since_ms() < later {
                    self.step(later).await;
                }
                return;
            }
        }
        if let Some(what) = check::unsettled(self) {
            let minutes = SETTLE_MS_MAX / 60_000;
            self.violations
                .push(format!("not settled after {minutes} minutes: {what}"));
        }
    }

    /// Waits until every link is up again: what nobody used was not missed.
    async fn links_up(&mut self, until_ms: u64) {
        let until = self.start + Duration::from_millis(until_ms);
        for station in &self.stations {
            if tokio::time::timeout_at(until, station.ready())
                .await
                .is_err()
            {
                let name = &station.place.name;
                self.violations
                    .push(format!("{name} has no link to a peer"));
            }
        }
    }

    /// Lets what is due happen, then waits for an answer or for that time.
    async fn step(&mut self, until_ms: u64) {
        let now = self.since_ms();
        while let Some(first) = self.ends.first_entry().filter(|first| first.key().0 <= now) {
            let end = first.remove();
            self.end(end).await;
        }
        if now >= self.looked_ms + LOOK_EVERY_MS {
            self.looked_ms = now;
            self.look_after_machines().await;
        }
        self.let_registers_ask();
        let next = [
            self.ends.keys().next().map(|(at, _)| *at),
            self.town_hall
                .next_due()
                .map(|due| due.saturating_sub(BEGIN_MS)),
            self.scenario
                .faults
                .get(self.next_fault)
                .map(|fault| fault.at_ms),
        ];
        let until = next.into_iter().flatten().min().unwrap_or(u64::MAX);
        let until = until
            .min(until_ms)
            .min(self.looked_ms + LOOK_EVERY_MS)
            .max(now + 1);
        let until = self.start + Duration::from_millis(until);
        tokio::select! {
            biased;
            Some(answer) = self.answers.1.recv() => self.take(answer),
            () = tokio::time::sleep_until(until) => {}
        }
        while let Ok(answer) = self.answers.1.try_recv() {
            self.take(answer);
        }
    }

    fn pause(&mut self, per_hour: u64) -> u64 {
        let mean = 3_600_000 / per_hour.max(1);
        self.rng.random_range(0..=mean * 2)
    }
}

/// How links behave in this world: silent ones are probed less often, since every probe costs as
/// much as a message.
fn timing(scenario: &Scenario) -> Option<Timing> {
    let keep_alive = Duration::from_millis(scenario.keep_alive_ms);
    (!keep_alive.is_zero()).then(|| Timing {
        keep_alive,
        idle_timeout: keep_alive * 3,
        initial_rtt: Duration::from_millis(200),
        ..Timing::default()
    })
}
