//! One configured peer and the link to it, if one is up.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwapOption, Guard};
use bytes::Bytes;
use juki_domain::{ErrorCode, NodeId};
use juki_wire::Hello;
use quinn::Connection;
use tokio::sync::{mpsc, watch};

use crate::event::{Class, PeerSaid, PeerState, SendError};
use crate::hub::close;
use crate::settings::{LinkLimits, PeerSettings};
use crate::token_bucket::TokenBucket;

/// A link that is up.
pub(crate) struct LiveLink {
    pub(crate) connection: Connection,
    pub(crate) interactive: mpsc::Sender<Bytes>,
    pub(crate) bulk: mpsc::Sender<Bytes>,
    /// Closes when the link has reported that it is down.
    pub(crate) ended: watch::Receiver<()>,
    /// Set when another link has taken over from this one.
    pub(crate) drain: watch::Sender<bool>,
    /// The generation of this node's certificate that it was made with.
    pub(crate) generation: u64,
    /// The civil dates are more than one day apart.
    pub(crate) calendar_apart: bool,
}

/// One configured peer.
pub(crate) struct PeerSlot {
    pub(crate) name: Arc<NodeId>,
    pub(crate) settings: PeerSettings,
    /// Held while one link takes the place of another, so that `Up` and `Down` alternate.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Tells the dialler of this peer that a new connection is wanted.
    pub(crate) anew: watch::Sender<()>,
    live: ArcSwapOption<LiveLink>,
    /// The connection that another one took over from last.
    draining: Mutex<Option<Connection>>,
    status: Mutex<Status>,
    begins: Mutex<TokenBucket>,
}

struct Status {
    since_ms: u64,
    code: Option<ErrorCode>,
    ups: u64,
    address: Option<SocketAddr>,
    refusals: u64,
    said: Option<PeerSaid>,
}

impl PeerSlot {
    pub(crate) fn new(settings: PeerSettings, limits: &LinkLimits, now_ms: u64) -> Self {
        // A minute's links, each at the price of a minute's seconds.
        let per_min = u64::from(limits.peer_links_per_min);
        let begins = TokenBucket::new(per_min, per_min.div_ceil(2) * LINK_PRICE);
        Self {
            name: Arc::new(settings.name.clone()),
            settings,
            turn: tokio::sync::Mutex::new(()),
            anew: watch::Sender::new(()),
            live: ArcSwapOption::empty(),
            draining: Mutex::new(None),
            status: Mutex::new(Status {
                since_ms: now_ms,
                code: None,
                ups: 0,
                address: None,
                refusals: 0,
                said: None,
            }),
            begins: Mutex::new(begins),
        }
    }

    /// Whether the peer may begin a link now; asking counts.
    pub(crate) fn may_begin(&self, now_ms: u64) -> bool {
        let mut begins = self.begins.lock().unwrap_or_else(PoisonError::into_inner);
        begins.take(now_ms, LINK_PRICE)
    }

    /// The other end of the link that is or was up.
    pub(crate) fn last_address(&self) -> Option<SocketAddr> {
        self.status().address
    }

    /// The link that is up.
    pub(crate) fn live(&self) -> Guard<Option<Arc<LiveLink>>> {
        self.live.load()
    }

    pub(crate) fn set_up(&self, link: Arc<LiveLink>, now_ms: u64) {
        let address = link.connection.remote_address();
        self.live.store(Some(link));
        let mut status = self.status();
        status.since_ms = now_ms;
        status.code = None;
        status.ups = status.ups.saturating_add(1);
        status.address = Some(address);
    }

    /// Notes that the link of this connection is down; false where another has taken over from it.
    pub(crate) fn set_down(&self, connection: &Connection, code: ErrorCode, now_ms: u64) -> bool {
        let mut status = self.status();
        if !self.is_live(connection) {
            return false;
        }
        self.live.store(None);
        status.since_ms = now_ms;
        status.code = Some(code);
        true
    }

    /// Puts a new link in the place of the one that is up, which then drains; false where that has
    /// gone down meanwhile.
    pub(crate) fn take_over(&self, older: &LiveLink, newer: Arc<LiveLink>) -> bool {
        let mut status = self.status();
        if !self.is_live(&older.connection) {
            return false;
        }
        status.address = Some(newer.connection.remote_address());
        self.live.store(Some(newer));
        drop(status);
        older.drain.send_replace(true);
        let mut draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        // One at a time: whoever takes over again and again gains no further links by it.
        if let Some(before) = draining.replace(older.connection.clone()) {
            close(&before, ErrorCode::LineDown);
        }
        true
    }

    fn is_live(&self, connection: &Connection) -> bool {
        let live = self.live.load();
        live.as_ref()
            .is_some_and(|link| link.connection.stable_id() == connection.stable_id())
    }

    /// Notes why the link does not come up; true where that is news.
    pub(crate) fn note_failure(&self, code: ErrorCode) -> bool {
        self.status().code.replace(code) != Some(code)
    }

    /// Notes why somebody under this name was refused. While the link is up it was not the peer.
    pub(crate) fn note_refusal(&self, code: ErrorCode) {
        let is_up = self.live.load().is_some();
        let mut status = self.status();
        status.refusals = status.refusals.saturating_add(1);
        if !is_up {
            status.code = Some(code);
        }
    }

    /// Counts a refusal of this dialler's own, whose code is noted as a failure.
    pub(crate) fn count_refusal(&self) {
        let mut status = self.status();
        status.refusals = status.refusals.saturating_add(1);
    }

    /// Notes where the peer is dialled.
    pub(crate) fn note_address(&self, address: SocketAddr) {
        self.status().address = Some(address);
    }

    /// Notes what the peer says of itself. `now_ms` is this node's clock when the hello was on its way.
    pub(crate) fn note_hello(&self, hello: &Hello, now_ms: u64) {
        let ahead = i128::from(hello.clock_ms) - i128::from(now_ms);
        self.status().said = Some(PeerSaid {
            wire: hello.version,
            program: hello.program.chars().take(PROGRAM_CHARS_MAX).collect(),
            calendar_version: hello.calendar_version,
            civil_date: hello.civil_date,
            clock_ahead_ms: (hello.clock_ms > 0)
                .then(|| i64::try_from(ahead).ok())
                .flatten(),
        });
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
        let status = self.status();
        PeerState {
            name: self.settings.name.clone(),
            interface: self.settings.interface,
            dialled: self.settings.dial.is_some(),
            up: self.live.load().is_some(),
            since_ms: status.since_ms,
            code: status.code,
            ups: status.ups,
            address: status.address,
            refusals: status.refusals,
            said: status.said.clone(),
        }
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LINK_PRICE: u64 = 60;
/// Longer than the version of any program of ours.
const PROGRAM_CHARS_MAX: usize = 32;
