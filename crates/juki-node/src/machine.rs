//! The machine that a node runs on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use juki_crypto::{Randomness, SystemRandomness};
use juki_dispatch::IndexPort;
use juki_runtime::{Clock, DiskFiles, Files, SystemClock, Threads};
use juki_transport::{Sockets, Timing};

/// Ten times a second: as often as people and programs look.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Files of a folder, wherever they lie.
pub type AnyFiles = Box<dyn Files>;

/// Opens the folder with the files of a ledger, which is made where it is missing.
pub type OpenFolder = Arc<dyn Fn(&Path) -> io::Result<AnyFiles> + Send + Sync>;

/// Gives a node its index in place of the one on disk.
pub type OpenIndex = Arc<dyn Fn() -> Arc<dyn IndexPort> + Send + Sync>;

/// All that a node has from its machine. A real one is [`Machine::system`]; a simulation gives its
/// own parts, and the node's code is the same.
#[derive(Clone)]
pub struct Machine {
    /// The clock, by which everything is stamped.
    pub clock: Arc<dyn Clock>,
    /// Where salts, keys and numbers come from.
    pub randomness: Arc<dyn Randomness>,
    /// Where sockets come from.
    pub sockets: Sockets,
    /// How long links may take, where that is not the usual.
    pub timing: Option<Timing>,
    /// Where the sequencer and ledgers without one work.
    pub threads: Threads,
    /// Where ledgers lie.
    pub folders: OpenFolder,
    /// The index, where it is not the usual one on disk.
    pub index: Option<OpenIndex>,
    /// Whether interfaces for people and programs of this machine are served and signals heard.
    pub serves: bool,
    /// How often a node renews its report on itself while something happens.
    pub report_every: Duration,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn system() -> Self {
        let open = |folder: &Path| Ok(Box::new(DiskFiles::open(folder)?) as AnyFiles);
        Self {
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            sockets: Sockets::system(),
            timing: None,
            threads: Threads::System,
            folders: Arc::new(open),
            index: None,
            serves: true,
            report_every: REPORT_EVERY,
        }
    }
}
