//! What comes of a frame: a message for a service, or a refusal.

use bytes::Bytes;
use juki_domain::{CivilDate, ErrorCode, ServiceId};
use juki_wire::{Flags, FrameKind, FrameParts, Header, Priority, Refusal};

use super::Sequencer;
use crate::{Emit, LedgerPort, OpenedFrame, Origin, Output, TurnError};

impl<L: LedgerPort> Sequencer<L> {
    pub(super) fn take_frame(
        &mut self,
        now: (u64, CivilDate),
        frame: &Bytes,
        held: &mut Vec<Emit>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        // The link has judged the frame's form already; one that does not read is not answered
        // twice.
        let Ok(parts) = FrameParts::decode(frame) else {
            return Ok(());
        };
        let opened = self.sessions.open(now.0, &parts);
        let code = match &opened {
            OpenedFrame::Reject { code, .. } => Some(*code),
            OpenedFrame::Message { .. }
            | OpenedFrame::Refused { .. }
            | OpenedFrame::Resend(_)
            | OpenedFrame::Nothing => None,
        };
        let header = &parts.header;
        self.received
            .note(now.0, &header.source, (header.service, code), frame.len());
        match opened {
            OpenedFrame::Message {
                origin,
                service,
                body,
            } => self.take_message(now, (&origin, service), &body, held, say),
            OpenedFrame::Refused {
                message_id,
                service,
                refusal,
            } => {
                let step = self.decide(now, service.name(), |service, context, view| {
                    service.on_refused(context, message_id, &refusal, view)
                });
                self.take_step(now, step, held, say)
            }
            OpenedFrame::Resend(frames) => {
                for (destination, priority, frame) in frames {
                    say(Output::Frame {
                        destination,
                        priority,
                        frame,
                    });
                }
                Ok(())
            }
            OpenedFrame::Reject {
                code,
                source,
                message_id,
                answer,
            } => {
                if let Some(frame) = answer {
                    say(Output::Frame {
                        destination: source.clone(),
                        priority: Priority::Interactive,
                        frame,
                    });
                }
                self.record_security(now.0, source.to_string(), code, message_id.to_string())?;
                say(Output::Refused {
                    source,
                    code,
                    message_id,
                });
                Ok(())
            }
            OpenedFrame::Nothing => Ok(()),
        }
    }

    fn take_message(
        &mut self,
        now: (u64, CivilDate),
        (origin, service): (&Origin, ServiceId),
        body: &[u8],
        held: &mut Vec<Emit>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        let known = self
            .services
            .iter()
            .any(|known| known.name() == service.name());
        // Reports on nodes hold no personal data, and are needed most when something is wrong.
        let blocked = self.blocked.filter(|_| service != ServiceId::Monitor);
        if let Some(code) = blocked.or_else(|| (!known).then_some(ErrorCode::ServiceUnknown)) {
            if !origin.reply {
                self.refuse(origin, service, code, say);
            }
            return Ok(());
        }
        let step = self.decide(now, service.name(), |service, context, view| {
            service.on_message(context, origin, body, view)
        });
        self.take_step(now, step, held, say)
    }

    fn refuse(
        &self,
        origin: &Origin,
        service: ServiceId,
        code: ErrorCode,
        say: &mut dyn FnMut(Output),
    ) {
        let refusal = Refusal {
            node: self.identity.node.to_string(),
            rule: "service".to_owned(),
            code: code.code().to_owned(),
        };
        let header = Header {
            kind: FrameKind::Message,
            service,
            priority: origin.priority,
            flags: Flags::default(),
            source: origin.node.clone(),
            destination: self.identity.node.clone(),
            calendar_version: self.identity.calendar_version,
            message_id: origin.message_id,
            session: [0; 16],
            sequence: 0,
        };
        if let Some(frame) = refusal.frame_for(&header) {
            say(Output::Frame {
                destination: origin.node.clone(),
                priority: origin.priority,
                frame,
            });
        }
    }
}
