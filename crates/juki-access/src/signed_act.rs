//! High-risk acts: an operator's card signs the very act, and nobody can repeat it.

use std::collections::BTreeMap;

use juki_crypto::VerifyingKey;
use juki_domain::ErrorCode;
use prost::Message;

use crate::{CardCertificate, CardList, Role};

/// Longest act, in bytes.
pub const ACT_BYTES_MAX: usize = 64 * 1024;
/// How far an act's time may lie from the judge's clock, in milliseconds.
pub const ACT_FRESH_MS: u64 = 5 * 60 * 1000;

const CONTEXT: &str = "juki signed act 1";
/// Acts that are remembered so that they are not done twice; far more than people sign in ten minutes.
const REMEMBERED_MAX: usize = 4096;
const NONCE_LEN: usize = 16;

/// Why an act is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// It cannot be read, is too long or is of another subject.
    #[error("the act cannot be read")]
    Malformed,
    /// The card did not sign it.
    #[error("the card did not sign the act")]
    Signature,
    /// The registrar does not know the card.
    #[error("the card is not registered")]
    Card,
    /// The card has expired.
    #[error("the card has expired")]
    CardExpired,
    /// The card may not be used.
    #[error("the card may not be used")]
    CardListed,
    /// The operator's role does not allow it.
    #[error("the operator's role does not allow the act")]
    Role,
    /// It was signed too long ago, ahead of the clock, or before this node began to run.
    #[error("the act was not signed just now")]
    NotFresh,
    /// It was done already.
    #[error("the act was done already")]
    Repeated,
    /// Too many acts in too short a time.
    #[error("too many acts at once")]
    TooMany,
}

impl ActError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Malformed | Self::Signature => ErrorCode::ActInvalid,
            Self::Card => ErrorCode::CardUnknown,
            Self::CardExpired => ErrorCode::CardExpired,
            Self::CardListed => ErrorCode::CardListed,
            Self::Role => ErrorCode::RoleNotAllowed,
            Self::NotFresh => ErrorCode::ActNotFresh,
            Self::Repeated => ErrorCode::ActRepeated,
            Self::TooMany => ErrorCode::RateExceeded,
        }
    }
}

/// An act with the signature of the operator's card. The signature covers everything else.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SignedAct {
    /// What the act is about, such as `cards`: an act of one subject is nothing to another.
    #[prost(string, tag = "1")]
    pub subject: String,
    /// The act, in the form of its subject.
    #[prost(bytes = "vec", tag = "2")]
    pub act: Vec<u8>,
    /// When it was signed, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub at_ms: u64,
    /// 16 random bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub nonce: Vec<u8>,
    /// The card's certificate.
    #[prost(bytes = "vec", tag = "5")]
    pub certificate: Vec<u8>,
    /// The card's signature.
    #[prost(bytes = "vec", tag = "6")]
    pub signature: Vec<u8>,
}

impl SignedAct {
    /// The context under which cards sign acts.
    #[must_use]
    pub fn context() -> &'static str {
        CONTEXT
    }

    /// An act that no card has signed yet.
    #[must_use]
    pub fn unsigned(
        subject: &str,
        act: Vec<u8>,
        at_ms: u64,
        nonce: [u8; NONCE_LEN],
        certificate: &[u8],
    ) -> Self {
        Self {
            subject: subject.to_owned(),
            act,
            at_ms,
            nonce: nonce.to_vec(),
            certificate: certificate.to_vec(),
            signature: Vec::new(),
        }
    }

    /// The bytes that the card signs under [`Self::context`].
    #[must_use]
    pub fn covered(&self) -> Vec<u8> {
        Self {
            signature: Vec::new(),
            ..self.clone()
        }
        .encode_to_vec()
    }

    /// The act with its signature.
    #[must_use]
    pub fn with_signature(self, signature: [u8; 64]) -> Self {
        Self {
            signature: signature.to_vec(),
            ..self
        }
    }
}

