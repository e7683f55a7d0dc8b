//! Sealed sessions between two nodes, end to end through every firewall (design.md 2).
//!
//! One single-shot HPKE message (RFC 9180, base mode, X25519 and AES-256-GCM), signed by its
//! source, carries a fresh secret; HKDF-SHA-256 (RFC 5869) gives one AES-256-GCM key per
//! direction; the frame's header is the associated data and its sequence number the nonce.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use juki_domain::{ErrorCode, NodeId};
use prost::Message;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

use crate::{Randomness, SigningKey, StorageKey, VerifyingKey, random_array};

const OPENING_CONTEXT: &str = "juki session opening 1";
const HPKE_INFO: &[u8] = b"juki session secret 1";

/// The id of a session, drawn by its initiator.
pub type SessionId = [u8; 16];

/// A session cannot be opened or a body not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The opening cannot be read.
    #[error("the session's opening cannot be read")]
    Opening,
    /// The source did not sign the opening.
    #[error("the source did not sign the session")]
    Signature,
    /// The opening names another boot of the receiver: it is old, or was recorded and sent again.
    #[error("the opening is not for this run of the receiver")]
    Stale,
    /// This number was received before, or is too old to tell.
    #[error("the frame was received before")]
    Replayed,
    /// Key, header or body differ from what was sealed.
    #[error("the body does not open")]
    NotOpened,
}

impl SealError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Opening | Self::NotOpened => ErrorCode::BodyNotOpened,
            Self::Signature => ErrorCode::SourceSignatureWrong,
            Self::Stale => ErrorCode::SessionUnknown,
            Self::Replayed => ErrorCode::FrameReplayed,
        }
    }
}

/// A node's private key for receiving session secrets.
pub struct SealingKey {
    secret: Zeroizing<Vec<u8>>,
    public: SealingPublic,
}

/// The public half of a [`SealingKey`].
#[derive(Clone, PartialEq, Eq)]
pub struct SealingPublic(pub Vec<u8>);

impl SealingKey {
    /// A new key pair.
    ///
    /// # Errors
    /// [`SealError::Opening`] where the library has no random bytes.
    pub fn generate() -> Result<Self, SealError> {
        let (public, secret) = DH_KEM_X25519_HKDF_SHA256_AES_256
            .generate_key_pair()
            .map_err(|_| SealError::Opening)?;
        Ok(Self {
            secret: Zeroizing::new(secret.secret_bytes().to_vec()),
            public: SealingPublic(public.0),
        })
    }

    /// The key file's bytes: public half, then secret half.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(self.public.0.clone());
        bytes.extend_from_slice(&self.secret);
        bytes
    }

    /// Reads the key file's bytes.
    ///
    /// # Errors
    /// [`SealError::Opening`] where the length is not that of an X25519 pair.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let (public, secret) = bytes
            .split_at_checked(32)
            .filter(|(_, secret)| secret.len() == 32)
            .ok_or(SealError::Opening)?;
        Ok(Self {
            secret: Zeroizing::new(secret.to_vec()),
            public: SealingPublic(public.to_vec()),
        })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &SealingPublic {
        &self.public
    }

    /// Opens bytes that were sealed to this key outside of any session (a paper in an envelope).
    ///
    /// # Errors
    /// [`SealError::NotOpened`] where they were sealed to another key or for another purpose.
    pub fn open_envelope(&self, purpose: &[u8], envelope: &[u8]) -> Result<Vec<u8>, SealError> {
        let (encapsulated, ciphertext) =
            envelope.split_at_checked(32).ok_or(SealError::NotOpened)?;
        DH_KEM_X25519_HKDF_SHA256_AES_256
            .open(
                &EncapsulatedSecret(encapsulated.to_vec()),
                purpose,
                b"",
                ciphertext,
                &HpkePrivateKey::from(self.secret.to_vec()),
            )
            .map_err(|_| SealError::NotOpened)
    }
}

