//! The sealed sessions of one node with all others.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use juki_crypto::{
    Directory, Opening, Randomness, SealError, SealingKey, Session, SessionId, SigningKey,
    random_array,
};
use juki_domain::{ErrorCode, NodeId, ServiceId};
use juki_wire::{Flags, FrameKind, FrameParts, Header, MessageId, Priority, Refusal, Reset};
use prost::Message as _;

use crate::Origin;

/// Messages kept per peer until the session is confirmed or the answer has come, and their bytes.
const AWAITING_MAX: usize = 4096;
const AWAITING_BYTES_MAX: usize = 8 << 20;
/// How long a message is kept, in milliseconds. By then whoever asked has asked again or given up,
/// and a word that nobody answers is old.
const AWAITING_MS_MAX: u64 = 60_000;
/// Sessions kept per peer: the current one and one whose late frames may still come.
const SESSIONS_PER_PEER: usize = 2;

/// What an incoming frame turned out to be.
pub enum OpenedFrame {
    /// A message for one of this node's services.
    Message {
        /// Who said it.
        origin: Origin,
        /// To which service.
        service: ServiceId,
        /// What.
        body: Vec<u8>,
    },
    /// A message of this node was refused.
    Refused {
        /// Which.
        message_id: MessageId,
        /// Of which service.
        service: ServiceId,
        /// By whom and why.
        refusal: Refusal,
    },
    /// These frames go out, nothing else happens: a session was unknown here or there.
    Resend(Vec<(NodeId, Priority, Bytes)>),
    /// The frame is refused and answered so.
    Reject {
        /// Why.
        code: ErrorCode,
        /// The source it names.
        source: NodeId,
        /// The message.
        message_id: MessageId,
        /// What goes back.
        answer: Option<Bytes>,
    },
    /// Nothing is to be done.
    Nothing,
}

struct Open {
    peer: NodeId,
    session: Session,
    /// The opening travels with every frame until the peer has said something under the session.
    opening: Option<Vec<u8>>,
}

#[derive(Clone)]
struct Awaiting {
    since_ms: u64,
    message_id: MessageId,
    service: ServiceId,
    priority: Priority,
    reply: bool,
    body: Vec<u8>,
}

#[derive(Default)]
struct Peer {
    sessions: VecDeque<SessionId>,
    boot_nonce: Vec<u8>,
    counter_seen: u64,
    awaiting: VecDeque<Awaiting>,
    awaiting_bytes: usize,
}

/// All sessions of a node. Nothing of it is stored: after a restart both ends open anew.
pub struct Sessions {
    me: NodeId,
    signing: Arc<SigningKey>,
    sealing: Arc<SealingKey>,
    directory: Arc<Directory>,
    randomness: Arc<dyn Randomness>,
    boot_nonce: [u8; 16],
    calendar_version: u32,
    counter: u64,
    open: HashMap<SessionId, Open>,
    peers: HashMap<NodeId, Peer>,
}

impl Sessions {
    /// No session yet.
    #[must_use]
    pub fn new(
        me: NodeId,
        signing: Arc<SigningKey>,
        sealing: Arc<SealingKey>,
        directory: Arc<Directory>,
        randomness: Arc<dyn Randomness>,
        calendar_version: u32,
    ) -> Self {
        let boot_nonce = random_array(randomness.as_ref());
        Self {
            me,
            signing,
            sealing,
            directory,
            randomness,
            boot_nonce,
            calendar_version,
            counter: 0,
            open: HashMap::new(),
            peers: HashMap::new(),
        }
    }

    /// Seals a message and says how it is framed. It is kept until it is answered, or until the
    /// peer has confirmed the session, so that a reset loses nothing.
    ///
    /// # Errors
    /// [`ErrorCode::NoRoute`] for a node that the directory does not name.
    pub fn seal(
        &mut self,
        now_ms: u64,
        to: &NodeId,
        (service, priority): (ServiceId, Priority),
        (message_id, reply): (Option<MessageId>, bool),
        body: Vec<u8>,
    ) -> Result<(MessageId, Bytes), ErrorCode> {
        let message_id =
            message_id.unwrap_or_else(|| MessageId(random_array(self.randomness.as_ref())));
        let message = Awaiting {
            since_ms: now_ms,
            message_id,
            service,
            priority,
            reply,
            body,
        };
        let frame = self.seal_message(now_ms, to, &message)?;
        let unconfirmed = self.current(to).is_some_and(|open| open.opening.is_some());
        if unconfirmed || !reply {
            let peer = self.peers.entry(to.clone()).or_default();
            peer.awaiting_bytes += message.body.len();
            peer.awaiting.push_back(message);
            let old = |message: &Awaiting| message.since_ms + AWAITING_MS_MAX < now_ms;
            while peer.awaiting.len() > AWAITING_MAX
                || peer.awaiting_bytes > AWAITING_BYTES_MAX
                || peer.awaiting.front().is_some_and(old)
            {
                let Some(oldest) = peer.awaiting.pop_front() else {
                    break;
                };
                peer.awaiting_bytes -= oldest.body.len();
            }
        }
        Ok((message_id, frame))
    }

