//! The world: nodes, network, registers, faults, and virtual time.

use std::collections::BTreeMap;

use juki_dispatch::{Input, Output, Ticket, TurnError};
use juki_domain::{CivilDate, ErrorCode};
use juki_services::query::Question;
use juki_wire::Priority;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::terminal::by_code;
use crate::{
    Boot, Counts, Flight, Network, Node, Options, Outcome, Post, Terminal, TownHall, check,
    municipality,
};

/// 2002-10-15 00:00 UTC, in milliseconds since 1970.
const BEGIN_MS: u64 = 1_034_640_000_000;

/// How long everything may take to settle once nothing fails any more, in virtual milliseconds.
const SETTLE_MS_MAX: u64 = 3 * 60_000;

/// The world of one seed.
pub struct World {
    /// The virtual time, milliseconds since 1970.
    pub now_ms: u64,
    /// The nodes.
    pub nodes: BTreeMap<Post, Node>,
    /// The lines.
    pub network: Network,
    /// The registers.
    pub town_hall: TownHall,
    /// The terminal's users.
    pub terminal: Terminal,
    /// What was not as it must be.
    pub violations: Vec<String>,
    /// How often things happened.
    pub counts: Counts,
    pub(crate) rng: ChaCha8Rng,
    faults: bool,
    pub(crate) starts: BTreeMap<Post, u64>,
    next_act_ms: u64,
    next_fault_ms: u64,
    next_question_ms: u64,
}

