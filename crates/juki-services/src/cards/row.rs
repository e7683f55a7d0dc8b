//! A card's line in the card ledger: the fold of what was done with it.

use juki_access::{CardCertificate, ListedFor, Role};
use juki_dispatch::View;
use prost::Message;

use super::{ActKind, CardAct, CardActRecord};

/// Acts that a line shows; the entries hold all of them.
const LINES_MAX: usize = 32;
const PREFIX: &[u8] = b"oc";

/// One card as it stands.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardRow {
    /// Serial number of the card.
    #[prost(string, tag = "1")]
    pub serial: String,
    /// Whose it is.
    #[prost(string, tag = "2")]
    pub operator: String,
    /// The body they work for.
    #[prost(string, tag = "3")]
    pub body: String,
    /// Roles, as numbers of `Role`.
    #[prost(uint32, repeated, tag = "4")]
    pub roles: Vec<u32>,
    /// The card's public key.
    #[prost(bytes = "vec", tag = "5")]
    pub key: Vec<u8>,
    /// Until when it may be used, in seconds since 1970.
    #[prost(uint64, tag = "6")]
    pub valid_until_s: u64,
    /// Why it may not be used, as a number of `ListedFor`; 0 while it is lent and may.
    #[prost(uint32, tag = "7")]
    pub listed_for: u32,
    /// Since when it stands so, in seconds since 1970.
    #[prost(uint64, tag = "8")]
    pub since_s: u64,
    /// How often it was unlocked.
    #[prost(uint64, tag = "9")]
    pub unlockings: u64,
    /// What was done with it lately, oldest first.
    #[prost(message, repeated, tag = "10")]
    pub acts: Vec<ActLine>,
}

/// One thing that was done.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ActLine {
    /// The number of its [`ActKind`].
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    /// When, in milliseconds since 1970.
    #[prost(uint64, tag = "2")]
    pub at_ms: u64,
    /// The civil date, yyyymmdd.
    #[prost(uint32, tag = "3")]
    pub civil_date: u32,
    /// Who did it.
    #[prost(string, tag = "4")]
    pub by: String,
    /// What was remarked.
    #[prost(string, tag = "5")]
    pub note: String,
}

impl CardRow {
    /// Why the card may not be used; `None` while it is lent.
    #[must_use]
    pub fn listed(&self) -> Option<ListedFor> {
        ListedFor::from_number(self.listed_for)
    }

    /// Whether the card carries a role that only a system manager gives or takes.
    #[must_use]
    pub fn is_of_trust(&self) -> bool {
        is_of_trust(&self.roles)
    }

    /// The certificate that says so, without a signature.
    #[must_use]
    pub fn certificate(&self) -> CardCertificate {
        CardCertificate {
            serial: self.serial.clone(),
            operator: self.operator.clone(),
            body: self.body.clone(),
            roles: self.roles.clone(),
            key: self.key.clone(),
            valid_until_s: self.valid_until_s,
            signature: Vec::new(),
        }
    }

    pub(super) fn of(view: &View, serial: &str) -> Option<Self> {
        Self::decode(view.get(&key(serial))?).ok()
    }

    /// Lines behind a serial, in order of serials.
    pub(super) fn page(view: &View, after: &str, limit: usize) -> Vec<Self> {
        let after = (!after.is_empty()).then(|| key(after));
        view.scan_after(PREFIX, after.as_deref(), limit)
            .into_iter()
            .filter_map(|(_, bytes)| Self::decode(bytes.as_slice()).ok())
            .collect()
    }

    /// The line after an act. The act was judged before; what cannot be is left as it was.
    pub(super) fn after(before: Option<Self>, record: &CardActRecord, act: &CardAct) -> Self {
        let at_s = record.at_ms / 1000;
        let mut row = before.unwrap_or_else(|| Self {
            serial: act.serial.clone(),
            operator: act.operator.clone(),
            body: act.body.clone(),
            roles: act.roles.clone(),
            key: act.key.clone(),
            valid_until_s: record.valid_until_s,
            ..Self::default()
        });
        let listed = |reason: ListedFor| (reason as u32, at_s);
        (row.listed_for, row.since_s) = match ActKind::from_number(act.kind) {
            Some(ActKind::Enrol) => listed(ListedFor::NotLent),
            Some(ActKind::Entered | ActKind::Lend) => (0, at_s),
            Some(ActKind::Return) => listed(ListedFor::Returned),
            Some(ActKind::Lost) => listed(ListedFor::Lost),
            Some(ActKind::Revoke) => (act.reason, at_s),
            Some(ActKind::Unlock) => {
                row.unlockings += 1;
                match row.listed() {
                    Some(_) => (0, at_s),
                    None => (0, row.since_s),
                }
            }
            Some(ActKind::Inspect) | None => (row.listed_for, row.since_s),
        };
        if row.acts.len() >= LINES_MAX {
            row.acts.remove(0);
        }
        row.acts.push(ActLine {
            kind: act.kind,
            at_ms: record.at_ms,
            civil_date: record.civil_date,
            by: record.by.clone(),
            note: act.note.clone(),
        });
        row
    }

    pub(super) fn put(&self, view: &mut View) {
        view.put(key(&self.serial), self.encode_to_vec());
    }
}

pub(super) fn is_of_trust(roles: &[u32]) -> bool {
    roles
        .iter()
        .any(|role| Role::from_number(*role).is_none_or(Role::is_of_trust))
}

fn key(serial: &str) -> Vec<u8> {
    [PREFIX, serial.as_bytes()].concat()
}
