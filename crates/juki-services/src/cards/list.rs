//! Which card list a node goes by, on record.

use juki_access::CardList;
use juki_crypto::Notice;
use juki_dispatch::{Context, Step, View};
use juki_ledger::{Entry, EntryKind};
use prost::Message;

/// A card list is in force at this node from here on.
pub const CARD_LIST: EntryKind = EntryKind(98);

/// The payload of a [`CARD_LIST`] entry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardListRecord {
    /// When, in milliseconds since 1970.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The list's number.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// How many cards it names.
    #[prost(uint32, tag = "3")]
    pub cards: u32,
    /// Whether this node could not read it and goes by the list before.
    #[prost(bool, tag = "4")]
    pub is_unreadable: bool,
}

/// The number of the last list that was heard of.
const HEARD: &[u8] = b"oh";
/// The number of the last list that this node has gone by.
const LAST: &[u8] = b"ol";

/// The number of the last list that this node has gone by; 0 before the first. An older one is no
/// list to go by: a card that was lost since would be taken for sound.
pub(crate) fn last(view: &View) -> u64 {
    number(view, LAST)
}

/// Reads a list that may be gone by: one that is not older than the last.
pub(crate) fn read(notice: &Notice, view: &View) -> Option<CardList> {
    (notice.number >= last(view))
        .then(|| CardList::decode(&notice.body).ok())
        .flatten()
}

/// Puts a card list on record, once: after a start services hear of it again. Nobody waits for the
/// record.
pub(crate) fn record(
    context: &Context<'_>,
    notice: &Notice,
    read: Option<&CardList>,
    view: &View,
) -> Step {
    let mut step = Step::none();
    if notice.number > number(view, HEARD) {
        let record = CardListRecord {
            at_ms: context.now_ms,
            number: notice.number,
            cards: read.map_or(0, |list| u32::try_from(list.len()).unwrap_or(u32::MAX)),
            is_unreadable: read.is_none(),
        };
        step.append(CARD_LIST, record.encode_to_vec());
    }
    step.lazy()
}

/// Folds what [`record`] put on record.
pub(crate) fn recorded(entry: &Entry, view: &mut View) {
    if entry.kind == CARD_LIST
        && let Ok(record) = CardListRecord::decode(entry.payload.as_slice())
    {
        let number = record.number.to_be_bytes().to_vec();
        view.put(HEARD.to_vec(), number.clone());
        if !record.is_unreadable {
            view.put(LAST.to_vec(), number);
        }
    }
}

fn number(view: &View, key: &[u8]) -> u64 {
    view.get(key)
        .and_then(|bytes| bytes.as_ref().try_into().ok())
        .map_or(0, u64::from_be_bytes)
}
