//! What the two ends of a link tell each other of trust: newer revocation lists and notices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use juki_crypto::NoticeKind;
use juki_domain::ErrorCode;
use juki_wire::hello::control::Kind;
use juki_wire::{CONTROL_BYTES_MAX, DialAnew, NoticeUpdate, RevocationUpdate};
use quinn::{RecvStream, SendStream};

use crate::control::{read_control, write_control};
use crate::event::LinkEvent;
use crate::hub::Hub;
use crate::notices::NoticeRefused;
use crate::peer_slot::PeerSlot;
use crate::streams::Broken;
use crate::trust::InstallError;

/// What the peer is known to have.
pub(crate) struct PeerKnows(Mutex<Numbers>);

struct Numbers {
    revocation: u64,
    notices: BTreeMap<NoticeKind, u64>,
}

impl PeerKnows {
    pub(crate) fn new(revocation: u64, notices: BTreeMap<NoticeKind, u64>) -> Self {
        Self(Mutex::new(Numbers {
            revocation,
            notices,
        }))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Numbers) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes newer revocation lists and notices from the peer.
pub(crate) async fn hear(
    hub: Arc<Hub>,
    slot: Arc<PeerSlot>,
    mut stream: RecvStream,
    knows: Arc<PeerKnows>,
) -> Broken {
    loop {
        let heard = match read_control(&mut stream, CONTROL_BYTES_MAX).await {
            Ok(Some(Kind::Revocation(RevocationUpdate { list }))) => {
                hear_revocation(&hub, list, &knows).await
            }
            Ok(Some(Kind::Notice(NoticeUpdate { notice }))) => {
                hear_notice(&hub, &notice, &knows).await
            }
            // Only who dials can do that.
            Ok(Some(Kind::DialAnew(DialAnew {}))) if slot.settings.dial.is_some() => {
                slot.anew.send_replace(());
                Ok(())
            }
            Ok(Some(Kind::DialAnew(_) | Kind::Hello(_) | Kind::HelloAck(_)) | None) => {
                Err(Broken::Refused(ErrorCode::FrameGarbage))
            }
            Err(broken) => Err(broken),
        };
        if let Err(broken) = heard {
            return broken;
        }
    }
}

async fn hear_revocation(hub: &Hub, list: Vec<u8>, knows: &PeerKnows) -> Result<(), Broken> {
    match hub.trust.install(&list) {
        Ok(()) => {}
        Err(InstallError::NotNewer(_)) => return Ok(()),
        Err(error @ InstallError::Keep(_)) => {
            tracing::error!(event = "revocation-list.not-kept", code = error.code().code(), %error);
        }
        Err(
            error @ (InstallError::Invalid(_) | InstallError::Unusable | InstallError::LocksOut),
        ) => {
            return Err(Broken::Refused(error.code()));
        }
    }
    let number = hub.trust.current().list.number;
    knows.with(|known| known.revocation = known.revocation.max(number));
    hub.emit(LinkEvent::NewCrl {
        der: Bytes::from(list),
    })
    .await;
    Ok(())
}

async fn hear_notice(hub: &Hub, bytes: &[u8], knows: &PeerKnows) -> Result<(), Broken> {
    let notice = match hub.notices.install(bytes) {
        Ok(notice) => notice,
        Err(NoticeRefused::NotNewer { .. }) => return Ok(()),
        Err(NoticeRefused::Keep { notice, source }) => {
            tracing::error!(event = "notice.not_kept", code = ErrorCode::DiskFailed.code(), error = %source);
            notice
        }
        Err(error @ NoticeRefused::Invalid(_)) => return Err(Broken::Refused(error.code())),
    };
    knows.with(|known| known.notices.insert(notice.kind, notice.number));
    hub.emit(LinkEvent::NewNotice { notice }).await;
    Ok(())
}

/// Gives the peer every revocation list and notice that is newer than what it is known to have.
///
/// Also asks a peer that dials for a new connection when this node has a newer certificate than that
/// of the link, whose generation is given where the peer dials.
pub(crate) async fn tell(
    hub: Arc<Hub>,
    mut stream: SendStream,
    knows: Arc<PeerKnows>,
    generation: Option<u64>,
) -> Broken {
    let mut lists = hub.trust.changes();
    let mut notices = hub.notices.changes();
    let mut renewals = hub.renewals.subscribe();
    let mut asked_for = generation;
    loop {
        let current = *renewals.borrow_and_update();
        if asked_for.is_some_and(|asked_for| asked_for < current) {
            asked_for = Some(current);
            if let Err(broken) = write_control(&mut stream, Kind::DialAnew(DialAnew {})).await {
                return broken;
            }
        }
        for message in news(&hub, &knows) {
            if let Err(broken) = write_control(&mut stream, message).await {
                return broken;
            }
        }
        let changed = tokio::select! {
            biased;
            changed = lists.changed() => changed,
            changed = notices.changed() => changed,
            changed = renewals.changed() => changed,
        };
        if changed.is_err() {
            return Broken::Gone;
        }
    }
}

fn news(hub: &Hub, knows: &PeerKnows) -> Vec<Kind> {
    let current = hub.trust.current();
    let mut news = Vec::new();
    knows.with(|known| {
        if current.list.number > known.revocation {
            known.revocation = current.list.number;
            news.push(Kind::Revocation(RevocationUpdate {
                list: current.der.to_vec(),
            }));
        }
        for (kind, number, bytes) in hub.notices.newer_than(&known.notices) {
            known.notices.insert(kind, number);
            news.push(Kind::Notice(NoticeUpdate {
                notice: bytes.to_vec(),
            }));
        }
    });
    news
}
