//! Session grants: what a card signs once, and the proof that each request carries.

use juki_crypto::{DigestKey, VerifyingKey, sha256};
use juki_domain::ErrorCode;
use prost::Message;

/// Longest life of a grant in seconds (design.md 3).
pub const GRANT_SECONDS_MAX: u64 = 15 * 60;

const CONTEXT: &str = "juki session grant 1";

/// A grant or the proof under it is not right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It cannot be read, or lives longer than a grant may.
    #[error("the grant cannot be read")]
    Malformed,
    /// The card did not sign it.
    #[error("the card did not sign the grant")]
    Signature,
    /// It is not valid at this time.
    #[error("the grant is not valid now")]
    Expired,
    /// It was given for another terminal.
    #[error("the grant is for another terminal")]
    OtherTerminal,
    /// The request's proof does not fit.
    #[error("the request's proof does not fit")]
    Proof,
}

impl GrantError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Malformed | Self::OtherTerminal => ErrorCode::GrantMissing,
            Self::Signature => ErrorCode::CardUnknown,
            Self::Expired => ErrorCode::GrantExpired,
            Self::Proof => ErrorCode::RequestMacWrong,
        }
    }
}

/// What the card signs at log-in: for this terminal, for this long, requests under this key are
/// mine.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Grant {
    /// The terminal's node.
    #[prost(string, tag = "1")]
    pub terminal: String,
    /// From when, in seconds since 1970.
    #[prost(uint64, tag = "2")]
    pub from_s: u64,
    /// Until when.
    #[prost(uint64, tag = "3")]
    pub until_s: u64,
    /// Digest of the key whose proofs requests carry.
    #[prost(bytes = "vec", tag = "4")]
    pub key_digest: Vec<u8>,
}

/// What each request carries beside the question.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Authorisation {
    /// The grant's bytes, which the card's signature covers.
    #[prost(bytes = "vec", tag = "1")]
    pub grant: Vec<u8>,
    /// The card's signature over them.
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
    /// The card's certificate.
    #[prost(bytes = "vec", tag = "3")]
    pub certificate: Vec<u8>,
    /// The key; the sealed body hides it from everybody but the answering node.
    #[prost(bytes = "vec", tag = "4")]
    pub key: Vec<u8>,
    /// HMAC-SHA-256 under the key over the question's bytes.
    #[prost(bytes = "vec", tag = "5")]
    pub proof: Vec<u8>,
}

impl Grant {
    /// The grant of a new key from now on.
    #[must_use]
    pub fn new(terminal: &str, from_s: u64, seconds: u64, key: &[u8; 32]) -> Self {
        Self {
            terminal: terminal.to_owned(),
            from_s,
            until_s: from_s + seconds.min(GRANT_SECONDS_MAX),
            key_digest: sha256(key).to_vec(),
        }
    }

    /// The context under which cards sign grants.
    #[must_use]
    pub fn context() -> &'static str {
        CONTEXT
    }

    /// Checks a grant's signature and form.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn verify(bytes: &[u8], signature: &[u8], card: &VerifyingKey) -> Result<Self, GrantError> {
        card.verify(CONTEXT, bytes, signature)
            .map_err(|_| GrantError::Signature)?;
        let grant = Self::decode(bytes).map_err(|_| GrantError::Malformed)?;
        if grant.until_s.saturating_sub(grant.from_s) > GRANT_SECONDS_MAX {
            return Err(GrantError::Malformed);
        }
        Ok(grant)
    }

    /// Checks terminal, time and the key that a request shows.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn admits(&self, terminal: &str, now_s: u64, key: &[u8]) -> Result<DigestKey, GrantError> {
        if self.terminal != terminal {
            return Err(GrantError::OtherTerminal);
        }
        // A minute's slack for clocks that differ.
        if now_s + 60 < self.from_s || now_s > self.until_s {
            return Err(GrantError::Expired);
        }
        if sha256(key).as_slice() != self.key_digest {
            return Err(GrantError::Proof);
        }
        key.try_into()
            .map(DigestKey::new)
            .map_err(|_| GrantError::Proof)
    }
}
