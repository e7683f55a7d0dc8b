//! The list of cards that may not be used, as the registrar signs it and every node passes it on.

use std::collections::BTreeMap;

use prost::Message;

/// Most cards on a list: what a notice has room for.
pub const LISTED_MAX: usize = 100_000;
/// Longest serial of a card, in bytes.
pub const SERIAL_LEN_MAX: usize = 64;

/// Why a card may not be used. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum ListedFor {
    /// 紛失: its holder does not know where it is.
    Lost = 1,
    /// 失効: withdrawn for good.
    Revoked = 2,
    /// 返却: it is back with the card manager.
    Returned = 3,
    /// 期限切れ: its time is over.
    Expired = 4,
    /// 停止: suspended until it is unlocked.
    Locked = 5,
    /// 未貸与: made, and lent to nobody yet.
    NotLent = 6,
}

impl ListedFor {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Lost,
        Self::Revoked,
        Self::Returned,
        Self::Expired,
        Self::Locked,
        Self::NotLent,
    ];

    /// The reason with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| *reason as u32 == number)
    }

    /// The name that reports use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Revoked => "revoked",
            Self::Returned => "returned",
            Self::Expired => "expired",
            Self::Locked => "locked",
            Self::NotLent => "not-lent",
        }
    }
}

/// The list is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the card list cannot be read")]
pub struct CardListError;

/// Cards that may not be used. Its bytes are the body of `NoticeKind::CardList`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CardList {
    cards: BTreeMap<String, (ListedFor, u64)>,
}

impl CardList {
    /// Lists a card, or changes why it is listed.
    ///
    /// # Errors
    /// [`CardListError`] where the list is full or the serial is none.
    pub fn list(
        &mut self,
        serial: &str,
        reason: ListedFor,
        since_s: u64,
    ) -> Result<(), CardListError> {
        let is_full = self.cards.len() >= LISTED_MAX && !self.cards.contains_key(serial);
        if is_full || serial.is_empty() || serial.len() > SERIAL_LEN_MAX {
            return Err(CardListError);
        }
        self.cards.insert(serial.to_owned(), (reason, since_s));
        Ok(())
    }

    /// Why a card may not be used and since when; `None` for one that may.
    #[must_use]
    pub fn get(&self, serial: &str) -> Option<(ListedFor, u64)> {
        self.cards.get(serial).copied()
    }

    /// How many cards it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// Its bytes: the same for the same cards.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let cards = self
            .cards
            .iter()
            .map(|(serial, (reason, since_s))| ListedCard {
                serial: serial.clone(),
                reason: *reason as u32,
                since_s: *since_s,
            });
        Wire {
            cards: cards.collect(),
        }
        .encode_to_vec()
    }

    /// Reads a list.
    ///
    /// # Errors
    /// [`CardListError`] where it is none, is too long or gives an unknown reason: a card that is
    /// listed for a reason of a later version must not become usable.
    pub fn decode(bytes: &[u8]) -> Result<Self, CardListError> {
        let wire = Wire::decode(bytes).map_err(|_| CardListError)?;
        let mut list = Self::default();
        for card in wire.cards {
            let reason = ListedFor::from_number(card.reason).ok_or(CardListError)?;
            list.list(&card.serial, reason, card.since_s)?;
        }
        Ok(list)
    }
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Wire {
    #[prost(message, repeated, tag = "1")]
    cards: Vec<ListedCard>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct ListedCard {
    #[prost(string, tag = "1")]
    serial: String,
    #[prost(uint32, tag = "2")]
    reason: u32,
    #[prost(uint64, tag = "3")]
    since_s: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_reads_back_as_it_was_and_in_one_form(
            cards in prop::collection::vec(("[0-9a-f]{1,16}", 0usize..6, any::<u64>()), 0..20)
        ) {
            let mut list = CardList::default();
            for (serial, reason, since_s) in &cards {
                list.list(serial, ListedFor::ALL[*reason], *since_s).unwrap();
            }
            let read = CardList::decode(&list.encode()).unwrap();
            prop_assert_eq!(read.encode(), list.encode());
            prop_assert_eq!(&read, &list);
            for (serial, _, _) in &cards {
                prop_assert!(read.get(serial).is_some());
            }
            prop_assert_eq!(read.get("not there"), None);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = CardList::decode(&bytes);
        }
    }

    #[test]
    fn what_cannot_be_listed_is_refused() {
        let mut list = CardList::default();
        for serial in ["", &"x".repeat(65)] {
            assert_eq!(list.list(serial, ListedFor::Lost, 1), Err(CardListError));
        }
        let unknown = Wire {
            cards: vec![ListedCard {
                serial: "1".to_owned(),
                reason: 99,
                since_s: 1,
            }],
        };
        assert_eq!(
            CardList::decode(&unknown.encode_to_vec()),
            Err(CardListError)
        );
    }

    #[test]
    fn a_full_list_fits_a_notice_and_takes_no_more() {
        let mut list = CardList::default();
        for number in 0..LISTED_MAX {
            list.list(&format!("{number:016x}"), ListedFor::Lost, 1_700_000_000)
                .unwrap();
        }
        assert!(list.encode().len() < juki_crypto::NOTICE_BYTES_MAX - 200);
        assert_eq!(
            list.list("one more", ListedFor::Lost, 1),
            Err(CardListError)
        );
        assert_eq!(
            list.list(&format!("{:016x}", 7), ListedFor::Revoked, 2),
            Ok(())
        );
    }
}
