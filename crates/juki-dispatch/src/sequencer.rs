//! The sequencer: takes inputs in order, lets services decide, syncs once, then lets answers go.

mod batch;
mod communication;
mod ending;
mod frames;
mod security;
mod words;

use std::sync::Arc;

use juki_crypto::Notice;
use juki_domain::{CivilDate, ErrorCode};
use juki_ledger::NewEntry;

use crate::{
    Communication, CommunicationRecord, Context, Direction, Emit, Input, LedgerPort, NodeIdentity,
    Output, SecurityRecord, Service, Sessions, Step, TurnError, View,
};

pub use batch::BatchAnswer;

/// How long entries that nobody waits for may wait for a sync.
const LAZY_SYNC_MS: u64 = 20;

/// One node's sequencer.
pub struct Sequencer<L: LedgerPort> {
    identity: NodeIdentity,
    ledger: L,
    view: View,
    services: Vec<Box<dyn Service>>,
    sessions: Sessions,
    durable: u64,
    /// Entries were appended that somebody waits for.
    sync_now: bool,
    /// Since when entries wait for a sync that nobody waits for.
    lazy_since: Option<u64>,
    received: Communication,
    /// Records of what was sent, which the next turn appends.
    sent: Vec<CommunicationRecord>,
    security_this_turn: usize,
    /// The security records of this turn that get no entries of their own.
    security_surplus: Option<SecurityRecord>,
    blocked: Option<ErrorCode>,
}

impl<L: LedgerPort> Sequencer<L> {
    /// A sequencer whose view is complete up to the ledger's durable end.
    #[must_use]
    pub fn new(
        identity: NodeIdentity,
        ledger: L,
        mut view: View,
        mut services: Vec<Box<dyn Service>>,
    ) -> Self {
        let sessions = Sessions::new(
            identity.node.clone(),
            Arc::clone(&identity.signing),
            Arc::clone(&identity.sealing),
            Arc::clone(&identity.directory),
            Arc::clone(&identity.randomness),
            identity.calendar_version,
        );
        for service in &mut services {
            service.resume(&ledger, &view);
        }
        // What the view was folded from is durable.
        view.cut();
        let durable = ledger.chain().seq;
        let received = Communication::new(identity.node.clone(), Direction::Received);
        Self {
            identity,
            ledger,
            view,
            services,
            sessions,
            durable,
            sync_now: false,
            lazy_since: None,
            received,
            sent: Vec::new(),
            security_this_turn: 0,
            security_surplus: None,
            blocked: None,
        }
    }

    /// Takes all inputs in order, ends with at most one sync for all of them (and one more where
    /// what became durable leads to further entries), and says everything that may be said.
    ///
    /// # Errors
    /// [`TurnError`]; the node must stop.
    pub fn turn(
        &mut self,
        (now_ms, civil_date): (u64, CivilDate),
        inputs: &mut dyn Iterator<Item = Input>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        self.security_this_turn = 0;
        self.record_communication(now_ms)?;
        let mut held = Vec::new();
        let now = (now_ms, civil_date);
        for input in inputs {
            self.take_input(now, input, &mut held, say)?;
        }
        for at in 0..self.services.len() {
            if self
                .services
                .get(at)
                .and_then(|service| service.next_timeout())
                .is_some_and(|due| due <= now_ms)
            {
                let step = self.decide_at(now, at, |service, context, view| {
                    service.on_timeout(context, view)
                });
                self.take_step(now, step, &mut held, say)?;
            }
        }
        for at in 0..self.services.len() {
            let step = self.decide_at(now, at, |service, context, view| {
                service.before_sync(context, view)
            });
            self.take_step(now, step, &mut held, say)?;
        }
        if let Some(surplus) = self.security_surplus.take() {
            self.append_security(now_ms, &surplus)?;
        }
        // What became durable may lead to further entries, which get a sync of their own.
        for round in 0..3 {
            let appended = self.sync_now;
            self.sync(now_ms)?;
            for emit in held.drain(..) {
                self.say_emit(now_ms, emit, say);
            }
            if round > 0 && !appended {
                break;
            }
            for at in 0..self.services.len() {
                let durable = self.durable;
                let step = self.decide_at(now, at, |service, context, view| {
                    service.on_durable(context, durable, view)
                });
                self.take_step(now, step, &mut held, say)?;
            }
        }
        self.sync(now_ms)?;
        for emit in held.drain(..) {
            self.say_emit(now_ms, emit, say);
        }
        match self.view.take_failure() {
            Some(error) => Err(TurnError::Index(error)),
            None => Ok(()),
        }
    }

