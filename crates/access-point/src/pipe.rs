//! One direction of one line: the model and the datagrams on their way.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use juki_line::{Delivery, LineModel, LineSettings, OVERHEAD_BYTES, Verdict};
use quinn_udp::EcnCodepoint;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::capture::Tap;
use crate::control::Counters;
use crate::shared::Share;
use crate::socket::{BatchSocket, Run};
use crate::target::Target;

/// Where a datagram leaves the line.
#[derive(Debug, Clone)]
pub(crate) struct Exit {
    pub(crate) socket: Arc<BatchSocket>,
    pub(crate) to: SocketAddr,
    /// Who is to hear that nobody listens there.
    pub(crate) target: Option<Arc<Target>>,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    start: Instant,
    state: Mutex<State>,
    wake: Notify,
    /// The stretch behind the line that it shares with others.
    share: Option<Share>,
    tap: Tap,
}

#[derive(Debug)]
struct State {
    model: LineModel,
    /// By their arrival, and by their turn where several arrive at once.
    on_the_way: BTreeMap<(Instant, u64), InFlight>,
    taken: u64,
    bytes_on_the_way: usize,
    cut: Loss,
    overflow: Loss,
}

/// A datagram that has arrived, or will.
#[derive(Debug)]
pub(crate) struct InFlight {
    payload: Box<[u8]>,
    ecn: Option<EcnCodepoint>,
    exit: Exit,
}

/// Datagrams that the model delivered and that did not arrive.
#[derive(Debug, Default)]
struct Loss {
    datagrams: u64,
    bytes: u64,
}

impl Exit {
    pub(crate) async fn send(&self, run: Run<'_>) -> io::Result<()> {
        match self.socket.send(self.to, run).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                if let Some(target) = &self.target {
                    target.suspect();
                }
                // The refusal belongs to an earlier datagram; this one has not been sent yet.
                self.socket.send(self.to, run).await
            }
            result => result,
        }
    }
}

impl InFlight {
    /// Sends it on from the line's end.
    pub(crate) async fn send(self) {
        let run = Run {
            from: self.exit.to,
            bytes: &self.payload,
            stride: self.payload.len(),
            ecn: self.ecn,
        };
        if let Err(error) = self.exit.send(run).await {
            tracing::debug!(event = "datagram.unsent", %error);
        }
    }

    /// Its length on the line with its headers.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.payload.len())
            .unwrap_or(u64::MAX)
            .saturating_add(OVERHEAD_BYTES)
    }
}

impl Pipe {
    pub(crate) fn new(settings: LineSettings, seed: u64, share: Option<Share>) -> Self {
        let state = State {
            model: LineModel::new(settings, seed),
            on_the_way: BTreeMap::new(),
            taken: 0,
            bytes_on_the_way: 0,
            cut: Loss::default(),
            overflow: Loss::default(),
        };
        Self {
            start: Instant::now(),
            state: Mutex::new(state),
            wake: Notify::new(),
            share,
            tap: Tap::default(),
        }
    }

    /// Puts a run on the line. True means that it has arrived already and is to be sent now.
    pub(crate) fn take(&self, now: Instant, run: Run<'_>, exit: &Exit) -> bool {
        let mut state = self.lock();
        let since_start = now.duration_since(self.start);
        if self.share.is_none()
            && state.on_the_way.is_empty()
            && state
                .model
                .pass_run(since_start, run.bytes.len(), run.stride)
        {
            drop(state);
            run.datagrams()
                .for_each(|datagram| self.tap.note(run.from, exit.to, datagram));
            return true;
        }
        for datagram in run.datagrams() {
            let Verdict::Deliver(delivery) = state.model.offer(since_start, datagram.len()) else {
                continue;
            };
            self.tap.note(run.from, exit.to, datagram);
            state.put(self.start, delivery, datagram, run.ecn, exit);
        }
        drop(state);
        self.wake.notify_one();
        false
    }

    /// Hands each datagram on when it has arrived; ends never.
    pub(crate) async fn deliver(self: Arc<Self>) {
        loop {
            let arrival = self
                .lock()
                .on_the_way
                .first_key_value()
                .map(|((arrival, _), _)| *arrival);
            match arrival {
                None => self.wake.notified().await,
                Some(arrival) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(arrival) => self.hand_on_arrived().await,
                        // One that was held back may have been passed.
                        () = self.wake.notified() => {}
                    }
                }
            }
        }
    }

    pub(crate) fn set(&self, settings: LineSettings) {
        self.lock().model.set(settings);
    }

    /// Cuts the line, and what is on its way with it, or mends it.
    pub(crate) fn set_up(&self, is_up: bool) {
        let mut state = self.lock();
        state.model.set_up(is_up);
        if !is_up {
            for lost in std::mem::take(&mut state.on_the_way).into_values() {
                state.cut.add(lost.payload.len());
            }
            state.bytes_on_the_way = 0;
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.lock().model.is_up()
    }

    pub(crate) fn settings(&self) -> LineSettings {
        *self.lock().model.settings()
    }

    /// Where what passes can be written down.
    pub(crate) fn tap(&self) -> &Tap {
        &self.tap
    }

    pub(crate) fn counters(&self) -> Counters {
        let state = self.lock();
        let mut line = state.model.counters();
        let (cut, overflow) = (&state.cut, &state.overflow);
        line.delivered = line
            .delivered
            .saturating_sub(cut.datagrams + overflow.datagrams);
        line.delivered_bytes = line
            .delivered_bytes
            .saturating_sub(cut.bytes + overflow.bytes);
        Counters {
            line,
            dropped_cut: cut.datagrams,
            dropped_overflow: overflow.datagrams,
            dropped_shared: self.share.as_ref().map_or(0, Share::dropped),
        }
    }

    async fn hand_on_arrived(&self) {
        let now = Instant::now();
        while let Some(in_flight) = self.pop_arrived(now) {
            match &self.share {
                Some(share) => share.offer(now, in_flight),
                None => in_flight.send().await,
            }
        }
    }

    fn pop_arrived(&self, now: Instant) -> Option<InFlight> {
        let mut state = self.lock();
        let first = state.on_the_way.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let in_flight = first.remove();
        state.bytes_on_the_way = state
            .bytes_on_the_way
            .saturating_sub(in_flight.payload.len());
        Some(in_flight)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a datagram until it arrives, once or twice, where there is room.
    fn put(
        &mut self,
        start: Instant,
        delivery: Delivery,
        datagram: &[u8],
        ecn: Option<EcnCodepoint>,
        exit: &Exit,
    ) {
        for at in std::iter::once(delivery.at).chain(delivery.again_at) {
            let has_room = self.on_the_way.len() < ON_THE_WAY_MAX
                && self.bytes_on_the_way + datagram.len() <= ON_THE_WAY_BYTES_MAX;
            if !has_room {
                self.overflow.add(datagram.len());
                continue;
            }
            self.bytes_on_the_way += datagram.len();
            self.taken += 1;
            let mut payload: Box<[u8]> = datagram.into();
            delivery.corrupt(&mut payload);
            let in_flight = InFlight {
                payload,
                ecn,
                exit: exit.clone(),
            };
            self.on_the_way.insert((start + at, self.taken), in_flight);
        }
    }
}

impl Loss {
    fn add(&mut self, bytes: usize) {
        self.datagrams += 1;
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
    }
}

/// Datagrams on their way in one direction; a second of 100 Mbit/s in full packets.
const ON_THE_WAY_MAX: usize = 16_384;
const ON_THE_WAY_BYTES_MAX: usize = 32 << 20;
