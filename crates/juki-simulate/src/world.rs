//! The world of one scenario: machines, lines, registers, people at the terminal, and what fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use juki_crypto::random_array;
use juki_domain::NodeRole;
use juki_line::LineSettings;
use juki_runtime::Clock as _;
use juki_services::query::{LocalAnswer, Question, local_ask};
use juki_transport::Timing;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::counts::{Counts, Outcome};
use crate::deployment::{Deployment, DeploymentError};
use crate::fault::Fault;
use crate::model::{Resident, TownHall};
use crate::randomness::SeededRandomness;
use crate::scenario::{BEGIN_MS, Bug, Scenario};
use crate::station::{Started, Station};
use crate::virtual_network::VirtualNetwork;
use crate::{check, questions};

/// How long everything may take to settle once nothing fails any more.
const SETTLE_MS_MAX: u64 = 30 * 60_000;
/// How long the terminal may leave a question without an answer: the asker's own limit for log-in
/// and question, and some seconds for its turns.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// How often machines are looked at whose node may have ended by itself.
const LOOK_EVERY_MS: u64 = 250;
/// Answers on their way from nodes to those who asked.
const ANSWERS_MAX: usize = 4_096;
/// About how many residents are asked about in the end.
const LAST_QUESTIONS: usize = 40;

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
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    start: Instant,
    /// What ends by itself: nodes that start again, lines that are mended.
    ends: BTreeMap<(u64, u64), End>,
    ended: u64,
    next_fault: usize,
    looked_ms: u64,
    questions_waiting: usize,
}

/// The end of something that a fault began.
#[derive(Debug, Clone)]
enum End {
    Start(usize),
    Line(usize, LineSettings),
    DiskFull(usize),
    Clock(usize, i64),
}

/// What somebody who asked was told.
enum Answer {
    Registered {
        town: usize,
        ticket: u64,
        body: Vec<u8>,
    },
    Told {
        asked: Option<Box<Resident>>,
        current: bool,
        answer: Option<Box<LocalAnswer>>,
        in_time: bool,
    },
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
        let until = self.since_ms() + SETTLE_MS_MAX;
        while self.since_ms() < until && self.violations.is_empty() {
            self.step(self.since_ms() + 1_000).await;
            if self.questions_waiting == 0 && check::unsettled(self).is_none() {
                // Entries that nobody waits for are synced and reported a little later.
                self.step(self.since_ms() + 1_000).await;
                return;
            }
        }
        if let Some(what) = check::unsettled(self) {
            let minutes = SETTLE_MS_MAX / 60_000;
            self.violations
                .push(format!("not settled after {minutes} minutes: {what}"));
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

    fn let_registers_ask(&mut self) {
        let now_ms = self.now_ms();
        for asked in self.town_hall.due(now_ms) {
            let town = self.town_hall.towns().get(asked.town).copied();
            let station = self.stations.iter().find(|station| {
                let node = &station.place.config.node;
                station.place.role == NodeRole::MunicipalCs && node.municipality == town
            });
            let told = self.answers.0.clone();
            // A node that stops meanwhile is asked again.
            let _asking = station.and_then(|station| {
                station.ask(|handle| {
                    Box::pin(async move {
                        if let Ok(body) = handle.call("registration", asked.request).await {
                            let (town, ticket) = (asked.town, asked.ticket);
                            let _ = told.send(Answer::Registered { town, ticket, body }).await;
                        }
                    })
                })
            });
        }
    }

    fn ask_about_somebody(&mut self) {
        let at = self.rng.random_range(0..self.town_hall.residents.len());
        let code = self
            .town_hall
            .residents
            .get(at)
            .and_then(|resident| resident.code);
        if let Some(code) = code {
            self.ask(questions::by_code(code.reveal()), None, false);
        }
    }

    /// Somebody at the terminal asks; with a resident, the answer has to be what the model knows.
    fn ask(&mut self, question: Question, about: Option<Box<Resident>>, current: bool) {
        let is_terminal = |station: &&Station| station.place.role == NodeRole::AgencyTerminal;
        let terminal = self.stations.iter().find(is_terminal);
        let Some(terminal) = terminal else {
            return;
        };
        let key = random_array(&self.session_keys);
        let now_ms = terminal.clock.now_ms();
        let login = local_ask::Kind::Login(self.deployment.card.authorisation(now_ms, key));
        let asking = terminal.ask(|handle| {
            let asking = questions::ask(handle, login, question);
            Box::pin(tokio::time::timeout(SILENCE_MAX, asking))
        });
        let Some(asking) = asking else {
            return;
        };
        self.counts.questions += 1;
        self.questions_waiting += 1;
        let told = self.answers.0.clone();
        tokio::spawn(async move {
            // A terminal that stops meanwhile answers nobody.
            let answer = asking.await.unwrap_or(Ok(None));
            let in_time = answer.is_ok();
            let answer = Answer::Told {
                asked: about,
                current,
                answer: answer.ok().flatten().map(Box::new),
                in_time,
            };
            let _ = told.send(answer).await;
        });
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Registered { town, ticket, body } => {
                let now_ms = self.now_ms();
                self.town_hall.answer(now_ms, town, ticket, &body);
            }
            Answer::Told {
                asked,
                current,
                answer,
                in_time,
            } => {
                self.questions_waiting -= 1;
                if !in_time {
                    self.violations
                        .push("a question was answered by silence".to_owned());
                }
                let answered = answer.as_ref().and_then(|answer| answer.answered.as_ref());
                let record = answered.and_then(|answered| answered.record.as_ref());
                if let (Some(_), Some(answer)) = (record, &answer) {
                    self.counts.provided += 1;
                    self.provided.insert(answer.message_id.clone());
                } else {
                    self.counts.failed += 1;
                }
                let Some(resident) = asked else {
                    return;
                };
                let towns = self.town_hall.towns();
                let right = record.is_some_and(|shown| {
                    if current {
                        questions::is_of(shown, &resident, towns)
                    } else {
                        shown.ended
                    }
                });
                if !right {
                    let number = resident.number;
                    let failure = answer.map(|answer| answer.failure).unwrap_or_default();
                    self.violations.push(format!(
                        "resident {number} is answered wrongly, current code {current}: {failure}"
                    ));
                }
            }
        }
    }

