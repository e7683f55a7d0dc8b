//! The life of one link, the same on both sides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use juki_domain::ErrorCode;
use quinn::Connection;
use quinn::rustls::pki_types::CertificateDer;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::close_code::code_of_error;
use crate::event::LinkEvent;
use crate::greeting::Greeted;
use crate::hub::{Hub, close};
use crate::outflow::Outflow;
use crate::pace::Pace;
use crate::peer_slot::{LiveLink, PeerSlot};
use crate::streams::{Broken, Leaving, Reading, read_frames, write_frames};
use crate::trust_exchange::{self, PeerKnows};

/// How a link ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It went down, which has been reported: the number of its connection.
    Down(usize),
    /// Another link had taken over from it.
    Drained,
}

/// Runs a greeted connection as the link to its peer until it ends.
///
/// A newer link takes the older one's place. Where it says that it takes over, the older one drains:
/// nothing new is written to it, what was written is read to its end, and nobody hears of the change.
/// Else the older one is closed: a peer that was restarted must not wait until the link of its former
/// life has timed out.
pub(crate) async fn run(
    hub: &Arc<Hub>,
    slot: &Arc<PeerSlot>,
    connection: &Connection,
    greeted: Greeted,
) -> Ended {
    let (interactive, interactive_queue) = mpsc::channel(hub.settings.queue_frames);
    let (bulk, bulk_queue) = mpsc::channel(hub.settings.queue_frames);
    let (end, ended) = watch::channel(());
    let (drain, draining) = watch::channel(false);
    let drains = Drains {
        hub: Arc::clone(hub),
        told: draining.clone(),
        is_quiet: AtomicBool::new(false),
    };
    let link = LiveLink {
        connection: connection.clone(),
        interactive,
        bulk,
        ended,
        drain,
        generation: greeted.generation,
        calendar_apart: greeted.calendar_apart,
    };
    take_place(hub, slot, link, greeted.takes_over).await;
    let mut tasks = start(
        hub,
        slot,
        connection,
        greeted,
        interactive_queue,
        bulk_queue,
    );
    let broken = until_broken(hub, connection, &mut tasks, (draining, &drains)).await;
    let code = match broken {
        Broken::Refused(code) => {
            hub.refuse(
                connection,
                slot.settings.interface,
                Some(slot.settings.name.clone()),
                code,
            )
            .await;
            code
        }
        Broken::Gone => {
            let code = connection
                .close_reason()
                .map_or(ErrorCode::LineDown, |error| code_of_error(&error));
            close(connection, ErrorCode::LineDown);
            code
        }
    };
    // Streams end only after the close: their ends alone would look like cut frames to the peer.
    tasks.shutdown().await;
    if !slot.set_down(connection, code, hub.now_ms()) {
        tracing::debug!(event = "link.drained", peer = %slot.name, code = code.code());
        return Ended::Drained;
    }
    hub.turns.send_replace(());
    tracing::info!(event = "link.down", peer = %slot.name, interface = %slot.settings.interface, code = code.code());
    hub.emit(LinkEvent::Down {
        peer: Arc::clone(&slot.name),
        code,
    })
    .await;
    drop(end);
    Ended::Down(connection.stable_id())
}

/// Counts a link among those that drain until it is quiet or gone, however it goes.
struct Drains {
    hub: Arc<Hub>,
    told: watch::Receiver<bool>,
    is_quiet: AtomicBool,
}

impl Drains {
    /// The link has brought over everything; true the first time.
    fn note_quiet(&self) -> bool {
        let first = *self.told.borrow() && !self.is_quiet.swap(true, Ordering::Relaxed);
        if first {
            self.hub.draining.fetch_sub(1, Ordering::Relaxed);
        }
        first
    }
}

impl Drop for Drains {
    fn drop(&mut self) {
        self.note_quiet();
    }
}

/// Puts a link in its peer's place.
async fn take_place(hub: &Arc<Hub>, slot: &Arc<PeerSlot>, link: LiveLink, takes_over: bool) {
    let calendar_apart = link.calendar_apart;
    let link = Arc::new(link);
    let _turn = slot.turn.lock().await;
    let older = slot.live().clone();
    if let Some(older) = older {
        if takes_over {
            // Counted first: a link must not be seen to have ended before it was counted.
            hub.draining.fetch_add(1, Ordering::Relaxed);
            if slot.take_over(&older, Arc::clone(&link)) {
                tracing::info!(event = "link.renewed", peer = %slot.name, interface = %slot.settings.interface);
                hub.turns.send_replace(());
                if older.calendar_apart != calendar_apart {
                    emit_up(hub, slot, calendar_apart).await;
                }
                return;
            }
            hub.draining.fetch_sub(1, Ordering::Relaxed);
        }
        close(&older.connection, ErrorCode::LineDown);
        let mut ended = older.ended.clone();
        drop(older);
        while ended.changed().await.is_ok() {}
    }
    slot.set_up(link, hub.now_ms());
    hub.turns.send_replace(());
    tracing::info!(event = "link.up", peer = %slot.name, interface = %slot.settings.interface, calendar_apart);
    emit_up(hub, slot, calendar_apart).await;
}

async fn emit_up(hub: &Hub, slot: &PeerSlot, calendar_apart: bool) {
    hub.emit(LinkEvent::Up {
        peer: Arc::clone(&slot.name),
        calendar_apart,
    })
    .await;
}

