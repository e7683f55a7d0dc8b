//! The network between the nodes: leased lines as the model has them, cables within an office.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use juki_crypto::{Digest, DigestStream};
use juki_line::{Delivery, Direction, LineModel, LineSettings, Verdict};
use juki_transport::{Datagram, DatagramNetwork, Port};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The network of one simulated world.
pub struct VirtualNetwork {
    start: Instant,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    ports: BTreeMap<SocketAddr, Arc<Port>>,
    next_port: BTreeMap<IpAddr, u16>,
    lines: Vec<[LineModel; 2]>,
    ways: BTreeMap<(IpAddr, IpAddr), Way>,
    on_the_way: BTreeMap<(Duration, u64), Datagram>,
    counted: u64,
    trace: Trace,
}

/// How a datagram gets from one machine to another.
#[derive(Debug, Clone, Copy)]
enum Way {
    Cable,
    Line(usize, Direction),
}

/// A running digest over what was sent: (time, from, to, length) of every datagram.
struct Trace(DigestStream);

impl Default for Trace {
    fn default() -> Self {
        Self(DigestStream::new("trace of a simulated network"))
    }
}

impl VirtualNetwork {
    /// A network with nothing on it, whose time begins now.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            state: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Lays a cable between two machines of one office.
    pub fn lay_cable(&self, one: IpAddr, other: IpAddr) {
        let mut state = self.lock();
        state.ways.insert((one, other), Way::Cable);
        state.ways.insert((other, one), Way::Cable);
    }

    /// Lays a line from a lower machine to an upper one and gives its number.
    pub fn lay_line(
        &self,
        name: &str,
        (lower, upper): (IpAddr, IpAddr),
        settings: LineSettings,
        seed: u64,
    ) -> usize {
        let model = |way: Direction| LineModel::new(settings, way.seed(name) ^ seed);
        let mut state = self.lock();
        let number = state.lines.len();
        state
            .lines
            .push([model(Direction::Upward), model(Direction::Downward)]);
        let ways = [
            ((lower, upper), Direction::Upward),
            ((upper, lower), Direction::Downward),
        ];
        for (ends, way) in ways {
            state.ways.insert(ends, Way::Line(number, way));
        }
        number
    }

    /// Changes both directions of a line.
    pub fn change_line(&self, number: usize, change: impl Fn(&mut LineModel)) {
        if let Some(line) = self.lock().lines.get_mut(number) {
            line.iter_mut().for_each(change);
        }
    }

    /// Takes a machine off the network: its sockets are gone, and what was sent to them.
    pub fn unplug(&self, machine: IpAddr) {
        let mut state = self.lock();
        state.ports.retain(|address, port| {
            let is_gone = address.ip() == machine;
            if is_gone {
                port.unplug();
            }
            !is_gone
        });
    }

    /// How many datagrams were sent, and a digest over those since it was last asked for.
    #[must_use]
    pub fn trace(&self) -> (u64, Digest) {
        let state = &mut *self.lock();
        let trace = std::mem::take(&mut state.trace);
        (state.counted, trace.0.finish())
    }

    /// Delivers what arrives; ends never.
    pub async fn deliver(self: Arc<Self>) {
        loop {
            let next = self.lock().on_the_way.keys().next().map(|(at, _)| *at);
            match next {
                None => self.wake.notified().await,
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep_until(self.start + at) => self.deliver_due(),
                        () = self.wake.notified() => {}
                    }
                }
            }
        }
    }

    fn deliver_due(&self) {
        let now = self.now();
        while let Some((port, datagram)) = self.next_due(now) {
            port.deliver(datagram);
        }
    }

    fn next_due(&self, now: Duration) -> Option<(Arc<Port>, Datagram)> {
        let state = &mut *self.lock();
        loop {
            let first = state.on_the_way.first_entry()?;
            if first.key().0 > now {
                return None;
            }
            let datagram = first.remove();
            if let Some(port) = state.ports.get(&datagram.to) {
                return Some((Arc::clone(port), datagram));
            }
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DatagramNetwork for VirtualNetwork {
    fn bind(&self, mut address: SocketAddr) -> io::Result<Arc<Port>> {
        let state = &mut *self.lock();
        if address.port() == 0 {
            let next = state.next_port.entry(address.ip()).or_insert(FIRST_PORT);
            address.set_port(*next);
            *next = next.checked_add(1).unwrap_or(FIRST_PORT);
        }
        if state.ports.contains_key(&address) {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        let port = Port::new(address);
        state.ports.insert(address, Arc::clone(&port));
        Ok(port)
    }

    fn send(&self, datagram: Datagram) {
        let now = self.now();
        let state = &mut *self.lock();
        state.counted += 1;
        state.trace.note(now, &datagram);
        let way = state.ways.get(&(datagram.from.ip(), datagram.to.ip()));
        match way.copied() {
            // There is no such cable.
            None => {}
            Some(Way::Cable) => {
                if let Some(port) = state.ports.get(&datagram.to) {
                    port.deliver(datagram);
                }
            }
            Some(Way::Line(number, way)) => {
                let place = usize::from(way == Direction::Downward);
                let line = state.lines.get_mut(number);
                let Some(line) = line.and_then(|line| line.get_mut(place)) else {
                    return;
                };
                if let Verdict::Deliver(delivery) = line.offer(now, datagram.payload.len()) {
                    state.put(delivery, datagram);
                    self.wake.notify_one();
                }
            }
        }
    }
}

impl State {
    fn put(&mut self, mut delivery: Delivery, mut datagram: Datagram) {
        let bits = datagram.payload.len() as u64 * 8;
        delivery.corrupt_bit = delivery
            .corrupt_bit
            .map(|bit| HEADER_BITS + bit % bits.saturating_sub(HEADER_BITS).max(1));
        delivery.corrupt(&mut datagram.payload);
        if let Some(again) = delivery.again_at {
            let key = (again, self.counted * 2 + 1);
            self.on_the_way.insert(key, datagram.clone());
        }
        self.on_the_way
            .insert((delivery.at, self.counted * 2), datagram);
    }
}

impl Trace {
    fn note(&mut self, now: Duration, datagram: &Datagram) {
        let end = |address: SocketAddr| match address.ip() {
            IpAddr::V4(ip) => u64::from(ip.to_bits()) << 16 | u64::from(address.port()),
            IpAddr::V6(_) => u64::from(address.port()),
        };
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let length = datagram.payload.len() as u64;
        for word in [nanos, end(datagram.from), end(datagram.to), length] {
            self.0.update(&word.to_le_bytes());
        }
    }
}

/// Bits at the beginning of a datagram that are never damaged. A damaged header is read as whatever
/// the sealed bytes behind it say, and those are not the seed's: now and then a world would go another
/// way. Real relays damage headers too.
const HEADER_BITS: u64 = 8 * 32;
/// First of the ports that the network chooses.
const FIRST_PORT: u16 = 20_000;
