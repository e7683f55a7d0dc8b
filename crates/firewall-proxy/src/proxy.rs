//! Links in front, the policy behind, records at the side.

use std::sync::Arc;

use juki_admin::{Hop, StatusReport};
use juki_domain::{ErrorCode, NodeId};
use juki_firewall::{Explanation, PolicyChange, Sample, Summary, Watcher};
use juki_incident::{ALERTS_PASSED, Alert, AlertsPassed, MonitorAnswer};
use juki_node::{
    AnyFiles, Hops, LedgerThread, Prepared, StartError, Stored, link_status, open_ledger, peers_up,
    transport_settings,
};
use juki_runtime::Clock;
use juki_store::Ledger;
use juki_topology::NodeConfig;
use juki_transport::Transport;
use prost::Message as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::forwarder::{Forwarder, RefusalFloods};
use crate::orders::{InForce, Order, ReloadBy};
use crate::policy_source::{self, PolicyRead};
use crate::recorder::Recorder;
use crate::records::{ALERT, AlertRecord};
use crate::reporter::{self, Reporter};
use crate::traffic::Traffic;

/// Link events that may wait; while they do, the links are not read, and their senders wait too.
const EVENTS_MAX: usize = 1024;

/// Requests of people that may wait.
const ORDERS_MAX: usize = 16;

/// A running proxy: what a firewall is without its admin API.
pub struct Proxy {
    handle: ProxyHandle,
    task: JoinHandle<Result<(), String>>,
    stop: oneshot::Sender<()>,
    failed: watch::Receiver<Option<String>>,
}

/// What the admin API holds of a proxy.
#[derive(Clone)]
pub struct ProxyHandle {
    prepared: Arc<Prepared>,
    transport: Transport,
    traffic: Arc<Traffic>,
    hops: Arc<Hops>,
    orders: mpsc::Sender<Order>,
}

impl Proxy {
    /// Makes the policy, opens the ledger and the links, and begins to forward. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] naming what is in the way.
    pub fn start(prepared: Arc<Prepared>) -> Result<Self, StartError> {
        let read = policy_source::read(&prepared.config, &prepared.folder)?;
        let clock = Arc::clone(&prepared.machine.clock);
        let records = open_records(&prepared, &clock)?;
        let (events, taken) = mpsc::channel(EVENTS_MAX);
        let settings = transport_settings(&prepared, Arc::clone(&clock));
        let transport = Transport::start(settings, events)
            .map_err(|error| StartError::failed(error.code(), error))?;
        let (failure, failed) = watch::channel(None);
        let (orders, ordered) = mpsc::channel(ORDERS_MAX);
        let handle = ProxyHandle {
            prepared,
            transport,
            traffic: Arc::new(Traffic::new()),
            hops: Arc::default(),
            orders,
        };
        let in_force = InForce::new(&read, clock.now_ms(), ReloadBy::Start);
        let reporter = Reporter::new(&handle.prepared, records.unreported);
        let PolicyRead { config, policy, .. } = read;
        let mut forwarder = Forwarder {
            node: handle.prepared.config.node.name.clone(),
            summary: Summary::new(&policy),
            watcher: Watcher::new(&config, &policy),
            policy,
            in_force,
            recorder: Recorder::new(records.thread),
            reporter,
            stored: records.stored,
            transport: handle.transport.clone(),
            hops: Arc::clone(&handle.hops),
            traffic: Arc::clone(&handle.traffic),
            clock,
            failed: failure,
            floods: RefusalFloods::new(),
            entries: Vec::new(),
            findings: Vec::new(),
        };
        forwarder.record_policy(PolicyChange::default(), None);
        let (stop, stopped) = oneshot::channel();
        let task = juki_runtime::spawn(forwarder.run(taken, ordered, stopped));
        Ok(Self {
            handle,
            task,
            stop,
            failed,
        })
    }

    /// What the admin API holds.
    #[must_use]
    pub fn handle(&self) -> ProxyHandle {
        self.handle.clone()
    }

    /// Waits until every peer that this firewall dials is up.
    pub async fn peers_up(&self) {
        peers_up(&self.handle.prepared, &self.handle.transport).await;
    }

    /// Waits until the proxy fails; a sound one never ends this.
    pub async fn failure(&self) -> String {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().unwrap_or_default(),
            Err(_) => "the forwarding task ended".to_owned(),
        }
    }

    /// Stops forwarding, closes runs and ledger, then the links. Frames not yet judged are lost, as
    /// they would be on a link that goes down.
    ///
    /// # Errors
    /// The sentence with which the ledger or the task failed.
    pub async fn shutdown(self) -> Result<(), String> {
        // Where the task has ended, its result says why.
        let _ = self.stop.send(());
        let ended = self
            .task
            .await
            .unwrap_or_else(|_| Err("the forwarding task panicked".to_owned()));
        self.handle.transport.shutdown().await;
        if let Err(error) = &ended {
            tracing::error!(event = "ledger.failed", code = ErrorCode::DiskFailed.code(), %error);
        }
        ended
    }
}

