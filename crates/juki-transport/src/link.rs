//! The life of one link, the same on both sides.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use juki_domain::ErrorCode;
use quinn::Connection;
use quinn::rustls::pki_types::CertificateDer;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::close_code::code_of_error;
use crate::event::LinkEvent;
use crate::greeting::Greeted;
use crate::hub::{Hub, close};
use crate::pace::Pace;
use crate::peer_slot::{LiveLink, PeerSlot};
use crate::streams::{Broken, Reading, read_frames, write_frames};
use crate::trust_exchange::{self, PeerKnows};

/// Runs a greeted connection as the link to its peer until it ends, and says why it did.
///
/// A newer link takes the older one's place: a peer that was restarted must not wait until the link
/// of its former life has timed out.
pub(crate) async fn run(
    hub: &Arc<Hub>,
    slot: &Arc<PeerSlot>,
    connection: &Connection,
    greeted: Greeted,
) -> ErrorCode {
    let (interactive, interactive_queue) = mpsc::channel(hub.settings.queue_frames);
    let (bulk, bulk_queue) = mpsc::channel(hub.settings.queue_frames);
    let (end, ended) = watch::channel(());
    let link = Arc::new(LiveLink {
        connection: connection.clone(),
        interactive,
        bulk,
        ended,
    });
    {
        let _turn = slot.turn.lock().await;
        let older = slot.live().clone();
        if let Some(older) = older {
            close(&older.connection, ErrorCode::LineDown);
            let mut ended = older.ended.clone();
            while ended.changed().await.is_ok() {}
        }
        slot.set_up(link, hub.now_ms());
        hub.turns.send_replace(());
        tracing::info!(event = "link.up", peer = %slot.name, interface = %slot.settings.interface, calendar_apart = greeted.calendar_apart);
        hub.emit(LinkEvent::Up {
            peer: Arc::clone(&slot.name),
            calendar_apart: greeted.calendar_apart,
        })
        .await;
    }
    let mut tasks = start(
        hub,
        slot,
        connection,
        greeted,
        interactive_queue,
        bulk_queue,
    );
    let broken = tokio::select! {
        _ = connection.closed() => Broken::Gone,
        Some(first) = tasks.join_next() => first.unwrap_or(Broken::Gone),
    };
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
    slot.set_down(code, hub.now_ms());
    hub.turns.send_replace(());
    tracing::info!(event = "link.down", peer = %slot.name, interface = %slot.settings.interface, code = code.code());
    hub.emit(LinkEvent::Down {
        peer: Arc::clone(&slot.name),
        code,
    })
    .await;
    drop(end);
    code
}

fn start(
    hub: &Arc<Hub>,
    slot: &Arc<PeerSlot>,
    connection: &Connection,
    greeted: Greeted,
    interactive_queue: mpsc::Receiver<Bytes>,
    bulk_queue: mpsc::Receiver<Bytes>,
) -> JoinSet<Broken> {
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
    tasks.spawn(write_frames(greeted.interactive.0, interactive_queue));
    tasks.spawn(write_frames(greeted.bulk.0, bulk_queue));
    tasks.spawn(read_frames(reading.clone(), greeted.interactive.1));
    tasks.spawn(read_frames(reading, greeted.bulk.1));
    tasks.spawn(trust_exchange::hear(
        Arc::clone(hub),
        greeted.control.1,
        Arc::clone(&knows),
    ));
    tasks.spawn(trust_exchange::tell(
        Arc::clone(hub),
        greeted.control.0,
        knows,
    ));
    tasks.spawn(watch_certificate(Arc::clone(hub), connection.clone()));
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

/// The machine's clock may be set while a timer runs.
const CLOCK_CHECK: Duration = Duration::from_secs(30);
