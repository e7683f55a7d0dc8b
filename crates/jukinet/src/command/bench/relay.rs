//! How many datagrams a second an access point's relay passes on an unshaped line: one by one, and in
//! the batches in which the kernel hands them over.

use std::fs;
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use juki_domain::ErrorCode;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

use super::figures::Figures;
use crate::cli::{Preset, Selection};
use crate::command::status::supervised;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

const RELAY: &str = "ap-35-1";
const LINE: &str = "cs-352047";
/// Where the relay finds the upper end of that line.
const UPPER: &str = "fw-prefecture-35.line.addr";
/// One full packet of QUIC's first size.
const BYTES: usize = 1_200;
/// Datagrams of one batch.
const BATCH: usize = 32;
const WINDOW: Duration = Duration::from_secs(3);
/// Room for one receive call: what the kernel joins at most.
const RUN_BYTES: usize = 65_536;
const RUNS: usize = 8;
const BUFFER_BYTES: usize = 8 << 20;

pub(super) async fn measure(
    folder: &Path,
    runs: u32,
    figures: &mut Figures,
    screen: Screen,
) -> Result<(), Failure> {
    screen.line(text::bench_preparing(screen.lang));
    let mut network = LiveNetwork::make(folder, Preset::Demo, 7, 0.001, screen)?;
    let upper = UdpSocket::bind("127.0.0.1:0").map_err(failed)?;
    let run = network.deployment().folder().join("run");
    let address = upper.local_addr().map_err(failed)?;
    fs::write(run.join(UPPER), format!("{address}\n")).map_err(failed)?;
    let selection = Selection {
        only: RELAY.parse().into_iter().collect(),
        ..Selection::default()
    };
    network.start_selected(selection, screen).await?;
    let nodes = supervised(network.deployment()).await.unwrap_or_default();
    let relay = nodes.into_iter().find(|node| node.node == RELAY);
    let relay = relay.ok_or_else(|| Failure::new(ErrorCode::NotRunning, RELAY))?;
    let text = fs::read_to_string(run.join(format!("{RELAY}.{LINE}.addr"))).map_err(failed)?;
    let entry: SocketAddr = text.trim_end().parse().map_err(failed)?;
    for _ in 0..runs {
        for (batch, metric, per_core) in [
            (1, "relay_datagrams_per_s", "relay_datagrams_per_core_s"),
            (BATCH, "relay_batched_per_s", "relay_batched_per_core_s"),
        ] {
            let upper = upper.try_clone().map_err(failed)?;
            let before = cpu_seconds(relay.pid);
            let measured = tokio::task::spawn_blocking(move || flood(entry, &upper, batch)).await;
            let (passed, elapsed) = measured.map_err(failed)?.map_err(failed)?;
            let cpu = cpu_seconds(relay.pid) - before;
            figures.add(metric, "1/s", passed / elapsed.as_secs_f64());
            figures.add(per_core, "1/s", passed / cpu.max(1e-3));
        }
    }
    network.stop().await
}

/// Sends as fast as the machine does for a while, and counts what arrives.
fn flood(entry: SocketAddr, upper: &UdpSocket, batch: usize) -> std::io::Result<(f64, Duration)> {
    let lower = UdpSocket::bind("127.0.0.1:0")?;
    let (sender, receiver) = (
        UdpSocketState::new((&lower).into())?,
        UdpSocketState::new(upper.into())?,
    );
    let _granted = receiver.set_recv_buffer_size(upper.into(), BUFFER_BYTES);
    upper.set_nonblocking(false)?;
    upper.set_read_timeout(Some(Duration::from_millis(300)))?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let sending = std::thread::spawn(move || {
        let contents = vec![7; BYTES * batch];
        let transmit = Transmit {
            destination: entry,
            ecn: None,
            contents: &contents,
            segment_size: (batch > 1).then_some(BYTES),
            src_ip: None,
        };
        while !told.load(Ordering::Relaxed) {
            // What the socket does not take is not sent; a full one is tried again.
            let _sent = sender.try_send((&lower).into(), &transmit);
        }
    });
    let mut buffer = vec![0; RUN_BYTES * RUNS];
    let mut meta = [RecvMeta::default(); RUNS];
    // The first datagrams find the way.
    let mut began = None;
    let mut passed = 0_u32;
    loop {
        let mut chunks = buffer.chunks_exact_mut(RUN_BYTES);
        let mut slices: [IoSliceMut<'_>; RUNS] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let Ok(count) = receiver.recv(upper.into(), &mut slices, &mut meta) else {
            break;
        };
        let now = Instant::now();
        let began = *began.get_or_insert(now);
        for run in meta.iter().take(count) {
            let datagrams = run.len.div_ceil(run.stride.max(1));
            passed = passed.saturating_add(u32::try_from(datagrams).unwrap_or(u32::MAX));
        }
        if now.duration_since(began) >= WINDOW {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let elapsed = began.map_or(WINDOW, |began: Instant| began.elapsed());
    let _ended = sending.join();
    // What is still on its way is not of the next run.
    while receiver
        .recv(
            upper.into(),
            &mut [IoSliceMut::new(&mut buffer)],
            &mut meta[..1],
        )
        .is_ok()
    {}
    Ok((f64::from(passed), elapsed))
}

/// Processor time that a process has had, in seconds (proc(5): fields 14 and 15, a hundred a second).
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::CheckFailed, error.to_string())
}
