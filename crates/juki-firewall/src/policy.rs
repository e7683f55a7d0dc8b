//! The policy: the judgement of each frame.

use juki_domain::{NodeId, ServiceId};
use juki_topology::NodeConfig;
use juki_wire::{FrameKind, Header};

use crate::counters::Counters;
use crate::rate::{Bucket, Rates};
use crate::tables::{Flow, FlowIndex, FlowKey, PolicyError, Tables};
use crate::verdict::{RefusedBy, Verdict};

/// A firewall's policy with the state of its rate limits.
#[derive(Debug)]
pub struct Policy {
    tables: Tables,
    buckets: Vec<Bucket>,
    rates: Rates,
    frame_bytes_max: usize,
    counters: Counters,
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
            buckets: vec![Bucket::new(); tables.bucket_count],
            tables,
            rates: Rates::default(),
            frame_bytes_max: config.limits.frame_bytes_max,
            counters: Counters::default(),
        })
    }

    /// Sets other rate limits; they hold from the next frame on.
    pub fn set_rates(&mut self, rates: Rates) {
        self.rates = rates;
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
        if frame_bytes > self.bytes_max(header) {
            return Err(RefusedBy::Size(flow.rule));
        }
        let rate = self.rates.of(header.service);
        let bucket = self.buckets.get_mut(flow.bucket as usize);
        match bucket.map(|bucket| bucket.take(now_ms, rate)) {
            Some(true) => Ok((to, index)),
            Some(false) | None => Err(RefusedBy::Rate(flow.rule)),
        }
    }

    fn bytes_max(&self, header: &Header) -> usize {
        match (header.kind, header.service) {
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
