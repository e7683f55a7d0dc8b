//! The engine of a node with services: links in front, the sequencer thread behind.

use std::path::Path;
use std::sync::{Arc, Mutex};

use juki_admin::{AdminProvider, Hop, StatusReport};
use juki_crypto::{NoticeKind, Randomness};
use juki_dispatch::{
    Communication, Direction, IndexPort, Input, NodeIdentity, Sequencer, Service, View,
};
use juki_domain::ErrorCode;
use juki_runtime::{Clock, Running};
use juki_transport::{NoticeRefused, NoticeStore, Transport, TransportSettings};
use tokio::sync::{mpsc, watch};

use crate::index_writer::IndexWriter;
use crate::link_events::LinkEvents;
use crate::link_status::{link_status, peers_up};
use crate::replay::bring_up;
use crate::sequencer_thread::{SequencerThread, Work};
use crate::tickets::{Answers, Tickets};
use crate::{
    AnyFiles, CallError, Hops, LedgerAdapter, Prepared, StartError, Stop, open_ledger, telemetry,
};

/// Inputs that may wait for the sequencer; the links wait when it is full.
const WORK_MAX: usize = 4096;
/// Link events that may wait.
const EVENTS_MAX: usize = 1024;

/// What a node says of itself in `status`.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// Residents that stand in its registry.
    pub residents: u64,
    /// Journal entries that the top has not confirmed.
    pub behind: u64,
    /// Number of the last durable ledger entry.
    pub durable: u64,
    /// Keys that the index has not been given yet.
    pub index_waiting: usize,
    /// Anything else, by name.
    pub more: Vec<(String, serde_json::Value)>,
}

/// Makes a node's report on itself from its view.
pub type Reporter = Box<dyn Fn(&View) -> Reports + Send>;

/// What a node with services is made of.
pub struct EngineParts {
    /// Its services, in the order in which entries are folded.
    pub services: Vec<Box<dyn Service>>,
    /// Where its records are looked up.
    pub index: Arc<dyn IndexPort>,
    /// What it says of itself.
    pub reporter: Reporter,
}

/// A running node with services.
pub struct Engine {
    handle: EngineHandle,
    thread: Running,
    events: tokio::task::JoinHandle<()>,
    /// Ends by itself after the thread.
    answering: tokio::task::JoinHandle<()>,
    failed: watch::Receiver<Option<String>>,
}

/// What a node's interfaces hold of its engine.
#[derive(Clone)]
pub struct EngineHandle {
    pub(crate) work: mpsc::Sender<Work>,
    tickets: Arc<Tickets>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) hops: Arc<Hops>,
    reports: Arc<Mutex<Reports>>,
    pub(crate) prepared: Arc<Prepared>,
    stop: Stop,
}

impl Engine {
    /// Opens the ledger, brings the index up to it, opens the links and starts deciding.
    ///
    /// # Errors
    /// [`StartError`] naming what is in the way.
    pub fn start(
        prepared: Arc<Prepared>,
        parts: EngineParts,
        stop: Stop,
    ) -> Result<Self, StartError> {
        let clock = Arc::clone(&prepared.machine.clock);
        let threads = prepared.machine.threads.clone();
        let sequencer = open_sequencer(&prepared, parts.services, &parts.index, clock.as_ref())?;
        let (events, taken) = mpsc::channel(EVENTS_MAX);
        let settings = transport_settings(&prepared, Arc::clone(&clock));
        let calendar = settings.calendar;
        let transport = Arc::new(
            Transport::start(settings, events)
                .map_err(|error| StartError::failed(error.code(), error))?,
        );
        let (work, works) = mpsc::channel(WORK_MAX);
        for notice in transport.notices() {
            // The queue is new and holds one of each kind.
            let _ = work.try_send(Work::Input(Input::Notice(notice)));
        }
        let (failure, failed) = watch::channel(None);
        let handle = EngineHandle {
            work,
            tickets: Arc::default(),
            transport: Arc::clone(&transport),
            hops: Arc::default(),
            reports: Arc::default(),
            prepared: Arc::clone(&prepared),
            stop,
        };
        let (answers, answering) = Answers::begin(Arc::clone(&handle.tickets));
        let thread = SequencerThread {
            sequencer,
            work: works,
            bulk: std::collections::VecDeque::new(),
            transport,
            config: Arc::clone(&prepared.config),
            answers,
            hops: Arc::clone(&handle.hops),
            sent: Communication::new(prepared.config.node.name.clone(), Direction::Sent),
            clock: Arc::clone(&clock),
            calendar,
            index_port: Arc::clone(&parts.index),
            index_doubtful: false,
            index: IndexWriter::start(parts.index, &threads)
                .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?,
            reporter: parts.reporter,
            report_every: prepared.machine.report_every,
            reports: Arc::clone(&handle.reports),
            failed: failure,
        };
        let thread = threads
            .run("sequencer", Box::pin(thread.run()))
            .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
        let events = juki_runtime::spawn(LinkEvents::new(handle.clone(), clock).pass(taken));
        Ok(Self {
            handle,
            thread,
            events,
            answering,
            failed,
        })
    }

