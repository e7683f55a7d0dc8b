//! The configuration, turned into tables in which one frame costs a handful of look-ups.

use std::collections::{HashMap, HashSet};

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_topology::{Hours, Interface, NodeConfig, Peer, Route, Rule};

use crate::rate::RateLimit;

/// One combination of service, source and destination that a rule names between two interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The number of the rule, from 1.
    pub rule: u16,
    /// The service.
    pub service: ServiceId,
    /// The node that seals its frames.
    pub source: NodeId,
    /// The node that they are for.
    pub destination: NodeId,
    pub(crate) bucket: u32,
}

/// What a rule asks beside its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleLimits {
    pub(crate) bytes_max: Option<usize>,
    /// A rate of its own; without it the service's holds.
    pub(crate) rate: Option<RateLimit>,
    /// Bytes a second, and at once.
    pub(crate) volume: Option<(u64, u64)>,
    pub(crate) hours: Option<Hours>,
}

/// What two policies have to agree on for a bucket to live on from the one to the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BucketKey {
    pub(crate) source: NodeId,
    pub(crate) service: ServiceId,
    /// The whole rule, where it has a rate or volume of its own; none where the service's rate holds
    /// over all rules.
    pub(crate) own: Option<String>,
}

impl RuleLimits {
    fn of(rule: &Rule, frame_bytes_max: usize) -> Self {
        let rate = rule.frames_per_s.map(|frames_per_s| RateLimit {
            frames_per_s,
            burst_frames: rule.burst_frames.unwrap_or(frames_per_s),
        });
        // Less than one frame at once would let none pass.
        let burst = |per_s: u64| per_s.max(frame_bytes_max as u64);
        Self {
            bytes_max: rule.bytes_max.map(|bytes| bytes as usize),
            rate,
            volume: rule.bytes_per_s.map(|per_s| (per_s, burst(per_s))),
            hours: rule.hours.clone(),
        }
    }
}

/// The place of a [`Flow`] in its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlowIndex(pub(crate) u32);

impl FlowIndex {
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    pub(crate) from: Interface,
    pub(crate) to: Interface,
    pub(crate) service: ServiceId,
    pub(crate) source: u16,
    pub(crate) destination: u16,
}

#[derive(Debug)]
pub(crate) struct PeerEntry {
    pub(crate) name: NodeId,
    pub(crate) interface: Interface,
}

/// Names become numbers here, so that a judgement compares numbers only.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) nodes: HashMap<NodeId, u16>,
    pub(crate) peers: Vec<PeerEntry>,
    pub(crate) peer_of: HashMap<NodeId, u16>,
    pub(crate) speaks: HashSet<(u16, u16)>,
    pub(crate) routes: HashMap<u16, u16>,
    pub(crate) default_route: Option<u16>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) flow_of: HashMap<FlowKey, FlowIndex>,
    /// By the number of the rule, from 0.
    pub(crate) limits: Vec<RuleLimits>,
    /// By the number of the bucket.
    pub(crate) buckets: Vec<BucketKey>,
}

/// The configuration makes no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Two peers have one name, so that neither interface would be certain.
    #[error("peer {0} is listed twice")]
    PeerTwice(NodeId),
    /// A route leads over a node that is no peer.
    #[error("the route over {0} needs a peer of that name")]
    RouteOverStranger(NodeId),
    /// A route leads to a text that is no node's name.
    #[error("a route leads to a node's name or to *, not to {0}")]
    RouteToNobody(String),
    /// Two routes lead to one destination.
    #[error("there are two routes to {0}; leave one")]
    RouteTwice(String),
    /// More names, rules or combinations than the tables hold.
    #[error("the policy names more {0} than a firewall can hold; split the network")]
    TooMany(&'static str),
}

impl PolicyError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::ConfigBadValue
    }
}

/// Most combinations that all rules together may name: a prefecture with 250 municipalities needs
/// about a thousand.
const FLOWS_MAX: usize = 65_536;

impl Tables {
    pub(crate) fn build(config: &NodeConfig) -> Result<Self, PolicyError> {
        let mut builder = Builder::default();
        for peer in &config.peer {
            builder.peer(peer)?;
        }
        for route in &config.route {
            builder.route(route)?;
        }
        for (at, rule) in config.rule.iter().enumerate() {
            let number = u16::try_from(at + 1).map_err(|_| PolicyError::TooMany("rules"))?;
            let limits = RuleLimits::of(rule, config.limits.frame_bytes_max);
            builder.rule(number, rule, &limits)?;
            builder.tables.limits.push(limits);
        }
        Ok(builder.tables)
    }

