//! The notices in force at this node: the newest of each kind, kept and passed on.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use juki_crypto::{Notice, NoticeError, NoticeKind, VerifyingKey};
use juki_domain::ErrorCode;
use juki_pki::PkiError;
use juki_wire::NoticeNumber;
use tokio::sync::watch;

/// Keeps a newer notice across restarts; called from any task, one call at a time.
pub type KeepNotice = Arc<dyn Fn(NoticeKind, &[u8]) -> io::Result<()> + Send + Sync>;

/// Where notices are kept between runs.
#[derive(Clone)]
pub struct NoticeStore {
    /// What was kept; anything that is no notice of this network's registrar is left out.
    pub kept: Vec<Vec<u8>>,
    /// Keeps a newer one.
    pub keep: KeepNotice,
}

impl Default for NoticeStore {
    /// Nothing is kept.
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            keep: Arc::new(|_, _| Ok(())),
        }
    }
}

impl fmt::Debug for NoticeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoticeStore({} kept)", self.kept.len())
    }
}

/// Why a notice was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NoticeRefused {
    /// It is no newer than the one in force.
    #[error("{kind} notice {number} or a newer one is in force already", kind = kind.name())]
    NotNewer {
        /// What it is about.
        kind: NoticeKind,
        /// The number in force.
        number: u64,
    },
    /// It is no notice of this network's registrar.
    #[error("not a notice of this network")]
    Invalid(#[from] NoticeError),
    /// It is in force but could not be kept for the next start.
    #[error("the notice is in force but could not be kept")]
    Keep {
        /// The notice: whoever judges by it must hear of it all the same.
        notice: Arc<Notice>,
        /// Why.
        source: io::Error,
    },
}

impl NoticeRefused {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotNewer { .. } => ErrorCode::NoticeNotNewer,
            Self::Invalid(_) => ErrorCode::NoticeInvalid,
            Self::Keep { .. } => ErrorCode::DiskFailed,
        }
    }
}

#[derive(Clone)]
struct Held {
    number: u64,
    notice: Arc<Notice>,
    bytes: Bytes,
}

/// The notices in force.
pub(crate) struct Notices {
    registrar: VerifyingKey,
    keep: KeepNotice,
    held: Mutex<BTreeMap<NoticeKind, Held>>,
    changes: watch::Sender<()>,
}

impl Notices {
    /// Begins with what was kept. `issuing` is the certificate of the authority whose key is the
    /// registrar's.
    pub(crate) fn new(issuing: &[u8], store: NoticeStore) -> Result<Self, PkiError> {
        let registrar = VerifyingKey::from_bytes(&juki_pki::authority_key(issuing)?)
            .map_err(|_| PkiError::Certificate)?;
        let mut held = BTreeMap::new();
        for bytes in store.kept {
            let Ok(notice) = Notice::verify(&bytes, &registrar) else {
                tracing::warn!(
                    event = "notice.not_used",
                    code = ErrorCode::NoticeInvalid.code()
                );
                continue;
            };
            hold(&mut held, notice, Bytes::from(bytes));
        }
        Ok(Self {
            registrar,
            keep: store.keep,
            held: Mutex::new(held),
            changes: watch::Sender::new(()),
        })
    }

    /// All that are in force.
    pub(crate) fn in_force(&self) -> Vec<Arc<Notice>> {
        let held = self.held();
        held.values().map(|held| Arc::clone(&held.notice)).collect()
    }

    /// Their numbers.
    pub(crate) fn numbers(&self) -> Vec<NoticeNumber> {
        let held = self.held();
        held.iter()
            .map(|(kind, held)| NoticeNumber {
                kind: *kind as u32,
                number: held.number,
            })
            .collect()
    }

    /// Tells whenever one of them changes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// What a peer lacks whose newest numbers are these.
    pub(crate) fn newer_than(
        &self,
        known: &BTreeMap<NoticeKind, u64>,
    ) -> Vec<(NoticeKind, u64, Bytes)> {
        let held = self.held();
        held.iter()
            .filter(|(kind, held)| held.number > known.get(kind).copied().unwrap_or(0))
            .map(|(kind, held)| (*kind, held.number, held.bytes.clone()))
            .collect()
    }

    /// Puts a newer notice in force and keeps it.
    pub(crate) fn install(&self, bytes: &[u8]) -> Result<Arc<Notice>, NoticeRefused> {
        let (kind, number) = Notice::peek(bytes)?;
        // Most notices offered are old ones: no signature is verified for those.
        let not_newer = |held: &BTreeMap<NoticeKind, Held>| {
            held.get(&kind)
                .filter(|held| held.number >= number)
                .map(|held| NoticeRefused::NotNewer {
                    kind,
                    number: held.number,
                })
        };
        if let Some(refused) = not_newer(&self.held()) {
            return Err(refused);
        }
        let notice = Notice::verify(bytes, &self.registrar)?;
        let mut held = self.held();
        // Another link may have brought it while the signature was verified.
        if let Some(refused) = not_newer(&held) {
            return Err(refused);
        }
        let notice = hold(&mut held, notice, Bytes::copy_from_slice(bytes));
        let kept = (self.keep)(kind, bytes);
        drop(held);
        self.changes.send_replace(());
        match kept {
            Ok(()) => Ok(notice),
            Err(source) => Err(NoticeRefused::Keep { notice, source }),
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<NoticeKind, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hold(held: &mut BTreeMap<NoticeKind, Held>, notice: Notice, bytes: Bytes) -> Arc<Notice> {
    let (kind, number) = (notice.kind, notice.number);
    let notice = Arc::new(notice);
    let known = held.get(&kind).is_some_and(|known| known.number >= number);
    if !known {
        let newer = Held {
            number,
            notice: Arc::clone(&notice),
            bytes,
        };
        held.insert(kind, newer);
    }
    notice
}

/// The known kinds among the numbers that a hello names.
pub(crate) fn known_numbers(numbers: &[NoticeNumber]) -> BTreeMap<NoticeKind, u64> {
    numbers
        .iter()
        .filter_map(|notice| Some((NoticeKind::from_number(notice.kind)?, notice.number)))
        .collect()
}
