//! Certificates of operators' cards.

use juki_crypto::{SignatureError, SigningKey, VerifyingKey};
use juki_domain::ErrorCode;
use prost::Message;

use crate::Role;

const CONTEXT: &str = "juki card certificate 1";

/// A card certificate cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It cannot be read.
    #[error("the card's certificate cannot be read")]
    Malformed,
    /// The registrar did not sign it.
    #[error("the registrar did not sign the card's certificate")]
    Signature,
    /// It has expired.
    #[error("the card has expired")]
    Expired,
}

impl CardError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Malformed | Self::Signature => ErrorCode::CardUnknown,
            Self::Expired => ErrorCode::CardExpired,
        }
    }
}

/// The registrar's word on a card: whose it is and what it may be used for.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CardCertificate {
    /// Serial number of the card.
    #[prost(string, tag = "1")]
    pub serial: String,
    /// The operator.
    #[prost(string, tag = "2")]
    pub operator: String,
    /// The body the operator works for.
    #[prost(string, tag = "3")]
    pub body: String,
    /// Roles, as numbers of [`Role`].
    #[prost(uint32, repeated, tag = "4")]
    pub roles: Vec<u32>,
    /// The card's public key.
    #[prost(bytes = "vec", tag = "5")]
    pub key: Vec<u8>,
    /// Until when it may be used, in seconds since 1970.
    #[prost(uint64, tag = "6")]
    pub valid_until_s: u64,
    /// The registrar's signature.
    #[prost(bytes = "vec", tag = "7")]
    pub signature: Vec<u8>,
}

impl CardCertificate {
    /// Signs the certificate.
    #[must_use]
    pub fn signed(self, registrar: &SigningKey) -> Self {
        let unsigned = Self {
            signature: Vec::new(),
            ..self
        };
        let signature = registrar.sign(CONTEXT, &unsigned.encode_to_vec()).to_vec();
        Self {
            signature,
            ..unsigned
        }
    }

    /// Checks signature and validity and gives the card's key.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn verify(&self, registrar: &VerifyingKey, now_s: u64) -> Result<VerifyingKey, CardError> {
        let unsigned = Self {
            signature: Vec::new(),
            ..self.clone()
        };
        registrar
            .verify(CONTEXT, &unsigned.encode_to_vec(), &self.signature)
            .map_err(|_: SignatureError| CardError::Signature)?;
        if now_s > self.valid_until_s {
            return Err(CardError::Expired);
        }
        VerifyingKey::from_bytes(&self.key).map_err(|_| CardError::Malformed)
    }

    /// Whether the card carries a role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&(role as u32))
    }

    /// Whether the card carries one of these roles.
    #[must_use]
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }
}
