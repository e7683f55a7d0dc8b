//! What the register may ask of the residents that it has reported.

use std::fmt;

use juki_dispatch::View;
use juki_domain::{Address, BirthDate, PersonName, Sex};
use juki_journal::JournalSender;
use juki_registry::Standing;
use prost::Message;

use super::local_registration::Kind;
use super::message::local;
use super::note::{BY_RESIDENT, Note, index_key};
use super::service::Registration;

/// Most residents of one page: a page is one turn of the node's work.
pub const RESIDENTS_PAGE_MAX: u32 = 512;

/// Asks for a page of the residents, in an order that says nothing.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ResidentsAsk {
    /// The `last` of the page before; empty for the first.
    #[prost(bytes = "vec", tag = "1")]
    pub after: Vec<u8>,
    /// How many, at most [`RESIDENTS_PAGE_MAX`].
    #[prost(uint32, tag = "2")]
    pub limit: u32,
    /// Whether their records are wanted beside number and code.
    #[prost(bool, tag = "3")]
    pub records: bool,
}

/// A page of the residents.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ResidentsPage {
    /// The residents.
    #[prost(message, repeated, tag = "1")]
    pub residents: Vec<Resident>,
    /// What to ask for the next page with; empty where this is the last.
    #[prost(bytes = "vec", tag = "2")]
    pub last: Vec<u8>,
    /// Number of the journal's last entry when the page was made.
    #[prost(uint64, tag = "3")]
    pub head: u64,
}

/// A resident whom the register has reported, as the communication server has him.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(skip_debug)]
pub struct Resident {
    /// 宛名番号; empty where nobody has the number that was asked for.
    #[prost(string, tag = "1")]
    pub number: String,
    /// The pseudonym under which the number is kept.
    #[prost(bytes = "vec", tag = "2")]
    pub pseudonym: Vec<u8>,
    /// 住民票コード
    #[prost(string, tag = "3")]
    pub code: String,
    /// Whether the record stands.
    #[prost(bool, tag = "4")]
    pub present: bool,
    /// Number of the journal entry that the record rests on.
    #[prost(uint64, tag = "5")]
    pub seq: u64,
    /// 氏名
    #[prost(string, tag = "6")]
    pub name: String,
    /// 生年月日, yyyymmdd
    #[prost(uint32, tag = "7")]
    pub birth: u32,
    /// 性別
    #[prost(uint32, tag = "8")]
    pub sex: u32,
    /// 住所
    #[prost(string, tag = "9")]
    pub address: String,
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resident(..)")
    }
}

impl ResidentsAsk {
    /// The bytes by which an interface asks.
    #[must_use]
    pub fn message(self) -> Vec<u8> {
        local(Kind::Residents(self))
    }
}

/// The bytes by which an interface asks for the resident with a number; the answer is a [`Resident`].
#[must_use]
pub fn find_message(number: &str) -> Vec<u8> {
    local(Kind::Find(number.to_owned()))
}

impl Resident {
    /// The four items, where the record was asked for and can be read.
    #[must_use]
    pub fn items(&self) -> Option<(PersonName, BirthDate, Sex, Address)> {
        Some((
            PersonName::parse(&self.name).ok()?,
            BirthDate::from_number(self.birth).ok()?,
            Sex::from_number(u8::try_from(self.sex).ok()?)?,
            Address::parse(&self.address).ok()?,
        ))
    }
}

impl Registration {
    pub(super) fn page(&self, ask: &ResidentsAsk, view: &View) -> ResidentsPage {
        let limit = ask.limit.clamp(1, RESIDENTS_PAGE_MAX);
        let limit = usize::try_from(limit).unwrap_or(1);
        let after = (!ask.after.is_empty()).then(|| index_key(BY_RESIDENT, &ask.after));
        let found = view.scan_after(&[BY_RESIDENT], after.as_deref(), limit);
        let pseudonym = |key: &[u8]| key.get(1..).unwrap_or_default().to_vec();
        let last = match found.last() {
            Some((key, _)) if found.len() == limit => pseudonym(key),
            Some(_) | None => Vec::new(),
        };
        let residents = found.iter().filter_map(|(key, value)| {
            let note = Note::decode(value.as_slice()).ok()?;
            Some(self.resident(pseudonym(key), note, ask.records, view))
        });
        ResidentsPage {
            residents: residents.collect(),
            last,
            head: JournalSender::head(view).seq,
        }
    }

    pub(super) fn find(&self, number: &str, view: &View) -> Resident {
        let pseudonym = self.pseudonyms.pseudonym(number.as_bytes());
        match Note::load(view, BY_RESIDENT, &pseudonym) {
            Some(note) => self.resident(pseudonym.to_vec(), note, true, view),
            None => Resident {
                pseudonym: pseudonym.to_vec(),
                ..Resident::default()
            },
        }
    }

    fn resident(&self, pseudonym: Vec<u8>, note: Note, record: bool, view: &View) -> Resident {
        let bare = Resident {
            number: note.number,
            pseudonym,
            code: note.code,
            ..Resident::default()
        };
        let stored = record
            .then(|| bare.code.parse().ok())
            .flatten()
            .and_then(|code| self.registry.own_record(view, &code, self.municipality));
        match stored {
            Some(stored) => Resident {
                present: stored.standing() == Standing::Present,
                seq: stored.position.seq,
                name: stored.change.record.name.reveal().to_owned(),
                birth: stored.change.record.birth.number(),
                sex: stored.change.record.sex as u32,
                address: stored.change.record.address.reveal().to_owned(),
                ..bare
            },
            None => bare,
        }
    }
}