    /// The center answers with what the model knows of everybody.
    async fn ask_in_the_end(&mut self) {
        let residents = self.town_hall.residents.clone();
        let every = residents.len() / LAST_QUESTIONS + 1;
        for resident in residents.iter().step_by(every) {
            let Some(code) = resident.code else {
                continue;
            };
            let mut asked = vec![(questions::by_code(code.reveal()), true)];
            let former = resident.former_codes.iter();
            asked.extend(former.map(|code| (questions::by_code(code.reveal()), false)));
            if resident.number % 4 == 0 {
                asked.push((questions::by_items(resident), true));
            }
            for (question, current) in asked {
                // One after the other: a card that logs in anew ends its session before.
                self.ask(question, Some(Box::new(resident.clone())), current);
                while self.questions_waiting > 0 {
                    self.step(self.since_ms() + 1_000).await;
                }
            }
        }
    }

    /// Nodes that have ended by themselves start again, if their machine is why.
    async fn look_after_machines(&mut self) {
        for at in 0..self.stations.len() {
            let Some(station) = self.stations.get_mut(at) else {
                continue;
            };
            let power_failed = station.power_failed();
            let failure = station.failure().await;
            if failure.is_none() && !power_failed {
                continue;
            }
            if power_failed {
                let keep = self.rng.random();
                station.lose_power(keep);
                self.counts.power_losses += 1;
            } else if station.disk_full {
                station.kill();
                self.counts.failures += 1;
            } else {
                let (name, sentence) = (&station.place.name, failure.unwrap_or_default());
                self.violations.push(format!("{name} ended: {sentence}"));
                station.kill();
            }
            let pause = self.rng.random_range(100..5_000);
            self.later(pause, End::Start(at));
        }
    }

