//! The relay of one line: who came from below, and what goes where.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use juki_line::{Direction, LineSettings, Schedule};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use crate::pipe::{Exit, Pipe};
use crate::shared::Share;
use crate::socket::{BatchSocket, Buffers, Run};
use crate::switch::Switch;
use crate::target::Target;

/// What the relay's tasks and its control share.
#[derive(Debug)]
pub(crate) struct Line {
    name: String,
    listen: SocketAddr,
    start: Instant,
    target: Arc<Target>,
    upward: Arc<Pipe>,
    downward: Arc<Pipe>,
    switch: Switch,
    clients: AtomicUsize,
    undeliverable: AtomicU64,
}

impl Line {
    pub(crate) fn new(
        name: &str,
        listen: SocketAddr,
        target: Target,
        settings: LineSettings,
        schedule: Schedule,
        shares: [Option<Share>; 2],
    ) -> Self {
        let pipe = |direction: Direction, share| {
            Arc::new(Pipe::new(settings, direction.seed(name), share))
        };
        let [upward, downward] = shares;
        Self {
            name: name.to_owned(),
            listen,
            start: Instant::now(),
            target: Arc::new(target),
            upward: pipe(Direction::Upward, upward),
            downward: pipe(Direction::Downward, downward),
            switch: Switch::new(schedule),
            clients: AtomicUsize::new(0),
            undeliverable: AtomicU64::new(0),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    pub(crate) fn target(&self) -> Option<SocketAddr> {
        self.target.known()
    }

    pub(crate) fn upward(&self) -> &Arc<Pipe> {
        &self.upward
    }

    pub(crate) fn downward(&self) -> &Arc<Pipe> {
        &self.downward
    }

    pub(crate) fn switch(&self) -> &Switch {
        &self.switch
    }

    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    pub(crate) fn undeliverable(&self) -> u64 {
        self.undeliverable.load(Ordering::Relaxed)
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.duration_since(self.start).as_secs()
    }
}

/// The task that reads what comes from below.
pub(crate) struct RelayTask {
    line: Arc<Line>,
    socket: Arc<BatchSocket>,
    /// The target that the clients' sockets are connected to.
    target: Option<SocketAddr>,
    clients: HashMap<SocketAddr, Client>,
    readers: JoinSet<()>,
}

/// One sender below the line, with a socket of its own towards the target.
struct Client {
    exit: Exit,
    /// In seconds since the line's start; both directions set it.
    last_heard_s: Arc<AtomicU64>,
    reader: AbortHandle,
}

impl RelayTask {
    pub(crate) fn new(line: Arc<Line>, socket: Arc<BatchSocket>) -> Self {
        Self {
            line,
            socket,
            target: None,
            clients: HashMap::new(),
            readers: JoinSet::new(),
        }
    }

    /// Forwards until it is aborted.
    pub(crate) async fn run(mut self) {
        let mut buffers = Buffers::new();
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = self.socket.receive(&mut buffers) => match received {
                    Ok(count) => {
                        for run in buffers.runs(count) {
                            self.forward(run).await;
                        }
                    }
                    Err(error) => pause_after(&error).await,
                },
                _ = sweep.tick() => self.forget_silent_clients(),
            }
        }
    }

    async fn forward(&mut self, run: Run<'_>) {
        let now = Instant::now();
        let target = self.line.target.current(now);
        if target != self.target {
            // Whoever listened there is gone, and its connections with it.
            self.forget_all_clients();
            self.target = target;
        }
        let exit = match target {
            Some(target) => self.exit_for(run.from, target, now).await,
            None => None,
        };
        let Some(exit) = exit else {
            self.line
                .undeliverable
                .fetch_add(run.count(), Ordering::Relaxed);
            return;
        };
        if self.line.upward.take(now, run, &exit)
            && let Err(error) = exit.send(run).await
        {
            self.line
                .undeliverable
                .fetch_add(run.count(), Ordering::Relaxed);
            tracing::debug!(event = "datagram.unsent", line = self.line.name(), %error);
        }
    }

