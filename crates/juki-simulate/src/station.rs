//! One machine with the node that runs on it, or does not.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use agency_terminal::AgencyTerminal;
use firewall_proxy::FirewallProxy;
use juki_dispatch::{IndexPort, MemoryIndex};
use juki_domain::{Lang, NodeRole};
use juki_node::{
    AnyFiles, EngineHandle, Keys, Machine, Node, OpenFolder, OpenIndex, Prepared, StartError, Stop,
};
use juki_runtime::{Clock, PowerLossFiles, TaskGroup, Threads};
use juki_transport::{Datagram, DatagramNetwork, Port, Sockets, Timing};
use municipal_cs::MunicipalCs;
use national_center::NationalCenter;
use prefecture_server::PrefectureServer;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::deployment::Place;
use crate::medium::{Medium, Power};
use crate::randomness::SeededRandomness;
use crate::virtual_network::VirtualNetwork;

/// The clock of one machine: virtual time, and what somebody did to it.
#[derive(Debug)]
pub struct MachineClock {
    start: Instant,
    begin_ms: u64,
    skew_ms: AtomicI64,
}

impl MachineClock {
    /// Shows `begin_ms` now.
    #[must_use]
    pub fn new(begin_ms: u64) -> Self {
        Self {
            start: Instant::now(),
            begin_ms,
            skew_ms: AtomicI64::new(0),
        }
    }

    /// Sets the clock by so much.
    pub fn step(&self, by_ms: i64) {
        self.skew_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl Clock for MachineClock {
    fn now_ms(&self) -> u64 {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let skew = self.skew_ms.load(Ordering::Relaxed);
        self.begin_ms
            .saturating_add(since)
            .saturating_add_signed(skew)
    }
}

/// A machine: what of it outlives its node.
pub struct Station {
    /// Where it stands.
    pub place: Place,
    /// Its disk.
    pub disk: PowerLossFiles,
    /// Its clock.
    pub clock: Arc<MachineClock>,
    /// A planted bug: syncs of its ledger do nothing.
    pub skips_sync: bool,
    /// Whether its disk is full.
    pub disk_full: bool,
    network: Arc<VirtualNetwork>,
    timing: Option<Timing>,
    seed: u64,
    starts: u64,
    run: Option<Run>,
}

/// A node that runs.
struct Run {
    group: TaskGroup,
    power: Power,
    node: AnyNode,
}

/// A node of any kind.
enum AnyNode {
    Cs(Box<MunicipalCs>),
    Prefecture(Box<PrefectureServer>),
    National(Box<NationalCenter>),
    Firewall(Box<FirewallProxy>),
    Terminal(Box<AgencyTerminal>),
}

/// Somebody waits for a node's answer.
pub(crate) type Asking<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a start ended.
#[derive(Debug)]
pub enum Started {
    /// The node runs.
    Up,
    /// The power failed, or the disk is full.
    MachineFailed,
    /// It refuses to start.
    Refused(String),
}

impl Station {
    /// A machine with an empty disk that is switched off.
    #[must_use]
    pub fn new(
        place: Place,
        network: Arc<VirtualNetwork>,
        (begin_ms, seed): (u64, u64),
        timing: Option<Timing>,
    ) -> Self {
        Self {
            place,
            disk: PowerLossFiles::new(),
            clock: Arc::new(MachineClock::new(begin_ms)),
            skips_sync: false,
            disk_full: false,
            network,
            timing,
            seed,
            starts: 0,
            run: None,
        }
    }

    /// Whether a node runs on it.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.run.is_some()
    }

    /// What its interfaces hold; none of firewalls and of machines whose node is down.
    #[must_use]
    pub fn handle(&self) -> Option<EngineHandle> {
        match &self.run.as_ref()?.node {
            AnyNode::Cs(node) => Some(node.handle()),
            AnyNode::Prefecture(node) => Some(node.handle()),
            AnyNode::National(node) => Some(node.handle()),
            AnyNode::Terminal(node) => Some(node.handle()),
            AnyNode::Firewall(_) => None,
        }
    }

    /// Asks the node something in a task that ends with it.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(EngineHandle) -> Asking<T>,
    ) -> Option<JoinHandle<T>> {
        let handle = self.handle()?;
        let run = self.run.as_ref()?;
        Some(run.group.spawn(question(handle)))
    }

