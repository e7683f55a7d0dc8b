//! Notices: documents that the registrar signs and every node passes on, the newest of each kind.

use prost::Message;

use crate::{SignatureError, SigningKey, VerifyingKey};

const CONTEXT: &str = "juki notice 1";

/// Longest notice in bytes: a list of 100,000 cards.
pub const NOTICE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a notice is about. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum NoticeKind {
    /// Operators' cards that may not be used, with the reason.
    CardList = 1,
    /// The legal-basis table (Act art. 30-7 and 30-8, the appended tables).
    LegalBasis = 2,
    /// Which node has which keys, after one of them has changed.
    Directory = 3,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::CardList, Self::LegalBasis, Self::Directory];

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// The name used in files, logs and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CardList => "card-list",
            Self::LegalBasis => "legal-basis",
            Self::Directory => "directory",
        }
    }
}

/// A notice cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// The bytes are no notice of a kind known here.
    #[error("the notice cannot be read")]
    Malformed,
    /// The registrar did not sign it.
    #[error("the registrar did not sign the notice")]
    Signature,
}

/// A document with the registrar's signature. Of each kind the one with the highest number is in
/// force; nodes pass it on hop by hop, so that it reaches whoever is reachable and heals any cut.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// Its number among those of its kind, rising from 1.
    pub number: u64,
    /// The document, in the form of its kind.
    pub body: Vec<u8>,
    signature: Vec<u8>,
}

impl Notice {
    /// Signs a document.
    #[must_use]
    pub fn sign(kind: NoticeKind, number: u64, body: Vec<u8>, registrar: &SigningKey) -> Self {
        let signature = registrar.sign(CONTEXT, &covered(kind, number, &body));
        Self {
            kind,
            number,
            body,
            signature: signature.to_vec(),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Wire {
            kind: self.kind as u32,
            number: self.number,
            body: self.body.clone(),
            signature: self.signature.clone(),
        }
        .encode_to_vec()
    }

    /// Kind and number of a notice, unverified: what tells whether it is worth verifying.
    ///
    /// # Errors
    /// [`NoticeError::Malformed`].
    pub fn peek(bytes: &[u8]) -> Result<(NoticeKind, u64), NoticeError> {
        Self::decode(bytes).map(|notice| (notice.kind, notice.number))
    }

    /// Reads a notice and checks the registrar's signature.
    ///
    /// # Errors
    /// [`NoticeError`].
    pub fn verify(bytes: &[u8], registrar: &VerifyingKey) -> Result<Self, NoticeError> {
        let notice = Self::decode(bytes)?;
        registrar
            .verify(
                CONTEXT,
                &covered(notice.kind, notice.number, &notice.body),
                &notice.signature,
            )
            .map_err(|_: SignatureError| NoticeError::Signature)?;
        Ok(notice)
    }

    fn decode(bytes: &[u8]) -> Result<Self, NoticeError> {
        if bytes.len() > NOTICE_BYTES_MAX {
            return Err(NoticeError::Malformed);
        }
        let wire = Wire::decode(bytes).map_err(|_| NoticeError::Malformed)?;
        let kind = NoticeKind::from_number(wire.kind).ok_or(NoticeError::Malformed)?;
        if wire.number == 0 {
            return Err(NoticeError::Malformed);
        }
        Ok(Self {
            kind,
            number: wire.number,
            body: wire.body,
            signature: wire.signature,
        })
    }
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notice({} {})", self.kind.name(), self.number)
    }
}

fn covered(kind: NoticeKind, number: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 + body.len());
    bytes.extend_from_slice(&(kind as u32).to_be_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Wire {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(bytes = "vec", tag = "3")]
    body: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    signature: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandomness;

    #[test]
    fn a_notice_reads_back_under_its_registrar_alone_and_unchanged_alone() {
        let (registrar, other) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let notice = Notice::sign(NoticeKind::CardList, 7, b"list".to_vec(), &registrar);
        let bytes = notice.encode();
        assert_eq!(
            Notice::verify(&bytes, &registrar.public()),
            Ok(notice.clone())
        );
        assert_eq!(Notice::peek(&bytes), Ok((NoticeKind::CardList, 7)));
        assert_eq!(
            Notice::verify(&bytes, &other.public()),
            Err(NoticeError::Signature)
        );
        for forged in [
            Notice {
                kind: NoticeKind::LegalBasis,
                ..notice.clone()
            },
            Notice {
                number: 8,
                ..notice.clone()
            },
            Notice {
                body: b"tsil".to_vec(),
                ..notice
            },
        ] {
            assert_eq!(
                Notice::verify(&forged.encode(), &registrar.public()),
                Err(NoticeError::Signature)
            );
        }
    }

    #[test]
    fn what_is_no_notice_is_refused_before_its_signature_is_looked_at() {
        let registrar = SigningKey::generate(&SystemRandomness).unwrap();
        let wire = |kind, number| {
            Wire {
                kind,
                number,
                ..Wire::default()
            }
            .encode_to_vec()
        };
        for bytes in [
            vec![0xff; 9],
            wire(99, 1),
            wire(1, 0),
            vec![0; NOTICE_BYTES_MAX + 1],
        ] {
            assert_eq!(
                Notice::verify(&bytes, &registrar.public()),
                Err(NoticeError::Malformed)
            );
        }
    }
}
