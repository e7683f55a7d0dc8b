//! Waiting until nodes are ready, with what is shown meanwhile.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use juki_admin::{AdminClient, NodeState, StatusReport};
use juki_domain::{ErrorCode, Lang};
use serde_json::json;

use super::Start;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::supervisor::{ProcessState, SupervisedNode, last_line};
use crate::text::{self, machines};

/// What happened to a start.
pub(super) struct Readiness {
    /// How long it took, in seconds with two decimals.
    pub(super) seconds: String,
    /// The nodes that are not ready, with their states.
    pub(super) late: Vec<SupervisedNode>,
}

/// The view of nodes coming up: which have arrived, and how that is shown.
pub(super) struct Arrival<'a> {
    start: &'a Start,
    screen: Screen,
    began: Instant,
    arrived: BTreeSet<String>,
    bar: ProgressBar,
}

impl<'a> Arrival<'a> {
    pub(super) fn new(start: &'a Start, screen: Screen) -> Self {
        let bar = if screen.shows_progress() {
            let length = u64::try_from(start.places.len()).unwrap_or(u64::MAX);
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(length)
                .with_style(style)
                .with_message(text::starting(screen.lang))
        } else {
            ProgressBar::hidden()
        };
        Self {
            start,
            screen,
            began: Instant::now(),
            arrived: BTreeSet::new(),
            bar,
        }
    }

    /// Looks at the nodes as they are now; the result is there once each is ready or failed.
    pub(super) async fn look(&mut self, nodes: &[SupervisedNode]) -> Option<Readiness> {
        for node in nodes {
            if self.arrived.contains(&node.node) {
                continue;
            }
            let ready = node.state == ProcessState::Ready;
            if ready || (self.start.partial && self.works(node).await) {
                self.arrived.insert(node.node.clone());
                self.tell(node, ready);
            }
        }
        let settled = |node: &SupervisedNode| {
            self.arrived.contains(&node.node) || node.state == ProcessState::Failed
        };
        nodes.iter().all(settled).then(|| self.result(nodes))
    }

    /// The result as it stands, after the time is over.
    pub(super) fn result(&self, nodes: &[SupervisedNode]) -> Readiness {
        self.bar.finish_and_clear();
        let late = nodes
            .iter()
            .filter(|node| !self.arrived.contains(&node.node))
            .cloned()
            .collect();
        Readiness {
            seconds: format!("{:.2}", self.began.elapsed().as_secs_f64()),
            late,
        }
    }

    /// How long the wait has lasted.
    pub(super) fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether a node of a partial start works and is connected to all its peers that run here, though
    /// others live elsewhere.
    async fn works(&self, node: &SupervisedNode) -> bool {
        let Some(place) = self
            .start
            .places
            .iter()
            .find(|place| place.name.as_str() == node.node)
        else {
            return false;
        };
        if node.state != ProcessState::Starting {
            return false;
        }
        let client = AdminClient::new(place.admin_socket()).with_timeout(ANSWER_TIMEOUT);
        let status = client.get_json::<StatusReport>("/status").await;
        status.is_ok_and(|status| {
            let mut here = status
                .peers
                .iter()
                .filter(|peer| peer.dialled && self.start.reaches(&node.node, &peer.name));
            status.state != NodeState::Failed && here.all(|peer| peer.up)
        })
    }

    fn tell(&self, node: &SupervisedNode, ready: bool) {
        let (count, all) = (self.arrived.len(), self.start.places.len());
        self.bar.inc(1);
        if !self.screen.shows_progress() {
            let say = if ready {
                text::node_ready
            } else {
                text::node_running
            };
            self.screen
                .line(say(self.screen.lang, &node.node, count, all));
        }
    }
}

impl Readiness {
    /// Prints that all are ready, or names those that are not with their last log lines.
    ///
    /// # Errors
    /// [`ErrorCode::NodeNotReady`] where a node is not ready; [`ErrorCode::RestartLimit`] where all such ended too often.
    pub(super) fn tell(&self, start: &Start, screen: Screen) -> Result<(), Failure> {
        let lang = screen.lang;
        if self.late.is_empty() {
            return self.tell_all_ready(start, screen);
        }
        let line = |node: &SupervisedNode| {
            let log = start
                .places
                .iter()
                .find(|place| place.name.as_str() == node.node)
                .map(|place| last_line(&place.log));
            let last = log
                .filter(|line| !line.is_empty())
                .unwrap_or_else(|| text::no_last_line(lang));
            text::not_ready_node(lang, &node.node, node.state.name(), &last)
        };
        let lines: Vec<String> = self.late.iter().map(line).collect();
        let ended = self
            .late
            .iter()
            .all(|node| node.state == ProcessState::Failed);
        let code = if ended {
            ErrorCode::RestartLimit
        } else {
            ErrorCode::NodeNotReady
        };
        let folder = start.deployment.folder().display().to_string();
        Err(Failure::new(code, lines.join("\n  ")).with_todo(text::see_doctor(lang, &folder)))
    }

    fn tell_all_ready(&self, start: &Start, screen: Screen) -> Result<(), Failure> {
        let (lang, nodes) = (screen.lang, start.places.len());
        let seconds: f64 = self.seconds.parse().unwrap_or_default();
        if !start.partial {
            screen.line(text::all_ready(lang, nodes, &self.seconds));
            return screen.document(&json!({"ready_s": seconds, "nodes": nodes}));
        }
        let all = start.deployment.places().len();
        screen.line(machines::all_ready_here(lang, nodes, all, &self.seconds));
        let elsewhere = start.elsewhere();
        if !elsewhere.is_empty() {
            screen.line(machines::elsewhere(lang, &some_of(&elsewhere, lang)));
        }
        screen.document(&json!({"ready_s": seconds, "nodes": nodes, "elsewhere": elsewhere}))
    }
}

/// A handful of names, and how many more there are.
fn some_of(names: &[String], lang: Lang) -> String {
    let (shown, more) = names.split_at(NAMES_SHOWN.min(names.len()));
    match more.len() {
        0 => shown.join(", "),
        more => machines::and_more(lang, &shown.join(", "), more),
    }
}

const NAMES_SHOWN: usize = 8;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