    /// Starts the node; its power fails after so many operations of the disk, where a number is
    /// given.
    pub async fn start(&mut self, power_fails_after: Option<u64>) -> Started {
        self.starts += 1;
        let (group, power) = (TaskGroup::default(), Power::default());
        power.set_full(self.disk_full);
        if let Some(operations) = power_fails_after {
            power.fail_after(operations);
        }
        let started = self.start_node(&group, &power).await;
        match started {
            Ok(node) => {
                self.run = Some(Run { group, power, node });
                Started::Up
            }
            Err(error) => {
                group.kill();
                self.network.unplug(self.place.address);
                if power.failed() || self.disk_full {
                    return Started::MachineFailed;
                }
                Started::Refused(error)
            }
        }
    }

    async fn start_node(&self, group: &TaskGroup, power: &Power) -> Result<AnyNode, String> {
        let prepared = Arc::new(self.prepared(group, power)?);
        let role = self.place.role;
        // Started as a task of its group, whatever it starts is of the group too.
        let node = group
            .spawn(async move { start(role, prepared).await })
            .await;
        match node {
            Ok(Ok(node)) => Ok(node),
            Ok(Err(error)) => Err(error.sentence),
            Err(error) => Err(error.to_string()),
        }
    }

    fn prepared(&self, group: &TaskGroup, power: &Power) -> Result<Prepared, String> {
        let place = &self.place;
        let keys = place.folder.join(&place.config.node.keys);
        Ok(Prepared {
            config: Arc::clone(&place.config),
            folder: place.folder.clone(),
            keys: Keys::read(&keys, &place.name, place.role).map_err(|error| error.to_string())?,
            secrets: keys,
            lang: Lang::En,
            machine: self.machine(group, power),
        })
    }

    fn machine(&self, group: &TaskGroup, power: &Power) -> Machine {
        let seed = self.seed.wrapping_add(self.starts.wrapping_mul(ODD));
        let randomness = Arc::new(SeededRandomness::new(seed));
        let (disk, power, skips) = (self.disk.clone(), power.clone(), self.skips_sync);
        let folders: OpenFolder =
            Arc::new(move |_: &Path| Ok(Box::new(Medium::new(&disk, &power, skips)) as AnyFiles));
        let index: OpenIndex = Arc::new(|| Arc::new(MemoryIndex::default()) as Arc<dyn IndexPort>);
        let plug = Plug {
            network: Arc::clone(&self.network),
            address: self.place.address,
        };
        Machine {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            sockets: Sockets::on_network(Arc::new(plug), group.clone(), randomness.clone()),
            randomness,
            timing: self.timing,
            threads: Threads::Tasks(group.clone()),
            folders,
            index: Some(index),
            serves: false,
            report_every: REPORT_EVERY,
        }
    }

    /// Cuts the power when so many more operations of the disk are done.
    pub fn fail_after(&self, operations: u64) {
        if let Some(run) = &self.run {
            run.power.fail_after(operations);
        }
    }

    /// Lets the power stay on, where it has not failed yet.
    pub fn keep_power(&self) {
        if let Some(run) = self.run.as_ref().filter(|run| !run.power.failed()) {
            run.power.restore();
        }
    }

    /// Fills the disk up, or makes room on it.
    pub fn set_disk_full(&mut self, is_full: bool) {
        self.disk_full = is_full;
        if let Some(run) = &self.run {
            run.power.set_full(is_full);
        }
    }

