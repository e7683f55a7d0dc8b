//! What a service is.

use std::sync::Arc;

use juki_crypto::{Directory, Notice, Randomness, SigningKey};
use juki_domain::{CivilDate, NodeId};
use juki_ledger::{Checkpoint, Entry};
use juki_wire::{MessageId, Priority, Refusal};

use crate::{Step, Ticket, View};

/// What a decision may know beside the view.
pub struct Context<'a> {
    /// The machine's clock, milliseconds since 1970.
    pub now_ms: u64,
    /// The network's civil date.
    pub civil_date: CivilDate,
    /// This node.
    pub me: &'a NodeId,
    /// The node's signing key.
    pub signing: &'a SigningKey,
    /// Who is who.
    pub directory: &'a Directory,
    /// Where random bytes come from.
    pub randomness: &'a dyn Randomness,
    /// Durable entries of the node's own ledger.
    pub ledger: &'a dyn LedgerRead,
}

/// Reading back what the ledger holds.
pub trait LedgerRead {
    /// Durable entries from a number on, at least one where there is one, then up to `bytes_max`.
    fn entries(&self, from_seq: u64, bytes_max: usize) -> Vec<Arc<Entry>>;

    /// The newest signed checkpoint of this run that is durable; none before the first.
    fn checkpoint(&self) -> Option<Checkpoint> {
        None
    }

    /// Whether a newer checkpoint is appended and not durable yet.
    fn checkpoint_waits(&self) -> bool {
        false
    }
}

/// Where a message came from: a node that proved itself by signing the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The node.
    pub node: NodeId,
    /// The message's id.
    pub message_id: MessageId,
    /// Whether it answers a message of this node.
    pub reply: bool,
    /// Its urgency.
    pub priority: Priority,
}

/// A service of a node: it decides, and it folds entries. Its state is a fold of the ledger; what
/// it keeps in memory beside the view it can lose at any time.
pub trait Service: Send {
    /// The name by which frames and local requests reach it ([`juki_domain::ServiceId::name`] for
    /// those that travel).
    fn name(&self) -> &'static str;

    /// Another node said something.
    fn on_message(
        &mut self,
        context: &Context<'_>,
        origin: &Origin,
        message: &[u8],
        view: &mut View,
    ) -> Step;

    /// Somebody on this node asks.
    fn on_local(
        &mut self,
        context: &Context<'_>,
        ticket: Ticket,
        request: &[u8],
        view: &mut View,
    ) -> Step {
        let _ = (context, ticket, request, view);
        Step::none()
    }

    /// A message of this service was refused on its way or by its destination.
    fn on_refused(
        &mut self,
        context: &Context<'_>,
        message_id: MessageId,
        refusal: &Refusal,
        view: &mut View,
    ) -> Step {
        let _ = (context, message_id, refusal, view);
        Step::none()
    }

    /// A document of the registrar is in force from now on; it is verified and newer than the last of
    /// its kind. After a start each service hears those in force again, so that a service that
    /// records them keeps the last number in the view.
    fn on_notice(&mut self, context: &Context<'_>, notice: &Notice, view: &mut View) -> Step {
        let _ = (context, notice, view);
        Step::none()
    }

    /// The time [`Self::next_timeout`] named has come.
    fn on_timeout(&mut self, context: &Context<'_>, view: &mut View) -> Step {
        let _ = (context, view);
        Step::none()
    }

    /// When to call [`Self::on_timeout`], in milliseconds since 1970.
    fn next_timeout(&self) -> Option<u64> {
        None
    }

    /// All inputs of a turn are taken and nothing is synced yet: what is appended now shares their
    /// sync.
    fn before_sync(&mut self, context: &Context<'_>, view: &mut View) -> Step {
        let _ = (context, view);
        Step::none()
    }

    /// A turn ends: every entry that somebody waits for is durable, up to this number.
    fn on_durable(&mut self, context: &Context<'_>, durable: u64, view: &mut View) -> Step {
        let _ = (context, durable, view);
        Step::none()
    }

    /// The node is about to stop: what memory alone holds and the ledger ought to. Only the entries of
    /// the step count, since nobody hears any more.
    fn before_end(&mut self, context: &Context<'_>, view: &mut View) -> Step {
        let _ = (context, view);
        Step::none()
    }

    /// Folds one entry of this node's ledger into the view. Called for every entry once, in order,
    /// now or at a replay: it must not depend on anything but entry and view.
    fn apply(&mut self, entry: &Entry, view: &mut View) {
        let _ = (entry, view);
    }

    /// Takes up, after a start, what memory held: called once with all entries that are not yet
    /// settled, oldest first, after the view is complete.
    fn resume(&mut self, ledger: &dyn LedgerRead, view: &View) {
        let _ = (ledger, view);
    }
}
