//! Which unlocking gives a card its tries back, in a file as beside a token.

use juki_access::UnlockGrant;
use juki_crypto::VerifyingKey;

use crate::CardError;
use crate::card_file::UNLOCKING_BYTES_MAX;

/// An unlocking that the registrar signed for a card.
pub(crate) struct Fitting<'a> {
    serial: &'a str,
    registrar: &'a VerifyingKey,
    number: u64,
}

impl<'a> Fitting<'a> {
    /// Refuses what this registrar did not sign for this card, and what is too long to be kept.
    pub(crate) fn judge(
        serial: &'a str,
        unlocking: &[u8],
        registrar: &'a VerifyingKey,
    ) -> Result<Self, CardError> {
        if unlocking.len() > UNLOCKING_BYTES_MAX {
            return Err(CardError::UnlockNotFitting);
        }
        match UnlockGrant::number_for(serial, unlocking, registrar) {
            0 => Err(CardError::UnlockNotFitting),
            number => Ok(Self {
                serial,
                registrar,
                number,
            }),
        }
    }

    /// Refuses one that is not newer than the card's last.
    pub(crate) fn after(&self, last: &[u8]) -> Result<(), CardError> {
        if self.number > UnlockGrant::number_for(self.serial, last, self.registrar) {
            Ok(())
        } else {
            Err(CardError::UnlockNotFitting)
        }
    }
}
