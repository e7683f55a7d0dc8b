//! Orders at the registrar: who ordered what, before it is signed with the registrar's key.
//!
//! A system manager's card signs the very thing that is ordered; the order is durable in the ledger
//! before anything comes of it.

use juki_access::{ActJudge, Role, SignedAct};
use juki_crypto::VerifyingKey;
use juki_dispatch::{Context, Origin, Service, Step, Ticket, View};
use juki_domain::ErrorCode;
use juki_ledger::{Entry, EntryKind};
use prost::Message;

use crate::cards;

/// A system manager ordered a legal-basis table.
pub const BASIS_ORDERED: EntryKind = EntryKind(82);
/// A system manager ordered that a node's certificate be revoked.
pub const REVOCATION_ORDERED: EntryKind = EntryKind(101);

/// What can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The subject of the signed acts: an act of one is nothing to another.
    pub acts: &'static str,
    /// The name under which the national center's own interface asks.
    pub service: &'static str,
    kind: EntryKind,
}

/// Legal-basis tables; the act is a [`BasisAct`].
pub const BASIS: Subject = Subject {
    acts: "legal-basis",
    service: "registrar-basis",
    kind: BASIS_ORDERED,
};

/// Revocation of nodes' certificates; the act is a [`RevocationAct`].
pub const REVOCATION: Subject = Subject {
    acts: "revocation",
    service: "registrar-revocation",
    kind: REVOCATION_ORDERED,
};

/// The table by its digest, and the number it is to have, so that an order for an older state of
/// things is none.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BasisAct {
    /// The number.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// SHA-256 of the table's text.
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
}

/// Which certificate is revoked.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RevocationAct {
    /// The node's name.
    #[prost(string, tag = "1")]
    pub node: String,
    /// The certificate's serial.
    #[prost(bytes = "vec", tag = "2")]
    pub serial: Vec<u8>,
}

/// An order with what it has to be for.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct OrderAsk {
    /// The signed order.
    #[prost(message, optional, tag = "1")]
    pub signed: Option<SignedAct>,
    /// The act that would be done: what the card signed has to be this.
    #[prost(bytes = "vec", tag = "2")]
    pub act: Vec<u8>,
}

/// Whether it may be done: the order is durable then.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct OrderAnswer {
    /// The code of a refusal; empty where the order was taken.
    #[prost(string, tag = "1")]
    pub failure: String,
    /// The operator whose order it is.
    #[prost(string, tag = "2")]
    pub by: String,
}

/// The payload of an entry that records an order.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Order {
    /// When, in milliseconds since 1970 on the machine's clock.
    #[prost(uint64, tag = "1")]
    pub at_ms: u64,
    /// The civil date, yyyymmdd.
    #[prost(uint32, tag = "2")]
    pub civil_date: u32,
    /// The operator.
    #[prost(string, tag = "3")]
    pub by: String,
    /// The card.
    #[prost(string, tag = "4")]
    pub card: String,
    /// The order as the card signed it: anybody can verify it.
    #[prost(message, optional, tag = "5")]
    pub signed: Option<SignedAct>,
}

/// Takes orders of one subject.
pub struct OrderDesk {
    subject: Subject,
    judge: ActJudge,
}

impl OrderDesk {
    /// A desk that begins now, under the registrar's public key.
    #[must_use]
    pub fn new(subject: Subject, registrar: VerifyingKey, began_ms: u64) -> Self {
        Self {
            subject,
            judge: ActJudge::new(subject.acts, registrar, began_ms),
        }
    }

    fn order(
        &mut self,
        context: &Context<'_>,
        ask: &OrderAsk,
        view: &View,
    ) -> Result<Order, ErrorCode> {
        let signed = ask.signed.clone().unwrap_or_default();
        if signed.act != ask.act {
            return Err(ErrorCode::ActInvalid);
        }
        let roles = [Role::SystemManager];
        let card = cards::actor(&mut self.judge, context, &signed, &roles, view)?;
        Ok(Order {
            at_ms: context.now_ms,
            civil_date: context.civil_date.number(),
            by: card.operator,
            card: card.serial,
            signed: Some(signed),
        })
    }
}

impl Service for OrderDesk {
    fn name(&self) -> &'static str {
        self.subject.service
    }

    fn on_message(&mut self, _: &Context<'_>, _: &Origin, _: &[u8], _: &mut View) -> Step {
        Step::none()
    }

    fn on_local(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let mut step = Step::none();
        let ask = OrderAsk::decode(request).map_err(|_| ErrorCode::FrameGarbage);
        let answer = match ask.and_then(|ask| self.order(context, &ask, view)) {
            Ok(order) => {
                step.append(self.subject.kind, order.encode_to_vec());
                OrderAnswer {
                    failure: String::new(),
                    by: order.by,
                }
            }
            Err(code) => OrderAnswer {
                failure: code.code().to_owned(),
                by: String::new(),
            },
        };
        step.answer_local(ticket, answer.encode_to_vec());
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind == self.subject.kind
            && let Ok(order) = Order::decode(entry.payload.as_slice())
            && let Some(signed) = &order.signed
        {
            cards::note_done(view, signed);
        }
    }
}

#[cfg(test)]
mod tests;
