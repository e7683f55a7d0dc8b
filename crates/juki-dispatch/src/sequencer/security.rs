//! What concerns security goes on record: a few entries of each turn, the rest counted in one.

use juki_domain::ErrorCode;
use juki_ledger::NewEntry;
use prost::Message as _;

use super::Sequencer;
use crate::{LedgerPort, SECURITY, SecurityRecord, TurnError};

/// How many security records of one turn become entries of their own; more are counted in one.
const SECURITY_PER_TURN: usize = 16;

impl<L: LedgerPort> Sequencer<L> {
    pub(super) fn record_security(
        &mut self,
        now_ms: u64,
        source: String,
        code: ErrorCode,
        message_id: String,
    ) -> Result<(), TurnError> {
        self.security_this_turn += 1;
        let record = SecurityRecord {
            source,
            code: code.code().to_owned(),
            message_id,
            count: 1,
        };
        if self.security_this_turn > SECURITY_PER_TURN {
            let surplus = self
                .security_surplus
                .get_or_insert(SecurityRecord { count: 0, ..record });
            surplus.count = surplus.count.saturating_add(1);
            return Ok(());
        }
        self.append_security(now_ms, &record)
    }

    pub(super) fn append_security(
        &mut self,
        now_ms: u64,
        record: &SecurityRecord,
    ) -> Result<(), TurnError> {
        let entry = NewEntry {
            kind: SECURITY,
            payload: record.encode_to_vec(),
        };
        self.sync_now = true;
        self.append(now_ms, entry)
    }
}
