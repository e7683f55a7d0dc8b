//! Links over a network that is not the system's: datagrams in memory, timers of virtual time.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use juki_crypto::Randomness;
use juki_runtime::TaskGroup;
use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};
use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, UdpPoller};

use crate::endpoint::Sockets;

/// One datagram between two sockets.
#[derive(Debug, Clone)]
pub struct Datagram {
    /// The sender's address.
    pub from: SocketAddr,
    /// The receiver's address.
    pub to: SocketAddr,
    /// What it carries.
    pub payload: Vec<u8>,
    /// Its mark of congestion as QUIC encodes it, 0 for none.
    pub ecn: u8,
}

/// A network that carries datagrams and knows who listens where.
pub trait DatagramNetwork: Send + Sync {
    /// Binds a socket; port 0 lets the network choose.
    ///
    /// # Errors
    /// Where the address is taken or not one of the machine's.
    fn bind(&self, address: SocketAddr) -> io::Result<Arc<Port>>;

    /// Takes a datagram. Whether it arrives is the network's.
    fn send(&self, datagram: Datagram);
}

/// The inbox of a bound socket.
pub struct Port {
    address: SocketAddr,
    state: Mutex<Inbox>,
    is_unplugged: AtomicBool,
}

#[derive(Default)]
struct Inbox {
    waiting: VecDeque<Datagram>,
    reader: Option<Waker>,
}

impl Port {
    /// An empty inbox at an address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            state: Mutex::default(),
            is_unplugged: AtomicBool::new(false),
        })
    }

    /// Where it is bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts a datagram in; a full inbox loses it, as a socket's buffer would.
    pub fn deliver(&self, datagram: Datagram) {
        if self.is_unplugged.load(Ordering::Relaxed) {
            return;
        }
        let reader = {
            let mut state = self.lock();
            if state.waiting.len() >= INBOX_MAX {
                return;
            }
            state.waiting.push_back(datagram);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Takes it off the network: nothing comes in or leaves any more.
    pub fn unplug(&self) {
        self.is_unplugged.store(true, Ordering::Relaxed);
        self.lock().waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sockets {
    /// Sockets on that network, whose tasks are of that group and whose draws come from there.
    #[must_use]
    pub fn on_network(
        network: Arc<dyn DatagramNetwork>,
        group: TaskGroup,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let bind = move |address: SocketAddr| {
            let port = network.bind(address)?;
            let network = Arc::clone(&network);
            Ok(Arc::new(Socket { network, port }) as Arc<dyn AsyncUdpSocket>)
        };
        Self::new(Arc::new(VirtualRuntime(group)), Arc::new(bind), randomness)
    }
}

struct Socket {
    network: Arc<dyn DatagramNetwork>,
    port: Arc<Port>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket({})", self.port.address)
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.port.is_unplugged.load(Ordering::Relaxed) {
            return Ok(());
        }
        let length = transmit.segment_size.unwrap_or(transmit.contents.len());
        for payload in transmit.contents.chunks(length.max(1)) {
            self.network.send(Datagram {
                from: self.port.address,
                to: transmit.destination,
                payload: payload.to_vec(),
                ecn: transmit.ecn.map_or(0, |ecn| ecn as u8),
            });
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.port.lock();
        let mut count = 0;
        for (buffer, meta) in buffers.iter_mut().zip(meta) {
            let Some(datagram) = state.waiting.pop_front() else {
                break;
            };
            let length = datagram.payload.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(&datagram.payload) {
                *to = *from;
            }
            *meta = RecvMeta::default();
            (meta.addr, meta.len, meta.stride) = (datagram.from, length, length);
            meta.ecn = EcnCodepoint::from_bits(datagram.ecn);
            count += 1;
        }
        if count == 0 {
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.port.address)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// QUIC's timers and tasks on tokio's clock, which may be paused.
#[derive(Debug)]
struct VirtualRuntime(TaskGroup);

impl Runtime for VirtualRuntime {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(Timer(Box::pin(tokio::time::sleep_until(at.into()))))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let _running = self.0.spawn(future);
    }

    fn wrap_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

#[derive(Debug)]
struct Timer(Pin<Box<tokio::time::Sleep>>);

impl AsyncTimer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.0.as_mut().reset(at.into());
    }

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Future::poll(self.0.as_mut(), context)
    }
}

/// Datagrams that a socket's buffer holds: some megabytes in full packets.
const INBOX_MAX: usize = 4_096;
