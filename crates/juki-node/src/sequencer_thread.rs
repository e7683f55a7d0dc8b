//! The one thread that decides, commits and emits.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use juki_dispatch::{
    Communication, IndexPort, Input, LedgerPort as _, Output, Sequencer, TurnError, View,
};
use juki_domain::{CivilDate, ErrorCode, NodeId};
use juki_runtime::{Calendar, Clock};
use juki_topology::NodeConfig;
use juki_transport::{Class, Transport};
use juki_wire::{Header, Priority, Refusal};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::index_writer::IndexWriter;
use crate::tickets::Answers;
use crate::{AnyFiles, Hops, LedgerAdapter, Reporter, Reports};

/// Inputs taken into one turn, which share a sync.
const TURN_MAX: usize = 512;
/// Bytes of bulk frames taken into one turn: a block or some small ones, milliseconds of folding.
const BULK_BYTES_PER_TURN: usize = 8 * 1024;
/// Bulk frames above which a turn takes all that wait, so that they do not gather without bound.
const BULK_WAITING_MAX: usize = 1_024;
/// Longest sleep of an idle node.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What reaches the thread.
pub(crate) enum Work {
    Input(Input),
    /// Whether personal data are refused for a reason of this kind.
    Blocked(ErrorCode, bool),
    Stop,
}

/// What the thread works with.
pub(crate) struct SequencerThread {
    pub(crate) sequencer: Sequencer<LedgerAdapter<AnyFiles>>,
    pub(crate) work: mpsc::Receiver<Work>,
    /// Frames of bulk services that wait for a turn with room for them.
    pub(crate) bulk: VecDeque<Bytes>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) config: Arc<NodeConfig>,
    pub(crate) answers: Answers,
    pub(crate) hops: Arc<Hops>,
    /// What was sent, by like frames.
    pub(crate) sent: Communication,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) calendar: Calendar,
    pub(crate) index: IndexWriter,
    pub(crate) index_port: Arc<dyn IndexPort>,
    /// The index failed in this run: it is wiped at the end, so that the next one folds again.
    pub(crate) index_doubtful: bool,
    pub(crate) reporter: Reporter,
    /// How often the node's report on itself is renewed while something happens.
    pub(crate) report_every: Duration,
    pub(crate) reports: Arc<Mutex<Reports>>,
    pub(crate) failed: watch::Sender<Option<String>>,
}

impl SequencerThread {
    /// Works until it is told to stop or a turn fails, then ends ledger and index in order.
    pub(crate) async fn run(mut self) {
        let ended = self.work_on().await;
        let now_ms = self.clock.now_ms();
        let ended = ended.and_then(|()| {
            self.sequencer.note_sent(self.sent.close());
            let now = (now_ms, self.calendar.civil_date(now_ms));
            self.sequencer.end(now).map_err(|error| error.to_string())
        });
        let chain = {
            use juki_dispatch::LedgerPort as _;
            self.sequencer.ledger().chain()
        };
        let indexed = self.index.close(self.sequencer.view_mut(), &chain);
        if let Err(error) = &indexed {
            tracing::warn!(event = "index.unfinished", %error, "the next start folds again");
        }
        if (self.index_doubtful || indexed.is_err())
            && let Err(error) = self.index_port.wipe()
        {
            tracing::error!(event = "index.not_wiped", %error);
        }
        let closed = self
            .sequencer
            .into_ledger()
            .close(now_ms)
            .map_err(|error| error.to_string());
        if let Err(error) = ended.and(closed) {
            tracing::error!(event = "node.failed", %error);
            let _ = self.failed.send(Some(error));
        }
    }

    async fn work_on(&mut self) -> Result<(), String> {
        let mut buffer = Vec::with_capacity(TURN_MAX);
        let mut returned: Vec<Input> = Vec::new();
        let mut blocks = BTreeSet::new();
        // By a clock that nobody sets.
        let mut next_report = Instant::now();
        // Something happened that the report does not say yet.
        let mut unsaid = true;
        loop {
            let now_ms = self.clock.now_ms();
            let wait = if returned.is_empty() && self.bulk.is_empty() {
                self.idle(now_ms, unsaid.then_some(next_report))
            } else {
                Duration::ZERO
            };
            let received =
                tokio::time::timeout(wait, self.work.recv_many(&mut buffer, TURN_MAX)).await;
            if received == Ok(0) {
                return Ok(());
            }
            let mut inputs = std::mem::take(&mut returned);
            for work in buffer.drain(..) {
                match work {
                    Work::Input(Input::Frame(frame)) if is_bulk(&frame) => {
                        self.bulk.push_back(frame);
                    }
                    Work::Input(input) => inputs.push(input),
                    Work::Blocked(code, on) => {
                        if on {
                            blocks.insert(code.code());
                        } else {
                            blocks.remove(code.code());
                        }
                        self.sequencer
                            .block(blocks.first().and_then(|code| ErrorCode::from_code(code)));
                    }
                    Work::Stop => return Ok(()),
                }
            }
            let now_ms = self.clock.now_ms();
            let date = self.calendar.civil_date(now_ms);
            self.take_bulk(&mut inputs);
            let had_something = !inputs.is_empty();
            returned = self.turn((now_ms, date), inputs)?;
            unsaid |= had_something || self.index.due(self.sequencer.view()).is_some();
            if unsaid && Instant::now() >= next_report {
                next_report = Instant::now() + self.report_every;
                unsaid = false;
                self.report();
            }
        }
    }

