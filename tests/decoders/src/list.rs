//! The one list.

mod access;
mod evidence;
mod files;
mod hop;
mod journal;
mod services;
mod trust;

use crate::Decoder;

/// Every decoder.
#[must_use]
pub fn all() -> Vec<Decoder> {
    [
        hop::decoders(),
        trust::decoders(),
        journal::decoders(),
        services::decoders(),
        access::decoders(),
        evidence::decoders(),
        files::decoders(),
    ]
    .concat()
}

/// The decoder of this name.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn decoder(name: &str) -> Decoder {
    all()
        .into_iter()
        .find(|decoder| decoder.name == name)
        .unwrap_or_else(|| panic!("no decoder {name}"))
}

/// Writes a prost message and says whether reading it takes these bytes.
macro_rules! message {
    ($name:literal, $kind:ty, $samples:expr) => {
        $crate::Decoder {
            name: $name,
            decode: |bytes| <$kind as prost::Message>::decode(bytes).is_ok(),
            samples: || {
                let samples: Vec<$kind> = $samples;
                samples.iter().map(prost::Message::encode_to_vec).collect()
            },
        }
    };
}
pub(crate) use message;
