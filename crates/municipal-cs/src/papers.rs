//! The paper way of move-out certificates: sealed files in a shared folder.
//!
//! In the first phase no message runs between municipalities; the resident carries a certificate on
//! paper (docs/adr/0006). The folder stands for the resident's pocket: the file is sealed to the
//! town moved to, and its name is a digest of the certificate's number.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use juki_crypto::sha256;
use juki_domain::MunicipalityCode;
use juki_node::Prepared;
use juki_services::registration::Certificate;
use prost::Message as _;

const PURPOSE: &[u8] = b"juki move-out certificate 1";
/// Longest paper that is read, in bytes.
const PAPER_BYTES_MAX: u64 = 4096;

/// The folder of papers, as one node sees it.
#[derive(Clone)]
pub(crate) struct Papers {
    folder: Option<PathBuf>,
    prepared: Arc<Prepared>,
}

impl Papers {
    pub(crate) fn new(prepared: Arc<Prepared>) -> Self {
        let folder = prepared
            .config
            .node
            .papers
            .as_ref()
            .map(|papers| prepared.folder.join(papers));
        Self { folder, prepared }
    }

    /// Hands a certificate out to the resident. A town outside of the network gets paper that this
    /// model does not print.
    pub(crate) fn hand_out(&self, certificate: &Certificate) -> std::io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let destination = MunicipalityCode::from_number(certificate.destination).ok();
        let Some((_, entry)) =
            destination.and_then(|destination| self.prepared.keys.directory.writer_of(destination))
        else {
            return Ok(());
        };
        let sealed = entry
            .sealing
            .seal_envelope(PURPOSE, &certificate.encode_to_vec())
            .map_err(std::io::Error::other)?;
        std::fs::create_dir_all(folder)?;
        write_whole(&path_of(folder, &certificate.number), &sealed)
    }

    /// The certificate that a resident presents here; `None` where it is not at hand.
    pub(crate) fn presented(&self, number: &str) -> Option<Certificate> {
        let path = path_of(self.folder.as_ref()?, number);
        if std::fs::metadata(&path).ok()?.len() > PAPER_BYTES_MAX {
            return None;
        }
        let opened = self
            .prepared
            .keys
            .sealing
            .open_envelope(PURPOSE, &std::fs::read(path).ok()?)
            .ok()?;
        Certificate::decode(opened.as_slice()).ok()
    }
}

fn path_of(folder: &Path, number: &str) -> PathBuf {
    let name: String = sha256(number.as_bytes())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    folder.join(format!("{name}.paper"))
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}
