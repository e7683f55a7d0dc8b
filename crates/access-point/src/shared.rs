//! A stretch behind the lines that several of them share, in one direction.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use juki_line::{Segment, SegmentFull};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::pipe::InFlight;

/// The stretch: what has crossed it leaves for good.
#[derive(Debug)]
pub(crate) struct Shared {
    start: Instant,
    segment: Mutex<Segment<InFlight>>,
    wake: Notify,
}

/// One line's place on a stretch.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    shared: Arc<Shared>,
    line: usize,
    dropped: Arc<AtomicU64>,
}

impl Shared {
    pub(crate) fn new(bandwidth_bps: u64, queue_bytes: u64, lines: usize) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            segment: Mutex::new(Segment::new(bandwidth_bps, queue_bytes, lines)),
            wake: Notify::new(),
        })
    }

    /// The place of the line with that number.
    pub(crate) fn share(self: &Arc<Self>, line: usize) -> Share {
        Share {
            shared: Arc::clone(self),
            line,
            dropped: Arc::default(),
        }
    }

    /// Sends each datagram when it has crossed; ends never.
    pub(crate) async fn deliver(self: Arc<Self>) {
        loop {
            let departure = self.lock().next_departure();
            match departure {
                None => self.wake.notified().await,
                Some(departure) => {
                    tokio::time::sleep_until(self.start + departure).await;
                    let now = Instant::now();
                    while let Some(crossed) = self.crossed(now) {
                        crossed.send().await;
                    }
                }
            }
        }
    }

    fn crossed(&self, now: Instant) -> Option<InFlight> {
        let departed = self.lock().depart(self.since(now));
        departed.map(|(_, _, in_flight)| in_flight)
    }

    fn since(&self, now: Instant) -> Duration {
        now.duration_since(self.start)
    }

    fn lock(&self) -> MutexGuard<'_, Segment<InFlight>> {
        self.segment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Puts a datagram that has left its own line on the stretch, or drops it at a full queue.
    pub(crate) fn offer(&self, now: Instant, in_flight: InFlight) {
        let bytes = in_flight.bytes();
        let now = self.shared.since(now);
        let offered = self.shared.lock().offer(now, self.line, bytes, in_flight);
        match offered {
            Ok(()) => self.shared.wake.notify_one(),
            Err(SegmentFull(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Datagrams of the line that found its queue here full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
