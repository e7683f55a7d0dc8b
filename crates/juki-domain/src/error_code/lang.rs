//! Languages that people read.

use std::str::FromStr;

use crate::ErrorCode;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// A text names no language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the language is ja or en")]
pub struct LangError;

impl LangError {
    /// The code that a configuration with this language is refused with.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        ErrorCode::ConfigBadValue
    }
}

impl Lang {
    /// The language of an environment's `LANG`: Japanese for `ja` and `ja_JP.UTF-8`, else English.
    #[must_use]
    pub fn from_env_value(value: &str) -> Self {
        let language = value.split(['_', '.', '@']).next().unwrap_or_default();
        if language == "ja" { Self::Ja } else { Self::En }
    }

    /// The name that options and files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }
}

impl FromStr for Lang {
    type Err = LangError;

    /// Reads `ja` or `en`.
    fn from_str(text: &str) -> Result<Self, LangError> {
        [Self::Ja, Self::En]
            .into_iter()
            .find(|lang| lang.name() == text)
            .ok_or(LangError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_read_back_and_others_are_refused() {
        for lang in [Lang::Ja, Lang::En] {
            assert_eq!(lang.name().parse(), Ok(lang));
        }
        assert_eq!("fr".parse::<Lang>(), Err(LangError));
        assert_eq!(
            "JA".parse::<Lang>().map_err(LangError::code),
            Err(ErrorCode::ConfigBadValue)
        );
    }

    #[test]
    fn the_environment_chooses_japanese_only_by_its_language() {
        for value in ["ja", "ja_JP.UTF-8", "ja_JP", "ja.UTF-8"] {
            assert_eq!(Lang::from_env_value(value), Lang::Ja, "{value}");
        }
        for value in ["", "C", "C.UTF-8", "en_US.UTF-8", "jam_JM", "en_JP@ja"] {
            assert_eq!(Lang::from_env_value(value), Lang::En, "{value}");
        }
    }
}