impl ProxyHandle {
    /// The links and, under `passed` and `refused`, what went through since the start.
    #[must_use]
    pub fn status(&self) -> StatusReport {
        let mut status = link_status(&self.prepared, &self.transport);
        status.more.extend(self.traffic.report());
        status
    }

    /// The routes of this node's certificate.
    pub fn pki_routes(&self) -> axum::Router {
        juki_node::pki_routes(Arc::clone(&self.prepared), self.transport.clone())
    }

    /// Reads the policy's file again and takes it in force, if it is good; no link and no frame
    /// notices. Else the old policy stays, and both are recorded.
    ///
    /// # Errors
    /// [`StartError`] naming what is wrong with the file.
    pub async fn reload(&self, by: ReloadBy) -> Result<PolicyChange, StartError> {
        let read = policy_source::read(&self.prepared.config, &self.prepared.folder);
        let (reply, taken) = oneshot::channel();
        let order = Order::TakePolicy {
            read: read.map(Box::new),
            by,
            reply,
        };
        let ended = || StartError::failed(ErrorCode::PolicyNotTaken, "the firewall is ending");
        self.orders.send(order).await.map_err(|_| ended())?;
        taken.await.map_err(|_| ended())?
    }

    /// What the policy in force would do to a frame, now or at another time; none where the firewall
    /// is ending.
    pub async fn explain(&self, sample: Sample, now_ms: Option<u64>) -> Option<Explanation> {
        let (reply, explained) = oneshot::channel();
        let order = Order::Explain {
            sample,
            now_ms,
            reply,
        };
        self.orders.send(order).await.ok()?;
        explained.await.ok()
    }

    /// The policy in force, what passed under each rule, and the newest findings; none where the
    /// firewall is ending.
    pub async fn policy_report(&self) -> Option<serde_json::Value> {
        let (reply, report) = oneshot::channel();
        self.orders.send(Order::Report { reply }).await.ok()?;
        report.await.ok()
    }

    /// The alerts raised here and what the server above has of them; none where the firewall is
    /// ending.
    pub(crate) async fn alerts(&self) -> Option<MonitorAnswer> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Alerts { reply }).await.ok()?;
        answer.await.ok()
    }

    pub(crate) fn config(&self) -> &NodeConfig {
        &self.prepared.config
    }

    /// The hops of a message through this firewall.
    #[must_use]
    pub fn trace(&self, message: [u8; 16]) -> Vec<Hop> {
        self.hops.of(&self.prepared.config.node.name, message)
    }

    /// Each interface on which it listens, with the bound address.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, String)> {
        self.transport
            .bound()
            .iter()
            .map(|(interface, address)| (interface.name().to_owned(), address.to_string()))
            .collect()
    }
}

/// The ledger's thread, and what it found.
struct Records {
    thread: LedgerThread,
    stored: mpsc::Receiver<Stored>,
    /// Alerts that the server above has not acknowledged.
    unreported: Vec<Alert>,
}

fn open_records(prepared: &Prepared, clock: &Arc<dyn Clock>) -> Result<Records, StartError> {
    let node = &prepared.config.node.name;
    let (ledger, found) = open_ledger(prepared, clock.now_ms())?;
    if let Some(torn) = found.torn {
        tracing::warn!(
            event = "ledger.tail_cut",
            code = ErrorCode::LedgerTornTail.code(),
            segment = torn.segment,
            bytes = torn.bytes
        );
    }
    let unreported = unreported(node, ledger.ledger())?;
    let (thread, stored) =
        LedgerThread::start(ledger, Arc::clone(clock), &prepared.machine.threads)
            .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
    Ok(Records {
        thread,
        stored,
        unreported,
    })
}

/// Alerts among the newest entries behind the last that the server above has.
fn unreported(node: &NodeId, ledger: &Ledger<AnyFiles>) -> Result<Vec<Alert>, StartError> {
    let mut alerts = Vec::new();
    let from = ledger.chain().seq.saturating_sub(LOOKED_BACK_MAX);
    ledger.replay(from, &mut |entry| match entry.kind {
        ALERTS_PASSED => {
            let passed = AlertsPassed::decode(entry.payload.as_slice()).unwrap_or_default();
            alerts.retain(|alert: &Alert| alert.evidence > passed.through);
        }
        ALERT => {
            if let Ok(record) = AlertRecord::decode(entry.payload.as_slice()) {
                alerts.push(reporter::alert(node, entry.seq, &record));
            }
        }
        _ => {}
    })?;
    Ok(alerts)
}

/// How many entries of earlier runs are searched for alerts that nobody acknowledged.
const LOOKED_BACK_MAX: u64 = 10_000;
