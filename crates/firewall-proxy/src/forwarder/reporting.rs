//! Reports of the firewall on itself: when they leave, and what comes back.

use bytes::Bytes;
use juki_domain::{ErrorCode, NodeId};
use juki_firewall::{Entry, FrameNote, RefusedFrame};
use juki_node::Stored;
use juki_transport::Class;
use juki_wire::{FrameParts, Header};

use super::Forwarder;
use crate::records::{AlertRecord, FirewallRecord};

/// The rule that a refusal names where a session of the firewall itself does not hold.
const SESSION_RULE: &str = "session";

impl Forwarder {
    /// Records an alert and has it reported when it is durable.
    pub(super) fn raise(&mut self, now_ms: u64, record: AlertRecord) {
        let tag = self
            .reporter
            .as_mut()
            .map(|reporter| reporter.take(&record));
        let record = FirewallRecord::Alert(record);
        let taken = self.recorder.record_tagged(now_ms, &record, tag);
        if let (Some(reporter), Some(tag), false) = (&mut self.reporter, tag, taken) {
            reporter.lose(tag);
        }
    }

    /// Sends what is due; a ledger that has grown is signed first.
    pub(super) fn report_due(&mut self, now_ms: u64) {
        let Some(reporter) = self.reporter.as_mut().filter(|one| one.is_due(now_ms)) else {
            return;
        };
        if reporter.wants_checkpoint(now_ms) && self.recorder.ask_checkpoint() {
            reporter.awaits_checkpoint(now_ms);
        } else {
            self.send_report(now_ms);
        }
    }

    pub(super) fn on_stored(&mut self, stored: Stored) {
        let now_ms = self.clock.now_ms();
        let reporter = self.reporter.as_mut();
        if reporter.is_some_and(|reporter| reporter.on_stored(stored)) {
            self.send_report(now_ms);
        }
    }

    /// A link to the peer that leads to the server above is up.
    pub(super) fn on_up(&mut self, peer: &NodeId) {
        let now_ms = self.clock.now_ms();
        let leads = |reporter: &&mut crate::reporter::Reporter| reporter.upper().peer == *peer;
        if let Some(reporter) = self.reporter.as_mut().filter(leads) {
            reporter.way_up();
            self.report_due(now_ms);
        }
    }

    /// Takes a frame that the server above addresses to the firewall itself; false where it is none
    /// and the policy is to judge it.
    pub(super) fn take_own(&mut self, now_ms: u64, peer: &NodeId, frame: &Bytes) -> bool {
        let Some(reporter) = self.reporter.as_mut() else {
            return false;
        };
        let Ok(parts) = FrameParts::decode(frame) else {
            return false;
        };
        if !reporter.admits(now_ms, peer, &parts.header, frame.len()) {
            return false;
        }
        let heard = reporter.on_frame(now_ms, &parts);
        let me = self.node.clone();
        let way = (peer.as_str(), me.as_str());
        self.hops.note(&parts.header, frame.len(), way, "received");
        for frame in heard.frames {
            self.send_own(now_ms, frame);
        }
        for entry in heard.entries {
            self.recorder.record_entry(now_ms, entry);
        }
        if let Some(alert) = heard.alert {
            self.raise(now_ms, alert);
        }
        if let Some(code) = heard.refused {
            self.note_own_refused(now_ms, peer, &parts.header, (frame.len(), code));
        }
        true
    }

    fn send_report(&mut self, now_ms: u64) {
        let frame = self
            .reporter
            .as_mut()
            .and_then(|reporter| reporter.report(now_ms));
        if let Some(frame) = frame {
            self.send_own(now_ms, frame);
        }
    }

    fn send_own(&mut self, now_ms: u64, frame: Bytes) {
        let Some(reporter) = self.reporter.as_mut() else {
            return;
        };
        let to = reporter.upper().peer.clone();
        let header = Header::decode(&frame).ok();
        let length = frame.len();
        let sent = self.transport.send(&to, Class::Interactive, frame);
        if sent.is_err() {
            reporter.unsent(now_ms);
        }
        if let Some((header, _)) = header {
            let verdict = sent.map_or_else(|error| error.code().code(), |()| "sent");
            let way = (self.node.as_str(), to.as_str());
            self.hops.note(&header, length, way, verdict);
        }
    }

    fn note_own_refused(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        header: &Header,
        (length, code): (usize, ErrorCode),
    ) {
        self.traffic.refuse(code);
        self.entries.push(Entry::Refused(RefusedFrame {
            at_ms: now_ms,
            peer: peer.clone(),
            rule: SESSION_RULE.to_owned(),
            code,
            bytes: length as u64,
            frame: Some(FrameNote {
                service: header.service,
                source: header.source.clone(),
                destination: header.destination.clone(),
                message_id: header.message_id,
            }),
        }));
    }
}
