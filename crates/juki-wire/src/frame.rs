//! The frame: a clear header that firewalls read, and a body that only the destination opens.

use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};
use juki_domain::{ErrorCode, NodeId, ServiceId};

/// Longest frame in bytes, header included: a block of 256 KiB with room for its envelope.
pub const FRAME_BYTES_MAX: usize = 512 * 1024;

const VERSION: u8 = 1;
/// version, kind, service, priority, flags, source length, destination length, reserved zero,
/// calendar version u32, body length u32, message id 16, session id 16, sequence u64
const FIXED_LEN: usize = 8 + 4 + 4 + 16 + 16 + 8;

/// A frame cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Fewer bytes than the header or its lengths promise.
    #[error("the frame ends too early")]
    Truncated,
    /// More bytes than a frame may have, or than its lengths promise.
    #[error("the frame is too long")]
    TooLong,
    /// Another version of the header.
    #[error("frame version {0} is not spoken here")]
    Version(u8),
    /// A field holds a value that means nothing.
    #[error("the frame's {0} means nothing")]
    Garbage(&'static str),
    /// A service number that this version does not know.
    #[error("service {0} is unknown")]
    Service(u8),
}

impl WireError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Truncated => ErrorCode::FrameTruncated,
            Self::TooLong => ErrorCode::FrameTooLong,
            Self::Version(_) => ErrorCode::FrameVersion,
            Self::Garbage(_) => ErrorCode::FrameGarbage,
            Self::Service(_) => ErrorCode::ServiceUnknown,
        }
    }
}

/// What a frame is. Refusals and resets carry an unsealed body of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// A sealed message of a service.
    Message = 1,
    /// A node on the way, or the destination, refused the frame with this message id.
    Refusal = 2,
    /// The destination does not know the session: seal the message anew.
    Reset = 3,
}

/// How urgent a frame is. Bulk frames travel on a stream of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Priority {
    /// Questions with a person waiting.
    Interactive = 1,
    /// Journal blocks and files.
    Bulk = 2,
}

/// Flags of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// The body begins with the opening of a session.
    pub opening: bool,
    /// The frame answers the message with the same id.
    pub reply: bool,
}

/// The id of one message, the same at every hop and in its answer; random, so that nobody guesses
/// another's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 16]);

impl MessageId {
    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        u128::from_str_radix(text, 16)
            .ok()
            .map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The clear header: all that a firewall may read. It is the associated data of the sealed body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: FrameKind,
    /// The service.
    pub service: ServiceId,
    /// The urgency.
    pub priority: Priority,
    /// The flags.
    pub flags: Flags,
    /// The node that sealed the body.
    pub source: NodeId,
    /// The node that can open it.
    pub destination: NodeId,
    /// The version of the network calendar at the source.
    pub calendar_version: u32,
    /// The id of the message.
    pub message_id: MessageId,
    /// The session the body is sealed under; zero in refusals and resets.
    pub session: [u8; 16],
    /// The number within the session's direction, which is the nonce.
    pub sequence: u64,
}

/// A decoded frame that still holds its original bytes.
#[derive(Debug, Clone)]
pub struct FrameParts {
    /// The header.
    pub header: Header,
    /// The header's bytes: the associated data of the body.
    pub header_bytes: Bytes,
    /// The body.
    pub body: Bytes,
}

impl Header {
    /// The header's bytes for a body of this length.
    ///
    /// # Errors
    /// [`WireError::TooLong`] where header and body exceed [`FRAME_BYTES_MAX`].
    pub fn encode(&self, body_len: usize) -> Result<BytesMut, WireError> {
        let (source, destination) = (
            self.source.as_str().as_bytes(),
            self.destination.as_str().as_bytes(),
        );
        let len = FIXED_LEN + source.len() + destination.len();
        let too_long = |_| WireError::TooLong;
        if len + body_len > FRAME_BYTES_MAX {
            return Err(WireError::TooLong);
        }
        let mut bytes = BytesMut::with_capacity(len + body_len);
        bytes.put_u8(VERSION);
        bytes.put_u8(self.kind as u8);
        bytes.put_u8(self.service as u8);
        bytes.put_u8(self.priority as u8);
        bytes.put_u8(u8::from(self.flags.opening) | u8::from(self.flags.reply) << 1);
        bytes.put_u8(u8::try_from(source.len()).map_err(too_long)?);
        bytes.put_u8(u8::try_from(destination.len()).map_err(too_long)?);
        bytes.put_u8(0);
        bytes.put_u32(self.calendar_version);
        bytes.put_u32(u32::try_from(body_len).map_err(too_long)?);
        bytes.put_slice(&self.message_id.0);
        bytes.put_slice(&self.session);
        bytes.put_u64(self.sequence);
        bytes.put_slice(source);
        bytes.put_slice(destination);
        Ok(bytes)
    }

    /// The whole frame of a header and a body.
    ///
    /// # Errors
    /// [`WireError::TooLong`] where they exceed [`FRAME_BYTES_MAX`].
    pub fn frame(&self, body: &[u8]) -> Result<Bytes, WireError> {
        let mut bytes = self.encode(body.len())?;
        bytes.put_slice(body);
        Ok(bytes.freeze())
    }

