//! Honest questions while strangers flood the listeners with first packets of connections, beside slow
//! peers that hold handshakes half open.
//!
//! The flood is bounded, so that a run says the same on every machine: real QUIC first packets with
//! a whole ClientHello each, made beforehand, sent from 64 sockets of this process to addresses of
//! the loopback alone, so many a second in all and for a minute at most. It shares the machine's
//! cores with the nodes, as everything in a benchmark does.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use juki_domain::{ErrorCode, NodeRole};
use juki_transport::initials;

use super::figures::Figures;
use super::query;
use super::slow_peers::SlowPeers;
use crate::failure::Failure;
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;
use crate::text;

/// First packets a second, over all targets together, with the metric of the honest rate's ratio.
const FLOODS: [(u32, &str); 2] = [(2_000, FLOOD_RATIO), (5_000, "flood_honest_ratio_at_5000")];
const FLOOD_RATIO: &str = "flood_honest_ratio";
const SOCKETS: usize = 64;
/// A prime, so that each packet comes from every socket in time.
const PACKETS: usize = 2_039;
const FLOOD_MAX: Duration = Duration::from_secs(60);
const SLICE: Duration = Duration::from_millis(5);
/// Until the listeners are as busy as they get.
const SETTLE: Duration = Duration::from_millis(500);

/// Each run measures quiet and flooded, one right after the other, with questions about residents who
/// still have the items of their files.
pub(super) async fn measure(
    network: &LiveNetwork,
    samples: &[Sample],
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    let targets = listeners(network);
    for run in 1..=runs {
        screen.line(text::bench_run(screen.lang, run, runs));
        network.log_in(screen).await?;
        for (per_s, ratio) in FLOODS {
            let quiet = query::busy(network, samples, screen).await?;
            let flooded = flooded_rate(network, samples, (&targets, per_s), screen).await?;
            figures.add("flood_quiet_per_s", "1/s", quiet);
            figures.add(ratio, "1", flooded.answers_per_s / quiet.max(1.0));
            if ratio == FLOOD_RATIO {
                figures.add("flood_flooded_per_s", "1/s", flooded.answers_per_s);
                figures.add("flood_packets_per_s", "1/s", flooded.packets_per_s);
                figures.add("flood_slow_peers", "1", flooded.slow_peers);
            }
        }
    }
    Ok(())
}

/// What was measured under a flood.
struct Flooded {
    answers_per_s: f64,
    packets_per_s: f64,
    /// Slow peers whose handshakes listeners went on with.
    slow_peers: f64,
}

async fn flooded_rate(
    network: &LiveNetwork,
    samples: &[Sample],
    (targets, per_s): (&[SocketAddr], u32),
    screen: Screen,
) -> Result<Flooded, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    // The slow come first: under the flood they would be turned away with the rest.
    let slow = SlowPeers::begin(targets).await?;
    tokio::time::sleep(SETTLE).await;
    let flood = tokio::spawn(run_flood(targets.to_vec(), per_s, Arc::clone(&stop)));
    tokio::time::sleep(SETTLE).await;
    let flooded = query::busy(network, samples, screen).await;
    stop.store(true, Ordering::Relaxed);
    let packets_per_s = flood
        .await
        .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))??;
    let slow = u32::try_from(slow.end().await?).unwrap_or(u32::MAX);
    Ok(Flooded {
        answers_per_s: flooded?,
        packets_per_s,
        slow_peers: f64::from(slow),
    })
}

/// Where the firewalls listen, as they have announced it.
fn listeners(network: &LiveNetwork) -> Vec<SocketAddr> {
    let deployment = network.deployment();
    let firewalls = deployment
        .places()
        .into_iter()
        .filter(|place| place.role == NodeRole::FirewallProxy);
    let sides = firewalls.flat_map(|place| {
        juki_topology::Interface::ALL.map(|side| {
            deployment
                .folder()
                .join(format!("run/{}.{side}.addr", place.name))
        })
    });
    sides
        .filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
        .collect()
}

/// Floods these listeners, all of the loopback, until told to stop; gives the packets sent a second.
pub(crate) async fn run_flood(
    targets: Vec<SocketAddr>,
    per_s: u32,
    stop: Arc<AtomicBool>,
) -> Result<f64, Failure> {
    let failed = |error: std::io::Error| Failure::new(ErrorCode::CheckFailed, error.to_string());
    if targets.is_empty() || targets.iter().any(|target| !target.ip().is_loopback()) {
        let sentence = "a flood goes to listeners of this machine's loopback alone";
        return Err(Failure::new(ErrorCode::CheckFailed, sentence));
    }
    let packets = initials::make(PACKETS).await.map_err(failed)?;
    // A thread of its own: what it sends is paced by the clock and by nothing else.
    let sent = tokio::task::spawn_blocking(move || send(&packets, &targets, per_s, &stop));
    sent.await
        .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?
        .map_err(failed)
}

fn send(
    packets: &[initials::Initial],
    targets: &[SocketAddr],
    per_s: u32,
    stop: &AtomicBool,
) -> std::io::Result<f64> {
    let mut sockets = Vec::with_capacity(SOCKETS);
    for _ in 0..SOCKETS {
        sockets.push(UdpSocket::bind("127.0.0.1:0")?);
    }
    let began = Instant::now();
    let mut sent = 0u32;
    let mut next = packets
        .iter()
        .cycle()
        .zip(sockets.iter().cycle())
        .zip(targets.iter().cycle());
    while !stop.load(Ordering::Relaxed) && began.elapsed() < FLOOD_MAX {
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
    Ok(f64::from(sent) / began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_is_paced_and_stays_on_the_loopback() {
        let elsewhere = vec!["192.0.2.1:4433".parse().unwrap()];
        let stop = Arc::new(AtomicBool::new(false));
        assert!(run_flood(elsewhere, 10, Arc::clone(&stop)).await.is_err());
        assert!(run_flood(Vec::new(), 10, Arc::clone(&stop)).await.is_err());

        let target = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let targets = vec![target.local_addr().unwrap()];
        let flood = tokio::spawn(run_flood(targets, 500, Arc::clone(&stop)));
        let mut first = [0; 2_048];
        for _ in 0..50 {
            let (length, _) = target.recv_from(&mut first).await.unwrap();
            assert!(length >= 1_200);
        }
        stop.store(true, Ordering::Relaxed);
        let per_s = flood.await.unwrap().unwrap();
        assert!(per_s > 0.0);
    }
}
