//! Slow peers beside a flood: they begin handshakes, never end them, and hold their places.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use juki_domain::ErrorCode;
use juki_transport::initials::{self, Initial};
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// Slow peers at each listener.
const EACH: usize = 4;
/// Slow peers in all, whatever the number of listeners.
const PEERS_MAX: usize = 128;
/// How often a peer says its first packet again. A handshake that was cut is begun anew by it.
const SAY_AGAIN: Duration = Duration::from_millis(500);
const LASTING_MAX: Duration = Duration::from_secs(60);
const SLICE: Duration = Duration::from_millis(20);
const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Slow peers at work.
pub(super) struct SlowPeers {
    stop: Arc<AtomicBool>,
    working: JoinHandle<std::io::Result<usize>>,
}

impl SlowPeers {
    /// Has slow peers begin handshakes at these listeners, all of the loopback. They end when told to,
    /// when dropped, and after a minute.
    pub(super) async fn begin(targets: &[SocketAddr]) -> Result<Self, Failure> {
        if targets.is_empty() || targets.iter().any(|target| !target.ip().is_loopback()) {
            let sentence = "slow peers go to listeners of this machine's loopback alone";
            return Err(Failure::new(ErrorCode::CheckFailed, sentence));
        }
        let number = targets.len().saturating_mul(EACH).min(PEERS_MAX);
        let packets = initials::make(number).await.map_err(failed)?;
        let peers = packets
            .into_iter()
            .zip(targets.iter().cycle())
            .map(|(packet, target)| Peer::begin(packet, *target))
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let working = tokio::task::spawn_blocking(move || dawdle(peers, &told));
        Ok(Self { stop, working })
    }

    /// Ends them; gives how many of them had a listener go on with their handshake.
    pub(super) async fn end(mut self) -> Result<usize, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = (&mut self.working).await;
        ended
            .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?
            .map_err(failed)
    }
}

impl Drop for SlowPeers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct Peer {
    packet: Initial,
    socket: UdpSocket,
    is_answered: bool,
}

impl Peer {
    fn begin(packet: Initial, target: SocketAddr) -> std::io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(target)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            packet,
            socket,
            is_answered: false,
        })
    }

    /// Takes what has come and leaves it at that.
    fn listen(&mut self) {
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        while let Ok(length) = self.socket.recv(&mut datagram) {
            let answer = datagram.get(..length).unwrap_or_default();
            self.is_answered |= goes_on(answer);
        }
    }
}

fn dawdle(mut peers: Vec<Peer>, stop: &AtomicBool) -> std::io::Result<usize> {
    let began = Instant::now();
    let mut say_at = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) && began.elapsed() < LASTING_MAX {
        let is_time = began.elapsed() >= say_at;
        if is_time {
            say_at = began.elapsed() + SAY_AGAIN;
        }
        for peer in &mut peers {
            peer.listen();
            if is_time {
                // A full queue loses packets, as a network would; the next is due soon.
                let _lost = peer.socket.send(&peer.packet);
            }
        }
        std::thread::sleep(SLICE);
    }
    for peer in &mut peers {
        peer.listen();
    }
    Ok(peers.iter().filter(|peer| peer.is_answered).count())
}

/// Whether a listener went on with a handshake: a packet with a long header that is neither a retry nor
/// a negotiation of versions (RFC 9000 17.2).
fn goes_on(datagram: &[u8]) -> bool {
    match datagram {
        [first, version @ ..] if first & 0x80 != 0 => {
            first & 0x30 != 0x30 && version.get(..4).is_some_and(|version| version != [0; 4])
        }
        _ => false,
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(ErrorCode::CheckFailed, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn slow_peers_are_bounded_say_their_first_packet_again_and_end_when_told() {
        assert!(SlowPeers::begin(&[]).await.is_err());
        let elsewhere = "192.0.2.1:4433".parse().unwrap();
        assert!(SlowPeers::begin(&[elsewhere]).await.is_err());

        let target = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peers = SlowPeers::begin(&[target.local_addr().unwrap()])
            .await
            .unwrap();
        let mut said = std::collections::BTreeMap::new();
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        while said.values().filter(|times| **times > 1).count() < EACH {
            let (length, from) = target.recv_from(&mut datagram).await.unwrap();
            assert!(length >= 1_200);
            *said.entry(from).or_insert(0) += 1;
        }
        assert_eq!(said.len(), EACH);
        // One is answered as by a listener that goes on, one by a retry.
        let mut to = said.keys();
        let goes_on = [0xc0, 0, 0, 0, 1, 0];
        let retry = [0xf0, 0, 0, 0, 1, 0];
        target.send_to(&goes_on, to.next().unwrap()).await.unwrap();
        target.send_to(&retry, to.next().unwrap()).await.unwrap();
        assert_eq!(peers.end().await.unwrap(), 1);
    }
}
