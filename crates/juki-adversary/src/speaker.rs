//! A peer in a node's place that speaks sealed sessions as the node would, and shows every frame.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use juki_dispatch::{OpenedFrame, Origin, Sessions};
use juki_domain::{NodeId, ServiceId};
use juki_runtime::{Calendar, Clock as _};
use juki_wire::{
    Flags, FrameKind, FrameParts, Header, Hello, MessageId, Priority, Refusal, VERSION,
};
use tokio::time::timeout;

use crate::report::Heard;
use crate::{Fault, RawLink, ShiftedClock, StolenNode, connect};

/// How long an answer may take. The other side's own limits are shorter.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message that was sealed.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its id.
    pub id: MessageId,
    /// The frame that carries it. After a reset it is another one.
    pub frame: Bytes,
}

/// A message that another node sent to the stolen one.
pub struct Overheard {
    /// Who said it.
    pub origin: Origin,
    /// To which service.
    pub service: ServiceId,
    /// What, opened with the stolen keys.
    pub body: Vec<u8>,
}

/// What came back to a message, with what it says where it was taken.
pub enum Answered {
    /// The body of the answer.
    Body(Vec<u8>),
    /// Anything else.
    Not(Heard),
}

/// The peer.
pub struct Speaker {
    me: NodeId,
    link: RawLink,
    sessions: Sessions,
    calendar_version: u32,
    clock: ShiftedClock,
    /// Frames as they went out last, by message.
    sent: Vec<Said>,
    overheard: VecDeque<Overheard>,
}

impl Speaker {
    /// Takes the place of a node that is not there, with its keys and a clock.
    ///
    /// # Errors
    /// [`Fault::Ended`] where the neighbour does not let it.
    pub async fn begin(stolen: &StolenNode, clock: ShiftedClock) -> Result<Self, Fault> {
        let (neighbour, address) = stolen.neighbour()?;
        let network = &stolen.config.node.network;
        let connection = connect(&stolen.keys.identity, network, &neighbour, address).await?;
        let link = connection.greet(hello(stolen, clock)).await?;
        Ok(Self {
            me: stolen.name().clone(),
            link,
            sessions: stolen.sessions(),
            calendar_version: stolen.config.calendar.version,
            clock,
            sent: Vec::new(),
            overheard: VecDeque::new(),
        })
    }

    /// Forgets all sessions and sets the clock, as a restart under another time would.
    pub fn restart(&mut self, stolen: &StolenNode, clock: ShiftedClock) {
        self.sessions = stolen.sessions();
        self.clock = clock;
        self.sent.clear();
    }

    /// A header as the node itself would write it, under no session.
    #[must_use]
    pub fn header(&self, service: ServiceId, destination: &NodeId) -> Header {
        Header {
            kind: FrameKind::Message,
            service,
            priority: Priority::Interactive,
            flags: Flags::default(),
            source: self.me.clone(),
            destination: destination.clone(),
            calendar_version: self.calendar_version,
            message_id: MessageId(juki_crypto::random_array(&juki_crypto::SystemRandomness)),
            session: [7; 16],
            sequence: 0,
        }
    }

    /// Seals a message and does not send it.
    ///
    /// # Errors
    /// [`Fault::Refused`] for a node that the directory does not name.
    pub fn seal(&mut self, to: &NodeId, service: ServiceId, body: Vec<u8>) -> Result<Said, Fault> {
        let how = (service, Priority::Interactive);
        let now_ms = self.clock.now_ms();
        let (id, frame) = self
            .sessions
            .seal(now_ms, to, how, (None, false), body)
            .map_err(|code| Fault::Refused(format!("{code}: {to}")))?;
        Ok(Said { id, frame })
    }

