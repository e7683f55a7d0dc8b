//! The identity record (本人確認情報) and the texts it holds.

use std::fmt;

use crate::{BirthDate, ResidentRecordCode};

/// A text of the record is empty, too long or holds a control character.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {what} has 1 to {bytes_max} bytes and no control character")]
pub struct TextError {
    /// Which text.
    pub what: &'static str,
    /// Its longest length in bytes of UTF-8.
    pub bytes_max: usize,
}

macro_rules! personal_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Longest length in bytes of UTF-8.
            pub const BYTES_MAX: usize = $max;

            /// Takes the text exactly as given: no normalisation (design.md 7).
            ///
            /// # Errors
            /// [`TextError`] where the text is blank, too long or holds a control character.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let fits = !text.trim().is_empty() && text.len() <= $max && !text.chars().any(char::is_control);
                if fits { Ok(Self(text.into())) } else { Err(TextError { what: $what, bytes_max: $max }) }
            }

            /// The text, to be shown only where the law lets a person see it.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

personal_text!(
    /// A person's name (氏名) as the register writes it, variation selectors included.
    PersonName, "name", 256
);
personal_text!(
    /// An address (住所) as the register writes it.
    Address, "address", 512
);
personal_text!(
    /// The existing register's own number of a resident (宛名番号).
    RegisterNumber, "register number", 32
);

/// Sex as the record has it (男女の別).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Sex {
    /// 男
    Male = 1,
    /// 女
    Female = 2,
}

impl Sex {
    /// The value with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Male),
            2 => Some(Self::Female),
            _ => None,
        }
    }

    /// The Japanese word.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }
}

/// The five items of the identity record; the sixth, change information, is the
/// [`crate::Change`] that made this version (Act art. 30-5 para. 1; domain.md 3.1).
///
/// Nothing else gets a field: no household, family register or former address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityRecord {
    /// 住民票コード
    pub code: ResidentRecordCode,
    /// 氏名
    pub name: PersonName,
    /// 出生の年月日
    pub birth: BirthDate,
    /// 男女の別
    pub sex: Sex,
    /// 住所
    pub address: Address,
}

impl fmt::Debug for IdentityRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityRecord(..)")
    }
}