    async fn fail_due(&mut self) {
        let now = self.since_ms();
        while let Some(timed) = self.scenario.faults.get(self.next_fault) {
            if timed.at_ms > now {
                return;
            }
            let fault = timed.fault.clone();
            self.next_fault += 1;
            self.counts.faults += 1;
            self.fail(&fault).await;
        }
    }

    async fn fail(&mut self, fault: &Fault) {
        match fault {
            Fault::LineCut { line, for_ms } => {
                if let Some((number, settings)) = self.lines.get(line).copied() {
                    self.network.change_line(number, |line| line.set_up(false));
                    self.later(*for_ms, End::Line(number, settings));
                }
            }
            Fault::LineBad { line, for_ms, .. } | Fault::LineSlow { line, for_ms, .. } => {
                if let Some((number, settings)) = self.lines.get(line).copied() {
                    let worse = fault.disturbed(settings);
                    self.network.change_line(number, |line| line.set(worse));
                    self.later(*for_ms, End::Line(number, settings));
                }
            }
            Fault::Kill { node, for_ms } => {
                if let Some((at, station)) = self.running(node) {
                    station.kill();
                    self.later(*for_ms, End::Start(at));
                }
            }
            Fault::PowerLoss {
                node,
                after,
                keep,
                for_ms,
            } => {
                if let Some((at, station)) = self.running(node) {
                    if *after > 0 {
                        // Somewhere in the writes of its next turns; found when it is looked after.
                        station.fail_after(*after);
                        return;
                    }
                    station.lose_power(*keep);
                    self.counts.power_losses += 1;
                    self.later(*for_ms, End::Start(at));
                }
            }
            Fault::Restart { node, for_ms } => {
                if let Some((at, station)) = self.running(node) {
                    if let Err(error) = station.stop().await
                        && !self
                            .stations
                            .get(at)
                            .is_some_and(|station| station.disk_full)
                    {
                        self.violations
                            .push(format!("{node} does not stop: {error}"));
                    }
                    self.later(*for_ms, End::Start(at));
                }
            }
            Fault::DiskFull { node, for_ms } => {
                let found = self.stations.iter_mut().enumerate();
                let mut found = found.filter(|(_, station)| station.place.name.as_str() == node);
                if let Some((at, station)) = found.next() {
                    station.set_disk_full(true);
                    self.later(*for_ms, End::DiskFull(at));
                }
            }
            Fault::ClockWrong {
                node,
                by_ms,
                for_ms,
            } => {
                if let Some((at, station)) = self.running(node) {
                    station.clock.step(*by_ms);
                    self.later(*for_ms, End::Clock(at, *by_ms));
                }
            }
        }
    }

    fn running(&mut self, node: &str) -> Option<(usize, &mut Station)> {
        let stations = self.stations.iter_mut().enumerate();
        let mut of_name = stations.filter(|(_, station)| station.place.name.as_str() == node);
        of_name.next().filter(|(_, station)| station.is_up())
    }

    fn later(&mut self, after_ms: u64, end: End) {
        self.ended += 1;
        self.ends
            .insert((self.since_ms() + after_ms, self.ended), end);
    }

    async fn end(&mut self, end: End) {
        match end {
            End::Start(at) => self.start_node(at).await,
            End::Line(number, settings) => self.network.change_line(number, |line| {
                line.set(settings);
                line.set_up(true);
            }),
            End::DiskFull(at) => {
                if let Some(station) = self.stations.get_mut(at) {
                    station.set_disk_full(false);
                }
            }
            End::Clock(at, by_ms) => {
                if let Some(station) = self.stations.get(at) {
                    station.clock.step(-by_ms);
                }
            }
        }
    }

    async fn start_node(&mut self, at: usize) {
        let Some(station) = self.stations.get_mut(at) else {
            return;
        };
        if station.is_up() {
            return;
        }
        self.counts.starts += 1;
        match station.start(None).await {
            Started::Up => {}
            Started::MachineFailed => {
                self.counts.failures += 1;
                let pause = self.rng.random_range(500..5_000);
                self.later(pause, End::Start(at));
            }
            Started::Refused(error) => {
                let name = &station.place.name;
                self.violations
                    .push(format!("{name} does not start: {error}"));
            }
        }
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