    /// What interfaces hold.
    #[must_use]
    pub fn handle(&self) -> EngineHandle {
        self.handle.clone()
    }

    /// Waits until the engine fails; a sound one never ends this.
    pub async fn failure(&self) -> String {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => "the sequencer ended".to_owned(),
        }
    }

    /// Waits until every peer that this node dials is up.
    pub async fn peers_up(&self) {
        peers_up(&self.handle.prepared, &self.handle.transport).await;
    }

    /// Lets the sequencer finish what it has, ends ledger, index and links.
    ///
    /// # Errors
    /// The sentence with which the sequencer failed.
    pub async fn shutdown(self) -> Result<(), String> {
        let _ = self.handle.work.send(Work::Stop).await;
        let joined = self.thread.ended().await;
        let _ = self.answering.await;
        self.events.abort();
        self.handle.transport.shutdown().await;
        let failure = self.failed.borrow().clone();
        match failure {
            Some(failure) => Err(failure),
            None if !joined => Err("the sequencer panicked".to_owned()),
            None => Ok(()),
        }
    }
}

impl EngineHandle {
    /// Asks a service of this node and waits for its answer, which comes when it is durable.
    ///
    /// # Errors
    /// [`CallError::Stopping`].
    pub async fn call(
        &self,
        service: &'static str,
        request: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        self.begin(service, request)
            .await?
            .await
            .map_err(|_| CallError::Stopping)
    }

    /// Asks without waiting: questions begun one after the other are decided in that order.
    ///
    /// # Errors
    /// [`CallError::Stopping`].
    pub async fn begin(
        &self,
        service: &'static str,
        request: Vec<u8>,
    ) -> Result<tokio::sync::oneshot::Receiver<Vec<u8>>, CallError> {
        let (ticket, answer) = self.tickets.draw();
        self.work
            .send(Work::Input(Input::Local {
                service,
                ticket,
                request,
            }))
            .await
            .map_err(|_| CallError::Stopping)?;
        Ok(answer)
    }

    /// Asks many things at once, each decided by itself and in order; the answer is a
    /// [`juki_dispatch::BatchAnswer`]. At most some hundred: a turn of the node takes them as one.
    ///
    /// # Errors
    /// [`CallError::Stopping`].
    pub async fn begin_batch(
        &self,
        service: &'static str,
        requests: Vec<Vec<u8>>,
    ) -> Result<tokio::sync::oneshot::Receiver<Vec<u8>>, CallError> {
        let (ticket, answer) = self.tickets.draw();
        self.work
            .send(Work::Input(Input::Batch {
                service,
                ticket,
                requests,
            }))
            .await
            .map_err(|_| CallError::Stopping)?;
        Ok(answer)
    }

    /// The node's links.
    #[must_use]
    pub fn transport(&self) -> &Arc<Transport> {
        &self.transport
    }

    /// Puts a newer document of the registrar in force here and at every node that can be reached.
    ///
    /// # Errors
    /// [`NoticeRefused`]; with [`NoticeRefused::Keep`] it is in force nevertheless.
    pub async fn install_notice(&self, bytes: &[u8]) -> Result<(), NoticeRefused> {
        let installed = self.transport.install_notice(bytes);
        let in_force = match &installed {
            Ok(notice) | Err(NoticeRefused::Keep { notice, .. }) => Some(Arc::clone(notice)),
            Err(NoticeRefused::NotNewer { .. } | NoticeRefused::Invalid(_)) => None,
        };
        if let Some(notice) = in_force {
            // A sequencer that is gone decides nothing any more.
            let _ = self.work.send(Work::Input(Input::Notice(notice))).await;
        }
        installed.map(|_| ())
    }