impl SealingPublic {
    /// Seals bytes so that only the holder of the private half can open them.
    ///
    /// # Errors
    /// [`SealError::Opening`] where this is no public key.
    pub fn seal_envelope(&self, purpose: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        let (encapsulated, ciphertext) = DH_KEM_X25519_HKDF_SHA256_AES_256
            .seal(purpose, b"", bytes, &HpkePublicKey(self.0.clone()))
            .map_err(|_| SealError::Opening)?;
        let mut envelope = encapsulated.0;
        envelope.extend_from_slice(&ciphertext);
        Ok(envelope)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl fmt::Debug for SealingPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingPublic(..)")
    }
}

/// The opening of a session, carried by every frame until the receiver has answered.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Opening {
    /// The session's id.
    #[prost(bytes = "vec", tag = "1")]
    pub session: Vec<u8>,
    /// Rises with every opening of the same source, so that an old one is told from a new one.
    #[prost(uint64, tag = "2")]
    pub counter: u64,
    /// The receiver's boot nonce.
    #[prost(bytes = "vec", tag = "3")]
    pub boot_nonce: Vec<u8>,
    /// The sealed secret.
    #[prost(bytes = "vec", tag = "4")]
    pub envelope: Vec<u8>,
    /// The source's signature over all of it and both names.
    #[prost(bytes = "vec", tag = "5")]
    pub signature: Vec<u8>,
}

/// Which end of a session this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The end that opened it.
    Initiator,
    /// The end that was asked.
    Responder,
}

/// One end of a session.
pub struct Session {
    id: SessionId,
    sending: StorageKey,
    receiving: StorageKey,
    next_sequence: u64,
    window: ReplayWindow,
}

impl Session {
    /// Opens a session to `peer`, whose boot nonce is known.
    ///
    /// # Errors
    /// [`SealError::Opening`] where the peer's key is none.
    pub fn open(
        randomness: &dyn Randomness,
        (me, key): (&NodeId, &SigningKey),
        (peer, peer_key): (&NodeId, &SealingPublic),
        boot_nonce: &[u8],
        counter: u64,
    ) -> Result<(Self, Opening), SealError> {
        let id: SessionId = random_array(randomness);
        let secret = Zeroizing::new(random_array::<32>(randomness));
        let envelope = peer_key.seal_envelope(HPKE_INFO, secret.as_ref())?;
        let mut opening = Opening {
            session: id.to_vec(),
            counter,
            boot_nonce: boot_nonce.to_vec(),
            envelope,
            signature: Vec::new(),
        };
        opening.signature = key
            .sign(OPENING_CONTEXT, &signed_part(&opening, me, peer))
            .to_vec();
        Ok((Self::new(id, &secret, Party::Initiator), opening))
    }

    /// Accepts an opening from `source` to `me`.
    ///
    /// # Errors
    /// A [`SealError`]; [`SealError::Stale`] asks the source for a new opening.
    pub fn accept(
        opening: &Opening,
        (source, source_key): (&NodeId, &VerifyingKey),
        (me, key): (&NodeId, &SealingKey),
        boot_nonce: &[u8],
        counter_before: u64,
    ) -> Result<Self, SealError> {
        let id: SessionId = opening
            .session
            .as_slice()
            .try_into()
            .map_err(|_| SealError::Opening)?;
        source_key
            .verify(
                OPENING_CONTEXT,
                &signed_part(opening, source, me),
                &opening.signature,
            )
            .map_err(|_| SealError::Signature)?;
        if opening.boot_nonce != boot_nonce || opening.counter <= counter_before {
            return Err(SealError::Stale);
        }
        let secret = Zeroizing::new(key.open_envelope(HPKE_INFO, &opening.envelope)?);
        let secret: &[u8; 32] = secret
            .as_slice()
            .try_into()
            .map_err(|_| SealError::Opening)?;
        Ok(Self::new(id, secret, Party::Responder))
    }

