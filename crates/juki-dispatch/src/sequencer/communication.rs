//! What was said between this node and its peers goes on record, run by run.

use juki_ledger::NewEntry;
use prost::Message as _;

use super::Sequencer;
use crate::{COMMUNICATION, CommunicationRecord, LedgerPort, TurnError};

impl<L: LedgerPort> Sequencer<L> {
    /// Takes the records of what was sent, which the next turn appends.
    pub fn note_sent(&mut self, records: Vec<CommunicationRecord>) {
        self.sent.extend(records);
    }

    pub(super) fn record_communication(&mut self, now_ms: u64) -> Result<(), TurnError> {
        let received = self.received.due(now_ms);
        self.append_communication(now_ms, received)
    }

    pub(super) fn append_communication(
        &mut self,
        now_ms: u64,
        received: Vec<CommunicationRecord>,
    ) -> Result<(), TurnError> {
        let sent = std::mem::take(&mut self.sent);
        for record in received.into_iter().chain(sent) {
            // Nobody waits for these.
            self.lazy_since.get_or_insert(now_ms);
            self.append(
                now_ms,
                NewEntry {
                    kind: COMMUNICATION,
                    payload: record.encode_to_vec(),
                },
            )?;
        }
        Ok(())
    }
}
