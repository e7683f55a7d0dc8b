//! The disk under a ledger, whose power can fail at any operation and which can be full.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use juki_runtime::{Files, PowerLossFiles, SkipSync};

/// The power of one run of a machine: how many more operations its disk will do.
#[derive(Debug, Clone)]
pub struct Power(Arc<Supply>);

#[derive(Debug)]
struct Supply {
    left: AtomicU64,
    is_full: AtomicBool,
}

impl Default for Power {
    fn default() -> Self {
        Self(Arc::new(Supply {
            left: AtomicU64::new(u64::MAX),
            is_full: AtomicBool::new(false),
        }))
    }
}

impl Power {
    /// The power fails when so many more writes and syncs are done.
    pub fn fail_after(&self, operations: u64) {
        self.0.left.store(operations, Ordering::Relaxed);
    }

    /// The power is back.
    pub fn restore(&self) {
        self.0.left.store(u64::MAX, Ordering::Relaxed);
    }

    /// Whether the power has failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.0.left.load(Ordering::Relaxed) == 0
    }

    /// No file can grow any more, or can again.
    pub fn set_full(&self, is_full: bool) {
        self.0.is_full.store(is_full, Ordering::Relaxed);
    }

    fn spend(&self) -> io::Result<()> {
        match self.0.left.load(Ordering::Relaxed) {
            0 => Err(io::Error::other("the power is out")),
            u64::MAX => Ok(()),
            left => {
                self.0.left.store(left - 1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    fn room(&self) -> io::Result<()> {
        if self.0.is_full.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
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
        self.power.room()?;
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
        if offset.saturating_add(bytes.len() as u64) > self.files.len(name)? {
            self.power.room()?;
        }
        self.files.write_at(name, offset, bytes)
    }

    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.power.spend()?;
        if len > self.files.len(name)? {
            self.power.room()?;
        }
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
