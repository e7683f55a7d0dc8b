//! A stretch of cable that several lines share.
//!
//! An access point's uplink, a prefecture's fibre or the national line carries what many leased
//! lines bring. Its transmitter serves the lines in turn by deficit round robin (Shreedhar and
//! Varghese, 1995): each gets the same share of the bandwidth in bytes, and what one does not use
//! the others have. A line that sends more than its share fills a queue of its own.

use std::collections::VecDeque;
use std::time::Duration;

/// Bytes that a line may send in its turn: one full packet.
const QUANTUM_BYTES: u64 = 1_536;

/// A shared stretch, in one direction. `T` is what the caller carries for each datagram.
#[derive(Debug)]
pub struct Segment<T> {
    bandwidth_bps: u64,
    queue_bytes: u64,
    lines: Vec<Queue<T>>,
    /// Lines with something to send, the one whose turn it is first.
    turns: VecDeque<usize>,
    sending: Option<Sending<T>>,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<Waiting<T>>,
    bytes: u64,
    deficit: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    since: Duration,
    bytes: u64,
    item: T,
}

#[derive(Debug)]
struct Sending<T> {
    line: usize,
    until: Duration,
    item: T,
}

/// The line's queue before the segment is full; here is the datagram again.
#[derive(Debug, PartialEq, Eq)]
pub struct SegmentFull<T>(pub T);

impl<T> Segment<T> {
    /// An idle segment of that bandwidth (bits per second, at least 1) for so many lines, each with
    /// a queue of its own of so many bytes.
    #[must_use]
    pub fn new(bandwidth_bps: u64, queue_bytes: u64, lines: usize) -> Self {
        let queue = || Queue {
            waiting: VecDeque::new(),
            bytes: 0,
            deficit: 0,
        };
        Self {
            bandwidth_bps: bandwidth_bps.max(1),
            queue_bytes,
            lines: std::iter::repeat_with(queue).take(lines).collect(),
            turns: VecDeque::new(),
            sending: None,
        }
    }

    /// Takes a datagram of `bytes` on the line with that number. What has departed by `now` is to be
    /// taken out first ([`Self::depart`]).
    ///
    /// # Errors
    /// [`SegmentFull`] where the line's queue is full, or there is no such line. A datagram that
    /// finds its queue empty always fits.
    pub fn offer(
        &mut self,
        now: Duration,
        line: usize,
        bytes: u64,
        item: T,
    ) -> Result<(), SegmentFull<T>> {
        let Some(queue) = self.lines.get_mut(line) else {
            return Err(SegmentFull(item));
        };
        if !queue.waiting.is_empty() && queue.bytes.saturating_add(bytes) > self.queue_bytes {
            return Err(SegmentFull(item));
        }
        if queue.waiting.is_empty() {
            self.turns.push_back(line);
        }
        queue.bytes = queue.bytes.saturating_add(bytes);
        queue.waiting.push_back(Waiting {
            since: now,
            bytes,
            item,
        });
        if self.sending.is_none() {
            self.begin(now);
        }
        Ok(())
    }

    /// When the datagram that is being sent has left.
    #[must_use]
    pub fn next_departure(&self) -> Option<Duration> {
        self.sending.as_ref().map(|sending| sending.until)
    }

    /// Takes the datagram that has left by `now`: its line, when, and what the caller gave.
    pub fn depart(&mut self, now: Duration) -> Option<(usize, Duration, T)> {
        let sent = self.sending.take_if(|sending| sending.until <= now)?;
        self.begin(sent.until);
        Some((sent.line, sent.until, sent.item))
    }

    /// Drops all that waits or is being sent, as a cut does.
    pub fn clear(&mut self) -> usize {
        let waiting: usize = self.lines.iter().map(|queue| queue.waiting.len()).sum();
        let dropped = waiting + usize::from(self.sending.is_some());
        for queue in &mut self.lines {
            queue.waiting.clear();
            (queue.bytes, queue.deficit) = (0, 0);
        }
        self.turns.clear();
        self.sending = None;
        dropped
    }

