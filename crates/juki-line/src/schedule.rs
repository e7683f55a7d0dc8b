//! When a line is down on purpose: planned maintenance, and flapping.

use serde::{Deserialize, Serialize};

/// Planned outages of one line and, while it lasts, flapping. Times are milliseconds of whatever
/// clock the caller keeps, at the access point the machine's since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Windows of maintenance, at most [`Schedule::OUTAGES_MAX`], in any order.
    pub outages: Vec<Outage>,
    /// A line that comes and goes.
    pub flapping: Option<Flapping>,
}

/// A window in which the line is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Its first millisecond.
    pub from_ms: u64,
    /// The first millisecond after it.
    pub until_ms: u64,
    /// Comes again after so long, as a weekly window does; 0 = once.
    #[serde(default)]
    pub every_ms: u64,
}

/// A line that comes and goes: down first, then up, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flapping {
    /// Its first millisecond.
    pub from_ms: u64,
    /// The first millisecond after it.
    pub until_ms: u64,
    /// How long it is down each time, 1 or more.
    pub down_ms: u64,
    /// How long it is up in between, 1 or more.
    pub up_ms: u64,
}

/// A schedule that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// More than [`Schedule::OUTAGES_MAX`].
    #[error("at most 64 outages fit into a schedule")]
    TooMany,
    /// Ends before it begins, or lasts longer than its period.
    #[error("an outage ends after it begins, and within every_ms where that is not 0")]
    Outage,
    /// Ends before it begins, or a part of it has no length.
    #[error("flapping ends after it begins, and down_ms and up_ms are 1 or more")]
    Flapping,
}

impl Schedule {
    /// Outages of one line.
    pub const OUTAGES_MAX: usize = 64;

    /// Checks lengths and order.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn check(&self) -> Result<(), ScheduleError> {
        if self.outages.len() > Self::OUTAGES_MAX {
            return Err(ScheduleError::TooMany);
        }
        for outage in &self.outages {
            let length = outage.until_ms.checked_sub(outage.from_ms);
            let lawful = length.is_some_and(|length| {
                length > 0 && (outage.every_ms == 0 || length < outage.every_ms)
            });
            if !lawful {
                return Err(ScheduleError::Outage);
            }
        }
        match self.flapping {
            Some(flap) if flap.until_ms <= flap.from_ms || flap.down_ms == 0 || flap.up_ms == 0 => {
                Err(ScheduleError::Flapping)
            }
            _ => Ok(()),
        }
    }

    /// Whether the line is up then.
    #[must_use]
    pub fn is_up(&self, now_ms: u64) -> bool {
        let down = self.outages.iter().any(|outage| outage.holds(now_ms));
        !down && self.flapping.is_none_or(|flap| flap.is_up(now_ms))
    }

    /// The next millisecond after `now_ms` at which something of it begins or ends; `None` when
    /// nothing comes any more.
    #[must_use]
    pub fn next_change(&self, now_ms: u64) -> Option<u64> {
        let outages = self
            .outages
            .iter()
            .filter_map(|outage| outage.next_change(now_ms));
        let flapping = self.flapping.and_then(|flap| flap.next_change(now_ms));
        outages.chain(flapping).min()
    }
}

impl Outage {
    fn holds(&self, now_ms: u64) -> bool {
        let (offset, _) = self.offset(now_ms);
        offset.is_some_and(|offset| offset < self.until_ms.saturating_sub(self.from_ms))
    }

    /// How far into its present period the time is, and where that period began.
    fn offset(&self, now_ms: u64) -> (Option<u64>, u64) {
        let Some(since) = now_ms.checked_sub(self.from_ms) else {
            return (None, self.from_ms);
        };
        match since.checked_rem(self.every_ms) {
            Some(offset) => (Some(offset), now_ms - offset),
            None => (Some(since), self.from_ms),
        }
    }

    fn next_change(&self, now_ms: u64) -> Option<u64> {
        let (offset, begun) = self.offset(now_ms);
        let length = self.until_ms.saturating_sub(self.from_ms);
        match offset {
            None => Some(self.from_ms),
            Some(offset) if offset < length => begun.checked_add(length),
            Some(_) if self.every_ms > 0 => begun.checked_add(self.every_ms),
            Some(_) => None,
        }
    }
}

impl Flapping {
    fn is_up(&self, now_ms: u64) -> bool {
        if now_ms < self.from_ms || now_ms >= self.until_ms {
            return true;
        }
        self.phase(now_ms) >= self.down_ms
    }