/// Judges the signed acts of one subject. It remembers the last ones in memory; since a restart
/// forgets them, an act that was signed before this judge began is refused too.
pub struct ActJudge {
    subject: &'static str,
    registrar: VerifyingKey,
    began_ms: u64,
    seen: BTreeMap<(u64, [u8; NONCE_LEN]), ()>,
}

impl ActJudge {
    /// A judge of one subject, which begins at this time.
    #[must_use]
    pub fn new(subject: &'static str, registrar: VerifyingKey, began_ms: u64) -> Self {
        Self {
            subject,
            registrar,
            began_ms,
            seen: BTreeMap::new(),
        }
    }

    /// Checks form, card, signature, time and repetition, and that the card carries one of the
    /// roles. An act is remembered when all of that holds: call this once, right before doing it.
    ///
    /// # Errors
    /// [`ActError`] with the first reason against it.
    pub fn judge(
        &mut self,
        signed: &SignedAct,
        roles: &[Role],
        listed: &CardList,
        now_ms: u64,
    ) -> Result<CardCertificate, ActError> {
        let nonce = <[u8; NONCE_LEN]>::try_from(signed.nonce.as_slice());
        let (Ok(nonce), true, true) = (
            nonce,
            signed.subject == self.subject,
            signed.act.len() <= ACT_BYTES_MAX,
        ) else {
            return Err(ActError::Malformed);
        };
        let card = CardCertificate::decode(signed.certificate.as_slice())
            .map_err(|_| ActError::Malformed)?;
        let key = card
            .verify(&self.registrar, now_ms / 1000)
            .map_err(|error| match error {
                crate::CardError::Malformed | crate::CardError::Signature => ActError::Card,
                crate::CardError::Expired => ActError::CardExpired,
            })?;
        key.verify(CONTEXT, &signed.covered(), &signed.signature)
            .map_err(|_| ActError::Signature)?;
        if listed.get(&card.serial).is_some() {
            return Err(ActError::CardListed);
        }
        if signed.at_ms.abs_diff(now_ms) > ACT_FRESH_MS || signed.at_ms < self.began_ms {
            return Err(ActError::NotFresh);
        }
        if !card.has_any(roles) {
            return Err(ActError::Role);
        }
        // What is older than the window is refused for its age and need not be remembered.
        let oldest = now_ms.saturating_sub(ACT_FRESH_MS);
        self.seen = self.seen.split_off(&(oldest, [0; NONCE_LEN]));
        if self.seen.contains_key(&(signed.at_ms, nonce)) {
            return Err(ActError::Repeated);
        }
        if self.seen.len() >= REMEMBERED_MAX {
            return Err(ActError::TooMany);
        }
        self.seen.insert((signed.at_ms, nonce), ());
        Ok(card)
    }
}

#[cfg(test)]
mod tests {
    use juki_crypto::{SigningKey, SystemRandomness, random_array};

    use super::*;
    use crate::ListedFor;

    const NOW_MS: u64 = 1_000_000_000;

    struct World {
        judge: ActJudge,
        card: SigningKey,
        certificate: CardCertificate,
    }

    fn world() -> World {
        let (registrar, card) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let certificate = CardCertificate {
            serial: "C-1".into(),
            operator: "op-1".into(),
            body: "center".into(),
            roles: vec![Role::CardManager as u32],
            key: card.public().as_bytes().to_vec(),
            valid_until_s: NOW_MS / 1000 + 3600,
            signature: Vec::new(),
        }
        .signed(&registrar);
        World {
            judge: ActJudge::new("cards", registrar.public(), NOW_MS - ACT_FRESH_MS - 1000),
            card,
            certificate,
        }
    }

    impl World {
        fn act(&self, subject: &str, at_ms: u64) -> SignedAct {
            let act = SignedAct::unsigned(
                subject,
                b"revoke C-9".to_vec(),
                at_ms,
                random_array(&SystemRandomness),
                &self.certificate.encode_to_vec(),
            );
            let signature = self.card.sign(SignedAct::context(), &act.covered());
            act.with_signature(signature)
        }

