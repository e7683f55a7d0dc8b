//! The last turn of a node that is about to stop.

use juki_domain::CivilDate;

use super::Sequencer;
use crate::{LedgerPort, TurnError};

impl<L: LedgerPort> Sequencer<L> {
    /// Appends what services and the history of communication hold in memory, and syncs it.
    ///
    /// # Errors
    /// [`TurnError`].
    pub fn end(&mut self, now: (u64, CivilDate)) -> Result<(), TurnError> {
        for at in 0..self.services.len() {
            let step = self.decide_at(now, at, |service, context, view| {
                service.before_end(context, view)
            });
            for new in step.entries {
                self.sync_now = true;
                self.append(now.0, new)?;
            }
        }
        let received = self.received.close();
        self.append_communication(now.0, received)?;
        if self.lazy_since.is_some() {
            self.sync_now = true;
        }
        self.sync(now.0)
    }
}
