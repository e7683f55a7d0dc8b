//! Detectors: what in the traffic deserves a person's eye.
//!
//! They count within windows, for each peer or interface by itself, and say each kind of finding
//! once a window; what follows in the same window is added up and said when it ends. All they hold
//! is bounded by the peers, interfaces and flows of the policy.

use std::collections::{BTreeMap, BTreeSet};

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_topology::{Calendar, Interface, NodeConfig, Watch};
use juki_wire::Header;

use crate::policy::Policy;
use crate::tables::FlowIndex;
use crate::verdict::RefusedBy;
use crate::volume::Volume;

/// What a detector has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// One peer tries many services or destinations that are not for it.
    Scan,
    /// Handshakes on one interface fail again and again.
    HandshakeFailures,
    /// One peer brings frames of sources for which it does not speak.
    ForgedHeader,
    /// A flow carries far more than it usually does.
    VolumeSpike,
    /// Frames come at hours that are not usual.
    OffHours,
    /// One peer floods: its frames are refused for their rate, or its connections for their number.
    Flood,
}

/// Events of one kind, gathered within a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The peer, or the interface where nobody has proved to be anyone.
    pub subject: String,
    /// The code of the last refusal; none where the frames passed.
    pub code: Option<ErrorCode>,
    /// The service of the last frame, where there was one.
    pub service: Option<ServiceId>,
    /// When the first was seen, in ms.
    pub first_ms: u64,
    /// When the last was seen, in ms.
    pub last_ms: u64,
    /// How many: frames, handshakes or, of a scan, different combinations; of a spike, its bytes.
    pub count: u64,
}

/// The detectors of one firewall.
#[derive(Debug)]
pub struct Watcher {
    watch: Watch,
    calendar: Calendar,
    tallies: BTreeMap<(FindingKind, String), Tally>,
    scans: BTreeMap<NodeId, BTreeSet<(ServiceId, String, String)>>,
    volumes: Vec<Volume>,
}

#[derive(Debug)]
struct Tally {
    since_ms: u64,
    last_ms: u64,
    count: u64,
    /// Of these, how many have been said.
    said: u64,
    code: Option<ErrorCode>,
    service: Option<ServiceId>,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Scan,
        Self::HandshakeFailures,
        Self::ForgedHeader,
        Self::VolumeSpike,
        Self::OffHours,
        Self::Flood,
    ];

    /// The name in records and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::HandshakeFailures => "handshake-failures",
            Self::ForgedHeader => "forged-header",
            Self::VolumeSpike => "volume-spike",
            Self::OffHours => "off-hours",
            Self::Flood => "flood",
        }
    }
}

impl Watcher {
    /// Detectors for the traffic of a policy, with the thresholds of the same configuration.
    #[must_use]
    pub fn new(config: &NodeConfig, policy: &Policy) -> Self {
        Self {
            watch: config.watch.clone(),
            calendar: config.calendar.clone(),
            tallies: BTreeMap::new(),
            scans: BTreeMap::new(),
            volumes: vec![Volume::default(); policy.flows().len()],
        }
    }

    /// Goes on under another policy: open windows stay open; usual volumes are kept where the flow
    /// is named as before.
    pub fn change_policy(&mut self, config: &NodeConfig, before: &Policy, policy: &Policy) {
        self.watch = config.watch.clone();
        self.calendar = config.calendar.clone();
        let old: BTreeMap<_, _> = before
            .flows()
            .iter()
            .zip(&self.volumes)
            .map(|(flow, volume)| ((&flow.source, &flow.destination, flow.service), *volume))
            .collect();
        let kept = policy.flows().iter().map(|flow| {
            let known = old.get(&(&flow.source, &flow.destination, flow.service));
            known.copied().unwrap_or_default()
        });
        self.volumes = kept.collect();
    }

    /// Notes a frame that passed; allocates nothing unless it finds something.
    pub fn on_passed(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        header: &Header,
        flow: FlowIndex,
        frame_bytes: usize,
        out: &mut Vec<Finding>,
    ) {
        if let Some(volume) = self.volumes.get_mut(flow.get())
            && let Some(bytes) = volume.add(now_ms, frame_bytes as u64, &self.watch)
        {
            let event = Event::passed(FindingKind::VolumeSpike, header.service);
            self.note(now_ms, peer.as_str(), event, bytes, 1, out);
        }
        if let Some(hours) = &self.watch.hours
            && self.watch.hours_services.contains(&header.service)
            && !hours.contain(self.calendar.civil_time(now_ms / 1000))
        {
            let event = Event::passed(FindingKind::OffHours, header.service);
            let least = u64::from(self.watch.off_hours_frames);
            self.note(now_ms, peer.as_str(), event, 1, least, out);
        }
    }

