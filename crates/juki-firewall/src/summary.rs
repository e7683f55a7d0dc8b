//! What the firewall writes into its ledger about the frames it judged: runs of like frames, and
//! refusals one by one until they become a flood.

use std::collections::BTreeMap;

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_wire::{Header, MessageId, WireError};

use crate::policy::Policy;
use crate::tables::{Flow, FlowIndex};
use crate::verdict::Verdict;

/// One record for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Like frames, counted.
    Run(Run),
    /// One refused frame.
    Refused(RefusedFrame),
}

/// Like frames within at most [`Summary::RUN_MS_MAX`] and at most [`Summary::RUN_FRAMES_MAX`]
/// frames; a run of refusals has no bound in frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The frames' source; in a run of refusals the peer that handed them over, since a refused
    /// source is only a claim.
    pub from: NodeId,
    /// The frames' destination; none in a run of refusals.
    pub to: Option<NodeId>,
    /// The service; none where the header could not be read.
    pub service: Option<ServiceId>,
    /// What became of them.
    pub verdict: RunVerdict,
    /// When the first was judged, on the clock of the caller, in ms.
    pub first_ms: u64,
    /// When the last was judged, in ms.
    pub last_ms: u64,
    /// How many there were.
    pub count: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
}

/// What became of the frames of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunVerdict {
    /// They passed under the rule with this number.
    Passed {
        /// The number of the rule, from 1.
        rule: u16,
    },
    /// They were refused with this code.
    Refused {
        /// The stable code.
        code: ErrorCode,
    },
}

/// One refused frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFrame {
    /// When it was refused, in ms.
    pub at_ms: u64,
    /// The peer that handed it over.
    pub peer: NodeId,
    /// The rule that refused it, as in the refusal frame.
    pub rule: String,
    /// The stable code.
    pub code: ErrorCode,
    /// Its length in bytes, header included.
    pub bytes: u64,
    /// What its header claimed; none where the header could not be read.
    pub frame: Option<FrameNote>,
}

/// What the header of a refused frame claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameNote {
    /// The service.
    pub service: ServiceId,
    /// The claimed source.
    pub source: NodeId,
    /// The destination.
    pub destination: NodeId,
    /// The message.
    pub message_id: MessageId,
}

/// Gathers judged frames into entries. Its size is bounded by the rules and peers of the policy.
#[derive(Debug)]
pub struct Summary {
    flows: Vec<(Flow, Option<Tally>)>,
    refusals: BTreeMap<NodeId, Refusals>,
    /// No run that is open was opened before this.
    oldest_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    first_ms: u64,
    last_ms: u64,
    count: u64,
    bytes: u64,
}

/// The refusals of one peer within one window.
#[derive(Debug, Default)]
struct Refusals {
    since_ms: u64,
    singles: u32,
    /// A handful: one for each service and code that occurred.
    flood: Vec<(Option<ServiceId>, ErrorCode, Tally)>,
}

impl Summary {
    /// How long a run stays open, in ms; also the window in which refusals count as a flood.
    pub const RUN_MS_MAX: u64 = 10_000;
    /// Frames after which a run of passed frames is closed.
    pub const RUN_FRAMES_MAX: u64 = 1_000;
    /// Refusals of one peer that are recorded one by one within a window.
    pub const REFUSALS_SINGLE_MAX: u32 = 100;