    /// The socket towards the target for a sender below; `None` when there are too many.
    async fn exit_for(
        &mut self,
        from: SocketAddr,
        target: SocketAddr,
        now: Instant,
    ) -> Option<Exit> {
        if let Some(client) = self.clients.get(&from) {
            client
                .last_heard_s
                .store(self.line.seconds(now), Ordering::Relaxed);
            return Some(client.exit.clone());
        }
        if self.clients.len() >= CLIENTS_MAX {
            return None;
        }
        let socket = match connected(target).await {
            Ok(socket) => Arc::new(socket),
            Err(error) => {
                tracing::warn!(event = "line.no_socket", line = self.line.name(), %error);
                return None;
            }
        };
        let last_heard_s = Arc::new(AtomicU64::new(self.line.seconds(now)));
        let reader = Reader {
            line: Arc::clone(&self.line),
            upper: Arc::clone(&socket),
            exit: Exit {
                socket: Arc::clone(&self.socket),
                to: from,
                target: None,
            },
            last_heard_s: Arc::clone(&last_heard_s),
        };
        let reader = self.readers.spawn(reader.run());
        let exit = Exit {
            socket,
            to: target,
            target: Some(Arc::clone(&self.line.target)),
        };
        self.clients.insert(
            from,
            Client {
                exit: exit.clone(),
                last_heard_s,
                reader,
            },
        );
        self.count_clients();
        Some(exit)
    }

    fn forget_silent_clients(&mut self) {
        let now_s = self.line.seconds(Instant::now());
        self.clients.retain(|_, client| {
            let silent_s = now_s.saturating_sub(client.last_heard_s.load(Ordering::Relaxed));
            let is_silent = silent_s > SILENCE_S_MAX;
            if is_silent {
                client.reader.abort();
            }
            !is_silent
        });
        self.count_clients();
    }

    fn forget_all_clients(&mut self) {
        self.clients.clear();
        self.readers.abort_all();
        self.count_clients();
    }

    fn count_clients(&mut self) {
        while self.readers.try_join_next().is_some() {}
        self.line
            .clients
            .store(self.clients.len(), Ordering::Relaxed);
    }
}

/// The task that reads what comes from above for one client.
struct Reader {
    line: Arc<Line>,
    upper: Arc<BatchSocket>,
    exit: Exit,
    last_heard_s: Arc<AtomicU64>,
}

impl Reader {
    async fn run(self) {
        let mut buffers = Buffers::new();
        loop {
            let count = match self.upper.receive(&mut buffers).await {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    self.line.target.suspect();
                    continue;
                }
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            let now = Instant::now();
            self.last_heard_s
                .store(self.line.seconds(now), Ordering::Relaxed);
            for run in buffers.runs(count) {
                if self.line.downward.take(now, run, &self.exit)
                    && let Err(error) = self.exit.send(run).await
                {
                    tracing::debug!(event = "datagram.unsent", line = self.line.name(), %error);
                }
            }
        }
    }
}

async fn connected(target: SocketAddr) -> io::Result<BatchSocket> {
    let any = match (target, target.ip().is_loopback()) {
        (SocketAddr::V4(_), true) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        (SocketAddr::V4(_), false) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        (SocketAddr::V6(_), true) => SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
        (SocketAddr::V6(_), false) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = BatchSocket::bind(any)?;
    socket.connect(target).await?;
    Ok(socket)
}

/// A socket that fails at every call must not take a whole core.
async fn pause_after(error: &io::Error) {
    tracing::debug!(event = "socket.failed", %error);
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// Senders below one line at a time: one firewall, and what it left behind by restarting.
const CLIENTS_MAX: usize = 64;
/// Three times the longest silence that a connection survives.
const SILENCE_S_MAX: u64 = 30;
const SWEEP_EVERY: Duration = Duration::from_secs(5);