    fn take_input(
        &mut self,
        now: (u64, CivilDate),
        input: Input,
        held: &mut Vec<Emit>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        match input {
            Input::Frame(frame) => self.take_frame(now, &frame, held, say),
            Input::Local {
                service,
                ticket,
                request,
            } => {
                let step = self.decide(now, service, |service, context, view| {
                    service.on_local(context, ticket, &request, view)
                });
                self.take_step(now, step, held, say)
            }
            Input::Batch {
                service,
                ticket,
                requests,
            } => self.take_batch(now, (service, ticket), &requests, held, say),
            Input::Notice(notice) => self.take_notice(now, &notice, held, say),
            Input::Security { source, code } => {
                self.record_security(now.0, source, code, String::new())
            }
        }
    }

    fn take_notice(
        &mut self,
        now: (u64, CivilDate),
        notice: &Notice,
        held: &mut Vec<Emit>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        for at in 0..self.services.len() {
            let step = self.decide_at(now, at, |service, context, view| {
                service.on_notice(context, notice, view)
            });
            self.take_step(now, step, held, say)?;
        }
        Ok(())
    }

    /// When the next turn is due though nothing came in, in milliseconds since 1970.
    #[must_use]
    pub fn next_timeout(&self) -> Option<u64> {
        let lazy = self.lazy_since.map(|since| since + LAZY_SYNC_MS);
        self.services
            .iter()
            .filter_map(|service| service.next_timeout())
            .chain(lazy)
            .chain(self.received.next_due())
            .min()
    }

    /// Refuses all personal data from now on for a reason, or no more.
    pub fn block(&mut self, reason: Option<ErrorCode>) {
        self.blocked = reason;
    }

    /// The view, for reports of the node on itself.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The view, for handing its writes to the index.
    pub fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &L {
        &self.ledger
    }

    /// Number of the last durable entry.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Gives the ledger back, to be closed.
    #[must_use]
    pub fn into_ledger(self) -> L {
        self.ledger
    }

    fn sync(&mut self, now_ms: u64) -> Result<(), TurnError> {
        // What was decided without the index must neither be stored nor said.
        if let Some(error) = self.view.take_failure() {
            return Err(TurnError::Index(error));
        }
        if self.sync_now
            || self
                .lazy_since
                .is_some_and(|since| since + LAZY_SYNC_MS <= now_ms)
        {
            self.durable = self.ledger.sync().map_err(TurnError::Ledger)?;
            self.view.cut();
            self.sync_now = false;
            self.lazy_since = None;
        }
        Ok(())
    }

    fn decide(
        &mut self,
        now: (u64, CivilDate),
        name: &str,
        act: impl FnOnce(&mut dyn Service, &Context<'_>, &mut View) -> Step,
    ) -> Step {
        match self
            .services
            .iter()
            .position(|service| service.name() == name)
        {
            Some(at) => self.decide_at(now, at, act),
            None => Step::none(),
        }
    }

    fn decide_at(
        &mut self,
        (now_ms, civil_date): (u64, CivilDate),
        at: usize,
        act: impl FnOnce(&mut dyn Service, &Context<'_>, &mut View) -> Step,
    ) -> Step {
        let context = Context {
            now_ms,
            civil_date,
            me: &self.identity.node,
            signing: &self.identity.signing,
            directory: &self.identity.directory,
            randomness: self.identity.randomness.as_ref(),
            ledger: &self.ledger,
        };
        match self.services.get_mut(at) {
            Some(service) => act(service.as_mut(), &context, &mut self.view),
            None => Step::none(),
        }
    }

    fn take_step(
        &mut self,
        (now_ms, _): (u64, CivilDate),
        step: Step,
        held: &mut Vec<Emit>,
        say: &mut dyn FnMut(Output),
    ) -> Result<(), TurnError> {
        let appends = !step.entries.is_empty() || step.checkpoint;
        if step.lazy && appends {
            self.lazy_since.get_or_insert(now_ms);
        } else if appends {
            self.sync_now = true;
        }
        for new in step.entries {
            self.append(now_ms, new)?;
        }
        if step.checkpoint {
            self.ledger
                .append_checkpoint(now_ms)
                .map_err(TurnError::Ledger)?;
        }
        for forward in step.forwards {
            self.say_forward(now_ms, forward, say);
        }
        held.extend(step.emits);
        Ok(())
    }

    /// Appends an entry and lets every service fold it.
    fn append(&mut self, now_ms: u64, new: NewEntry) -> Result<(), TurnError> {
        let entry = self.ledger.append(now_ms, new).map_err(TurnError::Ledger)?;
        self.view.begin_entry(entry.seq);
        for service in &mut self.services {
            service.apply(&entry, &mut self.view);
        }
        Ok(())
    }
}
