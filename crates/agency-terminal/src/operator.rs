//! Log-in: the card signs a session grant.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use juki_access::{Authorisation, CardCertificate, GRANT_SECONDS_MAX, Grant, UnlockGrant};
use juki_crypto::{SystemRandomness, VerifyingKey, random_array};
use juki_domain::ErrorCode;
use juki_services::query::CardAtHand;
use juki_smartcard::{CardError, OperatorCard, Pkcs11Card, SoftCard};
use prost::Message as _;

/// A card in the operator's hand, its PIN not yet entered.
pub(crate) struct Presented {
    card: Card,
    at_hand: CardAtHand,
    /// The key that the registrar says is the card's.
    key: VerifyingKey,
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
        let key = vouched(
            card.certificate(),
            (card.serial(), card.operator()),
            registrar,
        )?;
        let at_hand = at_hand(card.serial(), card.unlocking(), registrar);
        Ok(Self {
            card: Card::File(card),
            at_hand,
            key,
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
        let named = (card.serial(), card.operator());
        let key = vouched(card.certificate(), named, registrar)?;
        let at_hand = at_hand(card.serial(), &card.unlocking()?, registrar);
        Ok(Self {
            card: Card::Token(card),
            at_hand,
            key,
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
        // A card with another's certificate signs with a key that is not the certificate's.
        let signed = &logged_in.authorisation;
        Grant::verify(&signed.grant, &signed.signature, &self.key)
            .map_err(|_| LoginRefused::of(ErrorCode::CardUnknown))?;
        Ok(logged_in)
    }
}

impl LoginRefused {
    fn of(code: ErrorCode) -> Self {
        Self {
            code,
            tries_left: None,
        }
    }
}

/// The key of a card whose certificate the registrar signed, and whose own words about itself are the
/// certificate's. Wrong PINs are counted by the serial: it must be the card's. Whether the card has
/// expired is judged where it asks.
fn vouched(
    certificate: &[u8],
    (serial, operator): (&str, &str),
    registrar: Option<VerifyingKey>,
) -> Result<VerifyingKey, LoginRefused> {
    let unknown = LoginRefused::of(ErrorCode::CardUnknown);
    let registrar = registrar.ok_or(unknown)?;
    let certificate = CardCertificate::decode(certificate).map_err(|_| unknown)?;
    if certificate.serial != serial || certificate.operator != operator {
        return Err(unknown);
    }
    certificate.verify(&registrar, 0).map_err(|_| unknown)
}

/// Only an unlocking that the registrar signed for this card counts.
fn at_hand(serial: &str, unlocking: &[u8], registrar: Option<VerifyingKey>) -> CardAtHand {
    CardAtHand {
        serial: serial.to_owned(),
        unlockings: registrar.map_or(0, |registrar| {
            UnlockGrant::number_for(serial, unlocking, &registrar)
        }),
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

#[cfg(test)]
mod tests {
    use juki_access::Role;
    use juki_crypto::SigningKey;

    use super::*;

    const PIN: &str = "475869";

    struct Office {
        folder: tempfile::TempDir,
        registrar: SigningKey,
        key: SigningKey,
    }

    impl Office {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                registrar: SigningKey::generate(&SystemRandomness).unwrap(),
                key: SigningKey::generate(&SystemRandomness).unwrap(),
            }
        }

        fn certificate(&self, signer: &SigningKey) -> CardCertificate {
            CardCertificate {
                serial: "C-1".to_owned(),
                operator: "op-1".to_owned(),
                body: "mhlw".to_owned(),
                roles: vec![Role::BusinessOperator as u32],
                key: self.key.public().as_bytes().to_vec(),
                // Long over: the node that is asked says so.
                valid_until_s: 1,
                signature: Vec::new(),
            }
            .signed(signer)
        }

        fn present(
            &self,
            (serial, operator): (&str, &str),
            certificate: &CardCertificate,
            key: &SigningKey,
        ) -> Result<Presented, ErrorCode> {
            let path = self.folder.path().join("a.card");
            let _ = std::fs::remove_file(&path);
            let certificate = certificate.encode_to_vec();
            SoftCard::create(&path, PIN, serial, operator, &certificate, key.pkcs8()).unwrap();
            Presented::file(&path, Some(self.registrar.public())).map_err(|refused| refused.code)
        }
    }

    #[test]
    fn a_card_that_says_of_itself_what_its_certificate_does_not_is_unknown() {
        let office = Office::new();
        let good = office.certificate(&office.registrar);
        assert!(office.present(("C-1", "op-1"), &good, &office.key).is_ok());
        let forged = office.certificate(&office.key);
        for (named, certificate) in [
            (("C-2", "op-1"), &good),
            (("C-1", "op-2"), &good),
            (("C-1", "op-1"), &forged),
        ] {
            let presented = office.present(named, certificate, &office.key);
            assert_eq!(presented.err(), Some(ErrorCode::CardUnknown), "{named:?}");
        }
    }

    #[test]
    fn a_card_with_the_certificate_of_another_logs_nobody_in() {
        let office = Office::new();
        let good = office.certificate(&office.registrar);
        let own = office.present(("C-1", "op-1"), &good, &office.key).unwrap();
        assert!(own.log_in("agency-mhlw", PIN).is_ok());
        let thief = SigningKey::generate(&SystemRandomness).unwrap();
        let stolen = office.present(("C-1", "op-1"), &good, &thief).unwrap();
        let refused = stolen.log_in("agency-mhlw", PIN).err();
        assert_eq!(
            refused.map(|refused| refused.code),
            Some(ErrorCode::CardUnknown)
        );
    }
}
