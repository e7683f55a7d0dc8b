//! TOML to types and back, with errors that name key, line and fix.

use juki_domain::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config_error::{ConfigError, header_name, key_of};
use crate::text_form::excerpt;

/// Longest configuration text in bytes: some sixty municipalities take less than a tenth of it.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;

/// Reads a TOML text of at most 1 MiB as a `T`; `file` is the name that errors show.
///
/// # Errors
/// [`ConfigError`] naming line, key and what to write.
pub fn parse<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, ConfigError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ConfigError {
            code: ErrorCode::ConfigUnreadable,
            file: file.to_owned(),
            line: None,
            key: String::new(),
            sentence: "is longer than 1 MiB; give the right file".to_owned(),
        });
    }
    // Two readings, since the second alone cannot tell bad TOML from a value that does not fit.
    if let Err(error) = toml::from_str::<toml::Table>(text) {
        let place = Place::of(text, error.span().map(|span| span.start));
        return Err(ConfigError {
            code: ErrorCode::ConfigNotToml,
            file: file.to_owned(),
            line: place.line,
            key: String::new(),
            sentence: format!(
                "is not TOML: {}; correct this line",
                first_line(error.message())
            ),
        });
    }
    toml::from_str(text).map_err(|error| explain(text, file, &error))
}

/// The text of a value.
pub(crate) fn write<T: Serialize>(value: &T, file: &str) -> Result<String, ConfigError> {
    toml::to_string(value).map_err(|error| ConfigError {
        code: ErrorCode::ConfigBadValue,
        file: file.to_owned(),
        line: None,
        key: String::new(),
        sentence: format!("cannot be written: {}", first_line(&error.to_string())),
    })
}

fn explain(text: &str, file: &str, error: &toml::de::Error) -> ConfigError {
    let message = error.message();
    // An empty span at the start is the whole document's: a section is missing.
    let span = error.span().filter(|span| *span != (0..0));
    let place = Place::of(text, span.map(|span| span.start));
    let (code, key, sentence) = if let Some((_, rest)) = message.split_once("unknown field `") {
        let (field, known) = rest.split_once('`').unwrap_or((rest, ""));
        (
            ErrorCode::ConfigUnknownKey,
            place.with_key(field),
            unknown_key(field, known),
        )
    } else if let Some((_, rest)) = message.split_once("missing field `") {
        let field = rest.split('`').next().unwrap_or(rest);
        let sentence = format!("is missing; add {}", sample(&place.section, field));
        (ErrorCode::ConfigMissingKey, place.with_key(field), sentence)
    } else {
        (
            ErrorCode::ConfigBadValue,
            place.with_key(&place.key),
            first_line(message),
        )
    };
    ConfigError {
        code,
        file: file.to_owned(),
        line: place.line,
        key,
        sentence,
    }
}

/// The sentence for an unknown key, given the rest of serde's message with the known ones.
fn unknown_key(field: &str, known: &str) -> String {
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let nearest = known.iter().min_by_key(|name| distance(field, name));
    match nearest {
        Some(name) if distance(field, name) <= field.chars().count().max(3) / 2 => {
            format!("is unknown; did you mean {name}?")
        }
        Some(name) => {
            format!(
                "is unknown; remove it (nearest is {name}, known are {})",
                known.join(", ")
            )
        }
        None => "is unknown; remove it".to_owned(),
    }
}

/// What to add for a missing key: a section's header at the top, a key elsewhere.
fn sample(section: &str, field: &str) -> String {
    if section.is_empty() {
        format!("the section [{field}]")
    } else {
        format!("{field} = ... to this section")
    }
}

fn first_line(message: &str) -> String {
    const CHARS_MAX: usize = 300;
    message
        .lines()
        .next()
        .unwrap_or("")
        .chars()
        .take(CHARS_MAX)
        .collect()
}

/// Where in the text an error lies.
struct Place {
    line: Option<usize>,
    section: String,
    key: String,
}

impl Place {
    fn of(text: &str, start: Option<usize>) -> Self {
        let Some(before) = start.and_then(|start| text.get(..start)) else {
            return Self {
                line: None,
                section: String::new(),
                key: String::new(),
            };
        };
        let line = before.matches('\n').count() + 1;
        let upwards: Vec<&str> = text.lines().take(line).collect();
        let mut key = None;
        for text_line in upwards.iter().rev() {
            if let Some(name) = header_name(text_line) {
                let section = excerpt(name);
                return Self {
                    line: Some(line),
                    section,
                    key: key.unwrap_or_default(),
                };
            }
            key = key.or_else(|| key_of(text_line).map(excerpt));
        }
        Self {
            line: Some(line),
            section: String::new(),
            key: key.unwrap_or_default(),
        }
    }

    fn with_key(&self, key: &str) -> String {
        match (self.section.as_str(), key) {
            ("", key) => excerpt(key),
            (section, "") => section.to_owned(),
            // An unknown section is reported by its own header.
            (section, key) if section == key => section.to_owned(),
            (section, key) => format!("{section}.{}", excerpt(key)),
        }
    }
}

/// Edits from one word to another (Levenshtein). Long words count as far from everything.
fn distance(from: &str, to: &str) -> usize {
    const CHARS_MAX: usize = 64;
    if from.chars().count() > CHARS_MAX {
        return usize::MAX;
    }
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (deleted, from_char) in (1..).zip(from.chars()) {
        let mut next = vec![deleted];
        let mut left = deleted;
        for (to_char, pair) in to.iter().zip(row.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            let replaced = diagonal + usize::from(*to_char != from_char);
            left = replaced.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        assert_eq!(distance("adress", "address"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn a_near_key_is_proposed_and_a_far_one_is_listed() {
        let known = ", expected one of `interface`, `address`, `announce`";
        assert_eq!(
            unknown_key("adress", known),
            "is unknown; did you mean address?"
        );
        let far = unknown_key("colour_of_the_door", known);
        assert!(
            far.contains("remove it") && far.contains("interface, address, announce"),
            "{far}"
        );
    }
}