        fn judge(&mut self, act: &SignedAct) -> Result<String, ActError> {
            self.judge
                .judge(act, &[Role::CardManager], &CardList::default(), NOW_MS)
                .map(|card| card.operator)
        }
    }

    #[test]
    fn an_act_of_a_card_manager_is_done_once() {
        let mut world = world();
        let act = world.act("cards", NOW_MS - 10);
        assert_eq!(world.judge(&act), Ok("op-1".to_owned()));
        assert_eq!(world.judge(&act), Err(ActError::Repeated));
        let again = world.act("cards", NOW_MS - 10);
        assert!(world.judge(&again).is_ok(), "another nonce is another act");
    }

    #[test]
    fn each_reason_against_an_act_is_named() {
        let mut world = world();
        let good = world.act("cards", NOW_MS);
        let altered = SignedAct {
            act: b"revoke C-8".to_vec(),
            ..good.clone()
        };
        assert_eq!(world.judge(&altered), Err(ActError::Signature));
        let later = SignedAct {
            at_ms: NOW_MS + 1,
            ..good.clone()
        };
        assert_eq!(world.judge(&later), Err(ActError::Signature));
        let of_pki = world.act("pki", NOW_MS);
        assert_eq!(world.judge(&of_pki), Err(ActError::Malformed));
        for at_ms in [NOW_MS - ACT_FRESH_MS - 1, NOW_MS + ACT_FRESH_MS + 1] {
            let stale = world.act("cards", at_ms);
            assert_eq!(world.judge(&stale), Err(ActError::NotFresh));
        }
        let stranger = SigningKey::generate(&SystemRandomness).unwrap();
        world.certificate = world.certificate.clone().signed(&stranger);
        let forged = world.act("cards", NOW_MS);
        assert_eq!(world.judge(&forged), Err(ActError::Card));
    }

    #[test]
    fn a_role_that_does_not_allow_it_and_a_listed_card_are_refused() {
        let mut world = world();
        let act = world.act("cards", NOW_MS);
        let mut listed = CardList::default();
        listed.list("C-1", ListedFor::Lost, 1).unwrap();
        let judge = &mut world.judge;
        assert_eq!(
            judge.judge(&act, &[Role::CardManager], &listed, NOW_MS),
            Err(ActError::CardListed)
        );
        assert_eq!(
            judge.judge(&act, &[Role::SystemManager], &CardList::default(), NOW_MS),
            Err(ActError::Role)
        );
        assert!(
            judge
                .judge(
                    &act,
                    &[Role::SystemManager, Role::CardManager],
                    &CardList::default(),
                    NOW_MS
                )
                .is_ok(),
            "a refused act was not used up"
        );
    }

    #[test]
    fn an_act_from_before_the_start_is_refused_since_it_may_have_been_done() {
        let mut world = world();
        let act = world.act("cards", NOW_MS - 1);
        world.judge.began_ms = NOW_MS;
        assert_eq!(world.judge(&act), Err(ActError::NotFresh));
    }

    #[test]
    fn the_memory_of_acts_is_bounded_and_forgets_what_is_too_old_to_be_taken() {
        let mut world = world();
        for number in 0..REMEMBERED_MAX as u64 {
            world.judge.seen.insert(
                (NOW_MS - number % 1000, u128::from(number).to_be_bytes()),
                (),
            );
        }
        let act = world.act("cards", NOW_MS);
        assert_eq!(world.judge(&act), Err(ActError::TooMany));
        let later = NOW_MS + ACT_FRESH_MS + 1;
        let act = world.act("cards", later);
        assert!(
            world
                .judge
                .judge(&act, &[Role::CardManager], &CardList::default(), later)
                .is_ok()
        );
        assert_eq!(world.judge.seen.len(), 1);
    }
}
