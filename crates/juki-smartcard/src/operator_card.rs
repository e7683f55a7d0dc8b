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
    /// Too many wrong PINs; only a new card helps.
    #[error("the card is locked")]
    Locked,
    /// The file is no card, was cut or altered.
    #[error("the card file is damaged")]
    Damaged,
    /// Serial, operator, certificate or key are not what a card can hold.
    #[error("the card cannot hold {0}")]
    Contents(&'static str),
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
            Self::Damaged | Self::Contents(_) => ErrorCode::CardUnknown,
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
}
