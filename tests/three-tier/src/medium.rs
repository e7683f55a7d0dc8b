//! The disk under a ledger, whose power can fail at any operation.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use juki_runtime::{Files, PowerLossFiles, SkipSync};

/// The power of one machine: how many more operations its disk will do.
#[derive(Debug, Clone)]
pub struct Power(Arc<AtomicU64>);

impl Default for Power {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }
}

impl Power {
    /// The power fails when so many more writes and syncs are done.
    pub fn fail_after(&self, operations: u64) {
        self.0.store(operations, Ordering::Relaxed);
    }

    /// The power is back.
    pub fn restore(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    /// Whether the power has failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn spend(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Err(io::Error::other("the power is out")),
            u64::MAX => Ok(()),
            left => {
                self.0.store(left - 1, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

/// Files on a disk that forgets what was not synced.
pub struct Medium {
    files: Box<dyn Files>,
    power: Power,
}

impl Medium {
    /// The files of a disk; `skip_sync` plants the bug of a ledger whose syncs do nothing.
    #[must_use]
    pub fn new(disk: &PowerLossFiles, power: &Power, skip_sync: bool) -> Self {
        let files: Box<dyn Files> = if skip_sync {
            Box::new(SkipSync(disk.clone()))
        } else {
            Box::new(disk.clone())
        };
        Self {
            files,
            power: power.clone(),
        }
    }
}

impl Files for Medium {
    fn list(&self) -> io::Result<Vec<String>> {
        self.files.list()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.power.spend()?;
        self.files.create(name)
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.files.len(name)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.files.read_at(name, offset, buffer)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.power.spend()?;
        self.files.write_at(name, offset, bytes)
    }

    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.power.spend()?;
        self.files.set_len(name, len)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.power.spend()?;
        self.files.sync(name)
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.power.spend()?;
        self.files.sync_folder()
    }
}