    /// Whether its power has failed in the middle of something.
    #[must_use]
    pub fn power_failed(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.power.failed())
    }

    /// Kills the process wherever it is; the machine still writes what it was given.
    pub fn kill(&mut self) {
        let Some(run) = self.run.take() else {
            return;
        };
        // Nothing of it is written or sent any more.
        run.power.fail_after(0);
        self.network.unplug(self.place.address);
        run.group.kill();
        // What is dropped may wake what is being killed, which never runs again.
        drop(run.node);
    }

    /// Cuts the power: what was not synced is kept or dropped as the seed says.
    pub fn lose_power(&mut self, seed: u64) {
        self.kill();
        self.disk.lose_power(seed);
    }

    /// Stops the node in order.
    ///
    /// # Errors
    /// The sentence with which it ended.
    pub async fn stop(&mut self) -> Result<(), String> {
        let Some(Run { group, node, power }) = self.run.take() else {
            return Ok(());
        };
        let ended = match node {
            AnyNode::Cs(node) => node.shutdown().await,
            AnyNode::Prefecture(node) => node.shutdown().await,
            AnyNode::National(node) => node.shutdown().await,
            AnyNode::Firewall(node) => node.shutdown().await,
            AnyNode::Terminal(node) => node.shutdown().await,
        };
        group.kill();
        self.network.unplug(self.place.address);
        match ended {
            // The power went while it stopped, or its last words found no room.
            Err(_) if power.failed() || self.disk_full => Ok(()),
            ended => ended,
        }
    }

    /// Waits until every link that the node dials is up.
    pub async fn ready(&self) {
        match self.run.as_ref().map(|run| &run.node) {
            Some(AnyNode::Cs(node)) => drop(node.ready().await),
            Some(AnyNode::Prefecture(node)) => drop(node.ready().await),
            Some(AnyNode::National(node)) => drop(node.ready().await),
            Some(AnyNode::Firewall(node)) => drop(node.ready().await),
            Some(AnyNode::Terminal(node)) => drop(node.ready().await),
            None => {}
        }
    }

    /// The sentence with which the node has failed, if it has.
    pub async fn failure(&self) -> Option<String> {
        let run = self.run.as_ref()?;
        let failure = async {
            match &run.node {
                AnyNode::Cs(node) => node.failure().await,
                AnyNode::Prefecture(node) => node.failure().await,
                AnyNode::National(node) => node.failure().await,
                AnyNode::Firewall(node) => node.failure().await,
                AnyNode::Terminal(node) => node.failure().await,
            }
        };
        tokio::select! {
            biased;
            sentence = failure => Some(sentence),
            () = std::future::ready(()) => None,
        }
    }
}

async fn start(role: NodeRole, prepared: Arc<Prepared>) -> Result<AnyNode, StartError> {
    let stop = Stop::default();
    Ok(match role {
        NodeRole::MunicipalCs => AnyNode::Cs(Box::new(MunicipalCs::start(prepared, stop).await?)),
        NodeRole::PrefectureServer => {
            AnyNode::Prefecture(Box::new(PrefectureServer::start(prepared, stop).await?))
        }
        NodeRole::NationalCenter => {
            AnyNode::National(Box::new(NationalCenter::start(prepared, stop).await?))
        }
        NodeRole::FirewallProxy => {
            AnyNode::Firewall(Box::new(FirewallProxy::start(prepared, stop).await?))
        }
        NodeRole::AgencyTerminal => {
            AnyNode::Terminal(Box::new(AgencyTerminal::start(prepared, stop).await?))
        }
        NodeRole::AccessPoint => return Err(StartError::missing("a line needs no node here")),
    })
}

/// A machine's place on the network: what it binds is at its own address.
struct Plug {
    network: Arc<VirtualNetwork>,
    address: std::net::IpAddr,
}

impl DatagramNetwork for Plug {
    fn bind(&self, address: SocketAddr) -> std::io::Result<Arc<Port>> {
        self.network
            .bind(SocketAddr::new(self.address, address.port()))
    }

    fn send(&self, datagram: Datagram) {
        self.network.send(datagram);
    }
}

/// How often reports are renewed: nobody reads them before all has settled.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Keeps the draws of a machine's runs apart.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