/// Waits until the link is broken, or drained.
async fn until_broken(
    hub: &Hub,
    connection: &Connection,
    tasks: &mut JoinSet<Option<Broken>>,
    (mut draining, drains): (watch::Receiver<bool>, &Drains),
) -> Broken {
    let mut streams = STREAMS_OF_FRAMES;
    let mut deadline: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            _ = connection.closed() => return Broken::Gone,
            ended = tasks.join_next() => match ended {
                // A stream of frames has come to its end. Where no other link takes over soon, this
                // one would be up and carry nothing.
                Some(Ok(None)) => {
                    streams = streams.saturating_sub(1);
                    deadline.get_or_insert(Instant::now() + hub.settings.timing.drain_max);
                }
                Some(Ok(Some(broken))) => return broken,
                Some(Err(_)) | None => return Broken::Gone,
            },
            Ok(()) = draining.changed() => {
                deadline = Some(Instant::now() + hub.settings.timing.drain_max);
            }
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return Broken::Gone;
            }
        }
        if streams == 0 && drains.note_quiet() {
            // The peer's machine has the last frames; the peer is left the time to read them.
            deadline = Some(Instant::now() + LINGER);
        }
    }
}

fn start(
    hub: &Arc<Hub>,
    slot: &Arc<PeerSlot>,
    connection: &Connection,
    greeted: Greeted,
    interactive_queue: mpsc::Receiver<Bytes>,
    bulk_queue: mpsc::Receiver<Bytes>,
) -> JoinSet<Option<Broken>> {
    let settings = &hub.settings;
    let reading = Reading {
        peer: Arc::clone(&slot.name),
        frame_bytes_max: settings.frame_bytes_max,
        limits: settings.limits,
        pace: Arc::new(Pace::new(&settings.limits, Arc::clone(&settings.clock))),
        events: hub.events.clone(),
    };
    let knows = Arc::new(PeerKnows::new(
        greeted.revocation_number,
        greeted.notice_numbers,
    ));
    let mut tasks = JoinSet::new();
    let outflow = Outflow::new(slot.settings.line_bps).map(Arc::new);
    let interactive = outflow.clone().map_or(Leaving::AtOnce, Leaving::Noted);
    let bulk = outflow.map_or(Leaving::AtOnce, Leaving::Paced);
    tasks.spawn(write_frames(
        greeted.interactive.0,
        interactive_queue,
        interactive,
    ));
    tasks.spawn(write_frames(greeted.bulk.0, bulk_queue, bulk));
    tasks.spawn(read_frames(reading.clone(), greeted.interactive.1));
    tasks.spawn(read_frames(reading, greeted.bulk.1));
    // Whoever is dialled asks for a new connection; whoever dials makes one.
    let generation = slot.settings.dial.is_none().then_some(greeted.generation);
    let hear = trust_exchange::hear(
        Arc::clone(hub),
        Arc::clone(slot),
        greeted.control.1,
        Arc::clone(&knows),
    );
    let tell = trust_exchange::tell(Arc::clone(hub), greeted.control.0, knows, generation);
    let watch = watch_certificate(Arc::clone(hub), connection.clone());
    tasks.spawn(async move { Some(hear.await) });
    tasks.spawn(async move { Some(tell.await) });
    tasks.spawn(async move { Some(watch.await) });
    tasks
}

/// Breaks the link when the peer's certificate is revoked or expires: TLS looks at it only once.
async fn watch_certificate(hub: Arc<Hub>, connection: Connection) -> Broken {
    let Some(certificate) = peer_certificate(&connection) else {
        return Broken::Refused(ErrorCode::CertificateUnknownAuthority);
    };
    let (Ok(serial), Ok(not_after)) = (
        juki_pki::serial_of(&certificate),
        juki_pki::not_after_of(&certificate),
    ) else {
        return Broken::Refused(ErrorCode::CertificateUnknownAuthority);
    };
    let mut changes = hub.trust.changes();
    loop {
        // Also once at the beginning: a list may have come between handshake and hello.
        if hub.trust.current().list.revokes(&serial) {
            return Broken::Refused(ErrorCode::CertificateRevoked);
        }
        let left_ms = not_after
            .saturating_add(1)
            .saturating_mul(1000)
            .saturating_sub(hub.now_ms());
        if left_ms == 0 {
            return Broken::Refused(ErrorCode::CertificateExpired);
        }
        let wait = Duration::from_millis(left_ms).min(CLOCK_CHECK);
        match tokio::time::timeout(wait, changes.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => return Broken::Gone,
        }
    }
}

/// The certificate (DER) that the other side has proved to be its own.
pub(crate) fn peer_certificate(connection: &Connection) -> Option<Vec<u8>> {
    let chain = connection
        .peer_identity()?
        .downcast::<Vec<CertificateDer<'static>>>()
        .ok()?;
    chain.first().map(|certificate| certificate.to_vec())
}

/// Two that are read and two that are written.
const STREAMS_OF_FRAMES: u32 = 4;
/// How long a drained connection stays, since what it brought last may still wait to be read.
const LINGER: Duration = Duration::from_secs(2);
/// The machine's clock may be set while a timer runs.
const CLOCK_CHECK: Duration = Duration::from_secs(30);
