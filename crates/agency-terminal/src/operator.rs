//! Log-in: the card signs a session grant.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use juki_access::{Authorisation, GRANT_SECONDS_MAX, Grant, UnlockGrant};
use juki_crypto::{SystemRandomness, VerifyingKey, random_array};
use juki_domain::ErrorCode;
use juki_services::query::CardAtHand;
use juki_smartcard::{CardError, OperatorCard, Pkcs11Card, SoftCard};
use prost::Message as _;

/// A card in the operator's hand, its PIN not yet entered.
pub(crate) struct Presented {
    card: Card,
    at_hand: CardAtHand,
}

enum Card {
    File(SoftCard),
    Token(Pkcs11Card),
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
            | CardError::Module(_)
            | CardError::Io(_) => None,
        };
        Self {
            code: error.code(),
            tries_left,
        }
    }
}

impl Presented {
    /// Takes a card file.
    pub(crate) fn file(path: &Path, registrar: Option<VerifyingKey>) -> Result<Self, LoginRefused> {
        let card = SoftCard::open(path)?;
        let at_hand = at_hand(card.serial(), card.unlocking(), registrar);
        Ok(Self {
            card: Card::File(card),
            at_hand,
        })
    }

    /// Takes a token of a PKCS#11 module; wrong PINs are counted in the folder.
    pub(crate) fn token(
        module: &Path,
        token: &str,
        pins: &Path,
        registrar: Option<VerifyingKey>,
    ) -> Result<Self, LoginRefused> {
        let card = Pkcs11Card::open(module, token, pins)?;
        let at_hand = at_hand(card.serial(), &card.unlocking()?, registrar);
        Ok(Self {
            card: Card::Token(card),
            at_hand,
        })
    }

    /// What the terminal counts wrong PINs by.
    pub(crate) fn at_hand(&self) -> CardAtHand {
        self.at_hand.clone()
    }

    /// Unlocks the card and lets it sign a grant for this terminal. Blocks for the PIN's key
    /// derivation or for the reader.
    pub(crate) fn log_in(&self, terminal: &str, pin: &str) -> Result<LoggedIn, LoginRefused> {
        let logged_in = match &self.card {
            Card::File(card) => grant_of(&card.unlock(pin)?, terminal)?,
            Card::Token(card) => grant_of(&card.unlock(pin)?, terminal)?,
        };
        Ok(logged_in)
    }
}

/// Only an unlocking that the registrar signed for this card counts.
fn at_hand(serial: &str, unlocking: &[u8], registrar: Option<VerifyingKey>) -> CardAtHand {
    let unlocking = registrar
        .and_then(|registrar| UnlockGrant::verify(unlocking, &registrar).ok())
        .filter(|grant| grant.serial == serial);
    CardAtHand {
        serial: serial.to_owned(),
        unlockings: unlocking.map_or(0, |grant| grant.number),
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