    /// What the rule with this number, from 1, asks beside its names.
    pub(crate) fn limits_of(&self, rule: u16) -> Option<&RuleLimits> {
        self.limits.get(usize::from(rule).checked_sub(1)?)
    }
}

#[derive(Default)]
struct Builder {
    tables: Tables,
    buckets: HashMap<BucketKey, u32>,
    routed: HashSet<String>,
}

impl Builder {
    fn node(&mut self, name: &NodeId) -> Result<u16, PolicyError> {
        if let Some(known) = self.tables.nodes.get(name) {
            return Ok(*known);
        }
        let index =
            u16::try_from(self.tables.nodes.len()).map_err(|_| PolicyError::TooMany("nodes"))?;
        self.tables.nodes.insert(name.clone(), index);
        Ok(index)
    }

    fn peer(&mut self, peer: &Peer) -> Result<(), PolicyError> {
        let index =
            u16::try_from(self.tables.peers.len()).map_err(|_| PolicyError::TooMany("peers"))?;
        if self
            .tables
            .peer_of
            .insert(peer.name.clone(), index)
            .is_some()
        {
            return Err(PolicyError::PeerTwice(peer.name.clone()));
        }
        self.tables.peers.push(PeerEntry {
            name: peer.name.clone(),
            interface: peer.interface,
        });
        for source in &peer.speaks_for {
            let node = self.node(source)?;
            self.tables.speaks.insert((index, node));
        }
        Ok(())
    }

    fn route(&mut self, route: &Route) -> Result<(), PolicyError> {
        let via = *self
            .tables
            .peer_of
            .get(&route.via)
            .ok_or_else(|| PolicyError::RouteOverStranger(route.via.clone()))?;
        let (first, node) = if route.to == Route::ANY {
            (self.tables.default_route.replace(via).is_none(), None)
        } else {
            let to = route
                .to
                .parse()
                .map_err(|_| PolicyError::RouteToNobody(route.to.clone()))?;
            (self.routed.insert(route.to.clone()), Some(self.node(&to)?))
        };
        if !first {
            return Err(PolicyError::RouteTwice(route.to.clone()));
        }
        if let Some(node) = node {
            self.tables.routes.insert(node, via);
        }
        Ok(())
    }

    fn rule(&mut self, number: u16, rule: &Rule, limits: &RuleLimits) -> Result<(), PolicyError> {
        let has_own = limits.rate.is_some() || limits.volume.is_some();
        let own = has_own.then(|| format!("{rule:?}"));
        for source in &rule.sources {
            for destination in &rule.destinations {
                for service in &rule.services {
                    let (source_index, destination_index) =
                        (self.node(source)?, self.node(destination)?);
                    let key = FlowKey {
                        from: rule.from,
                        to: rule.to,
                        service: *service,
                        source: source_index,
                        destination: destination_index,
                    };
                    let bucket = self.bucket(BucketKey {
                        source: source.clone(),
                        service: *service,
                        own: own.clone(),
                    })?;
                    let flow = Flow {
                        rule: number,
                        service: *service,
                        source: source.clone(),
                        destination: destination.clone(),
                        bucket,
                    };
                    self.flow(key, flow)?;
                }
            }
        }
        Ok(())
    }

    /// The first rule that names a combination is the one that is reported.
    fn flow(&mut self, key: FlowKey, flow: Flow) -> Result<(), PolicyError> {
        if self.tables.flow_of.contains_key(&key) {
            return Ok(());
        }
        if self.tables.flows.len() == FLOWS_MAX {
            return Err(PolicyError::TooMany("combinations"));
        }
        let index = u32::try_from(self.tables.flows.len())
            .map_err(|_| PolicyError::TooMany("combinations"))?;
        self.tables.flows.push(flow);
        self.tables.flow_of.insert(key, FlowIndex(index));
        Ok(())
    }

    /// Sources share no bucket, whatever interfaces and destinations their frames have. Rules with
    /// limits of their own have buckets of their own.
    fn bucket(&mut self, key: BucketKey) -> Result<u32, PolicyError> {
        if let Some(known) = self.buckets.get(&key) {
            return Ok(*known);
        }
        let next =
            u32::try_from(self.buckets.len()).map_err(|_| PolicyError::TooMany("combinations"))?;
        self.tables.buckets.push(key.clone());
        self.buckets.insert(key, next);
        Ok(next)
    }
}
