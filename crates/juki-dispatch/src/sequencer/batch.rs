//! Many local questions of one asker: decided one by one, answered together.

use juki_domain::CivilDate;
use prost::Message;

use super::Sequencer;
use crate::{Emit, LedgerPort, Output, Step, Ticket, TurnError};

/// The answers to the questions of a batch, in their order.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct BatchAnswer {
    /// One body for each question; empty where the service gave none.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub bodies: Vec<Vec<u8>>,
}

impl<L: LedgerPort> Sequencer<L> {
    /// Lets a service decide each request as if it had come alone: it sees what the ones before it
    /// appended. The answers leave as one, when the entries of all are durable.
    pub(super) fn take_batch(
        &mut self,
        now: (u64, CivilDate),
        (service, ticket): (&'static str, Ticket),
        requests: &[Vec<u8>],
        held: &mut Vec<Emit>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        let mut answer = BatchAnswer {
            bodies: Vec::with_capacity(requests.len()),
        };
        for request in requests {
            let mut step = self.decide(now, service, |service, context, view| {
                service.on_local(context, ticket, request, view)
            });
            answer.bodies.push(own_body(&mut step, ticket));
            self.take_step(now, step, held, say)?;
        }
        held.push(Emit::Local {
            ticket,
            body: answer.encode_to_vec(),
        });
        Ok(())
    }
}

/// Takes the answer to this ticket out of a step.
fn own_body(step: &mut Step, ticket: Ticket) -> Vec<u8> {
    let own = |emit: &Emit| matches!(emit, Emit::Local { ticket: other, .. } if *other == ticket);
    match step
        .emits
        .iter()
        .position(own)
        .map(|at| step.emits.remove(at))
    {
        Some(Emit::Local { body, .. }) => body,
        Some(Emit::Answer(_) | Emit::Message(_)) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
