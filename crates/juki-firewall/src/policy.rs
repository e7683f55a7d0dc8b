//! The policy: the judgement of each frame.

use std::collections::HashMap;

use juki_domain::{NodeId, ServiceId};
use juki_topology::{Calendar, NodeConfig};
use juki_wire::{FrameKind, Header};

use crate::counters::Counters;
use crate::rate::{Bucket, Rates};
use crate::tables::{BucketKey, Flow, FlowIndex, FlowKey, PolicyError, RuleLimits, Tables};
use crate::verdict::{RefusedBy, Verdict};

/// A firewall's policy with the state of its rate limits.
#[derive(Debug)]
pub struct Policy {
    pub(crate) tables: Tables,
    buckets: Vec<Buckets>,
    pub(crate) rates: Rates,
    frame_bytes_max: usize,
    pub(crate) calendar: Calendar,
    counters: Counters,
}

/// What one source has left of one service.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    frames: Bucket,
    bytes: Bucket,
}

impl Buckets {
    fn new() -> Self {
        Self {
            frames: Bucket::new(),
            bytes: Bucket::new(),
        }
    }
}

/// Rules by which a policy differs from the one that it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyChange {
    /// Combinations that a rule names now and none named before.
    pub added: u32,
    /// Combinations that no rule names any more.
    pub removed: u32,
    /// Combinations under another rate, size or hours than before.
    pub changed: u32,
}

/// Longest inquiry or answer in bytes, header included.
const QUERY_BYTES_MAX: usize = 16 * 1024;
/// Longest frame of code allocation in bytes, header included.
const CODE_ALLOCATION_BYTES_MAX: usize = 128 * 1024;
/// Longest report in bytes, header included: a prefecture's names all nodes below it.
const MONITOR_BYTES_MAX: usize = 128 * 1024;
/// Longest act for the registrar or its answer in bytes, header included.
const REGISTRAR_BYTES_MAX: usize = 64 * 1024;
/// Longest refusal or reset in bytes, header included: their bodies are not sealed and hold a few
/// short fields, and nothing else shall travel in them.
const UNSEALED_BYTES_MAX: usize = 1024;

impl Policy {
    /// The policy of a firewall's configuration (its peers, routes, rules and longest frame), with
    /// the default rates. Rules are numbered from 1 in the order in which they stand.
    ///
    /// # Errors
    /// A [`PolicyError`] where the configuration contradicts itself or exceeds the tables.
    pub fn new(config: &NodeConfig) -> Result<Self, PolicyError> {
        let tables = Tables::build(config)?;
        Ok(Self {
            buckets: vec![Buckets::new(); tables.buckets.len()],
            tables,
            rates: Rates::default(),
            frame_bytes_max: config.limits.frame_bytes_max,
            calendar: config.calendar.clone(),
            counters: Counters::default(),
        })
    }

    /// Sets other rate limits; they hold from the next frame on.
    pub fn set_rates(&mut self, rates: Rates) {
        self.rates = rates;
    }

    /// Takes another policy's place: totals go on, and so does what each source has left where its
    /// limits are the same, so that a new policy gives nobody a second burst.
    pub fn succeed(&mut self, before: &Self) -> PolicyChange {
        let old: HashMap<&BucketKey, &Buckets> =
            before.tables.buckets.iter().zip(&before.buckets).collect();
        for (key, buckets) in self.tables.buckets.iter().zip(&mut self.buckets) {
            if let Some(left) = old.get(key) {
                *buckets = **left;
            }
        }
        self.rates = before.rates;
        self.counters = before.counters.clone();
        self.change_from(before)
    }

    fn change_from(&self, before: &Self) -> PolicyChange {
        let (ours, theirs) = (self.named(), before.named());
        let mut change = PolicyChange::default();
        for (flow, limits) in &ours {
            match theirs.get(flow) {
                None => change.added += 1,
                Some(old) if old != limits => change.changed += 1,
                Some(_) => {}
            }
        }
        let gone = theirs.keys().filter(|flow| !ours.contains_key(*flow));
        change.removed = u32::try_from(gone.count()).unwrap_or(u32::MAX);
        change
    }

    /// Every combination that a rule names, by names, since numbers differ between policies.
    fn named(&self) -> HashMap<(FlowKey, &NodeId, &NodeId), Option<&RuleLimits>> {
        let flows = self.tables.flow_of.iter();
        flows
            .filter_map(|(key, index)| {
                let flow = self.tables.flows.get(index.get())?;
                let places = FlowKey {
                    source: 0,
                    destination: 0,
                    ..*key
                };
                let limits = self.tables.limits_of(flow.rule);
                Some(((places, &flow.source, &flow.destination), limits))
            })
            .collect()
    }