    /// How long nothing has to be done where nothing comes: a node that is idle sleeps.
    fn idle(&self, now_ms: u64, report: Option<Instant>) -> Duration {
        let due_ms = self.sequencer.next_timeout().unwrap_or(u64::MAX);
        let due = Duration::from_millis(due_ms.saturating_sub(now_ms));
        let report = report.map(|at| at.saturating_duration_since(Instant::now()));
        let index = self.index.due(self.sequencer.view());
        [report, index]
            .into_iter()
            .flatten()
            .fold(due.min(IDLE_MAX), Duration::min)
    }

    /// Adds what waits in bulk to a turn: little, so that a question which comes meanwhile does not
    /// wait for long.
    fn take_bulk(&mut self, inputs: &mut Vec<Input>) {
        let mut bytes = 0;
        let crowded = self.bulk.len() > BULK_WAITING_MAX;
        while let Some(frame) = self.bulk.front() {
            bytes += frame.len();
            if !crowded && bytes > BULK_BYTES_PER_TURN && bytes > frame.len() {
                return;
            }
            inputs.extend(self.bulk.pop_front().map(Input::Frame));
        }
    }

    fn turn(&mut self, now: (u64, CivilDate), inputs: Vec<Input>) -> Result<Vec<Input>, String> {
        let mut returned = Vec::new();
        let sent = self.sent.due(now.0);
        self.sequencer.note_sent(sent);
        let mut outgoing = Outgoing {
            now_ms: now.0,
            sent: &mut self.sent,
            transport: &self.transport,
            config: &self.config,
            hops: &self.hops,
        };
        let answers = &mut self.answers;
        let me = &self.config.node.name;
        metrics::counter!("juki_turns_total").increment(1);
        metrics::counter!("juki_inputs_total").increment(inputs.len() as u64);
        let turned = self.sequencer.turn(now, &mut inputs.into_iter(), &mut |output| match output {
            Output::Local { ticket, body } => answers.answer(ticket, body),
            Output::Frame { destination, priority, frame } => {
                if let Some(refusal) = outgoing.send(me, &destination, priority, frame) {
                    returned.push(Input::Frame(refusal));
                }
            }
            Output::Refused { source, code, message_id } => {
                metrics::counter!("juki_frames_refused_total", "error_code" => code.code()).increment(1);
                tracing::warn!(event = "frame.refused", source = %source, code = code.code(), %message_id);
            }
        });
        self.answers.send();
        match turned {
            Ok(()) => {}
            Err(error @ TurnError::Ledger(_)) => return Err(error.to_string()),
            // The index is disposable, but this run has answered from it: the node ends, and its
            // next start folds again.
            Err(error @ TurnError::Index(_)) => {
                self.index_doubtful = true;
                return Err(error.to_string());
            }
        }
        if self.sequencer.ledger().is_unreadable() {
            return Err("an entry of the ledger could not be read back".to_owned());
        }
        let (chain, durable) = (self.sequencer.ledger().chain(), self.sequencer.durable());
        self.index
            .advance(self.sequencer.view_mut(), &chain, durable)
            .map_err(|error| {
                self.index_doubtful = true;
                error.to_string()
            })?;
        Ok(returned)
    }

    fn report(&self) {
        let view: &View = self.sequencer.view();
        let mut report = (self.reporter)(view);
        report.durable = self.sequencer.durable();
        report.index_waiting = view.waiting();
        metrics::gauge!("juki_residents").set(u32::try_from(report.residents).unwrap_or(u32::MAX));
        metrics::gauge!("juki_journal_behind_entries")
            .set(u32::try_from(report.behind).unwrap_or(u32::MAX));
        if let Ok(mut reports) = self.reports.lock() {
            *reports = report;
        }
    }
}

fn is_bulk(frame: &[u8]) -> bool {
    Header::decode(frame).is_ok_and(|(header, _)| header.priority == Priority::Bulk)
}

/// Hands frames to the next hop.
struct Outgoing<'a> {
    now_ms: u64,
    sent: &'a mut Communication,
    transport: &'a Transport,
    config: &'a NodeConfig,
    hops: &'a Hops,
}

impl Outgoing<'_> {
    /// Sends a frame; where the line is down, gives the refusal that its own sender is to hear.
    fn send(
        &mut self,
        me: &NodeId,
        destination: &NodeId,
        priority: Priority,
        frame: Bytes,
    ) -> Option<Bytes> {
        let class = match priority {
            Priority::Interactive => Class::Interactive,
            Priority::Bulk => Class::Bulk,
        };
        let (header, length) = (Header::decode(&frame).ok()?.0, frame.len());
        let hop = self.config.next_hop(destination).map(|peer| &peer.name);
        let sent = match hop {
            Some(peer) => self
                .transport
                .send(peer, class, frame)
                .map_err(|error| error.code()),
            None => Err(ErrorCode::NoRoute),
        };
        let to = hop.map_or("-", NodeId::as_str);
        let kind = (header.service, sent.err());
        self.sent.note(self.now_ms, destination, kind, length);
        match sent {
            Ok(()) => {
                self.hops.note(&header, length, (me.as_str(), to), "sent");
                None
            }
            Err(code) => {
                self.hops
                    .note(&header, length, (me.as_str(), to), code.code());
                let refusal = Refusal {
                    node: me.to_string(),
                    rule: "link".to_owned(),
                    code: code.code().to_owned(),
                };
                refusal.frame_for(&header)
            }
        }
    }
}
