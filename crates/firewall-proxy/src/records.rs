//! What a firewall's ledger holds: names of nodes, codes and counts, never a body.

use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_firewall::{Entry, Finding, RefusedFrame, Run, RunVerdict};
use juki_ledger::{EntryKind, NewEntry};
use juki_topology::Interface;
use prost::Message;

use crate::floods::Tally;

/// A run of like frames: [`RunRecord`].
pub const RUN: EntryKind = EntryKind(128);
/// One refused frame: [`RefusedFrameRecord`].
pub const REFUSED_FRAME: EntryKind = EntryKind(129);
/// Refused or broken links: [`LinkRefusals`].
pub const LINK_REFUSED: EntryKind = EntryKind(130);
/// Records that the ledger could not take: [`LostRecords`].
pub const RECORDS_LOST: EntryKind = EntryKind(131);

/// A policy that was taken in force, or could not be: [`PolicyRecord`].
pub const POLICY_IN_FORCE: EntryKind = EntryKind(132);
/// What a detector found: [`AlertRecord`].
pub const ALERT: EntryKind = EntryKind(133);

/// Like frames that passed or were refused, counted. Times are in ms since 1970.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RunRecord {
    /// The frames' source; in a run of refusals the peer that brought them.
    #[prost(string, tag = "1")]
    pub from: String,
    /// The frames' destination; empty in a run of refusals.
    #[prost(string, tag = "2")]
    pub to: String,
    /// The service's name; empty where the headers could not be read.
    #[prost(string, tag = "3")]
    pub service: String,
    /// The number of the rule that passed them, from 1; 0 in a run of refusals.
    #[prost(uint32, tag = "4")]
    pub rule: u32,
    /// The code they were refused with; empty in a run of passed frames.
    #[prost(string, tag = "5")]
    pub code: String,
    /// When the first was judged.
    #[prost(uint64, tag = "6")]
    pub first_ms: u64,
    /// When the last was judged.
    #[prost(uint64, tag = "7")]
    pub last_ms: u64,
    /// How many there were.
    #[prost(uint64, tag = "8")]
    pub count: u64,
    /// Their bytes, headers included.
    #[prost(uint64, tag = "9")]
    pub bytes: u64,
}

/// One refused frame.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RefusedFrameRecord {
    /// When it was refused, in ms since 1970.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The peer that brought it.
    #[prost(string, tag = "2")]
    pub peer: String,
    /// The rule, as in the refusal frame; `header` where the header could not be read, `line` where
    /// the next link did not take the frame.
    #[prost(string, tag = "3")]
    pub rule: String,
    /// The stable code.
    #[prost(string, tag = "4")]
    pub code: String,
    /// Its length in bytes, header included.
    #[prost(uint64, tag = "5")]
    pub bytes: u64,
    /// The service's name; empty where the header could not be read.
    #[prost(string, tag = "6")]
    pub service: String,
    /// The source that the header claimed, if it could be read.
    #[prost(string, tag = "7")]
    pub source: String,
    /// The destination, if the header could be read.
    #[prost(string, tag = "8")]
    pub destination: String,
    /// The 16 bytes of the message's id; empty where the header could not be read.
    #[prost(bytes = "vec", tag = "9")]
    pub message_id: Vec<u8>,
}

/// A connection that was refused, or a link that was broken over what the peer sent; many alike are
/// counted.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinkRefusals {
    /// The own side on which it happened.
    #[prost(string, tag = "1")]
    pub interface: String,
    /// The other end's address; empty where several are counted.
    #[prost(string, tag = "2")]
    pub remote: String,
    /// The node that the certificate names, a claim and no more; empty where there was none or
    /// several are counted.
    #[prost(string, tag = "3")]
    pub claimed: String,
    /// The stable code.
    #[prost(string, tag = "4")]
    pub code: String,
    /// When the first was refused, in ms since 1970.
    #[prost(uint64, tag = "5")]
    pub first_ms: u64,
    /// When the last was refused, in ms since 1970.
    #[prost(uint64, tag = "6")]
    pub last_ms: u64,
    /// How many there were.
    #[prost(uint64, tag = "7")]
    pub count: u64,
}

/// Records that are missing before this entry, since the disk did not keep up.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LostRecords {
    /// How many.
    #[prost(uint64, tag = "1")]
    pub count: u64,
}

