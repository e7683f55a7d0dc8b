//! What a policy would do to a frame, step by step, and why.

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_topology::{CivilTime, Interface};
use juki_wire::{Flags, FrameKind, Header, MessageId, Priority};

use crate::policy::Policy;
use crate::tables::{Flow, FlowKey};
use crate::verdict::RefusedBy;

/// A frame that nobody sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The peer that would bring it; without this the one that speaks for the source.
    pub peer: Option<NodeId>,
    /// Its source.
    pub source: NodeId,
    /// Its destination.
    pub destination: NodeId,
    /// Its service.
    pub service: ServiceId,
    /// Its bytes, header included.
    pub bytes: usize,
}

/// One step of a judgement that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The peer may bring frames of this source.
    SpeaksFor {
        /// The peer.
        peer: NodeId,
        /// The side on which it is met.
        interface: Interface,
    },
    /// A route leads on.
    Route {
        /// The next peer.
        to: NodeId,
        /// The side on which it is met.
        interface: Interface,
    },
    /// A rule names interfaces, service, source and destination together.
    Rule {
        /// Its number, from 1.
        rule: u16,
    },
    /// The rule holds at this time.
    Hours {
        /// The time of the network.
        at: CivilTime,
        /// The rule's hours; none where it always holds.
        hours: Option<String>,
    },
    /// The frame is not too long.
    Size {
        /// The longest that passes.
        bytes_max: usize,
    },
    /// The source has not used up its rate.
    Rate {
        /// Frames a second.
        frames_per_s: u32,
        /// Frames at once.
        burst_frames: u32,
        /// Bytes a second, where the rule limits them.
        bytes_per_s: Option<u64>,
    },
}

/// A judgement with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The steps that held, in order.
    pub held: Vec<Step>,
    /// The peer that the frame passes to, or what refuses it.
    pub verdict: Result<NodeId, RefusedBy>,
}

impl Explanation {
    /// The code of the refusal; none where the frame passes.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.verdict.as_ref().err().map(|rule| rule.code())
    }
}

impl Policy {
    /// Says what [`Policy::judge`] would do to a message at this time, and why. Nothing is counted
    /// and no rate used up.
    #[must_use]
    pub fn explain(&self, now_ms: u64, sample: &Sample) -> Explanation {
        let mut held = Vec::new();
        let verdict = self.walk(now_ms, sample, &mut held);
        Explanation { held, verdict }
    }

    fn walk(
        &self,
        now_ms: u64,
        sample: &Sample,
        held: &mut Vec<Step>,
    ) -> Result<NodeId, RefusedBy> {
        let tables = &self.tables;
        let source = *tables
            .nodes
            .get(&sample.source)
            .ok_or(RefusedBy::SpeaksFor)?;
        let from = match &sample.peer {
            Some(name) => *tables.peer_of.get(name).ok_or(RefusedBy::SpeaksFor)?,
            None => (0..u16::MAX)
                .take(tables.peers.len())
                .find(|peer| tables.speaks.contains(&(*peer, source)))
                .ok_or(RefusedBy::SpeaksFor)?,
        };
        let peer = tables
            .peers
            .get(usize::from(from))
            .filter(|_| tables.speaks.contains(&(from, source)))
            .ok_or(RefusedBy::SpeaksFor)?;
        held.push(Step::SpeaksFor {
            peer: peer.name.clone(),
            interface: peer.interface,
        });
        let destination = tables.nodes.get(&sample.destination).copied();
        let next = destination
            .and_then(|node| tables.routes.get(&node).copied())
            .or(tables.default_route)
            .filter(|to| *to != from)
            .and_then(|to| tables.peers.get(usize::from(to)))
            .ok_or(RefusedBy::Route)?;
        held.push(Step::Route {
            to: next.name.clone(),
            interface: next.interface,
        });
        let flow = destination
            .map(|destination| FlowKey {
                from: peer.interface,
                to: next.interface,
                service: sample.service,
                source,
                destination,
            })
            .and_then(|key| tables.flow_of.get(&key))
            .and_then(|index| tables.flows.get(index.get()))
            .ok_or(RefusedBy::DenyByDefault)?;
        held.push(Step::Rule { rule: flow.rule });
        self.limits_hold(now_ms, sample, flow, held)?;
        Ok(next.name.clone())
    }

    fn limits_hold(
        &self,
        now_ms: u64,
        sample: &Sample,
        flow: &Flow,
        held: &mut Vec<Step>,
    ) -> Result<(), RefusedBy> {
        let limits = self.tables.limits_of(flow.rule);
        let hours = limits.and_then(|limits| limits.hours.as_ref());
        let at = self.calendar.civil_time(now_ms / 1000);
        if hours.is_some_and(|hours| !hours.contain(at)) {
            return Err(RefusedBy::Hours(flow.rule));
        }
        held.push(Step::Hours {
            at,
            hours: hours.map(ToString::to_string),
        });
        let bytes_max = self.bytes_max(&message(sample), limits);
        if sample.bytes > bytes_max {
            return Err(RefusedBy::Size(flow.rule));
        }
        held.push(Step::Size { bytes_max });
        let (frame_fits, bytes_fit) = self.would_fit(now_ms, flow, sample.bytes as u64);
        if !bytes_fit {
            return Err(RefusedBy::Volume(flow.rule));
        }
        if !frame_fits {
            return Err(RefusedBy::Rate(flow.rule));
        }
        let rate = limits
            .and_then(|limits| limits.rate)
            .unwrap_or_else(|| self.rates.of(sample.service));
        held.push(Step::Rate {
            frames_per_s: rate.frames_per_s,
            burst_frames: rate.burst_frames,
            bytes_per_s: limits
                .and_then(|limits| limits.volume)
                .map(|(per_s, _)| per_s),
        });
        Ok(())
    }
}

/// A sample is a message with a person waiting.
fn message(sample: &Sample) -> Header {
    Header {
        kind: FrameKind::Message,
        service: sample.service,
        priority: Priority::Interactive,
        flags: Flags::default(),
        source: sample.source.clone(),
        destination: sample.destination.clone(),
        calendar_version: 0,
        message_id: MessageId([0; 16]),
        session: [0; 16],
        sequence: 0,
    }
}
