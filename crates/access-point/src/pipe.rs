//! One direction of one line: the model and the datagrams on their way.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use juki_line::{LineModel, LineSettings, Verdict};
use quinn_udp::EcnCodepoint;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::control::Counters;
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
}

#[derive(Debug)]
struct State {
    model: LineModel,
    /// In the order of their arrival, since the model never reorders.
    on_the_way: VecDeque<InFlight>,
    bytes_on_the_way: usize,
    cut: Loss,
    overflow: Loss,
}

#[derive(Debug)]
struct InFlight {
    arrival: Instant,
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

impl Pipe {
    pub(crate) fn new(settings: LineSettings, seed: u64) -> Self {
        let state = State {
            model: LineModel::new(settings, seed),
            on_the_way: VecDeque::new(),
            bytes_on_the_way: 0,
            cut: Loss::default(),
            overflow: Loss::default(),
        };
        Self {
            start: Instant::now(),
            state: Mutex::new(state),
            wake: Notify::new(),
        }
    }

    /// Puts a run on the line. True means that it has arrived already and is to be sent now.
    pub(crate) fn take(&self, now: Instant, run: Run<'_>, exit: &Exit) -> bool {
        let mut state = self.lock();
        let since_start = now.duration_since(self.start);
        if state.on_the_way.is_empty()
            && state
                .model
                .pass_run(since_start, run.bytes.len(), run.stride)
        {
            return true;
        }
        for datagram in run.datagrams() {
            let Verdict::Deliver { at } = state.model.offer(since_start, datagram.len()) else {
                continue;
            };
            let has_room = state.on_the_way.len() < ON_THE_WAY_MAX
                && state.bytes_on_the_way + datagram.len() <= ON_THE_WAY_BYTES_MAX;
            if !has_room {
                state.overflow.add(datagram.len());
                continue;
            }
            state.bytes_on_the_way += datagram.len();
            state.on_the_way.push_back(InFlight {
                arrival: self.start + at,
                payload: datagram.into(),
                ecn: run.ecn,
                exit: exit.clone(),
            });
        }
        drop(state);
        self.wake.notify_one();
        false
    }

    /// Sends each datagram when it has arrived; ends never.
    pub(crate) async fn deliver(self: Arc<Self>) {
        loop {
            let arrival = self
                .lock()
                .on_the_way
                .front()
                .map(|in_flight| in_flight.arrival);
            match arrival {
                None => self.wake.notified().await,
                Some(arrival) => {
                    tokio::time::sleep_until(arrival).await;
                    self.send_arrived().await;
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
            for lost in std::mem::take(&mut state.on_the_way) {
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
        }
    }

    async fn send_arrived(&self) {
        let now = Instant::now();
        while let Some(in_flight) = self.pop_arrived(now) {
            let InFlight {
                payload, ecn, exit, ..
            } = in_flight;
            let run = Run {
                from: exit.to,
                bytes: &payload,
                stride: payload.len(),
                ecn,
            };
            if let Err(error) = exit.send(run).await {
                tracing::debug!(event = "datagram.unsent", %error);
            }
        }
    }

    fn pop_arrived(&self, now: Instant) -> Option<InFlight> {
        let mut state = self.lock();
        if state.on_the_way.front()?.arrival > now {
            return None;
        }
        let in_flight = state.on_the_way.pop_front()?;
        state.bytes_on_the_way = state
            .bytes_on_the_way
            .saturating_sub(in_flight.payload.len());
        Some(in_flight)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