    /// Reads a header and the length of its body without touching the body.
    ///
    /// # Errors
    /// A [`WireError`] that says what is wrong with the frame.
    pub fn decode(frame: &[u8]) -> Result<(Self, usize), WireError> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(WireError::TooLong);
        }
        let mut reader = Reader(frame);
        let [
            version,
            kind,
            service,
            priority,
            flags,
            source_len,
            destination_len,
            reserved,
        ] = reader.array::<8>()?;
        if version != VERSION {
            return Err(WireError::Version(version));
        }
        let kind = match kind {
            1 => FrameKind::Message,
            2 => FrameKind::Refusal,
            3 => FrameKind::Reset,
            _ => return Err(WireError::Garbage("kind")),
        };
        let service = ServiceId::from_number(service).ok_or(WireError::Service(service))?;
        let priority = match priority {
            1 => Priority::Interactive,
            2 => Priority::Bulk,
            _ => return Err(WireError::Garbage("priority")),
        };
        if flags > 3 || reserved != 0 {
            return Err(WireError::Garbage("flags"));
        }
        let flags = Flags {
            opening: flags & 1 != 0,
            reply: flags & 2 != 0,
        };
        let calendar_version = u32::from_be_bytes(reader.array()?);
        let body_len =
            usize::try_from(u32::from_be_bytes(reader.array()?)).map_err(|_| WireError::TooLong)?;
        let message_id = MessageId(reader.array()?);
        let session = reader.array()?;
        let sequence = u64::from_be_bytes(reader.array()?);
        let source = reader.node(source_len, "source")?;
        let destination = reader.node(destination_len, "destination")?;
        match reader.0.len() {
            left if left < body_len => Err(WireError::Truncated),
            left if left > body_len => Err(WireError::TooLong),
            _ => Ok((
                Self {
                    kind,
                    service,
                    priority,
                    flags,
                    source,
                    destination,
                    calendar_version,
                    message_id,
                    session,
                    sequence,
                },
                body_len,
            )),
        }
    }
}

impl FrameParts {
    /// Splits a frame into header and body, both sharing the frame's memory.
    ///
    /// # Errors
    /// A [`WireError`] that says what is wrong with the frame.
    pub fn decode(frame: &Bytes) -> Result<Self, WireError> {
        let (header, body_len) = Header::decode(frame)?;
        let split = frame.len() - body_len;
        Ok(Self {
            header,
            header_bytes: frame.slice(..split),
            body: frame.slice(split..),
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn node(&mut self, len: u8, what: &'static str) -> Result<NodeId, WireError> {
        let (head, rest) = self
            .0
            .split_at_checked(usize::from(len))
            .ok_or(WireError::Truncated)?;
        self.0 = rest;
        std::str::from_utf8(head)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(WireError::Garbage(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header {
            kind: FrameKind::Message,
            service: ServiceId::Journal,
            priority: Priority::Bulk,
            flags: Flags {
                opening: true,
                reply: false,
            },
            source: "cs-352047".parse().unwrap(),
            destination: "prefecture-35".parse().unwrap(),
            calendar_version: 7,
            message_id: MessageId([1; 16]),
            session: [2; 16],
            sequence: 3,
        }
    }

    #[test]
    fn the_bytes_of_a_header_are_the_documented_ones() {
        let bytes = header().frame(b"body").unwrap();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "010101020109 0d00 00000007 00000004 01010101010101010101010101010101 02020202020202020202020202020202 0000000000000003 63732d333532303437 707265666563747572652d3335 626f6479"
                .replace(' ', "")
        );
    }

    #[test]
    fn every_cut_and_every_surplus_byte_is_refused() {
        let frame = header().frame(b"body").unwrap();
        for len in 0..frame.len() {
            assert_eq!(
                Header::decode(&frame[..len]),
                Err(WireError::Truncated),
                "cut at {len}"
            );
        }
        let mut longer = frame.to_vec();
        longer.push(0);
        assert_eq!(Header::decode(&longer), Err(WireError::TooLong));
        assert_eq!(
            Header::decode(&vec![1; FRAME_BYTES_MAX + 1]),
            Err(WireError::TooLong)
        );
        assert_eq!(
            header().frame(&vec![0; FRAME_BYTES_MAX]),
            Err(WireError::TooLong)
        );
    }

    #[test]
    fn other_versions_services_and_kinds_are_named() {
        let with = |at: usize, value: u8| {
            let mut frame = header().frame(b"").unwrap().to_vec();
            frame[at] = value;
            Header::decode(&frame)
        };
        assert_eq!(with(0, 9), Err(WireError::Version(9)));
        assert_eq!(with(1, 0), Err(WireError::Garbage("kind")));
        assert_eq!(with(2, 200), Err(WireError::Service(200)));
        assert_eq!(with(3, 0), Err(WireError::Garbage("priority")));
        assert_eq!(with(4, 4), Err(WireError::Garbage("flags")));
        assert_eq!(with(7, 1), Err(WireError::Garbage("flags")));
    }

    proptest! {
        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Header::decode(&bytes);
        }

        #[test]
        fn decoding_a_damaged_frame_never_panics(at in 0usize..80, value in any::<u8>()) {
            let mut frame = header().frame(b"0123").unwrap().to_vec();
            if let Some(byte) = frame.get_mut(at) { *byte = value; }
            let _ = Header::decode(&frame);
        }

        #[test]
        fn a_frame_reads_back(sequence in any::<u64>(), id in any::<[u8; 16]>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let header = Header { sequence, message_id: MessageId(id), ..header() };
            let parts = FrameParts::decode(&header.frame(&body).unwrap()).unwrap();
            prop_assert_eq!(&parts.header, &header);
            prop_assert_eq!(&parts.body[..], &body[..]);
            prop_assert_eq!(MessageId::parse(&header.message_id.to_string()), Some(header.message_id));
        }
    }
}