    /// Notes a frame that the policy refused.
    pub fn on_refused(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        header: &Header,
        rule: RefusedBy,
        out: &mut Vec<Finding>,
    ) {
        let event = |kind| Event {
            kind,
            code: Some(rule.code()),
            service: Some(header.service),
        };
        let subject = peer.as_str();
        match rule {
            RefusedBy::SpeaksFor => {
                let least = u64::from(self.watch.forged_headers);
                let event = event(FindingKind::ForgedHeader);
                self.note(now_ms, subject, event, 1, least, out);
            }
            RefusedBy::Rate(_) | RefusedBy::Volume(_) => {
                let least = u64::from(self.watch.rate_refusals);
                self.note(now_ms, subject, event(FindingKind::Flood), 1, least, out);
            }
            RefusedBy::Hours(_) => {
                let least = u64::from(self.watch.off_hours_frames);
                self.note(now_ms, subject, event(FindingKind::OffHours), 1, least, out);
            }
            RefusedBy::Route | RefusedBy::DenyByDefault | RefusedBy::Size(_) => {}
        }
        match rule {
            RefusedBy::Route | RefusedBy::DenyByDefault | RefusedBy::SpeaksFor => {
                if self.is_new_combination(peer, header) {
                    let least = u64::from(self.watch.scan_combinations);
                    self.note(now_ms, subject, event(FindingKind::Scan), 1, least, out);
                }
            }
            RefusedBy::Size(_)
            | RefusedBy::Rate(_)
            | RefusedBy::Volume(_)
            | RefusedBy::Hours(_) => {}
        }
    }

    /// Notes connections that were refused on an interface, or a link that was broken over what its
    /// peer sent.
    pub fn on_link_refused(
        &mut self,
        now_ms: u64,
        interface: Interface,
        code: ErrorCode,
        count: u64,
        out: &mut Vec<Finding>,
    ) {
        let is_flood = [ErrorCode::ListenerBusy, ErrorCode::PeerTooOften].contains(&code);
        let (kind, least) = if is_flood {
            (FindingKind::Flood, self.watch.rate_refusals)
        } else {
            (
                FindingKind::HandshakeFailures,
                self.watch.handshake_failures,
            )
        };
        let event = Event {
            kind,
            code: Some(code),
            service: None,
        };
        self.note(
            now_ms,
            interface.name(),
            event,
            count,
            u64::from(least),
            out,
        );
    }

    /// Ends windows that have been open for their time; what they counted after a finding was said
    /// is said now.
    pub fn on_timeout(&mut self, now_ms: u64, out: &mut Vec<Finding>) {
        let window_ms = u64::from(self.watch.window_s) * 1000;
        let over = self.tallies.extract_if(.., |_, tally| {
            // A clock that steps back leaves no window open for ever.
            now_ms < tally.since_ms || now_ms - tally.since_ms >= window_ms
        });
        for ((kind, subject), tally) in over {
            if kind == FindingKind::Scan {
                self.scans.retain(|peer, _| peer.as_str() != subject);
            }
            if tally.said > 0 && tally.count > tally.said {
                out.push(tally.finding(kind, subject));
            }
        }
    }

    /// Remembers what a peer tried in vain; true where it is something else than before.
    fn is_new_combination(&mut self, peer: &NodeId, header: &Header) -> bool {
        if !self.scans.contains_key(peer) {
            self.scans.insert(peer.clone(), BTreeSet::new());
        }
        let Some(tried) = self.scans.get_mut(peer) else {
            return false;
        };
        let combination = (
            header.service,
            header.source.to_string(),
            header.destination.to_string(),
        );
        tried.len() < COMBINATIONS_MAX && tried.insert(combination)
    }

    fn note(
        &mut self,
        now_ms: u64,
        subject: &str,
        event: Event,
        count: u64,
        least: u64,
        out: &mut Vec<Finding>,
    ) {
        let key = (event.kind, subject.to_owned());
        let tally = self.tallies.entry(key).or_insert(Tally {
            since_ms: now_ms,
            last_ms: now_ms,
            count: 0,
            said: 0,
            code: None,
            service: None,
        });
        tally.last_ms = tally.last_ms.max(now_ms);
        tally.count = tally.count.saturating_add(count);
        tally.code = event.code;
        tally.service = event.service;
        if tally.said == 0 && tally.count >= least {
            tally.said = tally.count;
            out.push(tally.finding(event.kind, subject.to_owned()));
        }
    }
}

#[derive(Clone, Copy)]
struct Event {
    kind: FindingKind,
    code: Option<ErrorCode>,
    service: Option<ServiceId>,
}

impl Event {
    fn passed(kind: FindingKind, service: ServiceId) -> Self {
        Self {
            kind,
            code: None,
            service: Some(service),
        }
    }
}

impl Tally {
    fn finding(&self, kind: FindingKind, subject: String) -> Finding {
        Finding {
            kind,
            subject,
            code: self.code,
            service: self.service,
            first_ms: self.since_ms,
            last_ms: self.last_ms,
            count: self.count,
        }
    }
}

/// Combinations that are remembered of one peer: whoever tries more has been found out long before.
const COMBINATIONS_MAX: usize = 256;