    /// Judges one frame of `frame_bytes` (header and body) that `from_peer` handed over. The clock
    /// only moves the rate limits; a step back refills nothing.
    ///
    /// Refusals and resets pass where a message of their service, source and destination would.
    /// Allocates nothing.
    #[must_use = "a frame that was not judged to pass must not go on"]
    pub fn judge(
        &mut self,
        now_ms: u64,
        from_peer: &NodeId,
        header: &Header,
        frame_bytes: usize,
    ) -> Verdict<'_> {
        match self.admit(now_ms, from_peer, header, frame_bytes) {
            Ok((to, flow)) => {
                self.counters.pass(header.service, frame_bytes);
                match self.tables.peers.get(usize::from(to)) {
                    Some(peer) => Verdict::Pass {
                        to: &peer.name,
                        flow,
                    },
                    None => Verdict::refuse(RefusedBy::Route),
                }
            }
            Err(rule) => {
                self.counters.refuse(rule);
                Verdict::refuse(rule)
            }
        }
    }

    /// Every combination that a rule names.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.tables.flows
    }

    /// The combination that a frame passed under.
    #[must_use]
    pub fn flow(&self, index: FlowIndex) -> Option<&Flow> {
        self.tables.flows.get(index.get())
    }

    /// The names of all peers.
    pub fn peers(&self) -> impl Iterator<Item = &NodeId> {
        self.tables.peers.iter().map(|peer| &peer.name)
    }

    /// Totals of what passed and what was refused.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn admit(
        &mut self,
        now_ms: u64,
        from_peer: &NodeId,
        header: &Header,
        frame_bytes: usize,
    ) -> Result<(u16, FlowIndex), RefusedBy> {
        let tables = &self.tables;
        let from = *tables.peer_of.get(from_peer).ok_or(RefusedBy::SpeaksFor)?;
        let source = *tables
            .nodes
            .get(&header.source)
            .ok_or(RefusedBy::SpeaksFor)?;
        if !tables.speaks.contains(&(from, source)) {
            return Err(RefusedBy::SpeaksFor);
        }
        let destination = tables.nodes.get(&header.destination).copied();
        let own_route = destination.and_then(|node| tables.routes.get(&node).copied());
        let to = own_route
            .or(tables.default_route)
            .filter(|to| *to != from)
            .ok_or(RefusedBy::Route)?;
        let interface = |peer: u16| {
            tables
                .peers
                .get(usize::from(peer))
                .map(|entry| entry.interface)
        };
        let key = FlowKey {
            from: interface(from).ok_or(RefusedBy::SpeaksFor)?,
            to: interface(to).ok_or(RefusedBy::Route)?,
            service: header.service,
            source,
            destination: destination.ok_or(RefusedBy::DenyByDefault)?,
        };
        let index = *tables.flow_of.get(&key).ok_or(RefusedBy::DenyByDefault)?;
        let flow = tables
            .flows
            .get(index.get())
            .ok_or(RefusedBy::DenyByDefault)?;
        let limits = tables.limits_of(flow.rule);
        let hours = limits.and_then(|limits| limits.hours.as_ref());
        if hours.is_some_and(|hours| !hours.contain(self.calendar.civil_time(now_ms / 1000))) {
            return Err(RefusedBy::Hours(flow.rule));
        }
        if frame_bytes > self.bytes_max(header, limits) {
            return Err(RefusedBy::Size(flow.rule));
        }
        let rate = limits
            .and_then(|limits| limits.rate)
            .unwrap_or_else(|| self.rates.of(header.service));
        let Some(buckets) = self.buckets.get_mut(flow.bucket as usize) else {
            return Err(RefusedBy::Rate(flow.rule));
        };
        let bytes = frame_bytes as u64;
        let volume = limits.and_then(|limits| limits.volume);
        // Looked at before the frame is taken: what is refused uses up nothing.
        if volume.is_some_and(|(per_s, burst)| !buckets.bytes.fits(now_ms, bytes, per_s, burst)) {
            return Err(RefusedBy::Volume(flow.rule));
        }
        if !buckets.frames.take_frame(now_ms, rate) {
            return Err(RefusedBy::Rate(flow.rule));
        }
        if let Some((per_s, burst)) = volume {
            buckets.bytes.take(now_ms, bytes, per_s, burst);
        }
        Ok((to, index))
    }

    /// What the source of a flow has left: whether a frame, and so many bytes, would fit now.
    pub(crate) fn would_fit(&self, now_ms: u64, flow: &Flow, bytes: u64) -> (bool, bool) {
        let limits = self.tables.limits_of(flow.rule);
        let rate = limits
            .and_then(|limits| limits.rate)
            .unwrap_or_else(|| self.rates.of(flow.service));
        let (frames_per_s, burst) = (u64::from(rate.frames_per_s), u64::from(rate.burst_frames));
        let Some(buckets) = self.buckets.get(flow.bucket as usize) else {
            return (false, false);
        };
        let volume = limits.and_then(|limits| limits.volume);
        (
            buckets.frames.fits(now_ms, 1, frames_per_s, burst),
            volume.is_none_or(|(per_s, burst)| buckets.bytes.fits(now_ms, bytes, per_s, burst)),
        )
    }

    /// The longest frame that passes with this kind and service under a rule.
    pub(crate) fn bytes_max(&self, header: &Header, limits: Option<&RuleLimits>) -> usize {
        let of_rule = limits
            .and_then(|limits| limits.bytes_max)
            .unwrap_or(usize::MAX);
        of_rule.min(self.bytes_max_of_service(header.kind, header.service))
    }

    fn bytes_max_of_service(&self, kind: FrameKind, service: ServiceId) -> usize {
        match (kind, service) {
            (FrameKind::Refusal | FrameKind::Reset, _) => UNSEALED_BYTES_MAX,
            (FrameKind::Message, ServiceId::Journal) => self.frame_bytes_max,
            (FrameKind::Message, ServiceId::CodeAllocation) => {
                CODE_ALLOCATION_BYTES_MAX.min(self.frame_bytes_max)
            }
            (FrameKind::Message, ServiceId::Query) => QUERY_BYTES_MAX.min(self.frame_bytes_max),
            (FrameKind::Message, ServiceId::Monitor) => MONITOR_BYTES_MAX.min(self.frame_bytes_max),
            (FrameKind::Message, ServiceId::Registrar) => {
                REGISTRAR_BYTES_MAX.min(self.frame_bytes_max)
            }
        }
    }
}
