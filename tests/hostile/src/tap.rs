//! Somebody on the lines: every datagram that goes up to an access point or comes down is kept.

use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use network::Deployment;

/// How often a thread looks whether it shall end.
const LOOK: Duration = Duration::from_millis(50);

/// Taps on all lines of an access point.
pub struct Taps {
    stop: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    threads: Vec<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
}

struct Tap {
    socket: UdpSocket,
    /// Where the access point announces the line's real lower end.
    behind: PathBuf,
    stop: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Taps {
    /// Puts a tap before each line of an access point that has not started yet: the access point
    /// announces its lines elsewhere, and the taps in its place.
    ///
    /// # Panics
    /// As every step of a test.
    #[must_use]
    pub fn before(deployment: &Deployment, access_point: &str) -> Self {
        let config = deployment.node(access_point).join("node.toml");
        let text = fs::read_to_string(&config).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (mut lines, mut threads, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for line in text.lines() {
            let announce = line
                .strip_prefix("announce = \"")
                .and_then(|rest| rest.strip_suffix("\""));
            let Some(announce) = announce else {
                lines.push(line.to_owned());
                continue;
            };
            let behind = announce.replace(".addr", ".behind");
            lines.push(format!("announce = \"{behind}\""));
            let folder = config.parent().unwrap();
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(LOOK)).unwrap();
            let address = socket.local_addr().unwrap();
            let front = folder.join(announce);
            fs::create_dir_all(front.parent().unwrap()).unwrap();
            fs::write(front, format!("{address}\n")).unwrap();
            addresses.push(address);
            let tap = Tap {
                socket,
                behind: folder.join(behind),
                stop: Arc::clone(&stop),
                kept: Arc::clone(&kept),
            };
            threads.push(std::thread::spawn(move || tap.carry_up()));
        }
        assert!(!addresses.is_empty(), "{text}");
        fs::write(config, lines.join("\n") + "\n").unwrap();
        Self {
            stop,
            kept,
            threads,
            addresses,
        }
    }

    /// Where the taps listen.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// All datagrams that were kept up to now, both ways.
    ///
    /// # Panics
    /// Where a tap has panicked.
    #[must_use]
    pub fn kept(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap().clone()
    }
}

impl Drop for Taps {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            // A tap that panicked has said why.
            let _ended = thread.join();
        }
    }
}

impl Tap {
    fn carry_up(self) {
        let own = Arc::new(self);
        let mut behind: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut threads = Vec::new();
        let mut datagram = vec![0; 1 << 16];
        while !own.stop.load(Ordering::SeqCst) {
            let Ok((length, from)) = own.socket.recv_from(&mut datagram) else {
                continue;
            };
            own.keep(&datagram[..length]);
            let Some(to) = address(&own.behind) else {
                continue;
            };
            let socket = behind.entry(from).or_insert_with(|| {
                let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
                socket.set_read_timeout(Some(LOOK)).unwrap();
                let (tap, back) = (Arc::clone(&own), Arc::clone(&socket));
                threads.push(std::thread::spawn(move || tap.carry_down(&back, from)));
                socket
            });
            // A line loses what nobody takes.
            let _lost = socket.send_to(&datagram[..length], to);
        }
        for thread in threads {
            let _ended: Result<(), _> = thread.join();
        }
    }

    fn carry_down(&self, socket: &UdpSocket, to: SocketAddr) {
        let mut datagram = vec![0; 1 << 16];
        while !self.stop.load(Ordering::SeqCst) {
            if let Ok((length, _)) = socket.recv_from(&mut datagram) {
                self.keep(&datagram[..length]);
                let _lost = self.socket.send_to(&datagram[..length], to);
            }
        }
    }

    fn keep(&self, datagram: &[u8]) {
        self.kept.lock().unwrap().push(datagram.to_vec());
    }
}

fn address(file: &Path) -> Option<SocketAddr> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
