//! Whose certificates are believed: root, issuing authority and the revocation list in force.

use std::io;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use bytes::Bytes;
use juki_domain::ErrorCode;
use juki_pki::{PkiError, RevocationList};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use tokio::sync::watch;

use crate::settings::{Identity, KeepRevocationList};

/// Why a revocation list was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is no newer than the list in force.
    #[error("revocation list {0} or a newer one is in force already")]
    NotNewer(u64),
    /// It is not what the issuing authority signs.
    #[error("not a revocation list of this network")]
    Invalid(#[source] PkiError),
    /// The TLS library cannot use it.
    #[error("the revocation list cannot be used")]
    Unusable,
    /// The node's own certificate would not be believed any more.
    #[error("the node's own certificate is not under these roots")]
    LocksOut,
    /// It is in force but could not be kept for the next start.
    #[error("the revocation list is in force but could not be kept")]
    Keep(#[source] io::Error),
}

impl InstallError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotNewer(_) => ErrorCode::RevocationListExpired,
            Self::Invalid(error) => error.code(),
            Self::LocksOut => ErrorCode::RootsLockOut,
            Self::Unusable => ErrorCode::CertificateUnknownAuthority,
            Self::Keep(_) => ErrorCode::DiskFailed,
        }
    }
}

/// A revocation list in force, with the verifiers that hold it.
pub(crate) struct Revocations {
    pub(crate) der: Bytes,
    pub(crate) list: RevocationList,
    pub(crate) clients: Arc<dyn ClientCertVerifier>,
    pub(crate) servers: Arc<dyn ServerCertVerifier>,
}

/// The trust of one node; a newer revocation list is in force for every handshake that follows.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    roots: ArcSwap<RootCertStore>,
    issuing: Vec<u8>,
    keep: KeepRevocationList,
    current: ArcSwap<Revocations>,
    installing: Mutex<()>,
    number: watch::Sender<u64>,
}

impl Trust {
    pub(crate) fn new(
        provider: Arc<CryptoProvider>,
        identity: &Identity,
        keep: KeepRevocationList,
    ) -> Result<Self, InstallError> {
        let roots = root_store(&identity.roots)?;
        let first = revocations(
            &provider,
            &roots,
            &identity.issuing,
            &identity.revocation_list,
        )?;
        let number = watch::Sender::new(first.list.number);
        Ok(Self {
            provider,
            roots: ArcSwap::new(roots),
            issuing: identity.issuing.clone(),
            keep,
            current: ArcSwap::from_pointee(first),
            installing: Mutex::new(()),
            number,
        })
    }

    /// The list in force.
    pub(crate) fn current(&self) -> Arc<Revocations> {
        self.current.load_full()
    }

    /// Tells the number of the list in force whenever it changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.number.subscribe()
    }

    /// Puts a newer list in force and keeps it.
    pub(crate) fn install(&self, der: &[u8]) -> Result<(), InstallError> {
        // Nothing in here panics; should it ever, the list in force is still whole.
        let _one_at_a_time = self
            .installing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let in_force = self.current.load().list.number;
        // Most lists offered are old ones: no signature is verified for those.
        if juki_pki::crl_number(der).map_err(InstallError::Invalid)? <= in_force {
            return Err(InstallError::NotNewer(in_force));
        }
        let next = revocations(&self.provider, &self.roots.load_full(), &self.issuing, der)?;
        let number = next.list.number;
        self.current.store(Arc::new(next));
        self.number.send_replace(number);
        (self.keep)(der).map_err(InstallError::Keep)
    }
}

impl Trust {
    /// Believes in certificates under these roots from now on, and under no others, where the node's own
    /// certificate with its chain is under one of them.
    pub(crate) fn replace_roots(
        &self,
        roots: &[Vec<u8>],
        own: &[Vec<u8>],
        now: UnixTime,
    ) -> Result<(), InstallError> {
        let _one_at_a_time = self
            .installing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let roots = root_store(roots)?;
        let der = self.current.load().der.clone();
        let next = revocations(&self.provider, &roots, &self.issuing, &der)?;
        believes(&next, own, now).map_err(|_| InstallError::LocksOut)?;
        self.roots.store(roots);
        self.current.store(Arc::new(next));
        Ok(())
    }

    /// Whether a chain of certificates (DER, the node's own first) would be believed here now.
    pub(crate) fn believes(&self, chain: &[Vec<u8>], now: UnixTime) -> Result<(), rustls::Error> {
        believes(&self.current.load(), chain, now)
    }
}

fn believes(
    revocations: &Revocations,
    chain: &[Vec<u8>],
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let mut chain = chain.iter().map(|der| CertificateDer::from(der.as_slice()));
    let Some(end) = chain.next() else {
        return Err(rustls::Error::NoCertificatesPresented);
    };
    let above: Vec<_> = chain.collect();
    let verdict = revocations.clients.verify_client_cert(&end, &above, now);
    verdict.map(|_| ())
}

fn root_store(roots: &[Vec<u8>]) -> Result<Arc<RootCertStore>, InstallError> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store
            .add(CertificateDer::from(root.clone()))
            .map_err(|_| InstallError::Invalid(PkiError::Certificate))?;
    }
    if store.is_empty() {
        return Err(InstallError::Invalid(PkiError::Certificate));
    }
    Ok(Arc::new(store))
}

fn revocations(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    issuing: &[u8],
    der: &[u8],
) -> Result<Revocations, InstallError> {
    let list = juki_pki::verify_crl(der, issuing).map_err(InstallError::Invalid)?;
    let crl = CertificateRevocationListDer::from(der.to_vec());
    // Only the end's certificate is looked up: the issuing authority is revoked by a new root, not
    // by a list. An expired list still counts, or a long cut could never heal.
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
            .with_crls([crl.clone()])
            .only_check_end_entity_revocation()
            .build()
            .map_err(|_| InstallError::Unusable)?;
    let servers =
        WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
            .with_crls([crl])
            .only_check_end_entity_revocation()
            .build()
            .map_err(|_| InstallError::Unusable)?;
    Ok(Revocations {
        der: Bytes::copy_from_slice(der),
        list,
        clients,
        servers,
    })
}
