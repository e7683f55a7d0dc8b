//! Peers that begin and do not go on: they hold what a listener has for those that do.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use juki_domain::NodeId;
use juki_transport::Identity;
use juki_wire::Hello;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};

use crate::speaker::hello;
use crate::{Fault, RawConnection, ShiftedClock, StolenNode, connect};

/// Where a peer stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slowness {
    /// After the handshake of TLS: it says nothing.
    NoHello,
    /// In the middle of its hello.
    HalfHello,
    /// In the middle of a frame, of which it sends a byte now and then.
    HalfFrame,
}

impl Slowness {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::NoHello, Self::HalfHello, Self::HalfFrame];
}

/// Slow peers against some listeners.
pub struct SlowPeers {
    identity: Identity,
    hello: Hello,
    network: String,
    targets: Vec<(NodeId, SocketAddr)>,
}

/// What became of slow peers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SlowReport {
    /// Connections that were tried.
    pub tried: u64,
    /// Of these, ended by the listener, by error code; `none` where it gave none, `unanswered` where
    /// it did not even answer.
    pub ended: BTreeMap<String, u64>,
    /// Connections that outlived the attack.
    pub standing: u64,
}

impl SlowPeers {
    /// Peers with the keys of a stolen node, against these listeners: names of nodes and addresses
    /// of the loopback.
    ///
    /// # Errors
    /// [`Fault::Missing`] for no target, or one beyond this machine.
    pub fn new(stolen: &StolenNode, targets: Vec<(NodeId, SocketAddr)>) -> Result<Self, Fault> {
        if targets.is_empty() || targets.iter().any(|(_, target)| !target.ip().is_loopback()) {
            let sentence = "slow peers go to listeners of this machine's loopback alone";
            return Err(Fault::Missing(sentence.to_owned()));
        }
        Ok(Self {
            identity: stolen.keys.identity.clone(),
            hello: hello(stolen, ShiftedClock::default()),
            network: stolen.config.node.network.clone(),
            targets,
        })
    }

    /// Holds so many connections at each listener for a while, each begun anew when it is ended.
    pub async fn run(self, how: Slowness, each: usize, lasting: Duration) -> SlowReport {
        let until = Instant::now() + lasting;
        let peers = Arc::new(self);
        let mut tasks = JoinSet::new();
        for at in 0..peers.targets.len() {
            for _ in 0..each {
                tasks.spawn(Arc::clone(&peers).be_slow(at, how, until));
            }
        }
        let mut report = SlowReport::default();
        while let Some(one) = tasks.join_next().await {
            let Ok(one) = one else { continue };
            report.tried += one.tried;
            report.standing += one.standing;
            for (code, count) in one.ended {
                *report.ended.entry(code).or_default() += count;
            }
        }
        report
    }

    async fn be_slow(self: Arc<Self>, at: usize, how: Slowness, until: Instant) -> SlowReport {
        let mut report = SlowReport::default();
        let Some((server, address)) = self.targets.get(at) else {
            return report;
        };
        while Instant::now() < until {
            report.tried += 1;
            let connecting = connect(&self.identity, &self.network, server, *address);
            let connection = match timeout(ANSWER_WITHIN, connecting).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(fault)) => {
                    *report.ended.entry(reason(&fault)).or_default() += 1;
                    sleep(PAUSE).await;
                    continue;
                }
                Err(_) => {
                    *report.ended.entry("unanswered".to_owned()).or_default() += 1;
                    continue;
                }
            };
            match timeout_at(until.into(), self.dawdle(connection, how)).await {
                Ok(reason) => *report.ended.entry(reason).or_default() += 1,
                Err(_) => report.standing += 1,
            }
            sleep(PAUSE).await;
        }
        report
    }

    /// Stops where it has to, and gives the code with which it is ended.
    async fn dawdle(&self, connection: RawConnection, how: Slowness) -> String {
        let slow = async {
            match how {
                Slowness::NoHello => std::future::pending::<()>().await,
                Slowness::HalfHello => {
                    // A tag and the length of a hello of which two bytes come.
                    let _stream = connection.open(&[0, 0, 0, 0, 90, 10, 80]).await;
                    std::future::pending::<()>().await;
                }
                Slowness::HalfFrame => {
                    // Its own hello is in order; a frame of 300 bytes then comes byte by byte.
                    let greeting = crate::raw_link::greeting(self.hello.clone());
                    let control = connection.open(&greeting).await;
                    let stream = connection.open(&[1, 0, 0, 1, 44]).await;
                    let _bulk = connection.open(&[2]).await;
                    if let (Ok(_control), Ok((mut stream, _back))) = (control, stream) {
                        while stream.write_all(&[1]).await.is_ok() {
                            sleep(PAUSE).await;
                        }
                    }
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = slow => String::new(),
            ended = connection.ended() => ended.code.map_or("none", |code| code.code()).to_owned(),
        }
    }
}

fn reason(fault: &Fault) -> String {
    match fault {
        Fault::Ended(ended) => ended.code.map_or("none", |code| code.code()).to_owned(),
        Fault::File { .. }
        | Fault::Config(_)
        | Fault::Keys(_)
        | Fault::Missing(_)
        | Fault::Refused(_) => "none".to_owned(),
    }
}

const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);
