//! What folding notes instead of refusing.

use juki_domain::MunicipalityCode;
use prost::Message;

use crate::Position;

/// Why an entry did not fit what was known. It was applied all the same: the municipality alone
/// may say what its records are (Act art. 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DifferenceKind {
    /// An entry for a person who already stands in the same municipality.
    AlreadyPresent = 1,
    /// A deletion or correction of a record that does not stand.
    NotPresent = 2,
    /// A change of code whose code before is not known.
    PreviousUnknown = 3,
}

/// A noted difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The municipality whose entry it was.
    pub municipality: MunicipalityCode,
    /// The entry.
    pub position: Position,
    /// What did not fit.
    pub kind: DifferenceKind,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Noted {
    #[prost(uint32, tag = "1")]
    municipality: u32,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(uint64, tag = "3")]
    seq: u64,
    #[prost(uint32, tag = "4")]
    kind: u32,
}

impl Difference {
    pub(crate) fn encode(&self) -> Vec<u8> {
        Noted {
            municipality: self.municipality.number(),
            epoch: self.position.epoch,
            seq: self.position.seq,
            kind: self.kind as u32,
        }
        .encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let noted = Noted::decode(bytes).ok()?;
        let kind = match noted.kind {
            1 => DifferenceKind::AlreadyPresent,
            2 => DifferenceKind::NotPresent,
            3 => DifferenceKind::PreviousUnknown,
            _ => return None,
        };
        let municipality = MunicipalityCode::from_number(noted.municipality).ok()?;
        Some(Self {
            municipality,
            position: Position {
                epoch: noted.epoch,
                seq: noted.seq,
            },
            kind,
        })
    }
}
