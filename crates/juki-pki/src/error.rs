//! What can be wrong with keys, certificates and their files.

use std::io;
use std::path::{Path, PathBuf};

use juki_domain::ErrorCode;

/// A key, certificate, revocation list or one of their files is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The network id or node name cannot stand in a certificate.
    #[error(
        "{0} cannot stand in a certificate: a name there is 1 to 63 of a-z, 0-9 and -, with no - at its ends"
    )]
    Name(String),
    /// The bytes are no Ed25519 key, or not the key of the certificate beside it.
    #[error("not the Ed25519 key that is needed here")]
    Key,
    /// The bytes are no certificate, or hold what no certificate of a network holds.
    #[error("not a certificate of this kind of network")]
    Certificate,
    /// The certificate names no node of this network.
    #[error("the certificate names no node of network {0}")]
    OtherNetwork(String),
    /// The bytes are no revocation list, lack number or next update, or are too many.
    #[error("not a revocation list of this kind of network")]
    RevocationList,
    /// The revocation list is not signed by the issuing authority.
    #[error("the revocation list is not signed by the issuing authority")]
    Signature,
    /// A time beyond what certificates can say, or an end before its beginning.
    #[error("a certificate cannot have these times")]
    Time,
    /// The issuing library refused.
    #[error("the certificate could not be made")]
    Issue(#[source] rcgen::Error),
    /// The pass phrase does not open the sealed key.
    #[error("the pass phrase does not open {}", .0.display())]
    Passphrase(PathBuf),
    /// The file does not hold what it should.
    #[error("{} does not hold {what}", .path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be read or written", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PkiError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Name(_)
            | Self::Key
            | Self::Time
            | Self::Issue(_)
            | Self::Passphrase(_)
            | Self::Contents { .. } => ErrorCode::ConfigBadValue,
            Self::Certificate | Self::RevocationList | Self::Signature => {
                ErrorCode::CertificateUnknownAuthority
            }
            Self::OtherNetwork(_) => ErrorCode::CertificateOtherNode,
            Self::Io { .. } => ErrorCode::ConfigUnreadable,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl From<rcgen::Error> for PkiError {
    fn from(error: rcgen::Error) -> Self {
        Self::Issue(error)
    }
}
