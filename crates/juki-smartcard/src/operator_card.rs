//! What every operator's card can do, and how it refuses.

use std::io;

use juki_domain::ErrorCode;

use crate::sealed_file::SealedFileError;

/// Wrong PINs in a row that lock a card.
pub const PIN_TRIES: u8 = 3;

/// An unlocked operator's card: it names its holder and signs for them.
pub trait OperatorCard {
    /// The card's own serial, 1 to 64 printable ASCII characters.
    fn serial(&self) -> &str;

    /// The operator's id, 1 to 64 printable ASCII characters.
    fn operator(&self) -> &str;

    /// The card's certificate as issued; opaque to the card.
    fn certificate(&self) -> &[u8];

    /// An Ed25519 signature over exactly these bytes.
    ///
    /// # Errors
    /// [`CardError`] where the card went away or fails; a soft card never does.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], CardError>;

    /// A signature under a context, as `juki_crypto::VerifyingKey::verify` checks it: over the
    /// context, a zero byte and the message.
    ///
    /// # Errors
    /// As [`Self::sign`].
    fn sign_in(&self, context: &str, message: &[u8]) -> Result<[u8; 64], CardError> {
        self.sign(&[context.as_bytes(), &[0], message].concat())
    }
}

/// A PIN of the right form: 4 to 16 ASCII digits or letters. `Debug` shows nothing of it.
pub struct Pin<'a>(&'a str);

impl<'a> Pin<'a> {
    /// Takes a text as a PIN.
    ///
    /// # Errors
    /// [`CardError::PinForm`] where it is none.
    pub fn parse(text: &'a str) -> Result<Self, CardError> {
        let fits =
            (4..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits {
            Ok(Self(text))
        } else {
            Err(CardError::PinForm)
        }
    }

    /// Takes a text as a PIN that an operator chooses in place of another.
    ///
    /// # Errors
    /// [`CardError::PinForm`] where it is none, [`CardError::PinTooSimple`] where it is the old one,
    /// repeats one character or counts up or down.
    pub fn parse_new(text: &'a str, old: &str) -> Result<Self, CardError> {
        let pin = Self::parse(text)?;
        let steps: Vec<i16> = text
            .as_bytes()
            .windows(2)
            .filter_map(|pair| match pair {
                [one, next] => Some(i16::from(*next) - i16::from(*one)),
                _ => None,
            })
            .collect();
        let goes = |by: i16| steps.iter().all(|step| *step == by);
        if text == old || [-1, 0, 1].into_iter().any(goes) {
            return Err(CardError::PinTooSimple);
        }
        Ok(pin)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Pin<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(..)")
    }
}

/// Why a card was not made, opened or unlocked.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Not 4 to 16 ASCII digits or letters; costs no try.
    #[error("a PIN is 4 to 16 digits or letters")]
    PinForm,
    /// The wrong PIN.
    #[error("the PIN is wrong, {left} tries left")]
    PinWrong {
        /// Tries left before the card locks, 0 to 2.
        left: u8,
    },
    /// Too many wrong PINs; the registrar's unlocking helps.
    #[error("the card is locked")]
    Locked,
    /// The PIN is right but must be changed first.
    #[error("the temporary PIN has to be changed first")]
    PinTemporary,
    /// The new PIN is one that others guess.
    #[error("the new PIN is too simple")]
    PinTooSimple,
    /// The unlocking is not for this card, not of its registrar, or not newer than the last one.
    #[error("the unlocking does not fit the card")]
    UnlockNotFitting,
    /// The file is no card, was cut or altered.
    #[error("the card file is damaged")]
    Damaged,
    /// Serial, operator, certificate or key are not what a card can hold.
    #[error("the card cannot hold {0}")]
    Contents(&'static str),
    /// The PKCS#11 module or token does not do what it should; the sentence names no PIN.
    #[error("{0}")]
    Module(String),
    /// The file could not be read or written.
    #[error("the card file cannot be used")]
    Io(#[source] io::Error),
}

impl CardError {
    /// The code that an operator sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::PinForm | Self::PinWrong { .. } => ErrorCode::PinWrong,
            Self::Locked => ErrorCode::CardLocked,
            Self::PinTemporary => ErrorCode::PinTemporary,
            Self::PinTooSimple => ErrorCode::PinTooSimple,
            Self::UnlockNotFitting => ErrorCode::UnlockNotFitting,
            Self::Damaged => ErrorCode::CardDamaged,
            Self::Contents(_) => ErrorCode::CardUnknown,
            Self::Module(_) => ErrorCode::CardModule,
            Self::Io(_) => ErrorCode::DiskFailed,
        }
    }
}

impl From<io::Error> for CardError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<SealedFileError> for CardError {
    fn from(error: SealedFileError) -> Self {
        match error {
            SealedFileError::TooLong => Self::Contents("so long a key"),
            SealedFileError::Damaged | SealedFileError::WrongPassphrase => Self::Damaged,
            SealedFileError::Resources => Self::Io(io::ErrorKind::OutOfMemory.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_four_to_sixteen_digits_or_letters() {
        for good in ["1234", "abCD12", "0123456789abcdef"] {
            assert!(Pin::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "123", "0123456789abcdefg", "12 34", "１２３４", "12-34"] {
            assert!(Pin::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", Pin::parse("1234").unwrap()), "Pin(..)");
    }

    #[test]
    fn a_new_pin_is_none_that_others_guess() {
        for good in ["4711", "1224", "aab1"] {
            assert!(Pin::parse_new(good, "9999").is_ok(), "{good}");
        }
        for simple in ["1111", "123456", "9876", "abcd", "4711"] {
            assert!(
                matches!(Pin::parse_new(simple, "4711"), Err(CardError::PinTooSimple)),
                "{simple}"
            );
        }
        assert!(matches!(
            Pin::parse_new("1", "4711"),
            Err(CardError::PinForm)
        ));
    }
}
