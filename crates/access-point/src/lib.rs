//! The access point: one UDP relay per leased line.
//!
//! The lower end of a line dials the relay, the relay forwards to the upper end and back, and the
//! line model decides for each direction what arrives and when. A line that is up and unshaped
//! passes whole batches of datagrams as the kernel handed them over (GRO in, GSO out).

mod announce;
mod capture;
mod control;
mod lines;
mod node;
mod pipe;
mod relay;
mod shared;
mod socket;
mod switch;
mod target;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use juki_domain::{NodeId, NodeRole};
use juki_topology::{NodeConfig, Relay};
use tokio::task::JoinSet;

pub use capture::CaptureStatus;
pub use control::{ControlError, Counters, DirectionStatus, LineStatus, RelayControl};
pub use node::AccessPointNode;

use crate::relay::{Line, RelayTask};
use crate::shared::{Share, Shared};
use crate::socket::BatchSocket;
use crate::switch::Switch;
use crate::target::Target;

/// The running relays of one access point. They end when this is dropped.
#[derive(Debug)]
pub struct AccessPoint {
    control: RelayControl,
    bound: Vec<(String, SocketAddr)>,
    tasks: JoinSet<()>,
}

impl AccessPoint {
    /// Binds every relay, announces its address and begins to forward. Relative paths start at
    /// `base_dir`, the folder of the configuration file. Targets need not be there yet.
    ///
    /// # Errors
    /// Where the configuration is another role's, an address cannot be bound or an announce file
    /// cannot be written; then nothing runs.
    pub async fn start(config: &NodeConfig, base_dir: &Path) -> io::Result<Self> {
        if config.node.role != NodeRole::AccessPoint {
            let message = "the configuration is not an access point's";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let mut lines = Vec::new();
        let mut bound = Vec::new();
        let mut tasks = JoinSet::new();
        let shares = start_segments(config, &mut tasks);
        for relay in &config.relay {
            let shares = shares.get(&relay.name).cloned().unwrap_or_default();
            let (line, address) = start_relay(relay, shares, base_dir, &mut tasks).await?;
            lines.push(line);
            bound.push((relay.name.to_string(), address));
        }
        Ok(Self {
            control: RelayControl::new(lines),
            bound,
            tasks,
        })
    }

    /// The handle that shows and changes the lines.
    #[must_use]
    pub fn control(&self) -> RelayControl {
        self.control.clone()
    }

    /// Each line's name with the address that its relay is bound to.
    #[must_use]
    pub fn bound(&self) -> &[(String, SocketAddr)] {
        &self.bound
    }

    /// Ends every relay; datagrams on their way are lost.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Starts the shared stretches, one for each direction, and says which lines have a place there.
fn start_segments(
    config: &NodeConfig,
    tasks: &mut JoinSet<()>,
) -> BTreeMap<NodeId, [Option<Share>; 2]> {
    let mut shares = BTreeMap::new();
    for segment in &config.segment {
        let stretch = || {
            Shared::new(
                segment.bandwidth_bps,
                segment.queue_bytes,
                segment.lines.len(),
            )
        };
        let both = [stretch(), stretch()];
        for (number, line) in segment.lines.iter().enumerate() {
            let places = both.each_ref().map(|stretch| Some(stretch.share(number)));
            shares.insert(line.clone(), places);
        }
        for stretch in both {
            tasks.spawn(stretch.deliver());
        }
    }
    shares
}

async fn start_relay(
    relay: &Relay,
    shares: [Option<Share>; 2],
    base_dir: &Path,
    tasks: &mut JoinSet<()>,
) -> io::Result<(Arc<Line>, SocketAddr)> {
    let announce = relay.announce.as_ref().map(|path| base_dir.join(path));
    let socket = Arc::new(bind(relay.listen, announce.as_deref())?);
    let address = socket.local_addr()?;
    let target = Target::new(&relay.target, base_dir);
    let line = Arc::new(Line::new(
        relay.name.as_str(),
        address,
        target,
        relay.line_settings(),
        relay.schedule.clone(),
        shares,
    ));
    if let Some(path) = announce {
        announce::write(&path, address).await?;
    }
    tasks.spawn(RelayTask::new(Arc::clone(&line), socket).run());
    for pipe in [line.upward(), line.downward()] {
        tasks.spawn(Arc::clone(pipe).deliver());
    }
    tasks.spawn(Switch::keep(Arc::clone(&line)));
    tracing::info!(event = "line.bound", line = line.name(), %address);
    Ok((line, address))
}

/// Binds where the relay was before a restart, if the configuration leaves the port open and nobody
/// else has it now: the lower end's connections then go on as after any silence of the line.
fn bind(listen: SocketAddr, announce: Option<&Path>) -> io::Result<BatchSocket> {
    let earlier = announce
        .filter(|_| listen.port() == 0)
        .and_then(announce::read)
        .filter(|earlier| earlier.ip() == listen.ip());
    match earlier.map(BatchSocket::bind) {
        Some(Ok(socket)) => Ok(socket),
        Some(Err(_)) | None => BatchSocket::bind(listen),
    }
}
