//! First packets of connections that nobody means to complete.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use juki_transport::initials;
use serde::Serialize;

use crate::Fault;

/// What a flood has sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FloodReport {
    /// First packets.
    pub sent: u64,
}

/// Sends so many first packets a second in all to these listeners of the loopback, from 64 sockets,
/// for a while: at most a minute.
///
/// # Errors
/// [`Fault::Missing`] for no target, or one beyond this machine; [`Fault::Refused`] where there are
/// no sockets.
pub async fn flood(
    targets: Vec<SocketAddr>,
    per_s: u32,
    lasting: Duration,
) -> Result<FloodReport, Fault> {
    if targets.is_empty() || targets.iter().any(|target| !target.ip().is_loopback()) {
        let sentence = "a flood goes to listeners of this machine's loopback alone";
        return Err(Fault::Missing(sentence.to_owned()));
    }
    let packets = initials::make(PACKETS).await.map_err(Fault::refused)?;
    let lasting = lasting.min(LASTING_MAX);
    tokio::task::spawn_blocking(move || send(&packets, &targets, per_s, lasting))
        .await
        .map_err(Fault::refused)?
        .map_err(Fault::refused)
}

fn send(
    packets: &[initials::Initial],
    targets: &[SocketAddr],
    per_s: u32,
    lasting: Duration,
) -> std::io::Result<FloodReport> {
    let mut sockets = Vec::with_capacity(SOCKETS);
    for _ in 0..SOCKETS {
        sockets.push(UdpSocket::bind("127.0.0.1:0")?);
    }
    let mut next = packets
        .iter()
        .cycle()
        .zip(sockets.iter().cycle())
        .zip(targets.iter().cycle());
    let began = Instant::now();
    let mut sent = 0u32;
    while began.elapsed() < lasting {
        let due = began.elapsed().as_secs_f64() * f64::from(per_s);
        while f64::from(sent) < due {
            if let Some(((packet, socket), target)) = next.next() {
                // A full queue loses packets, as a network would.
                let _lost = socket.send_to(packet, target);
            }
            sent = sent.saturating_add(1);
        }
        std::thread::sleep(SLICE);
    }
    Ok(FloodReport {
        sent: u64::from(sent),
    })
}

const SOCKETS: usize = 64;
/// A prime, so that each packet comes from every socket in time.
const PACKETS: usize = 509;
const SLICE: Duration = Duration::from_millis(5);
const LASTING_MAX: Duration = Duration::from_secs(60);