    /// An empty summary for the frames that this policy judges.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            flows: policy
                .flows()
                .iter()
                .map(|flow| (flow.clone(), None))
                .collect(),
            refusals: policy
                .peers()
                .map(|peer| (peer.clone(), Refusals::default()))
                .collect(),
            oldest_ms: None,
        }
    }

    /// Notes a judged frame; entries that became complete are added to `out`. A passed frame costs
    /// no allocation unless it closes a run.
    pub fn note(
        &mut self,
        now_ms: u64,
        from_peer: &NodeId,
        header: &Header,
        frame_bytes: usize,
        verdict: Verdict<'_>,
        out: &mut Vec<Entry>,
    ) {
        match verdict {
            Verdict::Pass { flow, .. } => self.note_passed(now_ms, flow, frame_bytes as u64, out),
            Verdict::Refuse { rule, code } => {
                let note = || FrameNote {
                    service: header.service,
                    source: header.source.clone(),
                    destination: header.destination.clone(),
                    message_id: header.message_id,
                };
                let refused = RefusedNow {
                    now_ms,
                    bytes: frame_bytes as u64,
                    service: Some(header.service),
                    code,
                };
                self.note_refused(
                    from_peer,
                    refused,
                    || rule.to_string(),
                    || Some(note()),
                    out,
                );
            }
        }
    }

    /// Notes a frame whose header could not be read, which no policy can judge.
    pub fn note_unreadable(
        &mut self,
        now_ms: u64,
        from_peer: &NodeId,
        frame_bytes: usize,
        error: WireError,
        out: &mut Vec<Entry>,
    ) {
        let refused = RefusedNow {
            now_ms,
            bytes: frame_bytes as u64,
            service: None,
            code: error.code(),
        };
        self.note_refused(from_peer, refused, || "header".to_owned(), || None, out);
    }

    /// When [`Self::on_timeout`] is next due, if anything is open.
    #[must_use]
    pub fn next_timeout(&self) -> Option<u64> {
        self.oldest_ms
            .map(|since| since.saturating_add(Self::RUN_MS_MAX))
    }

    /// Closes every run that has been open for its time.
    pub fn on_timeout(&mut self, now_ms: u64, out: &mut Vec<Entry>) {
        self.close_where(|since_ms| is_over(since_ms, now_ms), out);
    }

    /// Closes every run, as a firewall does when it stops.
    pub fn close(&mut self, out: &mut Vec<Entry>) {
        self.close_where(|_| true, out);
    }

    fn note_passed(&mut self, now_ms: u64, flow: FlowIndex, bytes: u64, out: &mut Vec<Entry>) {
        let Some((flow, open)) = self.flows.get_mut(flow.get()) else {
            return;
        };
        if let Some(old) = open.take_if(|tally| is_over(tally.first_ms, now_ms)) {
            out.push(passed_run(flow, old));
        }
        let tally = open.get_or_insert(Tally::opened(now_ms));
        tally.add(now_ms, bytes);
        if tally.count >= Self::RUN_FRAMES_MAX {
            out.extend(open.take().map(|full| passed_run(flow, full)));
        } else {
            self.oldest_ms = Some(self.oldest_ms.map_or(now_ms, |oldest| oldest.min(now_ms)));
        }
    }

    fn note_refused(
        &mut self,
        peer: &NodeId,
        refused: RefusedNow,
        rule: impl FnOnce() -> String,
        frame: impl FnOnce() -> Option<FrameNote>,
        out: &mut Vec<Entry>,
    ) {
        let RefusedNow {
            now_ms,
            bytes,
            service,
            code,
        } = refused;
        let single = || {
            Entry::Refused(RefusedFrame {
                at_ms: now_ms,
                peer: peer.clone(),
                rule: rule(),
                code,
                bytes,
                frame: frame(),
            })
        };
        // Connections exist with the policy's peers alone, so a stranger is rare enough to be
        // recorded each time, and no table grows by what strangers call themselves.
        let Some(refusals) = self.refusals.get_mut(peer) else {
            out.push(single());
            return;
        };
        if is_over(refusals.since_ms, now_ms) {
            refusals.close(peer, out);
            refusals.since_ms = now_ms;
        }
        if refusals.singles < Self::REFUSALS_SINGLE_MAX {
            refusals.singles += 1;
            out.push(single());
            return;
        }
        let at = refusals
            .flood
            .iter()
            .position(|(of, by, _)| (*of, *by) == (service, code));
        let at = at.unwrap_or_else(|| {
            refusals.flood.push((service, code, Tally::opened(now_ms)));
            refusals.flood.len() - 1
        });
        if let Some((_, _, tally)) = refusals.flood.get_mut(at) {
            tally.add(now_ms, bytes);
        }
        let since_ms = refusals.since_ms;
        self.oldest_ms = Some(
            self.oldest_ms
                .map_or(since_ms, |oldest| oldest.min(since_ms)),
        );
    }

    fn close_where(&mut self, is_due: impl Fn(u64) -> bool, out: &mut Vec<Entry>) {
        let mut oldest_ms = None;
        let mut keep = |since_ms: u64| {
            oldest_ms = Some(oldest_ms.map_or(since_ms, |oldest: u64| oldest.min(since_ms)))
        };
        for (flow, open) in &mut self.flows {
            match open.take_if(|tally| is_due(tally.first_ms)) {
                Some(tally) => out.push(passed_run(flow, tally)),
                None => open.iter().for_each(|tally| keep(tally.first_ms)),
            }
        }
        for (peer, refusals) in &mut self.refusals {
            if refusals.flood.is_empty() {
                continue;
            }
            if is_due(refusals.since_ms) {
                refusals.close(peer, out);
            } else {
                keep(refusals.since_ms);
            }
        }
        self.oldest_ms = oldest_ms;
    }
}

/// A refusal without what is only built when it is recorded singly.
#[derive(Clone, Copy)]
struct RefusedNow {
    now_ms: u64,
    bytes: u64,
    service: Option<ServiceId>,
    code: ErrorCode,
}

impl Refusals {
    /// Ends the window: what went beyond the single records becomes runs.
    fn close(&mut self, peer: &NodeId, out: &mut Vec<Entry>) {
        out.extend(self.flood.drain(..).map(|(service, code, tally)| {
            Entry::Run(tally.run(peer.clone(), None, service, RunVerdict::Refused { code }))
        }));
        self.singles = 0;
    }
}

impl Tally {
    fn opened(now_ms: u64) -> Self {
        Self {
            first_ms: now_ms,
            last_ms: now_ms,
            count: 0,
            bytes: 0,
        }
    }

    fn add(&mut self, now_ms: u64, bytes: u64) {
        self.last_ms = self.last_ms.max(now_ms);
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn run(
        self,
        from: NodeId,
        to: Option<NodeId>,
        service: Option<ServiceId>,
        verdict: RunVerdict,
    ) -> Run {
        let Self {
            first_ms,
            last_ms,
            count,
            bytes,
        } = self;
        Run {
            from,
            to,
            service,
            verdict,
            first_ms,
            last_ms,
            count,
            bytes,
        }
    }
}

fn passed_run(flow: &Flow, tally: Tally) -> Entry {
    let verdict = RunVerdict::Passed { rule: flow.rule };
    Entry::Run(tally.run(
        flow.source.clone(),
        Some(flow.destination.clone()),
        Some(flow.service),
        verdict,
    ))
}

fn is_over(since_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(since_ms) >= Summary::RUN_MS_MAX
}
