//! Notices that the machine slept, or that its clock was set.

use rustix::time::{ClockId, clock_gettime};

/// What three clocks of the machine say at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Since the boot, sleep included.
    pub boot_ms: u64,
    /// Since the boot, sleep left out: what timers run by.
    pub awake_ms: u64,
    /// Since 1970: what people can set.
    pub wall_ms: u64,
}

/// Where readings come from.
pub trait ClockReader: Send {
    /// The clocks now.
    fn read(&mut self) -> ClockReading;
}

/// The operating system's clocks.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClocks;

impl ClockReader for SystemClocks {
    fn read(&mut self) -> ClockReading {
        ClockReading {
            boot_ms: milliseconds(ClockId::Boottime),
            awake_ms: milliseconds(ClockId::Monotonic),
            wall_ms: milliseconds(ClockId::Realtime),
        }
    }
}

fn milliseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or(0);
    seconds.saturating_mul(1_000).saturating_add(rest)
}

/// What happened to the machine's time between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockJump {
    /// The machine slept; both ends in milliseconds since 1970.
    Slept {
        /// When it fell asleep.
        from_ms: u64,
        /// When it was awake again.
        to_ms: u64,
    },
    /// Somebody set the clock.
    Set {
        /// Forward, or backward where negative.
        by_ms: i64,
    },
}

/// Looks at the clocks now and then.
#[derive(Debug)]
pub struct ClockWatch<R> {
    reader: R,
    last: ClockReading,
}

impl<R: ClockReader> ClockWatch<R> {
    /// Begins to watch.
    pub fn new(mut reader: R) -> Self {
        let last = reader.read();
        Self { reader, last }
    }

    /// What happened since the last look: a sleep or a setting of more than five seconds. Of both at
    /// once only the sleep is told, whose end then is what the clock says now.
    pub fn look(&mut self) -> Option<ClockJump> {
        let now = self.reader.read();
        let last = std::mem::replace(&mut self.last, now);
        let slept_ms = now
            .boot_ms
            .saturating_sub(last.boot_ms)
            .saturating_sub(now.awake_ms.saturating_sub(last.awake_ms));
        if slept_ms > JUMP_MS {
            return Some(ClockJump::Slept {
                from_ms: now.wall_ms.saturating_sub(slept_ms),
                to_ms: now.wall_ms,
            });
        }
        let shown = i128::from(now.wall_ms) - i128::from(last.wall_ms);
        let passed = i128::from(now.boot_ms) - i128::from(last.boot_ms);
        let by_ms = i64::try_from(shown - passed).unwrap_or(i64::MAX);
        (by_ms.unsigned_abs() > JUMP_MS).then_some(ClockJump::Set { by_ms })
    }
}

/// Less is what a busy machine or a clock that is being corrected looks like.
const JUMP_MS: u64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Readings one after the other.
    struct Script(Vec<ClockReading>);

    impl ClockReader for Script {
        fn read(&mut self) -> ClockReading {
            self.0.remove(0)
        }
    }

    fn jumps(readings: &[(u64, u64, u64)]) -> Vec<Option<ClockJump>> {
        let readings = readings.iter().map(|(boot, awake, wall)| ClockReading {
            boot_ms: boot * 1_000,
            awake_ms: awake * 1_000,
            wall_ms: wall * 1_000,
        });
        let script: Vec<_> = readings.collect();
        let looks = script.len() - 1;
        let mut watch = ClockWatch::new(Script(script));
        (0..looks).map(|_| watch.look()).collect()
    }

    #[test]
    fn a_sleep_is_told_once_with_its_beginning_and_end() {
        let told = jumps(&[
            (100, 100, 9_000),
            (101, 101, 9_001),
            (2_382, 102, 11_282),
            (2_383, 103, 11_283),
        ]);
        let slept = ClockJump::Slept {
            from_ms: 9_002_000,
            to_ms: 11_282_000,
        };
        assert_eq!(told, [None, Some(slept), None]);
    }

    #[test]
    fn a_clock_that_is_set_is_no_sleep() {
        let told = jumps(&[(10, 10, 50), (11, 11, 3_651), (12, 12, 3_652), (13, 13, 53)]);
        let set = |by_ms| Some(ClockJump::Set { by_ms });
        assert_eq!(told, [set(3_600_000), None, set(-3_600_000)]);
    }

    #[test]
    fn a_busy_machine_neither_sleeps_nor_sets_its_clock() {
        assert_eq!(jumps(&[(10, 10, 50), (70, 70, 110)]), [None]);
        assert_eq!(jumps(&[(10, 10, 50), (15, 10, 60)]), [None]);
    }

    #[test]
    fn the_systems_clocks_go_on() {
        let mut clocks = SystemClocks;
        let (first, second) = (clocks.read(), clocks.read());
        assert!(first.awake_ms > 0 && second.awake_ms >= first.awake_ms);
        assert!(first.boot_ms >= first.awake_ms && first.wall_ms > first.boot_ms);
        assert_eq!(ClockWatch::new(SystemClocks).look(), None);
    }
}
