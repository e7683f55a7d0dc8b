//! Where the upper end of a line listens.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use juki_topology::DialAddress;
use tokio::time::Instant;

use crate::announce;

/// A target that is fixed, or read again from its announce file now and then.
#[derive(Debug)]
pub(crate) struct Target {
    source: DialAddress,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    known: Option<SocketAddr>,
    read_at: Option<Instant>,
    /// A datagram came back: the target may have moved.
    is_suspect: bool,
}

impl Target {
    pub(crate) fn new(address: &DialAddress, base_dir: &Path) -> Self {
        let (source, known) = match address {
            DialAddress::Fixed(fixed) => (address.clone(), Some(*fixed)),
            DialAddress::File(path) => (DialAddress::File(base_dir.join(path)), None),
        };
        Self {
            source,
            state: Mutex::new(State {
                known,
                read_at: None,
                is_suspect: false,
            }),
        }
    }

    /// The address to send to, or `None` while nothing is announced. Reads the file at most every
    /// 50 ms while there is no address or a datagram failed, otherwise at most every second.
    pub(crate) fn current(&self, now: Instant) -> Option<SocketAddr> {
        let mut state = self.lock();
        let DialAddress::File(path) = &self.source else {
            return state.known;
        };
        let is_urgent = state.is_suspect || state.known.is_none();
        let pause = if is_urgent { URGENT_PAUSE } else { USUAL_PAUSE };
        if state
            .read_at
            .is_none_or(|read_at| now.duration_since(read_at) >= pause)
        {
            *state = State {
                known: announce::read(path),
                read_at: Some(now),
                is_suspect: false,
            };
        }
        state.known
    }

    /// The address as last read.
    pub(crate) fn known(&self) -> Option<SocketAddr> {
        self.lock().known
    }

    /// Notes that a datagram to the target failed.
    pub(crate) fn suspect(&self) {
        self.lock().is_suspect = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const URGENT_PAUSE: Duration = Duration::from_millis(50);
const USUAL_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &Path) -> Target {
        Target::new(&DialAddress::File("x.addr".into()), path)
    }

    #[test]
    fn a_file_is_read_again_after_a_second_or_soon_after_a_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.addr");
        let target = target(folder.path());
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let port = |ms| target.current(at(ms)).map(|address| address.port());
        assert_eq!(port(0), None);
        std::fs::write(&path, "127.0.0.1:1001\n").expect("written");
        assert_eq!(port(49), None);
        assert_eq!(port(50), Some(1001));
        std::fs::write(&path, "127.0.0.1:1002\n").expect("written");
        assert_eq!(port(1_049), Some(1001));
        assert_eq!(port(1_050), Some(1002));
        std::fs::write(&path, "127.0.0.1:1003\n").expect("written");
        target.suspect();
        assert_eq!(port(1_099), Some(1002));
        assert_eq!(port(1_100), Some(1003));
    }

    #[test]
    fn a_text_that_is_no_address_is_no_target() {
        let folder = tempfile::tempdir().expect("a folder");
        for text in [
            "",
            "127.0.0.1",
            "127.0.0.1:0\n",
            "\u{fffd}",
            &"1".repeat(1_000_000),
        ] {
            std::fs::write(folder.path().join("x.addr"), text).expect("written");
            assert_eq!(target(folder.path()).current(Instant::now()), None);
        }
    }
}
