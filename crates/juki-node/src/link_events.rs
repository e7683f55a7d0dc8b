//! What happens on a node's links, as work for its sequencer.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use juki_dispatch::Input;
use juki_domain::{ErrorCode, NodeId};
use juki_runtime::Clock;
use juki_transport::LinkEvent;
use juki_wire::Header;
use tokio::sync::mpsc;

use crate::EngineHandle;
use crate::sequencer_thread::Work;

/// How often the revocation list's age is looked at.
const REVOCATION_CHECK: Duration = Duration::from_secs(1);

/// Turns link events into work, and keeps what they say about time and revocation.
pub(crate) struct LinkEvents {
    handle: EngineHandle,
    clock: Arc<dyn Clock>,
    /// Peers whose civil date is more than a day away.
    apart: BTreeSet<Arc<NodeId>>,
    /// Whether the revocation list in force is past its time.
    expired: bool,
}

impl LinkEvents {
    pub(crate) fn new(handle: EngineHandle, clock: Arc<dyn Clock>) -> Self {
        Self {
            handle,
            clock,
            apart: BTreeSet::new(),
            expired: false,
        }
    }

    /// Passes events on until the links or the sequencer end.
    pub(crate) async fn pass(mut self, mut events: mpsc::Receiver<LinkEvent>) {
        let mut check = tokio::time::interval(REVOCATION_CHECK);
        loop {
            let work = tokio::select! {
                biased;
                event = events.recv() => match event {
                    Some(event) => self.work(event),
                    None => return,
                },
                _ = check.tick() => self.revocation(),
            };
            if let Some(work) = work
                && self.handle.work.send(work).await.is_err()
            {
                return;
            }
        }
    }

    fn work(&mut self, event: LinkEvent) -> Option<Work> {
        match event {
            LinkEvent::Frame { peer, frame } => Some(self.frame(&peer, frame)),
            LinkEvent::Up {
                peer,
                calendar_apart,
            } => {
                if calendar_apart {
                    self.apart.insert(peer);
                } else {
                    self.apart.remove(&peer);
                }
                Some(self.calendar())
            }
            LinkEvent::Down { peer, .. } => {
                self.apart.remove(&peer);
                Some(self.calendar())
            }
            LinkEvent::Refused {
                remote, peer, code, ..
            } => Some(refused(remote, peer, code)),
            LinkEvent::NewCrl { der } => {
                tracing::info!(event = "revocation_list.installed", bytes = der.len());
                None
            }
            LinkEvent::NewNotice { notice } => {
                tracing::info!(
                    event = "notice.in_force",
                    kind = notice.kind.name(),
                    number = notice.number
                );
                Some(Work::Input(Input::Notice(notice)))
            }
        }
    }

    fn frame(&self, peer: &NodeId, frame: Bytes) -> Work {
        match Header::decode(&frame) {
            Ok((header, _)) => {
                let me = self.handle.prepared.config.node.name.as_str();
                let way = (peer.as_str(), me);
                self.handle.hops.note(&header, frame.len(), way, "received");
                Work::Input(Input::Frame(frame))
            }
            Err(error) => {
                let code = error.code();
                metrics::counter!("juki_frames_refused_total", "error_code" => code.code())
                    .increment(1);
                tracing::warn!(event = "frame.unreadable", %peer, code = code.code());
                Work::Input(Input::Security {
                    source: peer.to_string(),
                    code,
                })
            }
        }
    }

    fn calendar(&self) -> Work {
        Work::Blocked(ErrorCode::CalendarApart, !self.apart.is_empty())
    }

    fn revocation(&mut self) -> Option<Work> {
        let now_s = self.clock.now_ms() / 1000;
        let expired = self.handle.transport.revocation_expired(now_s);
        if expired == self.expired {
            return None;
        }
        self.expired = expired;
        Some(Work::Blocked(ErrorCode::RevocationListExpired, expired))
    }
}

/// A refused connection belongs on record under the name it claimed, or its address.
fn refused(remote: SocketAddr, peer: Option<NodeId>, code: ErrorCode) -> Work {
    metrics::counter!("juki_links_refused_total", "error_code" => code.code()).increment(1);
    let source = peer.map_or_else(|| remote.ip().to_string(), |peer| peer.to_string());
    Work::Input(Input::Security { source, code })
}
