//! One relay between a lower end and an upper end that sends everything back.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use access_point::{AccessPoint, LineStatus};
use juki_topology::NodeConfig;
use tokio::net::UdpSocket;
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Long enough for a datagram on this machine, short enough to wait for one that must not come.
pub(crate) const SILENCE: Duration = Duration::from_millis(150);

pub(crate) fn config() -> NodeConfig {
    let text = r#"
        [node]
        name = "ap-35-1"
        role = "access-point"
        network = "demo-1"
        [calendar]
        base = "2002-10-15"
        anchor_unix_s = 0
        version = 1
        [[relay]]
        name = "cs-352047"
        listen = "127.0.0.1:0"
        announce = "relay.addr"
        target = "file:target.addr"
    "#;
    NodeConfig::parse(text, "node.toml").expect("a configuration")
}

pub(crate) struct World {
    pub(crate) access_point: AccessPoint,
    pub(crate) folder: tempfile::TempDir,
    /// The lower end, connected to the relay.
    pub(crate) lower: UdpSocket,
}

impl World {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let access_point = AccessPoint::start(&config(), folder.path())
            .await
            .expect("started");
        let lower = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
        lower
            .connect(relay_address(&access_point))
            .await
            .expect("connected");
        Self {
            access_point,
            folder,
            lower,
        }
    }

    /// A new upper end that sends everything back, announced as the target.
    pub(crate) async fn upper(&self) -> Upper {
        let upper = Upper::start().await;
        announce(self.folder.path(), upper.address);
        upper
    }

    pub(crate) fn status(&self) -> LineStatus {
        self.access_point.control().list().remove(0)
    }

    /// Sends a datagram and waits for its echo.
    pub(crate) async fn echo(&self, payload: &[u8]) -> Duration {
        let start = Instant::now();
        self.lower.send(payload).await.expect("sent");
        let mut buffer = [0; 2_000];
        let len = timeout(PATIENCE, self.lower.recv(&mut buffer))
            .await
            .expect("in time");
        assert_eq!(buffer.get(..len.expect("received")), Some(payload));
        start.elapsed()
    }

    /// Sends until an echo comes: targets are found within a second.
    pub(crate) async fn echo_eventually(&self) -> Duration {
        let start = Instant::now();
        let mut buffer = [0; 2_000];
        while start.elapsed() < PATIENCE {
            self.lower.send(b"anybody?").await.expect("sent");
            let received = timeout(Duration::from_millis(10), self.lower.recv(&mut buffer)).await;
            if matches!(received, Ok(Ok(_))) {
                let found = start.elapsed();
                self.drain().await;
                return found;
            }
        }
        panic!("no echo");
    }

    pub(crate) async fn drain(&self) {
        let mut buffer = [0; 2_000];
        while timeout(SILENCE, self.lower.recv(&mut buffer)).await.is_ok() {}
    }

    pub(crate) async fn hears_nothing(&self) -> bool {
        let mut buffer = [0; 2_000];
        timeout(SILENCE, self.lower.recv(&mut buffer))
            .await
            .is_err()
    }
}

pub(crate) fn relay_address(access_point: &AccessPoint) -> SocketAddr {
    access_point.bound().first().expect("one line").1
}

pub(crate) fn announce(folder: &Path, address: SocketAddr) {
    let temporary = folder.join("target.addr.new");
    std::fs::write(&temporary, format!("{address}\n")).expect("written");
    std::fs::rename(temporary, folder.join("target.addr")).expect("renamed");
}

pub(crate) struct Upper {
    pub(crate) address: SocketAddr,
    pub(crate) task: tokio::task::JoinHandle<()>,
}

impl Upper {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
        let address = socket.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
                let echo = buffer.get(..len).expect("within the buffer");
                socket.send_to(echo, from).await.expect("sent back");
            }
        });
        Self { address, task }
    }

    pub(crate) async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("aborted").is_cancelled());
    }
}
