//! One direction of one line.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::disturbance::JitterShape;
use crate::settings::LineSettings;

/// Bytes of IPv4 and UDP header that each datagram adds to the line.
pub const OVERHEAD_BYTES: u64 = 28;

/// What becomes of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives.
    Deliver(Delivery),
    /// It does not arrive.
    Drop(DropReason),
}

/// How a datagram arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When, on the clock of the offers. Never earlier than any datagram offered before, but for
    /// those that the line was asked to hold back.
    pub at: Duration,
    /// The bit that was turned over on the way, counted from the first of the payload.
    pub corrupt_bit: Option<u64>,
    /// When the same datagram arrives again.
    pub again_at: Option<Duration>,
}

impl Delivery {
    /// Unharmed and once.
    #[must_use]
    pub fn plain(at: Duration) -> Self {
        Self {
            at,
            corrupt_bit: None,
            again_at: None,
        }
    }

    /// Turns the bit over that the line turned over.
    pub fn corrupt(&self, payload: &mut [u8]) {
        let Some(bit) = self.corrupt_bit else {
            return;
        };
        let at = usize::try_from(bit / 8).ok();
        if let Some(byte) = at.and_then(|at| payload.get_mut(at)) {
            *byte ^= 1 << (bit % 8);
        }
    }
}

/// Why a datagram does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// The line is down.
    Down,
    /// Longer than the MTU.
    TooLong,
    /// The queue before the transmitter is full.
    QueueFull,
    /// Lost on the way.
    Lost,
}

/// What one direction has carried and dropped since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineCounters {
    /// Datagrams delivered.
    pub delivered: u64,
    /// Their payload in bytes.
    pub delivered_bytes: u64,
    /// Datagrams dropped because the line was down.
    pub dropped_down: u64,
    /// Datagrams dropped because they were longer than the MTU.
    pub dropped_too_long: u64,
    /// Datagrams dropped at the full queue.
    pub dropped_queue_full: u64,
    /// Datagrams lost on the way.
    pub dropped_lost: u64,
    /// Datagrams that arrived twice; each counts once as delivered.
    pub duplicated: u64,
    /// Datagrams delivered with a bit turned over.
    pub corrupted: u64,
    /// Datagrams held back while later ones passed.
    pub reordered: u64,
}

/// One direction of one line: judges datagrams in the order in which they are offered.
#[derive(Debug, Clone)]
pub struct LineModel {
    settings: LineSettings,
    is_up: bool,
    random: ChaCha8Rng,
    /// When the transmitter has sent all that it accepted.
    busy_until: Duration,
    /// Newest delivery promised; later datagrams arrive no earlier.
    newest_delivery: Duration,
    /// The line is in the bad state of its bursts.
    is_bad: bool,
    counters: LineCounters,
}

impl LineModel {
    /// A line that is up and idle. Numbers out of bounds are the caller's to refuse
    /// ([`LineSettings::check`]); here they only make an odd line.
    #[must_use]
    pub fn new(settings: LineSettings, seed: u64) -> Self {
        Self {
            settings,
            is_up: true,
            random: ChaCha8Rng::seed_from_u64(seed),
            busy_until: Duration::ZERO,
            newest_delivery: Duration::ZERO,
            is_bad: false,
            counters: LineCounters::default(),
        }
    }

    /// Judges a datagram with `len` bytes of payload, offered `now` after the line's start.
    ///
    /// A lost datagram has used its time on the line; one that is too long or finds the queue full
    /// has not.
    pub fn offer(&mut self, now: Duration, len: usize) -> Verdict {
        let payload = u64::try_from(len).unwrap_or(u64::MAX);
        let size = payload.saturating_add(OVERHEAD_BYTES);
        if !self.is_up {
            self.counters.dropped_down += 1;
            return Verdict::Drop(DropReason::Down);
        }
        if size > u64::from(self.settings.mtu) {
            self.counters.dropped_too_long += 1;
            return Verdict::Drop(DropReason::TooLong);
        }
        let Some(departure) = self.transmit(now, size) else {
            self.counters.dropped_queue_full += 1;
            return Verdict::Drop(DropReason::QueueFull);
        };
        if self.is_lost() {
            self.counters.dropped_lost += 1;
            return Verdict::Drop(DropReason::Lost);
        }
        let arrival = departure + self.settings.delay() + self.draw_jitter();
        self.counters.delivered += 1;
        self.counters.delivered_bytes += payload;
        Verdict::Deliver(self.disturb(arrival, payload))
    }

