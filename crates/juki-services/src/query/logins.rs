//! The sessions of a terminal's operators.

use std::collections::BTreeMap;

use juki_access::{Authorisation, CardList};
use juki_crypto::DigestKey;
use juki_ledger::EntryKind;
use prost::Message;

/// A session at this terminal ended.
pub const SESSION_ENDED: EntryKind = EntryKind(99);

/// Most operators who are logged in at one terminal at once.
pub const LOGINS_MAX: usize = 256;

/// Why a session ended. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum EndedFor {
    /// The operator logged out.
    Logout = 1,
    /// Nobody asked anything for too long.
    Idle = 2,
    /// The grant's time was over.
    Grant = 3,
    /// The card may not be used any more.
    Listed = 4,
    /// The same card began another one.
    Again = 5,
}

/// The payload of a [`SESSION_ENDED`] entry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SessionEnded {
    /// When, in milliseconds since 1970.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The card; empty where no session was left to be ended.
    #[prost(string, tag = "2")]
    pub card: String,
    /// Why, as a number of [`EndedFor`].
    #[prost(uint32, tag = "3")]
    pub reason: u32,
}

/// One operator's session.
pub(super) struct Login {
    pub(super) authorisation: Authorisation,
    pub(super) key: DigestKey,
    card: String,
    until_ms: u64,
    used_ms: u64,
}

impl Login {
    pub(super) fn new(
        authorisation: Authorisation,
        key: &[u8; 32],
        card: String,
        until_ms: u64,
    ) -> Self {
        Self {
            authorisation,
            key: DigestKey::new(key),
            card,
            until_ms,
            used_ms: 0,
        }
    }
}

/// All sessions, each under its token.
pub(super) struct Logins {
    idle_ms: u64,
    open: BTreeMap<String, Login>,
    /// Tokens in the order in which their sessions began.
    order: Vec<String>,
}

impl Logins {
    /// None yet; each ends after so long without a question.
    pub(super) fn new(idle_ms: u64) -> Self {
        Self {
            idle_ms,
            open: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= LOGINS_MAX
    }

    /// Ends what this card has begun before: a card is in one hand.
    pub(super) fn end_of_card(&mut self, card: &str) -> Vec<(String, EndedFor)> {
        self.end_where(|login| (login.card == card).then_some(EndedFor::Again))
    }

    pub(super) fn begin(&mut self, token: String, login: Login, now_ms: u64) {
        self.order.push(token.clone());
        self.open.insert(
            token,
            Login {
                used_ms: now_ms,
                ..login
            },
        );
    }

    /// The named session, or without a name the one that began last; it counts as used.
    pub(super) fn used(&mut self, token: &str, now_ms: u64) -> Option<&Login> {
        let login = match token {
            "" => self.open.get_mut(self.order.last()?),
            token => self.open.get_mut(token),
        }?;
        login.used_ms = now_ms;
        Some(login)
    }

    /// Ends the named session, or without a name the one that began last; gives its card.
    pub(super) fn end(&mut self, token: &str) -> Option<String> {
        let token = match token {
            "" => self.order.last()?.clone(),
            token => token.to_owned(),
        };
        let ended = self.open.remove(&token)?;
        self.order.retain(|open| *open != token);
        Some(ended.card)
    }

    /// Ends what was idle too long or whose grant is over.
    pub(super) fn end_due(&mut self, now_ms: u64) -> Vec<(String, EndedFor)> {
        let idle_ms = self.idle_ms;
        self.end_where(|login| {
            if now_ms > login.until_ms {
                Some(EndedFor::Grant)
            } else if now_ms >= login.used_ms + idle_ms {
                Some(EndedFor::Idle)
            } else {
                None
            }
        })
    }

    /// Ends the sessions of listed cards.
    pub(super) fn end_listed(&mut self, listed: &CardList) -> Vec<(String, EndedFor)> {
        self.end_where(|login| listed.get(&login.card).map(|_| EndedFor::Listed))
    }

    /// When the next session ends if nobody asks anything.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.open
            .values()
            .map(|login| (login.used_ms + self.idle_ms).min(login.until_ms + 1))
            .min()
    }

    fn end_where(&mut self, why: impl Fn(&Login) -> Option<EndedFor>) -> Vec<(String, EndedFor)> {
        let mut ended = Vec::new();
        self.open.retain(|_, login| match why(login) {
            Some(reason) => {
                ended.push((login.card.clone(), reason));
                false
            }
            None => true,
        });
        if !ended.is_empty() {
            self.order.retain(|token| self.open.contains_key(token));
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use juki_access::ListedFor;

    use super::*;

    fn logins(cards: &[&str]) -> Logins {
        let mut logins = Logins::new(300);
        for (card, at_ms) in cards.iter().zip(1000..) {
            let login = Login::new(Authorisation::default(), &[1; 32], (*card).to_owned(), 2000);
            logins.begin(format!("token of {card}"), login, at_ms);
        }
        logins
    }

    fn card(logins: &mut Logins, token: &str) -> Option<String> {
        logins.used(token, 1010).map(|login| login.card.clone())
    }

    #[test]
    fn without_a_token_the_session_that_began_last_and_still_runs_is_meant() {
        let mut logins = logins(&["a", "b", "c"]);
        assert_eq!(card(&mut logins, "").as_deref(), Some("c"));
        assert_eq!(card(&mut logins, "token of a").as_deref(), Some("a"));
        assert_eq!(logins.end("token of c").as_deref(), Some("c"));
        assert_eq!(card(&mut logins, "").as_deref(), Some("b"));
        assert_eq!(logins.end("").as_deref(), Some("b"));
        assert_eq!(logins.end("token of b"), None);
        assert_eq!(card(&mut logins, "").as_deref(), Some("a"));
    }

    #[test]
    fn a_session_ends_when_idle_and_use_puts_that_off_until_the_grant_is_over() {
        let mut logins = logins(&["a", "b"]);
        assert_eq!(logins.next_due(), Some(1300));
        assert!(logins.used("token of b", 1200).is_some());
        assert_eq!(logins.end_due(1299), []);
        assert_eq!(logins.end_due(1301), [("a".to_owned(), EndedFor::Idle)]);
        assert_eq!(logins.next_due(), Some(1500));
        assert!(logins.used("token of b", 1499).is_some());
        assert!(logins.used("token of b", 1798).is_some());
        assert_eq!(logins.next_due(), Some(2001), "the grant ends it");
        assert_eq!(logins.end_due(2000), []);
        assert_eq!(logins.end_due(2001), [("b".to_owned(), EndedFor::Grant)]);
        assert_eq!(logins.next_due(), None);
    }

    #[test]
    fn a_card_has_one_session() {
        let mut logins = logins(&["a", "b"]);
        assert_eq!(logins.end_of_card("a"), [("a".to_owned(), EndedFor::Again)]);
        assert_eq!(card(&mut logins, "token of a"), None);
        assert_eq!(card(&mut logins, "").as_deref(), Some("b"));
    }

    #[test]
    fn a_list_ends_the_sessions_of_its_cards_alone() {
        let mut logins = logins(&["a", "b"]);
        let mut listed = CardList::default();
        listed.list("b", ListedFor::Lost, 1).unwrap();
        listed.list("z", ListedFor::Lost, 1).unwrap();
        assert_eq!(
            logins.end_listed(&listed),
            [("b".to_owned(), EndedFor::Listed)]
        );
        assert_eq!(card(&mut logins, "").as_deref(), Some("a"));
        assert_eq!(card(&mut logins, "token of b"), None);
    }
}