impl World {
    /// A world in which nothing has happened; all nodes start at once.
    #[must_use]
    pub fn new(seed: u64, options: Options) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let skips = |post| {
            options
                .skip_sync_in
                .is_some_and(|town| post == Post::Town(town))
        };
        let nodes = Post::ALL
            .into_iter()
            .map(|post| (post, Node::new(post, rng.random(), skips(post))))
            .collect();
        Self {
            now_ms: BEGIN_MS,
            nodes,
            network: Network::new(rng.random(), options.faults),
            town_hall: TownHall::new(
                rng.random(),
                options.residents,
                (0..Post::TOWNS).map(municipality).collect(),
            ),
            terminal: Terminal::default(),
            violations: Vec::new(),
            counts: Counts::default(),
            rng,
            faults: options.faults,
            starts: Post::ALL.into_iter().map(|post| (post, BEGIN_MS)).collect(),
            next_act_ms: u64::MAX,
            next_fault_ms: u64::MAX,
            next_question_ms: u64::MAX,
        }
    }

    /// Runs one seed: things happen and fail, then all settles and everything is checked.
    #[must_use]
    pub fn run(seed: u64, options: Options) -> Outcome {
        Self::busy(seed, options).finish()
    }

    /// A world after its busy time, in the middle of everything.
    #[must_use]
    pub fn busy(seed: u64, options: Options) -> Self {
        let mut world = Self::new(seed, options);
        world.next_act_ms = BEGIN_MS + 500;
        world.next_question_ms = BEGIN_MS + 5_000;
        world.next_fault_ms = if options.faults {
            BEGIN_MS + 200
        } else {
            u64::MAX
        };
        world.advance(BEGIN_MS + options.busy_ms);
        world
    }

    /// Stops all faults, lets everything settle, checks everything.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.settle();
        if self.violations.is_empty() {
            check::all(&mut self);
        }
        self.counts.repeated = self.network.repeated;
        self.counts.lost = self.network.lost;
        self.counts.refused_frames = self.network.refused;
        self.counts.acknowledged = self.town_hall.acknowledged.len() as u64;
        self.counts.refused_requests = self.town_hall.refused;
        self.counts.duplicates = self.town_hall.duplicates;
        self.counts.questions = self.terminal.heard.len() as u64;
        self.violations.append(&mut self.town_hall.violations);
        self.violations.append(&mut self.terminal.violations);
        Outcome {
            violations: self.violations,
            trace: self.network.trace(),
            counts: self.counts,
        }
    }

    /// Ends acts and faults, mends all lines and waits until every tier holds everything.
    pub fn settle(&mut self) {
        self.next_act_ms = u64::MAX;
        self.next_question_ms = u64::MAX;
        self.next_fault_ms = u64::MAX;
        self.faults = false;
        self.network.heal();
        for post in Post::ALL {
            let node = self.node_mut(post);
            node.power.restore();
            // A node that is idle may not have noticed yet that its index is broken.
            if node.index.is_broken() {
                node.kill(true);
                self.down(post);
            }
        }
        let until = self.now_ms + SETTLE_MS_MAX;
        while self.now_ms < until && self.violations.is_empty() {
            self.advance(self.now_ms + 1_000);
            if check::unsettled(self).is_none() {
                // Entries that nobody waits for are synced a little later.
                self.advance(self.now_ms + 100);
                return;
            }
        }
        if let Some(what) = check::unsettled(self) {
            self.violations.push(format!(
                "not settled after {} minutes: {what}",
                SETTLE_MS_MAX / 60_000
            ));
        }
    }

    /// Lets everything happen that is due up to a time.
    pub fn advance(&mut self, until_ms: u64) {
        while let Some(at) = self.next_event().filter(|at| *at <= until_ms) {
            self.now_ms = self.now_ms.max(at);
            self.step();
        }
        self.now_ms = until_ms;
    }

    /// A node.
    ///
    /// # Panics
    /// Never: every post has a node.
    #[must_use]
    pub fn node(&self, post: Post) -> &Node {
        self.nodes.get(&post).expect("every post has a node")
    }

    /// A node, to be changed.
    ///
    /// # Panics
    /// Never: every post has a node.
    pub fn node_mut(&mut self, post: Post) -> &mut Node {
        self.nodes.get_mut(&post).expect("every post has a node")
    }

    fn next_event(&self) -> Option<u64> {
        let nodes = self.nodes.values().filter_map(|node| {
            if node.inbox.is_empty() {
                node.next_timeout()
            } else {
                Some(self.now_ms)
            }
        });
        let others = [
            Some(self.next_act_ms),
            Some(self.next_fault_ms),
            Some(self.next_question_ms),
            self.network.next_arrival(),
            self.town_hall.next_due(),
        ];
        nodes
            .chain(others.into_iter().flatten())
            .chain(self.starts.values().copied())
            .filter(|at| *at < u64::MAX)
            .min()
    }

    fn step(&mut self) {
        let now_ms = self.now_ms;
        if self.next_fault_ms <= now_ms {
            self.next_fault_ms = now_ms + self.rng.random_range(300..6_000);
            self.fail();
        }
        for post in Post::ALL {
            if self.starts.get(&post).is_some_and(|at| *at <= now_ms) {
                self.start(post);
            }
        }
        if self.next_act_ms <= now_ms {
            self.next_act_ms = now_ms + self.rng.random_range(20..1_500);
            for _ in 0..self.rng.random_range(1..5) {
                self.town_hall.act(now_ms);
            }
        }
        if self.next_question_ms <= now_ms {
            self.next_question_ms = now_ms + self.rng.random_range(500..4_000);
            self.ask_about_somebody();
        }
        for asked in self.town_hall.due(now_ms) {
            let node = self.node_mut(Post::Town(asked.town));
            if node.is_up() {
                node.inbox.push(Input::Local {
                    service: "registration",
                    ticket: Ticket(asked.ticket),
                    request: asked.request,
                });
            }
        }
        for flight in self.network.arrived(now_ms) {
            let node = self
                .nodes
                .get_mut(&flight.to)
                .expect("every post has a node");
            if node.is_up() {
                node.inbox.push(Input::Frame(flight.frame));
            } else {
                self.network.refuse(now_ms, &flight);
            }
        }
        for post in Post::ALL {
            let node = self.node(post);
            if node.is_up()
                && (!node.inbox.is_empty() || node.next_timeout().is_some_and(|due| due <= now_ms))
            {
                self.turn(post);
            }
        }
        let overdue = self.terminal.overdue(now_ms);
        if overdue > 0 {
            self.violations
                .push(format!("{overdue} questions got no answer"));
            self.terminal.forget();
        }
    }

    fn turn(&mut self, post: Post) {
        let now_ms = self.now_ms;
        let date = CivilDate::from_number(20_021_015).expect("a day");
        let (mut said, ended) = self.node_mut(post).turn(now_ms, date);
        // The node may die before its last words are out.
        let dies = ended.is_err();
        if dies {
            said.truncate(self.rng.random_range(0..=said.len()));
        }
        for output in said {
            self.carry(post, output);
        }
        match ended {
            Ok(()) => {
                if self.rng.random_bool(0.3) {
                    self.node_mut(post).feed_index();
                }
            }
            Err(TurnError::Index(_)) => {
                self.counts.index_failures += 1;
                self.node_mut(post).kill(true);
                self.down(post);
            }
            Err(TurnError::Ledger(error)) => {
                if !self.node(post).power.failed() {
                    self.violations.push(format!("{}: {error}", post.name()));
                }
                self.counts.mid_turn += 1;
                self.lose_power(post);
            }
        }
    }

    fn carry(&mut self, post: Post, output: Output) {
        match output {
            Output::Frame {
                destination,
                priority,
                frame,
            } => {
                let Some(to) = Post::of(&destination) else {
                    self.violations.push(format!(
                        "{} speaks to the unknown {destination}",
                        post.name()
                    ));
                    return;
                };
                self.network.send(
                    self.now_ms,
                    Flight {
                        from: post,
                        to,
                        frame,
                    },
                    priority,
                );
            }
            Output::Local { ticket, body } => match post {
                Post::Town(town) => self.town_hall.answer(self.now_ms, town, ticket.0, &body),
                Post::Terminal => self.terminal.answer(ticket, &body),
                Post::Prefecture | Post::National => self
                    .violations
                    .push("a server answers nobody locally".to_owned()),
            },
            Output::Refused { source, code, .. } => {
                self.counts.replays_refused += u64::from(code == ErrorCode::FrameReplayed);
                if code != ErrorCode::FrameReplayed {
                    self.violations.push(format!(
                        "{} refuses a frame of {source} with {}",
                        post.name(),
                        code.code()
                    ));
                }
            }
        }
    }

    fn start(&mut self, post: Post) {
        self.starts.remove(&post);
        let now_ms = self.now_ms;
        if self.faults && self.rng.random_bool(0.1) {
            let operations = self.rng.random_range(0..12);
            self.node_mut(post).power.fail_after(operations);
        }
        match self.node_mut(post).boot(now_ms) {
            Boot::Up {
                torn,
                partial_index,
            } => {
                self.counts.torn_tails += u64::from(torn);
                self.counts.partial_indexes += u64::from(partial_index);
            }
            Boot::PowerFailed => {
                self.counts.mid_turn += 1;
                self.lose_power(post);
            }
            Boot::Failed(error) => self
                .violations
                .push(format!("{} does not start: {error}", post.name())),
        }
    }

    fn ask_about_somebody(&mut self) {
        let at = self.rng.random_range(0..self.town_hall.residents.len());
        let Some(code) = self
            .town_hall
            .residents
            .get(at)
            .and_then(|resident| resident.code)
        else {
            return;
        };
        self.ask(by_code(code.reveal()));
    }

    /// Somebody at the terminal asks; the ticket of the question, if the terminal runs.
    pub fn ask(&mut self, question: Question) -> Option<u64> {
        let now_ms = self.now_ms;
        if !self.node(Post::Terminal).is_up() {
            return None;
        }
        let (ticket, inputs) = self.terminal.ask(now_ms, question);
        self.node_mut(Post::Terminal).inbox.extend(inputs);
        Some(ticket)
    }

    /// Sends a frame into the network as if a node had said it.
    pub fn inject(&mut self, flight: Flight, priority: Priority) {
        self.network.send(self.now_ms, flight, priority);
    }
}