    /// Sends a frame, whatever it is.
    ///
    /// # Errors
    /// [`Fault::Ended`].
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), Fault> {
        self.link.send(frame).await
    }

    /// Seals a message, sends it, opens the session anew where that is asked for, and waits for the
    /// answer. Gives the frame that was answered too.
    ///
    /// # Errors
    /// [`Fault`] where it could not be sent at all.
    pub async fn ask(
        &mut self,
        to: &NodeId,
        service: ServiceId,
        body: Vec<u8>,
    ) -> Result<(Said, Answered), Fault> {
        let said = self.seal(to, service, body)?;
        self.send(&said.frame).await?;
        let id = said.id;
        self.sent.push(said.clone());
        let answered = self.answer(id).await;
        let last = self.sent.iter().rev().find(|sent| sent.id == id).cloned();
        self.sent.retain(|sent| sent.id != id);
        Ok((last.unwrap_or(said), answered))
    }

    /// Answers a message that was overheard.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn reply(
        &mut self,
        to: &Origin,
        service: ServiceId,
        body: Vec<u8>,
    ) -> Result<(), Fault> {
        let how = (service, to.priority);
        let id = (Some(to.message_id), true);
        let now_ms = self.clock.now_ms();
        let (_, frame) = self
            .sessions
            .seal(now_ms, &to.node, how, id, body)
            .map_err(|code| Fault::Refused(format!("{code}: {}", to.node)))?;
        self.send(&frame).await
    }

    /// Waits for the answer to a message that was sent.
    pub async fn answer(&mut self, id: MessageId) -> Answered {
        let waiting = async {
            loop {
                match self.take().await {
                    Err(Fault::Ended(ended)) => return Answered::Not(Heard::Ended(ended)),
                    Err(_) => return Answered::Not(Heard::Silence),
                    Ok(Taken::Message(heard)) if heard.origin.message_id == id => {
                        return Answered::Body(heard.body);
                    }
                    Ok(Taken::Message(heard)) => self.overheard.push_back(heard),
                    Ok(Taken::Refused(refused, refusal)) if refused == id => {
                        return Answered::Not(refused_by(refusal));
                    }
                    Ok(Taken::Reset(reset)) if reset == id => return Answered::Not(Heard::Reset),
                    Ok(Taken::Refused(..) | Taken::Reset(_) | Taken::Nothing) => {}
                }
            }
        };
        timeout(PATIENCE, waiting)
            .await
            .unwrap_or(Answered::Not(Heard::Silence))
    }

    /// Sends a frame made by hand and says what came back to its message, without taking part in any
    /// session for it.
    ///
    /// # Errors
    /// [`Fault`] where it could not be sent at all.
    pub async fn throw(&mut self, id: MessageId, frame: &[u8]) -> Result<Heard, Fault> {
        self.send(frame).await?;
        let waiting = async {
            loop {
                let frame = match self.link.next_frame().await {
                    Ok(frame) => frame,
                    Err(Fault::Ended(ended)) => return Heard::Ended(ended),
                    Err(_) => return Heard::Silence,
                };
                let Ok(parts) = FrameParts::decode(&frame) else {
                    continue;
                };
                if parts.header.message_id != id {
                    continue;
                }
                return match parts.header.kind {
                    FrameKind::Message => Heard::Taken,
                    FrameKind::Reset => Heard::Reset,
                    FrameKind::Refusal => {
                        refused_by(prost::Message::decode(parts.body).unwrap_or_default())
                    }
                };
            }
        };
        Ok(timeout(PATIENCE, waiting).await.unwrap_or(Heard::Silence))
    }

    /// Waits for a message that another node sends to the stolen one.
    ///
    /// # Errors
    /// [`Fault::Missing`] where none comes in time.
    pub async fn overhear(&mut self) -> Result<Overheard, Fault> {
        if let Some(heard) = self.overheard.pop_front() {
            return Ok(heard);
        }
        let waiting = async {
            loop {
                if let Taken::Message(heard) = self.take().await? {
                    return Ok(heard);
                }
            }
        };
        timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| Err(Fault::Missing("nobody said anything".to_owned())))
    }

    /// Takes the next frame, as the node's sessions do.
    async fn take(&mut self) -> Result<Taken, Fault> {
        let frame = self.link.next_frame().await?;
        let Ok(parts) = FrameParts::decode(&frame) else {
            return Ok(Taken::Nothing);
        };
        let id = parts.header.message_id;
        let is_reset = parts.header.kind == FrameKind::Reset;
        match self.sessions.open(self.clock.now_ms(), &parts) {
            OpenedFrame::Message {
                origin,
                service,
                body,
            } => Ok(Taken::Message(Overheard {
                origin,
                service,
                body,
            })),
            OpenedFrame::Refused {
                message_id,
                refusal,
                ..
            } => Ok(Taken::Refused(message_id, refusal)),
            OpenedFrame::Resend(frames) => {
                for (_, _, frame) in frames {
                    self.note_again(&frame);
                    self.link.send(&frame).await?;
                }
                Ok(Taken::Nothing)
            }
            OpenedFrame::Reject { answer, .. } => {
                if let Some(answer) = answer {
                    self.link.send(&answer).await?;
                }
                Ok(Taken::Nothing)
            }
            OpenedFrame::Nothing if is_reset => Ok(Taken::Reset(id)),
            OpenedFrame::Nothing => Ok(Taken::Nothing),
        }
    }

    fn note_again(&mut self, frame: &Bytes) {
        if let Ok((header, _)) = Header::decode(frame) {
            let id = header.message_id;
            if let Some(sent) = self.sent.iter_mut().find(|sent| sent.id == id) {
                sent.frame = frame.clone();
            }
        }
    }
}

enum Taken {
    Message(Overheard),
    Refused(MessageId, Refusal),
    Reset(MessageId),
    Nothing,
}

fn refused_by(refusal: Refusal) -> Heard {
    Heard::Refused {
        node: refusal.node,
        rule: refusal.rule,
        code: refusal.code,
    }
}

/// What the node would say of itself at this time.
pub(crate) fn hello(stolen: &StolenNode, clock: ShiftedClock) -> Hello {
    let section = &stolen.config.calendar;
    let calendar = Calendar {
        base: section.base,
        anchor_unix_s: section.anchor_unix_s,
        version: section.version,
    };
    Hello {
        version: VERSION,
        node: stolen.name().to_string(),
        network: stolen.config.node.network.clone(),
        calendar_version: section.version,
        civil_date: calendar.civil_date(clock.now_ms()).number(),
        revocation_number: 0,
        clock_ms: clock.now_ms(),
        program: String::new(),
        notices: Vec::new(),
        takes_over: false,
    }
}
