//! Log-in: the card signs a session grant.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use juki_access::{Authorisation, GRANT_SECONDS_MAX, Grant, UnlockGrant};
use juki_crypto::{SystemRandomness, VerifyingKey, random_array};
use juki_domain::ErrorCode;
use juki_services::query::CardAtHand;
use juki_smartcard::{CardError, OperatorCard, SoftCard};
use prost::Message as _;

/// A card in the operator's hand, its PIN not yet entered.
pub(crate) struct Presented {
    card: SoftCard,
    unlockings: u64,
}

/// Who logged in, and what goes to the asking service.
pub(crate) struct LoggedIn {
    pub(crate) operator: String,
    pub(crate) card: String,
    pub(crate) until_s: u64,
    pub(crate) authorisation: Authorisation,
}

/// Why nobody logged in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoginRefused {
    pub(crate) code: ErrorCode,
    /// The tries that the card has left, where the PIN was wrong.
    pub(crate) tries_left: Option<u8>,
}

impl From<CardError> for LoginRefused {
    fn from(error: CardError) -> Self {
        let tries_left = match error {
            CardError::PinWrong { left } => Some(left),
            CardError::PinForm
            | CardError::Locked
            | CardError::PinTemporary
            | CardError::PinTooSimple
            | CardError::UnlockNotFitting
            | CardError::Damaged
            | CardError::Contents(_)
            | CardError::Io(_) => None,
        };
        Self {
            code: error.code(),
            tries_left,
        }
    }
}

impl Presented {
    /// Takes a card file. Only an unlocking that the registrar signed for this card counts.
    pub(crate) fn file(path: &Path, registrar: Option<VerifyingKey>) -> Result<Self, LoginRefused> {
        let card = SoftCard::open(path)?;
        let unlocking = registrar
            .and_then(|registrar| UnlockGrant::verify(card.unlocking(), &registrar).ok())
            .filter(|grant| grant.serial == card.serial());
        Ok(Self {
            unlockings: unlocking.map_or(0, |grant| grant.number),
            card,
        })
    }

    /// What the terminal counts wrong PINs by.
    pub(crate) fn at_hand(&self) -> CardAtHand {
        CardAtHand {
            serial: self.card.serial().to_owned(),
            unlockings: self.unlockings,
        }
    }

    /// Unlocks the card and lets it sign a grant for this terminal. Blocks for the PIN's key
    /// derivation.
    pub(crate) fn log_in(&self, terminal: &str, pin: &str) -> Result<LoggedIn, LoginRefused> {
        let unlocked = self.card.unlock(pin)?;
        Ok(grant_of(&unlocked, terminal)?)
    }
}

fn grant_of(card: &dyn OperatorCard, terminal: &str) -> Result<LoggedIn, CardError> {
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let key: [u8; 32] = random_array(&SystemRandomness);
    let grant = Grant::new(terminal, now_s, GRANT_SECONDS_MAX, &key);
    let until_s = grant.until_s;
    let grant = grant.encode_to_vec();
    let signature = card.sign_in(Grant::context(), &grant)?.to_vec();
    Ok(LoggedIn {
        operator: card.operator().to_owned(),
        card: card.serial().to_owned(),
        until_s,
        authorisation: Authorisation {
            grant,
            signature,
            certificate: card.certificate().to_vec(),
            key: key.to_vec(),
            proof: Vec::new(),
        },
    })
}
