//! The ledgers that a command reads, together in order of time.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use juki_audit::Source;
use juki_crypto::{DigestKey, StorageKey};
use juki_domain::ErrorCode;
use juki_ledger::Entry;
use juki_runtime::DiskFiles;
use juki_store::{LedgerReader, ReadFailure};
use juki_topology::{Calendar, NodeConfig};

use super::places::{key_beside, read_key};
use crate::cli::Sources;
use crate::deployment::{Deployment, NETWORK_FILE};
use crate::failure::Failure;

/// Ledgers, read together. Each holds one frame in memory.
pub(super) struct Ledgers {
    ledgers: Vec<OpenLedger>,
    /// Which ledger's next entry is due, by time and place in the row.
    due: BTreeMap<(u64, usize), ()>,
}

/// One ledger at work.
pub(super) struct OpenLedger {
    pub(super) path: PathBuf,
    pub(super) source: Source,
    pub(super) reader: LedgerReader<DiskFiles>,
    /// The key under which this node's pseudonyms are made.
    pub(super) pseudonyms: DigestKey,
    entries: VecDeque<Entry>,
}

impl Ledgers {
    /// Opens all ledgers of deployments, and single ones.
    ///
    /// # Errors
    /// Where a path is neither, a key is missing, or there is nothing to read.
    pub(super) fn open(sources: &Sources) -> Result<Self, Failure> {
        let mut ledgers = Vec::new();
        for path in &sources.path {
            if path.join(NETWORK_FILE).is_file() {
                ledgers.extend(of_deployment(&Deployment::open(path)?)?);
            } else {
                ledgers.push(single(path)?);
            }
        }
        Self::of(ledgers)
    }

    /// All ledgers of one deployment that lie on this machine.
    ///
    /// # Errors
    /// As [`Ledgers::open`].
    pub(super) fn of_deployment(deployment: &Deployment) -> Result<Self, Failure> {
        Self::of(of_deployment(deployment)?)
    }

    fn of(ledgers: Vec<OpenLedger>) -> Result<Self, Failure> {
        let mut all = Self {
            ledgers,
            due: BTreeMap::new(),
        };
        for at in 0..all.ledgers.len() {
            all.read_on(at)?;
        }
        Ok(all)
    }

    /// The ledgers.
    pub(super) fn all(&self) -> &[OpenLedger] {
        &self.ledgers
    }

    /// Gives every entry with its ledger, in order of time.
    ///
    /// # Errors
    /// The first ledger that cannot be read on, or what `take` says.
    pub(super) fn for_each(
        &mut self,
        mut take: impl FnMut(&OpenLedger, &Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let Some(((_, at), ())) = self.due.pop_first() {
            let Some(ledger) = self.ledgers.get_mut(at) else {
                continue;
            };
            if let Some(entry) = ledger.entries.pop_front() {
                take(ledger, &entry)?;
            }
            self.read_on(at)?;
        }
        Ok(())
    }

    fn read_on(&mut self, at: usize) -> Result<(), Failure> {
        let Some(ledger) = self.ledgers.get_mut(at) else {
            return Ok(());
        };
        while ledger.entries.is_empty() {
            let failed = |failure: ReadFailure| unreadable(&ledger.path, &failure);
            match ledger.reader.next_frame().map_err(failed)? {
                Some(entries) => ledger.entries.extend(entries),
                None => return Ok(()),
            }
        }
        if let Some(entry) = ledger.entries.front() {
            self.due.insert((entry.at_ms, at), ());
        }
        Ok(())
    }
}

fn of_deployment(deployment: &Deployment) -> Result<Vec<OpenLedger>, Failure> {
    let calendar = deployment.network().calendar();
    let mut ledgers = Vec::new();
    for place in deployment.places() {
        let (ledger, key) = (
            place.data().join("ledger"),
            place.keys().join("storage.key"),
        );
        // A node that lives elsewhere, or was never started, has none.
        if holds_segments(&ledger) && key.is_file() {
            ledgers.push(open(&ledger, &key, calendar.clone())?);
        }
    }
    Ok(ledgers)
}

fn holds_segments(ledger: &Path) -> bool {
    fs::read_dir(ledger).is_ok_and(|mut files| {
        files.any(|file| {
            file.is_ok_and(|file| file.path().extension().is_some_and(|end| end == "segment"))
        })
    })
}

fn single(path: &Path) -> Result<OpenLedger, Failure> {
    let unreadable = |detail: String| Failure::new(ErrorCode::ConfigUnreadable, detail);
    if !path.is_dir() {
        return Err(unreadable(path.display().to_string()));
    }
    let Some(key) = key_beside(path) else {
        return Err(unreadable(format!("{}: keys/storage.key", path.display())));
    };
    let ledger = path
        .canonicalize()
        .map_err(|error| unreadable(format!("{}: {error}", path.display())))?;
    let node = ledger.parent().and_then(Path::parent).unwrap_or(path);
    let file = node.join("node.toml");
    let text = fs::read_to_string(&file)
        .map_err(|error| unreadable(format!("{}: {error}", file.display())))?;
    let config = NodeConfig::parse(&text, &file.display().to_string())?;
    open(path, &key, config.calendar)
}

fn open(path: &Path, key: &Path, calendar: Calendar) -> Result<OpenLedger, Failure> {
    let storage: StorageKey = read_key(key)?;
    let pseudonyms = storage.derive_digest_key("registry pseudonyms");
    let reader = LedgerReader::open(DiskFiles::reading(path), storage)
        .map_err(|failure| unreadable(path, &failure))?;
    Ok(OpenLedger {
        path: path.to_owned(),
        source: Source {
            node: reader.node().clone(),
            calendar,
        },
        reader,
        pseudonyms,
        entries: VecDeque::new(),
    })
}

fn unreadable(path: &Path, failure: &ReadFailure) -> Failure {
    Failure::new(failure.code(), format!("{}: {failure}", path.display()))
}
