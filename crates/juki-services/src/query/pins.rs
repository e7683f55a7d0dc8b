//! Wrong PINs, counted by the terminal: a card file that was copied brings its own counter along.

use juki_access::CardCertificate;
use juki_audit::{PIN_FAILED, PinFailed};
use juki_dispatch::View;
use juki_ledger::Entry;
use prost::Message;

use super::OPERATOR_SESSION;

/// Wrong PINs in a row after which the terminal does not take a card any more.
const TRIES: u32 = 3;

#[derive(Clone, PartialEq, Eq, Message)]
struct Count {
    #[prost(uint64, tag = "1")]
    unlockings: u64,
    #[prost(uint32, tag = "2")]
    wrong: u32,
}

/// Whether so many PINs were wrong since the card's last right one or unlocking that it is not
/// taken any more.
pub(super) fn is_locked(view: &View, card: &str, unlockings: u64) -> bool {
    let count = count(view, card);
    count.wrong >= TRIES && unlockings <= count.unlockings
}

/// Folds wrong PINs and sessions.
pub(super) fn fold(entry: &Entry, view: &mut View) {
    if entry.kind == PIN_FAILED
        && let Ok(failed) = PinFailed::decode(entry.payload.as_slice())
    {
        let before = count(view, &failed.card);
        let wrong = if failed.unlockings > before.unlockings {
            1
        } else {
            before.wrong.saturating_add(1)
        };
        let after = Count {
            unlockings: failed.unlockings.max(before.unlockings),
            wrong,
        };
        view.put(key(&failed.card), after.encode_to_vec());
    } else if entry.kind == OPERATOR_SESSION
        && let Ok(card) = CardCertificate::decode(entry.payload.as_slice())
        && view.get(&key(&card.serial)).is_some()
    {
        view.delete(key(&card.serial));
    }
}

fn count(view: &View, card: &str) -> Count {
    view.get(&key(card))
        .and_then(|bytes| Count::decode(bytes).ok())
        .unwrap_or_default()
}

fn key(card: &str) -> Vec<u8> {
    [b"op", card.as_bytes()].concat()
}
