//! One configured peer and the link to it, if one is up.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwapOption, Guard};
use bytes::Bytes;
use juki_domain::{ErrorCode, NodeId};
use quinn::Connection;
use tokio::sync::{mpsc, watch};

use crate::event::{Class, PeerState, SendError};
use crate::settings::PeerSettings;

/// A link that is up.
pub(crate) struct LiveLink {
    pub(crate) connection: Connection,
    pub(crate) interactive: mpsc::Sender<Bytes>,
    pub(crate) bulk: mpsc::Sender<Bytes>,
    /// Closes when the link has reported that it is down.
    pub(crate) ended: watch::Receiver<()>,
}

/// One configured peer.
pub(crate) struct PeerSlot {
    pub(crate) name: Arc<NodeId>,
    pub(crate) settings: PeerSettings,
    /// Held while one link takes the place of another, so that `Up` and `Down` alternate.
    pub(crate) turn: tokio::sync::Mutex<()>,
    live: ArcSwapOption<LiveLink>,
    status: Mutex<Status>,
}

#[derive(Clone, Copy)]
struct Status {
    since_ms: u64,
    code: Option<ErrorCode>,
}

impl PeerSlot {
    pub(crate) fn new(settings: PeerSettings, now_ms: u64) -> Self {
        Self {
            name: Arc::new(settings.name.clone()),
            settings,
            turn: tokio::sync::Mutex::new(()),
            live: ArcSwapOption::empty(),
            status: Mutex::new(Status {
                since_ms: now_ms,
                code: None,
            }),
        }
    }

    /// The link that is up.
    pub(crate) fn live(&self) -> Guard<Option<Arc<LiveLink>>> {
        self.live.load()
    }

    pub(crate) fn set_up(&self, link: Arc<LiveLink>, now_ms: u64) {
        self.live.store(Some(link));
        self.set_status(Status {
            since_ms: now_ms,
            code: None,
        });
    }

    pub(crate) fn set_down(&self, code: ErrorCode, now_ms: u64) {
        self.live.store(None);
        self.set_status(Status {
            since_ms: now_ms,
            code: Some(code),
        });
    }

    /// Notes why the link does not come up; true where that is news.
    pub(crate) fn note_failure(&self, code: ErrorCode) -> bool {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.code.replace(code) != Some(code)
    }

    pub(crate) fn queue(&self, class: Class) -> Result<mpsc::Sender<Bytes>, SendError> {
        let live = self.live.load();
        let link = live.as_ref().ok_or(SendError::NotConnected)?;
        Ok(match class {
            Class::Interactive => link.interactive.clone(),
            Class::Bulk => link.bulk.clone(),
        })
    }

    pub(crate) fn try_send(&self, class: Class, frame: Bytes) -> Result<(), SendError> {
        let live = self.live.load();
        let link = live.as_ref().ok_or(SendError::NotConnected)?;
        let queue = match class {
            Class::Interactive => &link.interactive,
            Class::Bulk => &link.bulk,
        };
        queue.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => SendError::NotConnected,
        })
    }

    pub(crate) fn state(&self) -> PeerState {
        let status = *self.status.lock().unwrap_or_else(PoisonError::into_inner);
        PeerState {
            name: self.settings.name.clone(),
            interface: self.settings.interface,
            dialled: self.settings.dial.is_some(),
            up: self.live.load().is_some(),
            since_ms: status.since_ms,
            code: status.code,
        }
    }

    fn set_status(&self, status: Status) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}
