//! Legal-basis tables at the registrar: who ordered which, before it is signed.

use juki_access::{ActJudge, Role, SignedAct};
use juki_crypto::VerifyingKey;
use juki_dispatch::{Context, Origin, Service, Step, Ticket, View};
use juki_domain::ErrorCode;
use juki_ledger::{Entry, EntryKind};
use prost::Message;

use crate::cards;

/// A system manager ordered a legal-basis table.
pub const BASIS_ORDERED: EntryKind = EntryKind(82);

/// The subject of acts that order a table.
pub const BASIS_SUBJECT: &str = "legal-basis";

/// The name under which the national center's own interface asks.
pub const BASIS_SERVICE: &str = "registrar-basis";

/// What a system manager's card signs: the table by its digest, and the number it is to have, so
/// that an order for an older state of things is none.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BasisAct {
    /// The number.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// SHA-256 of the table's text.
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
}

/// An order with what it has to be for.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BasisAsk {
    /// The signed order.
    #[prost(message, optional, tag = "1")]
    pub signed: Option<SignedAct>,
    /// The number that the next table has.
    #[prost(uint64, tag = "2")]
    pub number: u64,
    /// SHA-256 of the table at hand.
    #[prost(bytes = "vec", tag = "3")]
    pub digest: Vec<u8>,
}

/// Whether the table may be signed: the order is durable then.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BasisAnswer {
    /// The code of a refusal; empty where the order was taken.
    #[prost(string, tag = "1")]
    pub failure: String,
    /// The operator whose order it is.
    #[prost(string, tag = "2")]
    pub by: String,
}

/// The payload of a [`BASIS_ORDERED`] entry.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BasisOrder {
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

/// Takes orders for tables, each on record before the table is signed.
pub struct TableRegistrar {
    judge: ActJudge,
}

impl TableRegistrar {
    /// A desk that begins now, under the registrar's public key.
    #[must_use]
    pub fn new(registrar: VerifyingKey, began_ms: u64) -> Self {
        Self {
            judge: ActJudge::new(BASIS_SUBJECT, registrar, began_ms),
        }
    }

    fn order(
        &mut self,
        context: &Context<'_>,
        ask: &BasisAsk,
        view: &View,
    ) -> Result<BasisOrder, ErrorCode> {
        let signed = ask.signed.clone().unwrap_or_default();
        let act = BasisAct::decode(signed.act.as_slice()).map_err(|_| ErrorCode::ActInvalid)?;
        if act.number != ask.number || act.digest != ask.digest {
            return Err(ErrorCode::ActInvalid);
        }
        let roles = [Role::SystemManager];
        let card = cards::actor(&mut self.judge, context, &signed, &roles, view)?;
        Ok(BasisOrder {
            at_ms: context.now_ms,
            civil_date: context.civil_date.number(),
            by: card.operator,
            card: card.serial,
            signed: Some(signed),
        })
    }
}

impl Service for TableRegistrar {
    fn name(&self) -> &'static str {
        BASIS_SERVICE
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
        let ask = BasisAsk::decode(request).map_err(|_| ErrorCode::FrameGarbage);
        let answer = match ask.and_then(|ask| self.order(context, &ask, view)) {
            Ok(order) => {
                step.append(BASIS_ORDERED, order.encode_to_vec());
                BasisAnswer {
                    failure: String::new(),
                    by: order.by,
                }
            }
            Err(code) => BasisAnswer {
                failure: code.code().to_owned(),
                by: String::new(),
            },
        };
        step.answer_local(ticket, answer.encode_to_vec());
        step
    }

    fn apply(&mut self, entry: &Entry, view: &mut View) {
        if entry.kind == BASIS_ORDERED
            && let Ok(order) = BasisOrder::decode(entry.payload.as_slice())
            && let Some(signed) = &order.signed
        {
            cards::note_done(view, signed);
        }
    }
}

#[cfg(test)]
mod tests;