/// A policy that was taken in force, or could not be.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PolicyRecord {
    /// When, in ms since 1970.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// SHA-256 of the text of the policy in force after this.
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
    /// How many rules it has.
    #[prost(uint32, tag = "3")]
    pub rules: u32,
    /// Combinations that it names and the one before did not.
    #[prost(uint32, tag = "4")]
    pub added: u32,
    /// Combinations that it does not name any more.
    #[prost(uint32, tag = "5")]
    pub removed: u32,
    /// Combinations with other limits than before.
    #[prost(uint32, tag = "6")]
    pub changed: u32,
    /// Who asked: `start`, `signal` or `admin`.
    #[prost(string, tag = "7")]
    pub by: String,
    /// The code over which a file was not taken, the old policy being in force still; else empty.
    #[prost(string, tag = "8")]
    pub code: String,
}

/// What a detector found.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AlertRecord {
    /// The name of its kind.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// The level of the emergency plan: 2, since a firewall stopped it or watches it.
    #[prost(uint32, tag = "2")]
    pub level: u32,
    /// The peer, or the interface where nobody has proved to be anyone.
    #[prost(string, tag = "3")]
    pub subject: String,
    /// The code of the last refusal; empty where frames passed.
    #[prost(string, tag = "4")]
    pub code: String,
    /// The service of the last frame, where there was one.
    #[prost(string, tag = "5")]
    pub service: String,
    /// When the first was seen, in ms since 1970.
    #[prost(uint64, tag = "6")]
    pub first_ms: u64,
    /// When the last was seen, in ms since 1970.
    #[prost(uint64, tag = "7")]
    pub last_ms: u64,
    /// How many there were; of a spike its bytes.
    #[prost(uint64, tag = "8")]
    pub count: u64,
}

/// Anything that a firewall writes into its ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirewallRecord {
    /// Like frames, counted.
    Run(RunRecord),
    /// One refused frame.
    RefusedFrame(RefusedFrameRecord),
    /// Refused links.
    LinkRefused(LinkRefusals),
    /// Missing records.
    Lost(LostRecords),
    /// Another policy.
    Policy(PolicyRecord),
    /// A finding.
    Alert(AlertRecord),
}

impl FirewallRecord {
    /// The entry that holds this record.
    #[must_use]
    pub fn entry(&self) -> NewEntry {
        let (kind, payload) = match self {
            Self::Run(run) => (RUN, run.encode_to_vec()),
            Self::RefusedFrame(refused) => (REFUSED_FRAME, refused.encode_to_vec()),
            Self::LinkRefused(link) => (LINK_REFUSED, link.encode_to_vec()),
            Self::Lost(lost) => (RECORDS_LOST, lost.encode_to_vec()),
            Self::Policy(policy) => (POLICY_IN_FORCE, policy.encode_to_vec()),
            Self::Alert(alert) => (ALERT, alert.encode_to_vec()),
        };
        NewEntry { kind, payload }
    }

    /// Reads an entry's payload; `None` where the entry is no firewall's record.
    ///
    /// # Errors
    /// A payload that is not of its kind's form.
    pub fn decode(kind: EntryKind, payload: &[u8]) -> Result<Option<Self>, prost::DecodeError> {
        Ok(Some(match kind {
            RUN => Self::Run(RunRecord::decode(payload)?),
            REFUSED_FRAME => Self::RefusedFrame(RefusedFrameRecord::decode(payload)?),
            LINK_REFUSED => Self::LinkRefused(LinkRefusals::decode(payload)?),
            RECORDS_LOST => Self::Lost(LostRecords::decode(payload)?),
            POLICY_IN_FORCE => Self::Policy(PolicyRecord::decode(payload)?),
            ALERT => Self::Alert(AlertRecord::decode(payload)?),
            _ => return Ok(None),
        }))
    }
}

impl From<Entry> for FirewallRecord {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Run(run) => Self::Run(run.into()),
            Entry::Refused(refused) => Self::RefusedFrame(refused.into()),
        }
    }
}

