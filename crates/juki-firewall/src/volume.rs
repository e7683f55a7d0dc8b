//! The usual volume of one flow.

use juki_topology::Watch;

/// Bytes of one flow in the interval that is open, and what an interval usually carries.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Volume {
    since_ms: u64,
    bytes: u64,
    /// Mean of the intervals so far, the newest weighing most, in bytes.
    usual: u64,
    intervals: u32,
    said: bool,
}

impl Volume {
    /// Adds a frame; the interval's bytes where they have just become a spike.
    pub(crate) fn add(&mut self, now_ms: u64, bytes: u64, watch: &Watch) -> Option<u64> {
        let interval_ms = u64::from(watch.spike_interval_s) * 1000;
        let passed = now_ms.saturating_sub(self.since_ms) / interval_ms;
        if self.since_ms == 0 || now_ms < self.since_ms {
            self.since_ms = now_ms;
        } else if passed > 0 {
            self.close(passed);
            self.since_ms += passed * interval_ms;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let threshold = self
            .usual
            .saturating_mul(u64::from(watch.spike_factor))
            .max(watch.spike_bytes_min);
        let is_spike = self.intervals >= watch.spike_warm_up && self.bytes > threshold;
        if is_spike && !self.said {
            self.said = true;
            return Some(self.bytes);
        }
        None
    }

    /// Ends the open interval and the silent ones after it.
    fn close(&mut self, intervals: u64) {
        let steps = intervals.min(SILENCE_MAX);
        for step in 0..steps {
            let carried = if step == 0 { self.bytes } else { 0 };
            // The first interval is all that is known.
            self.usual = if self.intervals == 0 {
                carried
            } else {
                self.usual - self.usual / WEIGHT + carried / WEIGHT
            };
            self.intervals = self.intervals.saturating_add(1);
        }
        self.bytes = 0;
        self.said = false;
    }
}

/// Each interval weighs one sixteenth.
const WEIGHT: u64 = 16;
/// After so many silent intervals the mean is next to nothing.
const SILENCE_MAX: u64 = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn watch() -> Watch {
        Watch {
            spike_factor: 4,
            spike_bytes_min: 1_000,
            spike_interval_s: 10,
            spike_warm_up: 5,
            ..Watch::default()
        }
    }

    fn steady(volume: &mut Volume, intervals: u64) {
        for at in 0..intervals {
            assert_eq!(volume.add(1 + at * 10_000, 2_000, &watch()), None);
        }
    }

    #[test]
    fn a_steady_flow_is_no_spike_and_eight_times_as_much_is_one_once() {
        let mut volume = Volume::default();
        steady(&mut volume, 20);
        let later = 1 + 20 * 10_000;
        assert_eq!(volume.add(later, 8_000, &watch()), None);
        assert_eq!(volume.add(later + 1, 8_000, &watch()), Some(16_000));
        assert_eq!(volume.add(later + 2, 8_000, &watch()), None, "said once");
        assert_eq!(volume.add(later + 10_000, 2_000, &watch()), None);
    }

    #[test]
    fn nothing_is_a_spike_before_the_usual_is_known_or_below_the_least() {
        let mut volume = Volume::default();
        assert_eq!(volume.add(1, 1 << 40, &watch()), None);
        let mut quiet = Volume::default();
        for at in 0..20 {
            assert_eq!(quiet.add(1 + at * 10_000, 1, &watch()), None);
        }
        assert_eq!(quiet.add(1 + 20 * 10_000, 999, &watch()), None);
    }

    #[test]
    fn silence_lowers_what_is_usual() {
        let mut volume = Volume::default();
        steady(&mut volume, 20);
        let long_after = 1 + 2_000 * 10_000;
        assert_eq!(volume.add(long_after, 1_001, &watch()), Some(1_001));
    }

    proptest! {
        #[test]
        fn any_times_and_sizes_are_taken(events in prop::collection::vec((any::<u64>(), any::<u64>()), 0..60)) {
            let mut volume = Volume::default();
            for (now_ms, bytes) in events { let _ = volume.add(now_ms, bytes, &watch()); }
        }
    }
}