    /// Whether the datagram is lost: in a burst, or alone.
    fn is_lost(&mut self) -> bool {
        let Some(burst) = self.settings.disturbance.burst else {
            return self.happens(self.settings.loss);
        };
        let turns = if self.is_bad {
            burst.leave
        } else {
            burst.enter
        };
        self.is_bad ^= self.happens(turns);
        let loss = if self.is_bad {
            burst.loss
        } else {
            self.settings.loss
        };
        self.happens(loss)
    }

    /// What becomes of a datagram that is not lost.
    fn disturb(&mut self, arrival: Duration, payload: u64) -> Delivery {
        let disturbance = self.settings.disturbance;
        let in_order = self.newest_delivery.max(arrival);
        let mut delivery = Delivery::plain(in_order);
        if self.happens(disturbance.reorder) {
            delivery.at = in_order + self.draw_micros(disturbance.reorder_us);
            self.counters.reordered += 1;
        } else {
            self.newest_delivery = in_order;
        }
        if payload > 0 && self.happens(disturbance.corrupt) {
            let bits = payload.saturating_mul(8);
            delivery.corrupt_bit = Some(self.random.random_range(0..bits));
            self.counters.corrupted += 1;
        }
        if self.happens(disturbance.duplicate) {
            delivery.again_at = Some(delivery.at + self.draw_micros(disturbance.reorder_us));
            self.counters.duplicated += 1;
        }
        delivery
    }

    /// Draws only where the answer is open, so that what is switched off changes no other draw.
    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.random::<f64>() < probability
    }

    fn draw_micros(&mut self, most: u64) -> Duration {
        Duration::from_micros(if most == 0 {
            0
        } else {
            self.random.random_range(0..=most)
        })
    }

    /// Passes a run of datagrams of `stride` bytes each, the last one possibly shorter and `len`
    /// bytes in all, if the line is up, unshaped and owes no earlier datagram. Otherwise nothing is
    /// counted and each must be offered alone.
    pub fn pass_run(&mut self, now: Duration, len: usize, stride: usize) -> bool {
        let longest = u64::try_from(stride.min(len)).unwrap_or(u64::MAX);
        let fits = longest.saturating_add(OVERHEAD_BYTES) <= u64::from(self.settings.mtu);
        let idle = self.busy_until <= now && self.newest_delivery <= now;
        if !(self.is_up && fits && idle && self.settings.is_unshaped()) {
            return false;
        }
        let count = len.div_ceil(stride.max(1)).max(1);
        self.counters.delivered += u64::try_from(count).unwrap_or(u64::MAX);
        self.counters.delivered_bytes += u64::try_from(len).unwrap_or(u64::MAX);
        true
    }

    /// Takes new numbers. What was accepted keeps its delivery; where the bandwidth changes the
    /// transmitter begins with an empty queue.
    pub fn set(&mut self, settings: LineSettings) {
        if settings.bandwidth_bps != self.settings.bandwidth_bps {
            self.busy_until = Duration::ZERO;
        }
        self.settings = settings;
    }

    /// Cuts the line or mends it. A cut empties the queue.
    pub fn set_up(&mut self, is_up: bool) {
        if !is_up {
            self.busy_until = Duration::ZERO;
        }
        self.is_up = is_up;
    }

    /// Whether the line is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// The numbers in force.
    #[must_use]
    pub fn settings(&self) -> &LineSettings {
        &self.settings
    }

    /// What was carried and dropped so far.
    #[must_use]
    pub fn counters(&self) -> LineCounters {
        self.counters
    }

    /// When the last bit of a datagram of `size` bytes leaves, or `None` at a full queue.
    fn transmit(&mut self, now: Duration, size: u64) -> Option<Duration> {
        let bandwidth_bps = self.settings.bandwidth_bps;
        if bandwidth_bps == 0 {
            return Some(now);
        }
        let backlog = self.busy_until.saturating_sub(now);
        if !backlog.is_zero() {
            let waiting_bits = backlog.as_nanos() * u128::from(bandwidth_bps) / NANOS_PER_SECOND;
            if waiting_bits / 8 + u128::from(size) > u128::from(self.settings.queue_bytes) {
                return None;
            }
        }
        let nanos = u128::from(size) * 8 * NANOS_PER_SECOND / u128::from(bandwidth_bps);
        let sending = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.busy_until = self.busy_until.max(now) + sending;
        Some(self.busy_until)
    }

    fn draw_jitter(&mut self) -> Duration {
        let jitter_us = self.settings.jitter_us;
        match self.settings.disturbance.jitter {
            JitterShape::Uniform => self.draw_micros(jitter_us),
            JitterShape::Exponential if jitter_us == 0 => Duration::ZERO,
            JitterShape::Exponential => {
                // 1 - u is above 0, so the logarithm is finite.
                let times = -(1.0 - self.random.random::<f64>()).ln();
                Duration::from_micros(jitter_us).mul_f64(times.min(EXPONENTIAL_MAX))
            }
        }
    }
}

