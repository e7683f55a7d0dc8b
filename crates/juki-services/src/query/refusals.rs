//! Refusals that no rate bounds: the first of a run is recorded as any request, the rest once a
//! second with their number, so that a flood of them does not fill the disk.

use std::collections::BTreeMap;

use juki_audit::AuditRecord;

/// Like refusals: from one terminal, with one card, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Like {
    terminal: String,
    card: String,
    refusal: String,
}

#[derive(Debug)]
struct Run {
    /// The last refusal, and how many since the last record.
    last: AuditRecord,
    count: u64,
    due_ms: u64,
}

/// The runs that go on.
#[derive(Debug, Default)]
pub(super) struct RefusalRuns(BTreeMap<Like, Run>);

impl RefusalRuns {
    /// Takes a refusal; gives the records that are to be written now.
    pub(super) fn take(&mut self, record: AuditRecord) -> Vec<AuditRecord> {
        let like = Like {
            terminal: record.terminal.clone(),
            card: record.card.clone(),
            refusal: record.refusal.clone(),
        };
        if let Some(run) = self.0.get_mut(&like) {
            run.count += 1;
            run.last = record;
            return Vec::new();
        }
        let mut records = Vec::new();
        if self.0.len() >= RUNS_MAX
            && let Some((_, run)) = self.0.pop_first()
        {
            records.extend(run.sum(record.at_ms));
        }
        let run = Run {
            last: record.clone(),
            count: 0,
            due_ms: record.at_ms + RUN_MS,
        };
        self.0.insert(like, run);
        records.push(record);
        records
    }

    /// The sums of the runs that are due; a run in which nothing came is over.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<AuditRecord> {
        let mut records = Vec::new();
        self.0.retain(|_, run| {
            if run.due_ms > now_ms {
                return true;
            }
            let sum = run.sum(now_ms);
            run.count = 0;
            run.due_ms = now_ms + RUN_MS;
            let goes_on = sum.is_some();
            records.extend(sum);
            goes_on
        });
        records
    }

    /// When the next run is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.0.values().map(|run| run.due_ms).min()
    }
}

impl Run {
    fn sum(&self, now_ms: u64) -> Option<AuditRecord> {
        (self.count > 0).then(|| AuditRecord {
            at_ms: now_ms,
            summed: self.count,
            ..self.last.clone()
        })
    }
}

/// How often a run is summed up.
const RUN_MS: u64 = 1_000;
/// Most runs at once: a network has fewer terminals.
const RUNS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(terminal: &str, refusal: &str, at_ms: u64) -> AuditRecord {
        AuditRecord {
            at_ms,
            terminal: terminal.to_owned(),
            refusal: refusal.to_owned(),
            message_id: at_ms.to_string(),
            ..AuditRecord::default()
        }
    }

    #[test]
    fn the_first_of_a_run_has_its_own_record_and_the_rest_one_a_second() {
        let mut runs = RefusalRuns::default();
        let first = refusal("a", "JKA-1301", 10);
        assert_eq!(runs.take(first.clone()), [first]);
        for at in 11..511 {
            assert_eq!(runs.take(refusal("a", "JKA-1301", at)), []);
        }
        let other = refusal("a", "JKA-1001", 600);
        assert_eq!(runs.take(other.clone()), [other], "another reason");
        assert_eq!(runs.next_due(), Some(1_010));
        assert_eq!(runs.due(1_009), []);
        let sums = runs.due(1_010);
        assert_eq!(
            sums.iter()
                .map(|sum| (sum.summed, sum.at_ms, sum.message_id.as_str()))
                .collect::<Vec<_>>(),
            [(500, 1_010, "510")]
        );
        assert_eq!(runs.take(refusal("a", "JKA-1301", 1_500)), [], "it goes on");
        assert_eq!(runs.due(2_010).len(), 1);
        assert_eq!(runs.due(3_010), [], "nothing came: the run is over");
        let again = refusal("a", "JKA-1301", 9_000);
        assert_eq!(runs.take(again.clone()), [again]);
    }

    #[test]
    fn an_hour_of_flood_is_an_hours_seconds_of_records_and_no_refusal_is_lost() {
        let mut runs = RefusalRuns::default();
        let (mut records, mut told) = (0, 0);
        let mut see = |written: Vec<AuditRecord>| {
            records += written.len();
            told += written
                .iter()
                .map(|record| record.summed.max(1))
                .sum::<u64>();
        };
        for at in (0..3_600_000u64).step_by(10) {
            see(runs.take(refusal("a", "JKA-1301", at)));
            if runs.next_due().is_some_and(|due| due <= at) {
                see(runs.due(at));
            }
        }
        see(runs.due(u64::MAX - RUN_MS));
        assert_eq!(told, 360_000);
        assert!(records <= 3_601, "{records}");
    }

    #[test]
    fn memory_is_bounded_and_what_makes_room_is_written_first() {
        let mut runs = RefusalRuns::default();
        let mut told = 0;
        for n in 0..3 * RUNS_MAX {
            for at in 0..2 {
                let written = runs.take(refusal(&n.to_string(), "JKA-1001", at));
                told += written
                    .iter()
                    .map(|record| record.summed.max(1))
                    .sum::<u64>();
            }
            assert!(runs.0.len() <= RUNS_MAX);
        }
        told += runs
            .due(9_000)
            .iter()
            .map(|record| record.summed)
            .sum::<u64>();
        assert_eq!(told, 6 * RUNS_MAX as u64);
    }
}
