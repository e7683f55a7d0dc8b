//! What is wrong with a configuration file.

use std::fmt;

use juki_domain::ErrorCode;

/// A configuration file is refused: where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One of the configuration codes.
    pub code: ErrorCode,
    /// The file as the caller named it.
    pub file: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The key with its section, such as `peer.dial`; empty where there is none.
    pub key: String,
    /// One sentence with the fix.
    pub sentence: String,
}

impl ConfigError {
    /// The code for the operator.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.code(), self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.sentence)
    }
}

/// A value that reads well and does not fit; its line is found afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: ErrorCode,
    /// The section's name, `[section]` or `[[section]]`.
    pub(crate) section: &'static str,
    /// Which of the sections of that name, from 0.
    pub(crate) index: usize,
    pub(crate) key: &'static str,
    pub(crate) sentence: String,
}

impl Finding {
    /// A value that does not fit.
    pub(crate) fn value(
        section: &'static str,
        index: usize,
        key: &'static str,
        sentence: impl Into<String>,
    ) -> Self {
        Self {
            code: ErrorCode::ConfigBadValue,
            section,
            index,
            key,
            sentence: sentence.into(),
        }
    }

    /// A key that this role needs.
    pub(crate) fn missing(
        section: &'static str,
        index: usize,
        key: &'static str,
        sentence: impl Into<String>,
    ) -> Self {
        let code = ErrorCode::ConfigMissingKey;
        Self {
            code,
            ..Self::value(section, index, key, sentence)
        }
    }

    /// A key or section that this role does not know.
    pub(crate) fn unknown(
        section: &'static str,
        key: &'static str,
        sentence: impl Into<String>,
    ) -> Self {
        let code = ErrorCode::ConfigUnknownKey;
        Self {
            code,
            ..Self::value(section, 0, key, sentence)
        }
    }

    /// The error with its line in the text from which the value came.
    pub(crate) fn locate(self, text: &str, file: &str) -> ConfigError {
        let line = line_of(text, self.section, self.index, self.key);
        let key = if self.key.is_empty() {
            self.section.to_owned()
        } else {
            format!("{}.{}", self.section, self.key)
        };
        ConfigError {
            code: self.code,
            file: file.to_owned(),
            line,
            key,
            sentence: self.sentence,
        }
    }
}

/// The line of a key in the `index`th section of that name, or of the section's header.
fn line_of(text: &str, section: &str, index: usize, key: &str) -> Option<usize> {
    let mut headers = 0;
    let mut found = None;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = header_name(line) {
            if found.is_some() {
                return found;
            }
            if name == section {
                found = (headers == index).then_some(number);
                headers += 1;
            }
        } else if found.is_some() && key_of(line) == Some(key) {
            return Some(number);
        }
    }
    found
}

/// The name in `[name]` or `[[name]]`.
pub(crate) fn header_name(line: &str) -> Option<&str> {
    let inner = line.trim_start().strip_prefix('[')?;
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    // A value's line may begin with a bracket too, as in an array over several lines.
    inner
        .split_once(']')
        .map(|(name, _)| name.trim())
        .filter(|name| is_key(name))
}

/// The key in `key = value`.
pub(crate) fn key_of(line: &str) -> Option<&str> {
    line.split_once('=')
        .map(|(key, _)| key.trim())
        .filter(|key| is_key(key))
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[a]\nx = 1\n\n[[b]]\nx = 1\n[[b]]\ny = [\n  \"z = 1\",\n]\nx = 2\n[c]\n";

    #[test]
    fn a_key_is_found_in_the_right_one_of_several_sections() {
        assert_eq!(line_of(TEXT, "a", 0, "x"), Some(2));
        assert_eq!(line_of(TEXT, "b", 0, "x"), Some(5));
        assert_eq!(line_of(TEXT, "b", 1, "x"), Some(10));
    }

    #[test]
    fn an_absent_key_is_shown_at_its_header_and_an_absent_section_nowhere() {
        assert_eq!(line_of(TEXT, "b", 0, "y"), Some(4));
        assert_eq!(line_of(TEXT, "c", 0, "x"), Some(11));
        assert_eq!(line_of(TEXT, "b", 2, "x"), None);
        assert_eq!(line_of(TEXT, "d", 0, "x"), None);
    }
}