/// Where the tail of an exponential jitter is cut, in means: one of 22,000 would be longer.
const EXPONENTIAL_MAX: f64 = 10.0;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn slow() -> LineSettings {
        LineSettings {
            bandwidth_bps: 64_000,
            mtu: 1_500,
            ..LineSettings::UNSHAPED
        }
    }

    fn arrival(verdict: Verdict) -> Duration {
        match verdict {
            Verdict::Deliver(delivery) => delivery.at,
            Verdict::Drop(reason) => panic!("dropped: {reason:?}"),
        }
    }

    #[test]
    fn an_unshaped_line_delivers_at_once() {
        let mut line = LineModel::new(LineSettings::UNSHAPED, 1);
        assert_eq!(
            line.offer(SECOND, 1_200),
            Verdict::Deliver(Delivery::plain(SECOND))
        );
    }

    #[test]
    fn the_headers_count_towards_the_time_on_the_line() {
        let mut line = LineModel::new(slow(), 1);
        // 972 + 28 bytes at 8,000 bytes a second.
        assert_eq!(
            arrival(line.offer(SECOND, 972)),
            SECOND + Duration::from_millis(125)
        );
    }

    #[test]
    fn a_second_datagram_waits_for_the_first() {
        let mut line = LineModel::new(slow(), 1);
        line.offer(Duration::ZERO, 972);
        assert_eq!(
            arrival(line.offer(Duration::ZERO, 972)),
            Duration::from_millis(250)
        );
    }

    #[test]
    fn a_full_queue_drops_the_tail_and_drains_again() {
        let mut line = LineModel::new(
            LineSettings {
                queue_bytes: 3_000,
                ..slow()
            },
            1,
        );
        for _ in 0..3 {
            arrival(line.offer(Duration::ZERO, 972));
        }
        assert_eq!(
            line.offer(Duration::ZERO, 972),
            Verdict::Drop(DropReason::QueueFull)
        );
        arrival(line.offer(Duration::from_millis(126), 972));
        assert_eq!(line.counters().dropped_queue_full, 1);
    }

    #[test]
    fn an_idle_transmitter_takes_a_datagram_longer_than_the_queue() {
        let mut line = LineModel::new(
            LineSettings {
                queue_bytes: 0,
                ..slow()
            },
            1,
        );
        arrival(line.offer(Duration::ZERO, 972));
        assert_eq!(
            line.offer(Duration::ZERO, 1),
            Verdict::Drop(DropReason::QueueFull)
        );
        arrival(line.offer(Duration::from_millis(125), 972));
    }

    #[test]
    fn a_datagram_beyond_the_mtu_is_dropped_and_one_at_the_mtu_is_not() {
        let mut line = LineModel::new(slow(), 1);
        assert_eq!(
            line.offer(SECOND, 1_473),
            Verdict::Drop(DropReason::TooLong)
        );
        arrival(line.offer(SECOND, 1_472));
        assert_eq!(line.counters().dropped_too_long, 1);
    }

    #[test]
    fn a_line_that_is_down_drops_everything_until_it_is_up() {
        let mut line = LineModel::new(slow(), 1);
        line.set_up(false);
        assert_eq!(line.offer(SECOND, 10), Verdict::Drop(DropReason::Down));
        assert!(!line.pass_run(SECOND, 10, 10));
        line.set_up(true);
        arrival(line.offer(SECOND, 10));
        assert_eq!(
            (line.counters().dropped_down, line.counters().delivered),
            (1, 1)
        );
    }

    #[test]
    fn new_settings_hold_for_later_datagrams_and_keep_the_order() {
        let mut line = LineModel::new(slow(), 1);
        let first = arrival(line.offer(Duration::ZERO, 1_472));
        line.set(LineSettings::UNSHAPED);
        assert!(
            !line.pass_run(Duration::ZERO, 10, 10),
            "an earlier datagram is still on its way"
        );
        assert_eq!(arrival(line.offer(Duration::ZERO, 10)), first);
        assert!(line.pass_run(first, 10, 10));
    }

    #[test]
    fn a_run_counts_each_datagram_and_respects_the_mtu() {
        let mut line = LineModel::new(
            LineSettings {
                mtu: 1_228,
                ..LineSettings::UNSHAPED
            },
            1,
        );
        assert!(line.pass_run(SECOND, 3_000, 1_200));
        assert_eq!(
            (line.counters().delivered, line.counters().delivered_bytes),
            (3, 3_000)
        );
        assert!(!line.pass_run(SECOND, 3_000, 1_201));
        assert_eq!(line.counters().delivered, 3);
    }
}