    /// A message will not be answered any more, or need not be.
    pub fn settle(&mut self, peer: &NodeId, message_id: MessageId) {
        if let Some(peer) = self.peers.get_mut(peer)
            && let Some(at) = peer
                .awaiting
                .iter()
                .position(|message| message.message_id == message_id)
            && let Some(settled) = peer.awaiting.remove(at)
        {
            peer.awaiting_bytes -= settled.body.len();
        }
    }

    /// Reads a frame addressed to this node.
    pub fn open(&mut self, now_ms: u64, frame: &FrameParts) -> OpenedFrame {
        let header = &frame.header;
        if header.destination != self.me {
            return self.reject(header, ErrorCode::NoRoute);
        }
        match header.kind {
            FrameKind::Message => self.open_message(frame),
            FrameKind::Refusal => {
                // Anybody on the way may have said this: the message is not said again by itself, and the
                // service that sent it decides.
                let refusal = Refusal::decode(frame.body.as_ref()).unwrap_or_default();
                self.settle(&header.source, header.message_id);
                OpenedFrame::Refused {
                    message_id: header.message_id,
                    service: header.service,
                    refusal,
                }
            }
            FrameKind::Reset => self.on_reset(now_ms, header, &frame.body),
        }
    }

    fn current(&self, peer: &NodeId) -> Option<&Open> {
        self.peers
            .get(peer)
            .and_then(|peer| peer.sessions.back())
            .and_then(|id| self.open.get(id))
    }

    fn seal_message(
        &mut self,
        now_ms: u64,
        to: &NodeId,
        message: &Awaiting,
    ) -> Result<Bytes, ErrorCode> {
        if self.current(to).is_none() {
            self.open_session(now_ms, to)?;
        }
        let id = self
            .peers
            .get(to)
            .and_then(|peer| peer.sessions.back())
            .copied()
            .ok_or(ErrorCode::NoRoute)?;
        let open = self.open.get_mut(&id).ok_or(ErrorCode::NoRoute)?;
        let sequence = open.session.take_sequence();
        let header = Header {
            kind: FrameKind::Message,
            service: message.service,
            priority: message.priority,
            flags: Flags {
                opening: open.opening.is_some(),
                reply: message.reply,
            },
            source: self.me.clone(),
            destination: to.clone(),
            calendar_version: self.calendar_version,
            message_id: message.message_id,
            session: id,
            sequence,
        };
        let opening_len = open.opening.as_ref().map_or(0, |opening| opening.len() + 2);
        let body_len = opening_len + message.body.len() + Session::OVERHEAD;
        let mut bytes = header.encode(body_len).map_err(|error| error.code())?;
        let sealed = open.session.seal(sequence, &bytes, &message.body);
        if let Some(opening) = &open.opening {
            bytes.extend_from_slice(&u16::try_from(opening.len()).unwrap_or(0).to_be_bytes());
            bytes.extend_from_slice(opening);
        }
        bytes.extend_from_slice(&sealed);
        Ok(bytes.freeze())
    }

    fn open_session(&mut self, now_ms: u64, to: &NodeId) -> Result<(), ErrorCode> {
        let key = &self.directory.entry(to).ok_or(ErrorCode::NoRoute)?.sealing;
        // Rises within a run and, with the machine's clock, from run to run.
        self.counter = now_ms.max(self.counter + 1);
        let boot_nonce = self.peers.get(to).map_or(&[][..], |peer| &peer.boot_nonce);
        let (session, opening) = Session::open(
            self.randomness.as_ref(),
            (&self.me, &self.signing),
            (to, key),
            boot_nonce,
            self.counter,
        )
        .map_err(|error| error.code())?;
        self.install(to.clone(), session, Some(opening.encode_to_vec()));
        Ok(())
    }

    fn install(&mut self, peer: NodeId, session: Session, opening: Option<Vec<u8>>) {
        let id = session.id();
        let entry = self.peers.entry(peer.clone()).or_default();
        entry.sessions.push_back(id);
        if entry.sessions.len() > SESSIONS_PER_PEER
            && let Some(oldest) = entry.sessions.pop_front()
        {
            self.open.remove(&oldest);
        }
        self.open.insert(
            id,
            Open {
                peer,
                session,
                opening,
            },
        );
    }

    fn open_message(&mut self, frame: &FrameParts) -> OpenedFrame {
        let header = &frame.header;
        let (opening, sealed) = match split_opening(header, &frame.body) {
            Ok(parts) => parts,
            Err(code) => return self.reject(header, code),
        };
        if !self.open.contains_key(&header.session) {
            let accepted = opening
                .ok_or(SealError::Stale)
                .and_then(|opening| self.accept(header, opening));
            match accepted {
                Ok(()) => {}
                Err(SealError::Stale) => return self.ask_for_opening(header),
                Err(error) => return self.reject(header, error.code()),
            }
        }
        let Some(open) = self
            .open
            .get_mut(&header.session)
            .filter(|open| open.peer == header.source)
        else {
            return self.reject(header, ErrorCode::SourceSignatureWrong);
        };
        match open
            .session
            .open_body(header.sequence, &frame.header_bytes, sealed)
        {
            Ok(body) => {
                if open.opening.take().is_some() {
                    self.confirm(&header.source);
                }
                if header.flags.reply {
                    self.settle(&header.source, header.message_id);
                }
                let origin = Origin {
                    node: header.source.clone(),
                    message_id: header.message_id,
                    reply: header.flags.reply,
                    priority: header.priority,
                };
                OpenedFrame::Message {
                    origin,
                    service: header.service,
                    body,
                }
            }
            Err(error) => self.reject(header, error.code()),
        }
    }

