//! A disk that loses power: what was not synced is dropped or torn.
//!
//! A killed process proves nothing about durability, since the kernel still writes what it was
//! given. This disk keeps for each file what is safe and what was written since, and at
//! [`PowerLossFiles::lose_power`] lets a seed decide which sectors of the latter survive.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::Files;

/// The unit in which a disk writes, in bytes.
const SECTOR: usize = 512;

/// Files in memory on a disk that can lose power. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct PowerLossFiles {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<String, Content>,
    /// Names that survive a loss of power.
    safe_names: BTreeMap<String, ()>,
    syncs: u64,
}

#[derive(Debug, Default, Clone)]
struct Content {
    safe: Vec<u8>,
    current: Vec<u8>,
    /// Offsets and lengths written since the last sync.
    dirty: Vec<(usize, usize)>,
}

impl PowerLossFiles {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts the power: names not synced vanish; of each file's unsynced bytes every sector is kept
    /// or dropped by the seed, and so is the new length.
    pub fn lose_power(&self, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let Ok(mut disk) = self.disk.lock() else {
            return;
        };
        let Disk {
            files, safe_names, ..
        } = &mut *disk;
        files.retain(|name, _| safe_names.contains_key(name) || rng.random_bool(0.5));
        for content in files.values_mut() {
            content.lose_power(&mut rng);
        }
        *safe_names = files.keys().map(|name| (name.clone(), ())).collect();
    }

    /// How often a file was synced.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.disk.lock().map_or(0, |disk| disk.syncs)
    }

    /// Flips one bit of a stored byte, as a failing or tampered disk would.
    pub fn damage(&self, name: &str, offset: usize) {
        if let Ok(mut disk) = self.disk.lock()
            && let Some(content) = disk.files.get_mut(name)
        {
            for bytes in [&mut content.safe, &mut content.current] {
                if let Some(byte) = bytes.get_mut(offset) {
                    *byte ^= 1;
                }
            }
        }
    }

    fn lock(&self) -> io::Result<MutexGuard<'_, Disk>> {
        self.disk
            .lock()
            .map_err(|_| io::Error::other("the disk is poisoned"))
    }
}

impl Content {
    fn lose_power(&mut self, rng: &mut ChaCha8Rng) {
        let mut after = self.safe.clone();
        // The length is metadata of its own: with unsynced writes it may or may not have grown.
        if self.current.len() != after.len() && rng.random_bool(0.5) {
            after.resize(self.current.len(), 0);
        }
        for (offset, len) in std::mem::take(&mut self.dirty) {
            for sector in offset / SECTOR..=(offset + len.max(1) - 1) / SECTOR {
                if rng.random_bool(0.5) {
                    continue;
                }
                for at in (sector * SECTOR).max(offset)..((sector + 1) * SECTOR).min(offset + len) {
                    if let (Some(to), Some(from)) = (after.get_mut(at), self.current.get(at)) {
                        *to = *from;
                    }
                }
            }
        }
        self.current.clone_from(&after);
        self.safe = after;
    }
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

fn to_usize(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

impl Files for PowerLossFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock()?.files.keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut disk = self.lock()?;
        if disk.files.contains_key(name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        disk.files.insert(name.to_owned(), Content::default());
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(self
            .lock()?
            .files
            .get(name)
            .ok_or_else(missing)?
            .current
            .len() as u64)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let disk = self.lock()?;
        let content = disk.files.get(name).ok_or_else(missing)?;
        let from = content.current.get(to_usize(offset)?..).unwrap_or(&[]);
        let len = from.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(from) {
            *to = *from;
        }
        Ok(len)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = to_usize(offset)?;
        let mut disk = self.lock()?;
        let content = disk.files.get_mut(name).ok_or_else(missing)?;
        if content.current.len() < offset + bytes.len() {
            content.current.resize(offset + bytes.len(), 0);
        }
        for (to, from) in content.current.iter_mut().skip(offset).zip(bytes) {
            *to = *from;
        }
        content.dirty.push((offset, bytes.len()));
        Ok(())
    }

    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()> {
        let len = to_usize(len)?;
        let mut disk = self.lock()?;
        let content = disk.files.get_mut(name).ok_or_else(missing)?;
        content.current.resize(len, 0);
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut disk = self.lock()?;
        disk.syncs += 1;
        let content = disk.files.get_mut(name).ok_or_else(missing)?;
        // Only what was written since has to be copied: a segment may be long.
        content.safe.resize(content.current.len(), 0);
        for (offset, len) in std::mem::take(&mut content.dirty) {
            for at in offset..offset + len {
                if let (Some(to), Some(from)) = (content.safe.get_mut(at), content.current.get(at))
                {
                    *to = *from;
                }
            }
        }
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut disk = self.lock()?;
        disk.safe_names = disk.files.keys().map(|name| (name.clone(), ())).collect();
        Ok(())
    }
}

/// The first planted bug: a disk whose every sync is skipped. Tests of durability must catch it.
#[derive(Debug)]
pub struct SkipSync<F>(pub F);

impl<F: Files> Files for SkipSync<F> {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.0.create(name)
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.0.len(name)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(name, offset, buffer)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(name, offset, bytes)
    }

    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()> {
        self.0.set_len(name, len)
    }

    fn sync(&mut self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &PowerLossFiles, name: &str) -> Option<Vec<u8>> {
        let mut buffer = vec![0; usize::try_from(files.len(name).ok()?).unwrap()];
        files.read_at(name, 0, &mut buffer).unwrap();
        Some(buffer)
    }

    #[test]
    fn synced_bytes_survive_and_unsynced_ones_are_torn_in_some_seeds() {
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let disk = PowerLossFiles::new();
            let mut files = disk.clone();
            files.create("a").unwrap();
            files.sync_folder().unwrap();
            files.write_at("a", 0, &[1; 1024]).unwrap();
            files.sync("a").unwrap();
            files.write_at("a", 1024, &[2; 2048]).unwrap();
            disk.lose_power(seed);
            let bytes = read(&files, "a").unwrap();
            assert_eq!(bytes[..1024], [1; 1024]);
            outcomes.insert(bytes[1024..].to_vec());
        }
        assert!(outcomes.len() > 5, "only {} outcomes", outcomes.len());
    }

    #[test]
    fn a_name_that_was_not_synced_may_vanish() {
        let lost = (0..20).filter(|seed| {
            let disk = PowerLossFiles::new();
            disk.clone().create("a").unwrap();
            disk.lose_power(*seed);
            disk.list().unwrap().is_empty()
        });
        assert!((1..20).contains(&lost.count()));
    }
}