    /// Begins with the next datagram in turn.
    fn begin(&mut self, at: Duration) {
        while let Some(line) = self.turns.front().copied() {
            let Some(queue) = self.lines.get_mut(line) else {
                return;
            };
            let Some(first) = queue.waiting.front() else {
                self.turns.pop_front();
                continue;
            };
            if queue.deficit < first.bytes {
                // Its turn is over, or not begun: it is served again after the others.
                queue.deficit += QUANTUM_BYTES;
                self.turns.rotate_left(1);
                continue;
            }
            queue.deficit -= first.bytes;
            queue.bytes = queue.bytes.saturating_sub(first.bytes);
            let Some(next) = queue.waiting.pop_front() else {
                return;
            };
            if queue.waiting.is_empty() {
                queue.deficit = 0;
                self.turns.pop_front();
            }
            let nanos = u128::from(next.bytes) * 8 * 1_000_000_000 / u128::from(self.bandwidth_bps);
            let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            self.sending = Some(Sending {
                line,
                until: at.max(next.since).saturating_add(time),
                item: next.item,
            });
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that each line got through in a second, where each offers so many packets of so many
    /// bytes at the start.
    fn shares(offers: &[(usize, u64)]) -> Vec<u64> {
        let mut segment = Segment::new(8_000_000, 20_000_000, offers.len());
        for (line, (count, bytes)) in offers.iter().enumerate() {
            for _ in 0..*count {
                segment
                    .offer(Duration::ZERO, line, *bytes, *bytes)
                    .expect("room");
            }
        }
        let mut got = vec![0; offers.len()];
        while let Some((line, _, bytes)) = segment.depart(Duration::from_secs(1)) {
            got[line] += bytes;
        }
        got
    }

    #[test]
    fn lines_that_want_all_get_equal_shares_whatever_their_packets() {
        let got = shares(&[
            (10_000, 1_500),
            (100_000, 100),
            (20_000, 700),
            (10_000, 1_400),
        ]);
        for bytes in &got {
            assert!(bytes.abs_diff(250_000) < 3_000, "{got:?}");
        }
    }

    #[test]
    fn what_a_line_does_not_use_the_others_have() {
        let got = shares(&[(100, 1_000), (10_000, 1_500), (10_000, 1_500)]);
        assert_eq!(got[0], 100_000);
        assert!(got[1].abs_diff(450_000) < 3_000 && got[2].abs_diff(450_000) < 3_000);
    }

    #[test]
    fn a_lone_packet_leaves_when_its_last_bit_is_sent() {
        let mut segment = Segment::new(64_000, 0, 2);
        let second = Duration::from_secs(1);
        segment.offer(second, 1, 1_000, "a").expect("idle");
        assert_eq!(segment.depart(second), None);
        let at = second + Duration::from_millis(125);
        assert_eq!(segment.next_departure(), Some(at));
        assert_eq!(segment.depart(at), Some((1, at, "a")));
        assert_eq!(segment.next_departure(), None);
    }

    #[test]
    fn a_full_queue_gives_the_packet_back_and_harms_no_other_line() {
        let mut segment = Segment::new(64_000, 1_000, 2);
        for item in 0..2 {
            segment.offer(Duration::ZERO, 0, 1_000, item).expect("room");
        }
        assert_eq!(segment.offer(Duration::ZERO, 0, 1, 2), Err(SegmentFull(2)));
        segment
            .offer(Duration::ZERO, 1, 1_000, 3)
            .expect("its own queue");
        assert_eq!(segment.offer(Duration::ZERO, 2, 1, 4), Err(SegmentFull(4)));
        assert_eq!(segment.clear(), 3);
        assert_eq!(segment.next_departure(), None);
    }
}