    fn new(id: SessionId, secret: &[u8; 32], party: Party) -> Self {
        let key = |direction: &[u8]| StorageKey::new(expand(&id, secret, direction));
        let (up, down) = (
            key(b"initiator to responder"),
            key(b"responder to initiator"),
        );
        let (sending, receiving) = match party {
            Party::Initiator => (up, down),
            Party::Responder => (down, up),
        };
        Self {
            id,
            sending,
            receiving,
            next_sequence: 0,
            window: ReplayWindow::default(),
        }
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Takes the next sequence number of the sending direction.
    pub fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// How many bytes sealing adds.
    pub const OVERHEAD: usize = 16;

    /// Seals a body under a sequence number taken before and the header that names it.
    #[must_use]
    pub fn seal(&self, sequence: u64, header: &[u8], body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(body.len() + Self::OVERHEAD);
        bytes.extend_from_slice(body);
        self.sending.seal(nonce(sequence), header, &mut bytes);
        bytes
    }

    /// Opens a body and marks its number as received.
    ///
    /// # Errors
    /// [`SealError::Replayed`] or [`SealError::NotOpened`].
    pub fn open_body(
        &mut self,
        sequence: u64,
        header: &[u8],
        body: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        if !self.window.is_new(sequence) {
            return Err(SealError::Replayed);
        }
        let mut bytes = body.to_vec();
        self.receiving
            .open(nonce(sequence), header, &mut bytes)
            .map_err(|_| SealError::NotOpened)?;
        self.window.mark(sequence);
        Ok(bytes)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(..)")
    }
}

/// Which of the last 1,024 numbers were received.
#[derive(Debug, Clone, Default)]
pub struct ReplayWindow {
    /// One more than the highest number received.
    end: u64,
    seen: [u64; Self::WORDS],
}

impl ReplayWindow {
    const WORDS: usize = 16;
    /// How far back a late frame may be.
    pub const SIZE: u64 = 64 * Self::WORDS as u64;

    /// Whether the number was not received yet and is not too old to tell.
    #[must_use]
    pub fn is_new(&self, number: u64) -> bool {
        number != u64::MAX
            && (number >= self.end || (self.end - number <= Self::SIZE && !self.bit(number)))
    }

    /// Marks a number as received.
    pub fn mark(&mut self, number: u64) {
        if number >= self.end {
            let from = if number - self.end >= Self::SIZE {
                number + 1 - Self::SIZE.min(number + 1)
            } else {
                self.end
            };
            for passed in from..=number {
                self.set(passed, false);
            }
            self.end = number + 1;
        }
        self.set(number, true);
    }

    fn bit(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.seen.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }

    fn set(&mut self, number: u64, value: bool) {
        let (word, bit) = Self::place(number);
        if let Some(bits) = self.seen.get_mut(word) {
            *bits = *bits & !(1 << bit) | u64::from(value) << bit;
        }
    }

    fn place(number: u64) -> (usize, u64) {
        (
            usize::try_from(number / 64 % Self::WORDS as u64).unwrap_or(0),
            number % 64,
        )
    }
}

fn signed_part(opening: &Opening, source: &NodeId, destination: &NodeId) -> Vec<u8> {
    let unsigned = Opening {
        signature: Vec::new(),
        ..opening.clone()
    };
    let mut bytes = unsigned.encode_length_delimited_to_vec();
    for name in [source, destination] {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.push(0);
    }
    bytes
}

fn expand(salt: &[u8], secret: &[u8; 32], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let info = [info];
    let filled = Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(&info, HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key));
    // The library refuses only outputs of more than 255 blocks.
    assert!(filled.is_ok(), "HKDF refused 32 bytes");
    key
}

fn nonce(sequence: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
        *to = from;
    }
    nonce
}

#[cfg(test)]
mod tests;