    fn phase(&self, now_ms: u64) -> u64 {
        let period = self.down_ms.saturating_add(self.up_ms);
        now_ms
            .saturating_sub(self.from_ms)
            .checked_rem(period)
            .unwrap_or(0)
    }

    fn next_change(&self, now_ms: u64) -> Option<u64> {
        if now_ms < self.from_ms {
            return Some(self.from_ms);
        }
        if now_ms >= self.until_ms {
            return None;
        }
        let phase = self.phase(now_ms);
        let left = if phase < self.down_ms {
            self.down_ms - phase
        } else {
            self.down_ms.saturating_add(self.up_ms) - phase
        };
        Some(now_ms.saturating_add(left).min(self.until_ms))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outage(from_ms: u64, until_ms: u64, every_ms: u64) -> Outage {
        Outage {
            from_ms,
            until_ms,
            every_ms,
        }
    }

    /// The milliseconds before `end` in which the line is down, by asking for each of them.
    fn down(schedule: &Schedule, end: u64) -> Vec<u64> {
        (0..end).filter(|ms| !schedule.is_up(*ms)).collect()
    }

    #[test]
    fn a_weekly_window_comes_again_and_a_single_one_does_not() {
        let schedule = Schedule {
            outages: vec![outage(3, 5, 10), outage(7, 8, 0)],
            flapping: None,
        };
        assert_eq!(down(&schedule, 30), [3, 4, 7, 13, 14, 23, 24]);
        assert_eq!(schedule.next_change(8), Some(13));
    }

    #[test]
    fn a_flapping_line_is_down_first_and_stays_up_after_it() {
        let schedule = Schedule {
            outages: Vec::new(),
            flapping: Some(Flapping {
                from_ms: 2,
                until_ms: 9,
                down_ms: 1,
                up_ms: 2,
            }),
        };
        assert_eq!(down(&schedule, 20), [2, 5, 8]);
        assert_eq!(schedule.next_change(9), None);
    }

    #[test]
    fn windows_that_cannot_be_kept_are_refused() {
        let with = |outages| Schedule {
            outages,
            flapping: None,
        };
        assert_eq!(
            with(vec![outage(5, 5, 0)]).check(),
            Err(ScheduleError::Outage)
        );
        assert_eq!(
            with(vec![outage(5, 9, 4)]).check(),
            Err(ScheduleError::Outage)
        );
        assert_eq!(
            with(vec![outage(0, 1, 0); 65]).check(),
            Err(ScheduleError::TooMany)
        );
        assert_eq!(with(vec![outage(5, 9, 5)]).check(), Ok(()));
    }

    proptest! {
        /// Going from change to change sees every change and nothing else.
        #[test]
        fn the_next_change_is_where_the_answer_may_turn(
            outages in prop::collection::vec((0_u64..60, 1_u64..9, 0_u64..30), 0..4),
            flapping in prop::option::of((0_u64..60, 1_u64..40, 1_u64..5, 1_u64..5)),
        ) {
            let outages = outages
                .into_iter()
                .map(|(from, length, every)| outage(from, from + length, if every > length { every } else { 0 }))
                .collect();
            let flapping = flapping.map(|(from_ms, length, down_ms, up_ms)| Flapping {
                from_ms,
                until_ms: from_ms + length,
                down_ms,
                up_ms,
            });
            let schedule = Schedule { outages, flapping };
            prop_assert_eq!(schedule.check(), Ok(()));
            let mut at = 0;
            while at < 150 {
                let next = schedule.next_change(at).unwrap_or(150).min(150);
                prop_assert!(next > at);
                let same = (at..next).all(|ms| schedule.is_up(ms) == schedule.is_up(at));
                prop_assert!(same, "turned between {} and {}", at, next);
                at = next;
            }
        }

        /// No numbers that pass the check, or fail it, make the questions panic.
        #[test]
        fn any_numbers_are_answered(from_ms: u64, until_ms: u64, every_ms: u64, down_ms: u64, up_ms: u64, now: u64) {
            let schedule = Schedule {
                outages: vec![outage(from_ms, until_ms, every_ms)],
                flapping: Some(Flapping { from_ms, until_ms, down_ms, up_ms }),
            };
            let _ = (schedule.check(), schedule.is_up(now), schedule.next_change(now));
        }
    }
}