    /// What the node was started with.
    #[must_use]
    pub fn prepared(&self) -> &Arc<Prepared> {
        &self.prepared
    }

    /// The node's last report on itself.
    #[must_use]
    pub fn reports(&self) -> Reports {
        self.reports
            .lock()
            .map(|reports| reports.clone())
            .unwrap_or_default()
    }
}

impl AdminProvider for EngineHandle {
    fn status(&self) -> StatusReport {
        let reports = self.reports();
        let mut status = link_status(&self.prepared, &self.transport);
        status.behind = reports.behind;
        status.residents = reports.residents;
        status
            .more
            .insert("durable".to_owned(), reports.durable.into());
        status
            .more
            .insert("index_waiting".to_owned(), reports.index_waiting.into());
        status.more.extend(reports.more);
        status
    }

    fn metrics(&self) -> String {
        telemetry::render()
    }

    fn trace(&self, message: [u8; 16]) -> Vec<Hop> {
        self.hops.of(&self.prepared.config.node.name, message)
    }

    fn stop(&self) {
        self.stop.stop();
    }
}

/// The settings of a node's links; a newer revocation list is kept in the keys folder.
pub fn transport_settings(prepared: &Prepared, clock: Arc<dyn Clock>) -> TransportSettings {
    let path = prepared.keys_folder().join("revocation.crl");
    let keep = move |der: &[u8]| {
        juki_pki::write_revocation_list(&path, der).map_err(std::io::Error::other)
    };
    let folder: &Path = &prepared.folder;
    let machine = &prepared.machine;
    let mut settings = TransportSettings {
        notices: notice_store(&prepared.keys_folder()),
        sockets: machine.sockets.clone(),
        ..TransportSettings::from_config(
            &prepared.config,
            folder,
            prepared.keys.identity.clone(),
            Arc::new(keep),
            clock,
        )
    };
    if let Some(timing) = machine.timing {
        settings.timing = timing;
    }
    settings
}

/// Notices are kept beside the keys, each kind in a file of its own.
fn notice_store(keys: &Path) -> NoticeStore {
    let path = |kind: NoticeKind| keys.join(format!("{}.notice", kind.name()));
    let kept = NoticeKind::ALL
        .into_iter()
        .filter_map(|kind| std::fs::read(path(kind)).ok())
        .collect();
    let keys = keys.to_owned();
    let keep = move |kind: NoticeKind, bytes: &[u8]| {
        let name = format!("{}.notice", kind.name());
        juki_pki::write_notice(&keys.join(name), bytes).map_err(std::io::Error::other)
    };
    NoticeStore {
        kept,
        keep: Arc::new(keep),
    }
}

/// The sequencer over the node's ledger, with a view that is complete.
fn open_sequencer(
    prepared: &Prepared,
    mut services: Vec<Box<dyn Service>>,
    index: &Arc<dyn IndexPort>,
    clock: &dyn Clock,
) -> Result<Sequencer<LedgerAdapter<AnyFiles>>, StartError> {
    let randomness: Arc<dyn Randomness> = Arc::clone(&prepared.machine.randomness);
    let node = prepared.config.node.name.clone();
    let (ledger, found) = open_ledger(prepared, clock.now_ms())?;
    if let Some(torn) = found.torn {
        tracing::warn!(
            event = "ledger.tail_cut",
            code = ErrorCode::LedgerTornTail.code(),
            segment = torn.segment,
            bytes = torn.bytes
        );
    }
    let (view, replayed) = bring_up(ledger.ledger(), index, &mut services)
        .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
    tracing::info!(
        event = "index.folded",
        entries = replayed.entries,
        wiped = replayed.wiped
    );
    let identity = NodeIdentity {
        node,
        signing: Arc::clone(&prepared.keys.signing),
        sealing: Arc::clone(&prepared.keys.sealing),
        directory: Arc::clone(&prepared.keys.directory),
        randomness,
        calendar_version: prepared.config.calendar.version,
    };
    Ok(Sequencer::new(identity, ledger, view, services))
}
