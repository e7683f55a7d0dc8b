//! Hands records to the ledger's thread, and knows when that takes none any more.

use juki_ledger::NewEntry;
use juki_node::{Handover, LedgerThread};

use crate::records::{FirewallRecord, LostRecords};

/// For how long the ledger may take nothing before the node counts as failed: a busy disk is
/// waited for, a dead one is not.
const SILENCE_MS_MAX: u64 = 5_000;

/// Takes entries without waiting.
pub(crate) trait Sink {
    /// Says what became of the entry.
    fn append(&self, entry: NewEntry) -> Handover;

    /// The same with a tag that is told when the entry is durable.
    fn append_tagged(&self, entry: NewEntry, tag: u64) -> Handover;

    /// Has the chain signed and told.
    fn checkpoint(&self) -> Handover;
}

impl Sink for LedgerThread {
    fn append(&self, entry: NewEntry) -> Handover {
        Self::append(self, entry)
    }

    fn append_tagged(&self, entry: NewEntry, tag: u64) -> Handover {
        Self::append_tagged(self, entry, tag)
    }

    fn checkpoint(&self) -> Handover {
        Self::checkpoint(self)
    }
}

/// Records into a ledger; what it does not take is counted and reported by the next that it takes.
pub(crate) struct Recorder<S> {
    sink: S,
    lost: u64,
    silent_since_ms: Option<u64>,
    has_ended: bool,
    /// Something was recorded since a checkpoint was asked for.
    has_news: bool,
}

/// Why the node cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecorderFailure {
    /// The ledger's thread is gone; its end says why.
    #[error("the ledger's thread has ended: records can no longer be kept")]
    Ended,
    /// The disk has not kept up for too long.
    #[error("the ledger has taken no record for {} s", SILENCE_MS_MAX / 1_000)]
    Silent,
}

impl<S: Sink> Recorder<S> {
    pub(crate) fn new(sink: S) -> Self {
        Self {
            sink,
            lost: 0,
            silent_since_ms: None,
            has_ended: false,
            has_news: true,
        }
    }

    pub(crate) fn record(&mut self, now_ms: u64, record: &FirewallRecord) {
        self.has_news = true;
        self.put(now_ms, record.entry(), None);
    }

    /// Records what is told with its tag when it is durable; false where it is lost.
    pub(crate) fn record_tagged(
        &mut self,
        now_ms: u64,
        record: &FirewallRecord,
        tag: Option<u64>,
    ) -> bool {
        // The checkpoint that is told with it covers it.
        self.put(now_ms, record.entry(), tag)
    }

    /// Records an entry that is no news to anybody: what the server above has said.
    pub(crate) fn record_entry(&mut self, now_ms: u64, entry: NewEntry) {
        self.put(now_ms, entry, None);
    }

    /// Asks for a checkpoint where there is news since the last one; true where it will be told.
    pub(crate) fn ask_checkpoint(&mut self) -> bool {
        let asked = self.has_news && self.sink.checkpoint() == Handover::Taken;
        self.has_news &= !asked;
        asked
    }

    fn put(&mut self, now_ms: u64, entry: NewEntry, tag: Option<u64>) -> bool {
        self.report_lost(now_ms);
        let taken = self.lost == 0 && self.take(entry, tag);
        if !taken {
            self.lost += 1;
            self.silent_since_ms.get_or_insert(now_ms);
            metrics::counter!("juki_ledger_records_lost_total").increment(1);
        }
        taken
    }

    /// Tries to report what was lost: also what finds out whether the ledger takes anything again.
    pub(crate) fn report_lost(&mut self, now_ms: u64) {
        if self.lost == 0 {
            return;
        }
        let lost = FirewallRecord::Lost(LostRecords { count: self.lost });
        if self.take(lost.entry(), None) {
            tracing::error!(
                event = "ledger.records_lost",
                count = self.lost,
                silent_ms = self.silent_ms(now_ms)
            );
            self.lost = 0;
            self.silent_since_ms = None;
        }
    }

    /// Whether the ledger's thread has ended, or has taken nothing for too long.
    pub(crate) fn failure(&self, now_ms: u64) -> Option<RecorderFailure> {
        if self.has_ended {
            Some(RecorderFailure::Ended)
        } else if self.silent_ms(now_ms) >= SILENCE_MS_MAX {
            Some(RecorderFailure::Silent)
        } else {
            None
        }
    }

    pub(crate) fn into_sink(self) -> S {
        self.sink
    }

    fn take(&mut self, entry: NewEntry, tag: Option<u64>) -> bool {
        let taken = match tag {
            Some(tag) => self.sink.append_tagged(entry, tag),
            None => self.sink.append(entry),
        };
        match taken {
            Handover::Taken => true,
            Handover::QueueFull => false,
            Handover::ThreadEnded => {
                self.has_ended = true;
                false
            }
        }
    }

    fn silent_ms(&self, now_ms: u64) -> u64 {
        self.silent_since_ms
            .map_or(0, |since| now_ms.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use juki_ledger::EntryKind;

    use super::*;
    use crate::records::{RECORDS_LOST, RUN, RunRecord};

    #[derive(Default)]
    struct Disk {
        is_full: Cell<bool>,
        is_dead: Cell<bool>,
        taken: RefCell<Vec<EntryKind>>,
    }

    impl Sink for Disk {
        fn append(&self, entry: NewEntry) -> Handover {
            if self.is_dead.get() {
                return Handover::ThreadEnded;
            }
            if self.is_full.get() {
                return Handover::QueueFull;
            }
            self.taken.borrow_mut().push(entry.kind);
            Handover::Taken
        }

        fn append_tagged(&self, entry: NewEntry, _tag: u64) -> Handover {
            self.append(entry)
        }

        fn checkpoint(&self) -> Handover {
            Handover::Taken
        }
    }

    fn run() -> FirewallRecord {
        FirewallRecord::Run(RunRecord::default())
    }

    #[test]
    fn lost_records_are_reported_before_the_next_one() {
        let mut recorder = Recorder::new(Disk::default());
        recorder.record(0, &run());
        recorder.sink.is_full.set(true);
        recorder.record(1, &run());
        recorder.record(2, &run());
        assert_eq!(recorder.lost, 2);
        recorder.sink.is_full.set(false);
        recorder.record(3, &run());
        assert_eq!(
            recorder.into_sink().taken.into_inner(),
            [RUN, RECORDS_LOST, RUN]
        );
    }

    #[test]
    fn a_ledger_that_takes_nothing_for_five_seconds_has_failed_and_one_that_recovers_has_not() {
        let mut recorder = Recorder::new(Disk::default());
        recorder.sink.is_full.set(true);
        recorder.record(1_000, &run());
        recorder.report_lost(5_999);
        assert_eq!(recorder.failure(5_999), None);
        assert_eq!(recorder.failure(6_000), Some(RecorderFailure::Silent));
        recorder.sink.is_full.set(false);
        recorder.report_lost(6_000);
        assert_eq!(recorder.failure(60_000), None);
    }

    #[test]
    fn a_ledger_whose_thread_has_ended_has_failed_at_once() {
        let mut recorder = Recorder::new(Disk::default());
        recorder.record(0, &run());
        recorder.sink.is_dead.set(true);
        assert_eq!(recorder.failure(1), None);
        recorder.record(1, &run());
        assert_eq!(recorder.failure(1), Some(RecorderFailure::Ended));
    }
}