    fn accept(&mut self, header: &Header, opening: &[u8]) -> Result<(), SealError> {
        let opening = Opening::decode(opening).map_err(|_| SealError::Opening)?;
        if opening.session != header.session {
            return Err(SealError::Opening);
        }
        let source_key = self
            .directory
            .entry(&header.source)
            .ok_or(SealError::Signature)?
            .signing;
        let before = self
            .peers
            .get(&header.source)
            .map_or(0, |peer| peer.counter_seen);
        let session = Session::accept(
            &opening,
            (&header.source, &source_key),
            (&self.me, &self.sealing),
            &self.boot_nonce,
            before,
        );
        if matches!(session, Err(SealError::Stale)) && opening.boot_nonce == self.boot_nonce {
            self.renew_nonce();
        }
        let session = session?;
        self.install(header.source.clone(), session, None);
        if let Some(peer) = self.peers.get_mut(&header.source) {
            peer.counter_seen = opening.counter;
        }
        Ok(())
    }

    /// The source's clock went back, or somebody sends again what it sent before. Under another nonce
    /// the source can open anew, and no recorded opening fits.
    fn renew_nonce(&mut self) {
        self.boot_nonce = random_array(self.randomness.as_ref());
        for peer in self.peers.values_mut() {
            peer.counter_seen = 0;
        }
    }

    /// The peer spoke under the session: only what waits for an answer is kept.
    fn confirm(&mut self, peer: &NodeId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.awaiting.retain(|message| !message.reply);
            peer.awaiting_bytes = peer.awaiting.iter().map(|message| message.body.len()).sum();
        }
    }

    fn on_reset(&mut self, now_ms: u64, header: &Header, body: &[u8]) -> OpenedFrame {
        let Ok(reset) = Reset::decode(body) else {
            return OpenedFrame::Nothing;
        };
        let peer_name = header.source.clone();
        let Ok(id) = SessionId::try_from(reset.session.as_slice()) else {
            return OpenedFrame::Nothing;
        };
        let Some(peer) = self.peers.get_mut(&peer_name) else {
            return OpenedFrame::Nothing;
        };
        // A session can be reset only once: a forged reset costs one opening.
        let Some(at) = peer
            .sessions
            .iter()
            .position(|known| *known == id)
            .filter(|_| reset.boot_nonce.len() <= 32)
        else {
            return OpenedFrame::Nothing;
        };
        // A later session was opened by the peer's new run itself, or towards it: dropping that too
        // would make the peer ask in turn, and so on without end.
        for id in peer.sessions.drain(..=at) {
            self.open.remove(&id);
        }
        peer.boot_nonce = reset.boot_nonce;
        let awaiting: Vec<Awaiting> = peer
            .awaiting
            .iter()
            .filter(|message| message.since_ms + AWAITING_MS_MAX >= now_ms)
            .cloned()
            .collect();
        let frames = awaiting.iter().filter_map(|message| {
            Some((
                peer_name.clone(),
                message.priority,
                self.seal_message(now_ms, &peer_name, message).ok()?,
            ))
        });
        OpenedFrame::Resend(frames.collect())
    }

    fn ask_for_opening(&self, header: &Header) -> OpenedFrame {
        let reset = Reset {
            boot_nonce: self.boot_nonce.to_vec(),
            session: header.session.to_vec(),
        };
        let frame = reset
            .frame_for(header)
            .map(|frame| (header.source.clone(), header.priority, frame));
        OpenedFrame::Resend(frame.into_iter().collect())
    }

    fn reject(&self, header: &Header, code: ErrorCode) -> OpenedFrame {
        let refusal = Refusal {
            node: self.me.to_string(),
            rule: "session".to_owned(),
            code: code.code().to_owned(),
        };
        OpenedFrame::Reject {
            code,
            source: header.source.clone(),
            message_id: header.message_id,
            answer: refusal.frame_for(header),
        }
    }
}

fn split_opening<'a>(
    header: &Header,
    body: &'a [u8],
) -> Result<(Option<&'a [u8]>, &'a [u8]), ErrorCode> {
    if !header.flags.opening {
        return Ok((None, body));
    }
    let (len, rest) = body
        .split_first_chunk::<2>()
        .ok_or(ErrorCode::FrameTruncated)?;
    let (opening, sealed) = rest
        .split_at_checked(usize::from(u16::from_be_bytes(*len)))
        .ok_or(ErrorCode::FrameTruncated)?;
    Ok((Some(opening), sealed))
}

#[cfg(test)]
mod tests;
