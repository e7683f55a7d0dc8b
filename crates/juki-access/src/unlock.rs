//! The registrar's word that a locked card gets its tries back.

use juki_crypto::{SigningKey, VerifyingKey};
use prost::Message;

const CONTEXT: &str = "juki card unlock 1";

/// An unlocking, bound to one card and to its number among the card's unlockings: an older one does
/// nothing.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UnlockGrant {
    /// The card.
    #[prost(string, tag = "1")]
    pub serial: String,
    /// Its number among the unlockings of this card, from 1.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// The registrar's signature.
    #[prost(bytes = "vec", tag = "3")]
    pub signature: Vec<u8>,
}

/// The bytes are no unlocking of this registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the registrar did not sign the unlocking")]
pub struct UnlockError;

impl UnlockGrant {
    /// Signs an unlocking.
    #[must_use]
    pub fn sign(serial: &str, number: u64, registrar: &SigningKey) -> Self {
        let unsigned = Self {
            serial: serial.to_owned(),
            number,
            signature: Vec::new(),
        };
        let signature = registrar.sign(CONTEXT, &unsigned.encode_to_vec()).to_vec();
        Self {
            signature,
            ..unsigned
        }
    }

    /// Reads an unlocking and checks its signature.
    ///
    /// # Errors
    /// [`UnlockError`].
    pub fn verify(bytes: &[u8], registrar: &VerifyingKey) -> Result<Self, UnlockError> {
        let grant = Self::decode(bytes).map_err(|_| UnlockError)?;
        let unsigned = Self {
            signature: Vec::new(),
            ..grant.clone()
        };
        registrar
            .verify(CONTEXT, &unsigned.encode_to_vec(), &grant.signature)
            .map_err(|_| UnlockError)?;
        Ok(grant)
    }

    /// The number of an unlocking that this registrar signed for this card; 0 for anything else.
    #[must_use]
    pub fn number_for(serial: &str, bytes: &[u8], registrar: &VerifyingKey) -> u64 {
        Self::verify(bytes, registrar)
            .ok()
            .filter(|grant| grant.serial == serial)
            .map_or(0, |grant| grant.number)
    }
}

#[cfg(test)]
mod tests {
    use juki_crypto::SystemRandomness;

    use super::*;

    #[test]
    fn an_unlocking_holds_for_its_card_and_number_alone() {
        let (registrar, other) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let grant = UnlockGrant::sign("C-1", 2, &registrar);
        let bytes = grant.encode_to_vec();
        assert_eq!(
            UnlockGrant::verify(&bytes, &registrar.public()),
            Ok(grant.clone())
        );
        assert_eq!(
            UnlockGrant::verify(&bytes, &other.public()),
            Err(UnlockError)
        );
        for forged in [
            UnlockGrant {
                number: 3,
                ..grant.clone()
            },
            UnlockGrant {
                serial: "C-2".to_owned(),
                ..grant
            },
        ] {
            assert_eq!(
                UnlockGrant::verify(&forged.encode_to_vec(), &registrar.public()),
                Err(UnlockError)
            );
        }
    }
}
