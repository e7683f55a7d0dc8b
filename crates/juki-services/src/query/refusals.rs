//! Refusals that no rate bounds: the first few of a run are recorded as any request, the rest once a
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
    /// The last refusal.
    last: AuditRecord,
    /// How many have records of their own.
    single: u32,
    /// How many have come since the last record.
    count: u64,
    /// When these are to be summed up.
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
            run.last = record.clone();
            if run.single < SINGLE_MAX {
                run.single += 1;
                return vec![record];
            }
            if run.count == 0 {
                run.due_ms = record.at_ms + SUM_MS;
            }
            run.count += 1;
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
            single: 1,
            count: 0,
            due_ms: 0,
        };
        self.0.insert(like, run);
        records.push(record);
        records
    }

    /// The sums that are due; a run in which nothing came for a minute is over.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<AuditRecord> {
        let mut records = Vec::new();
        self.0.retain(|_, run| {
            if run.next_due() > now_ms {
                return true;
            }
            let sum = run.sum(now_ms);
            run.count = 0;
            let goes_on = sum.is_some();
            records.extend(sum);
            goes_on
        });
        records
    }

    /// The sums of all runs, before a node stops.
    pub(super) fn close(&mut self, now_ms: u64) -> Vec<AuditRecord> {
        let runs = std::mem::take(&mut self.0);
        runs.into_values()
            .filter_map(|run| run.sum(now_ms))
            .collect()
    }

    /// When the next run is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.0.values().map(Run::next_due).min()
    }
}

impl Run {
    fn next_due(&self) -> u64 {
        if self.count > 0 {
            self.due_ms
        } else {
            self.last.at_ms + QUIET_MS
        }
    }

    fn sum(&self, now_ms: u64) -> Option<AuditRecord> {
        (self.count > 0).then(|| AuditRecord {
            at_ms: now_ms,
            summed: self.count,
            ..self.last.clone()
        })
    }
}

/// How many of a run have records of their own: what somebody does by hand is told apart.
const SINGLE_MAX: u32 = 8;
/// How often the rest is summed up.
const SUM_MS: u64 = 1_000;
/// How long nothing may come until a run is over.
const QUIET_MS: u64 = 60_000;
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
    fn the_first_of_a_run_have_records_of_their_own_and_the_rest_one_a_second() {
        let mut runs = RefusalRuns::default();
        for at in 2..10 {
            let own = refusal("a", "JKA-1301", at);
            assert_eq!(runs.take(own.clone()), [own]);
        }
        for at in 10..510 {
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
            [(500, 1_010, "509")]
        );
        assert_eq!(runs.take(refusal("a", "JKA-1301", 5_000)), [], "it goes on");
        assert_eq!(runs.next_due(), Some(6_000));
        assert_eq!(runs.due(6_000).len(), 1);
        assert_eq!(runs.due(64_999), []);
        let late = refusal("a", "JKA-1301", 65_000);
        assert_eq!(runs.due(65_000), [], "nothing came: the run is over");
        assert_eq!(runs.take(late.clone()), [late]);
    }

    #[test]
    fn an_hour_of_flood_is_an_hours_seconds_of_records_and_no_refusal_is_lost() {
        let mut runs = RefusalRuns::default();
        let (mut records, mut told) = (0, 0);
        let mut see = |written: Vec<AuditRecord>| {
            records += written.len();
            told += written.iter().map(|one| one.summed.max(1)).sum::<u64>();
        };
        for at in (0..3_600_000u64).step_by(10) {
            see(runs.take(refusal("a", "JKA-1301", at)));
            if runs.next_due().is_some_and(|due| due <= at) {
                see(runs.due(at));
            }
        }
        see(runs.due(4_000_000));
        assert_eq!(told, 360_000);
        assert!(records <= 3_610, "{records}");
    }

    #[test]
    fn memory_is_bounded_and_what_makes_room_is_written_first() {
        let mut runs = RefusalRuns::default();
        let mut told = 0;
        for n in 0..3 * RUNS_MAX {
            for at in 0..20 {
                let written = runs.take(refusal(&n.to_string(), "JKA-1001", at));
                told += written.iter().map(|one| one.summed.max(1)).sum::<u64>();
            }
            assert!(runs.0.len() <= RUNS_MAX);
        }
        told += runs.due(9_000).iter().map(|one| one.summed).sum::<u64>();
        assert_eq!(told, 60 * RUNS_MAX as u64);
    }
}
