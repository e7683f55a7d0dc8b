//! Serde for values whose form in a file is a text.

use std::fmt;

use juki_domain::{CivilDate, MunicipalityCode, NodeId, NodeRole, PrefectureCode, ServiceId};

use crate::dial::DialAddress;
use crate::hours::Hours;
use crate::interface::Interface;
use crate::node_pattern::NodePattern;

/// A value with one text form; the error says which texts are allowed.
pub(crate) trait TextForm: Sized {
    fn from_text(text: &str) -> Option<Self>;
    fn to_text(&self) -> String;
    /// What the text has to be: the end of "... is not".
    fn wanted() -> String;
}

macro_rules! text_form {
    ($($type:ty, $wanted:expr;)*) => {$(
        impl TextForm for $type {
            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn to_text(&self) -> String {
                self.to_string()
            }

            fn wanted() -> String {
                $wanted.to_owned()
            }
        }
    )*};
}

text_form! {
    NodeId, "a node name: 1 to 32 of a-z, 0-9 and -, beginning with a letter";
    Interface, "an interface: write inside, line, national-line or agency-line";
    DialAddress, "an address to dial: write file:PATH or IP:PORT";
    MunicipalityCode, "a municipality code: 6 digits, the last of them its check digit";
    PrefectureCode, "a prefecture code: two digits from 01 to 47";
    NodePattern, "a pattern: write kind:PROGRAM or a node's name, with * for any letters";
    Hours, "hours: write windows such as Mon-Fri 08:00-20:00, Sat 09:00-12:00";
    CivilDate, "a civil date: write YYYY-MM-DD";
}

impl TextForm for NodeRole {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.program().to_owned()
    }

    fn wanted() -> String {
        format!(
            "a role: write one of {}",
            Self::ALL.map(Self::program).join(", ")
        )
    }
}

impl TextForm for ServiceId {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.name().to_owned()
    }

    fn wanted() -> String {
        format!(
            "a service: write one of {}",
            Self::ALL.map(Self::name).join(", ")
        )
    }
}

/// A text from a file, cut to a length that fits one line.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 64;
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut cut: String = clean.take(CHARS_MAX).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        cut.push('…');
    }
    cut
}

fn read<T: TextForm, E: serde::de::Error>(text: &str) -> Result<T, E> {
    T::from_text(text)
        .ok_or_else(|| E::custom(format_args!("\"{}\" is not {}", excerpt(text), T::wanted())))
}

struct TextVisitor<T>(std::marker::PhantomData<T>);

impl<T: TextForm> serde::de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        read(text)
    }
}

/// Reads as the type that it holds, in lists and options.
struct Wrapped<T>(T);

impl<'de, T: TextForm> serde::Deserialize<'de> for Wrapped<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_str(TextVisitor(std::marker::PhantomData))
            .map(Self)
    }
}

/// For `T`.
pub(crate) mod single {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{TextForm, Wrapped};

    pub(crate) fn serialize<T: TextForm, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_text())
    }

    pub(crate) fn deserialize<'de, T: TextForm, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Wrapped::deserialize(deserializer).map(|wrapped| wrapped.0)
    }
}

/// For `Option<T>`.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{TextForm, Wrapped};

    pub(crate) fn serialize<T: TextForm, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_str(&value.to_text()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: TextForm, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<Wrapped<T>>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}

/// For `Vec<T>`.
pub(crate) mod list {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{TextForm, Wrapped};

    pub(crate) fn serialize<T: TextForm, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(TextForm::to_text))
    }

    pub(crate) fn deserialize<'de, T: TextForm, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let wrapped = Vec::<Wrapped<T>>::deserialize(deserializer)?;
        Ok(wrapped.into_iter().map(|wrapped| wrapped.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("a\nb"), "a b");
        assert_eq!(excerpt(&"長".repeat(100)).chars().count(), 65);
    }
}
