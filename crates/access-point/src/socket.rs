//! A UDP socket that keeps the kernel's batches of datagrams together.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket as StdSocket};

use quinn_udp::{EcnCodepoint, RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Room for one receive call.
pub(crate) struct Buffers {
    bytes: Vec<u8>,
    meta: [RecvMeta; RUNS_MAX],
}

/// Datagrams from one sender in one buffer: each `stride` bytes long, the last possibly shorter.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
    pub(crate) ecn: Option<EcnCodepoint>,
}

#[derive(Debug)]
pub(crate) struct BatchSocket {
    io: UdpSocket,
    state: UdpSocketState,
}

impl BatchSocket {
    /// A socket bound to an address, within a tokio runtime.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = StdSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let io = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new((&io).into())?;
        // The kernel may grant less; a burst then loses its tail, as on any line.
        state
            .set_recv_buffer_size((&io).into(), SOCKET_BUFFER_BYTES)
            .ok();
        state
            .set_send_buffer_size((&io).into(), SOCKET_BUFFER_BYTES)
            .ok();
        Ok(Self { io, state })
    }

    /// Talks to that address alone from now on, and hears when nobody listens there.
    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<()> {
        self.io.connect(address).await
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Waits for datagrams and says how many runs came.
    pub(crate) async fn receive(&self, buffers: &mut Buffers) -> io::Result<usize> {
        let mut chunks = buffers.bytes.chunks_exact_mut(RUN_BYTES_MAX);
        let mut slices: [IoSliceMut<'_>; RUNS_MAX] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let meta = &mut buffers.meta;
        let receive = || self.state.recv((&self.io).into(), &mut slices, meta);
        self.io.async_io(Interest::READABLE, receive).await
    }

    /// Sends a run to an address, split where the kernel takes fewer datagrams at once.
    pub(crate) async fn send(&self, to: SocketAddr, run: Run<'_>) -> io::Result<()> {
        let segments = self.state.max_gso_segments().max(1);
        for contents in run.bytes.chunks(run.stride.saturating_mul(segments).max(1)) {
            let transmit = Transmit {
                destination: to,
                ecn: run.ecn,
                contents,
                segment_size: (contents.len() > run.stride).then_some(run.stride),
                src_ip: None,
            };
            let send = || self.state.try_send((&self.io).into(), &transmit);
            self.io.async_io(Interest::WRITABLE, send).await?;
        }
        Ok(())
    }
}

impl Buffers {
    pub(crate) fn new() -> Self {
        let bytes = vec![0; RUN_BYTES_MAX * RUNS_MAX];
        Self {
            bytes,
            meta: [RecvMeta::default(); RUNS_MAX],
        }
    }

    /// The first `count` runs; empty datagrams are left out.
    pub(crate) fn runs(&self, count: usize) -> impl Iterator<Item = Run<'_>> {
        let chunks = self.bytes.chunks_exact(RUN_BYTES_MAX);
        let runs = self
            .meta
            .iter()
            .zip(chunks)
            .take(count)
            .filter_map(|(meta, chunk)| {
                let bytes = chunk.get(..meta.len)?;
                Some(Run {
                    from: meta.addr,
                    bytes,
                    stride: meta.stride,
                    ecn: meta.ecn,
                })
            });
        runs.filter(|run| !run.bytes.is_empty() && run.stride > 0)
    }
}

impl<'a> Run<'a> {
    /// The datagrams one by one.
    pub(crate) fn datagrams(self) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.chunks(self.stride.max(1))
    }

    /// How many datagrams it holds.
    pub(crate) fn count(self) -> u64 {
        u64::try_from(self.bytes.len().div_ceil(self.stride.max(1))).unwrap_or(u64::MAX)
    }
}

/// Runs per receive call.
const RUNS_MAX: usize = 8;
/// What the kernel joins at most into one run.
const RUN_BYTES_MAX: usize = 65_536;
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