impl From<Run> for RunRecord {
    fn from(run: Run) -> Self {
        let (rule, code) = match run.verdict {
            RunVerdict::Passed { rule } => (u32::from(rule), String::new()),
            RunVerdict::Refused { code } => (0, code.code().to_owned()),
        };
        Self {
            from: run.from.to_string(),
            to: run.to.map_or_else(String::new, |to| to.to_string()),
            service: service_name(run.service),
            rule,
            code,
            first_ms: run.first_ms,
            last_ms: run.last_ms,
            count: run.count,
            bytes: run.bytes,
        }
    }
}

impl RunRecord {
    /// Frames that one peer brought and the next link did not take.
    pub(crate) fn of_line(
        peer: &NodeId,
        service: ServiceId,
        code: ErrorCode,
        tally: Tally,
    ) -> Self {
        Self {
            from: peer.to_string(),
            to: String::new(),
            service: service.name().to_owned(),
            rule: 0,
            code: code.code().to_owned(),
            first_ms: tally.first_ms,
            last_ms: tally.last_ms,
            count: tally.count,
            bytes: tally.bytes,
        }
    }
}

impl From<RefusedFrame> for RefusedFrameRecord {
    fn from(refused: RefusedFrame) -> Self {
        let RefusedFrame {
            at_ms,
            peer,
            rule,
            code,
            bytes,
            frame,
        } = refused;
        let mut record = Self {
            at_ms,
            peer: peer.to_string(),
            rule,
            code: code.code().to_owned(),
            bytes,
            ..Self::default()
        };
        if let Some(note) = frame {
            record.service = note.service.name().to_owned();
            record.source = note.source.to_string();
            record.destination = note.destination.to_string();
            record.message_id = note.message_id.0.to_vec();
        }
        record
    }
}

impl From<&Finding> for AlertRecord {
    fn from(finding: &Finding) -> Self {
        Self {
            kind: finding.kind.name().to_owned(),
            level: STOPPED_AT_FIREWALL,
            subject: finding.subject.clone(),
            code: finding.code.map_or("", ErrorCode::code).to_owned(),
            service: service_name(finding.service),
            first_ms: finding.first_ms,
            last_ms: finding.last_ms,
            count: finding.count,
        }
    }
}

/// The emergency plan's level of what did not pass a firewall.
const STOPPED_AT_FIREWALL: u32 = 2;

impl LinkRefusals {
    /// Refusals that were only counted.
    pub(crate) fn of_flood(interface: Interface, code: ErrorCode, tally: Tally) -> Self {
        Self {
            interface: interface.name().to_owned(),
            remote: String::new(),
            claimed: String::new(),
            code: code.code().to_owned(),
            first_ms: tally.first_ms,
            last_ms: tally.last_ms,
            count: tally.count,
        }
    }
}

fn service_name(service: Option<ServiceId>) -> String {
    service.map_or("", ServiceId::name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_reads_back_from_its_entry() {
        let tally = Tally {
            first_ms: 1,
            last_ms: 2,
            count: 3,
            bytes: 4,
        };
        let peer = "cs-352047".parse().unwrap();
        let refused = RefusedFrame {
            at_ms: 5,
            peer,
            rule: "header".to_owned(),
            code: ErrorCode::FrameGarbage,
            bytes: 9,
            frame: None,
        };
        let records = [
            FirewallRecord::Run(RunRecord::of_line(
                &refused.peer,
                ServiceId::Journal,
                ErrorCode::LineDown,
                tally,
            )),
            Entry::Refused(refused).into(),
            FirewallRecord::LinkRefused(LinkRefusals::of_flood(
                Interface::Line,
                ErrorCode::PeerNotNamed,
                tally,
            )),
            FirewallRecord::Lost(LostRecords { count: 7 }),
            FirewallRecord::Policy(PolicyRecord {
                digest: vec![7; 32],
                by: "admin".to_owned(),
                ..PolicyRecord::default()
            }),
            FirewallRecord::Alert(AlertRecord {
                kind: "scan".to_owned(),
                level: 2,
                ..AlertRecord::default()
            }),
        ];
        for record in records {
            let entry = record.entry();
            assert_eq!(
                FirewallRecord::decode(entry.kind, &entry.payload),
                Ok(Some(record))
            );
        }
        assert_eq!(FirewallRecord::decode(EntryKind::OPENED, &[]), Ok(None));
        assert!(FirewallRecord::decode(RUN, &[0xff]).is_err());
    }
}
