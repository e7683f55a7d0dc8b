//! Keys, certificates and revocation lists in files.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use juki_smartcard::sealed_file::{self, SEALED_BYTES_MAX, SealedFileError};
use x509_parser::pem::Pem;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{PkiError, REVOCATION_LIST_BYTES_MAX};

/// Writes certificates (DER) as PEM, the node's own first, then whoever signed it.
///
/// # Errors
/// [`PkiError::Io`].
pub fn write_certificates(path: &Path, chain: &[Vec<u8>]) -> Result<(), PkiError> {
    let text: String = chain.iter().map(|der| pem(CERTIFICATE, der)).collect();
    replace(path, text.as_bytes(), 0o644)
}

/// Reads the certificates (DER) of a PEM file, at least one and at most eight.
///
/// # Errors
/// [`PkiError::Io`] or [`PkiError::Contents`].
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, PkiError> {
    let chain = read_blocks(path, CERTIFICATE)?;
    if (1..=8).contains(&chain.len()) {
        Ok(chain)
    } else {
        Err(contents(path, CERTIFICATE))
    }
}

/// Writes a private key (PKCS#8) as PEM, readable by its owner only.
///
/// # Errors
/// [`PkiError::Io`].
pub fn write_key(path: &Path, pkcs8: &[u8]) -> Result<(), PkiError> {
    replace(
        path,
        Zeroizing::new(pem(PRIVATE_KEY, pkcs8)).as_bytes(),
        0o600,
    )
}

/// Writes a secret that is no PEM, readable by its owner only.
///
/// # Errors
/// [`PkiError::Io`].
pub fn write_secret(path: &Path, secret: &[u8]) -> Result<(), PkiError> {
    replace(path, secret, 0o600)
}

/// Reads a private key (PKCS#8) from a PEM file; it is wiped when dropped.
///
/// # Errors
/// [`PkiError::Io`] or [`PkiError::Contents`].
pub fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let mut keys = read_blocks(path, PRIVATE_KEY)?;
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(Zeroizing::new(key)),
        (Some(_) | None, _) => {
            keys.zeroize();
            Err(contents(path, PRIVATE_KEY))
        }
    }
}

/// Writes a revocation list (DER) as PEM, replacing the older one in one step.
///
/// # Errors
/// [`PkiError::Io`].
pub fn write_revocation_list(path: &Path, der: &[u8]) -> Result<(), PkiError> {
    replace(path, pem(REVOCATION_LIST, der).as_bytes(), 0o644)
}

/// Writes a notice of the registrar in place of the last one of its kind.
///
/// # Errors
/// [`PkiError::Io`].
pub fn write_notice(path: &Path, notice: &[u8]) -> Result<(), PkiError> {
    replace(path, notice, 0o644)
}

/// Reads a revocation list (DER) from a PEM file.
///
/// # Errors
/// [`PkiError::Io`] or [`PkiError::Contents`].
pub fn read_revocation_list(path: &Path) -> Result<Vec<u8>, PkiError> {
    let mut lists = read_blocks(path, REVOCATION_LIST)?;
    match (lists.pop(), lists.is_empty()) {
        (Some(list), true) => Ok(list),
        (Some(_) | None, _) => Err(contents(path, REVOCATION_LIST)),
    }
}

/// Seals a private key (PKCS#8) under a pass phrase into a file, as the offline root's key is kept.
///
/// # Errors
/// [`PkiError::Io`], or [`PkiError::Key`] where the key is too long.
pub fn seal_key_file(path: &Path, pkcs8: &[u8], passphrase: &[u8]) -> Result<(), PkiError> {
    let sealed = sealed_file::seal(pkcs8, passphrase, KEY_FILE).map_err(|_| PkiError::Key)?;
    replace(path, &sealed, 0o600)
}

/// Opens what [`seal_key_file`] wrote; takes 64 MiB and about 0.2 s.
///
/// # Errors
/// [`PkiError::Io`], [`PkiError::Contents`] or [`PkiError::Passphrase`].
pub fn open_key_file(path: &Path, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let sealed = read_bounded(path, SEALED_BYTES_MAX)?;
    sealed_file::open(&sealed, passphrase, KEY_FILE).map_err(|error| match error {
        SealedFileError::WrongPassphrase => PkiError::Passphrase(path.to_owned()),
        SealedFileError::Damaged | SealedFileError::TooLong => contents(path, "a sealed key"),
        SealedFileError::Resources => PkiError::Io {
            path: path.to_owned(),
            source: std::io::ErrorKind::OutOfMemory.into(),
        },
    })
}

fn contents(path: &Path, what: &'static str) -> PkiError {
    PkiError::Contents {
        path: path.to_owned(),
        what,
    }
}

fn read_blocks(path: &Path, label: &'static str) -> Result<Vec<Vec<u8>>, PkiError> {
    let text = Zeroizing::new(read_bounded(path, PEM_BYTES_MAX)?);
    let mut blocks = Vec::new();
    for block in Pem::iter_from_buffer(&text) {
        match block {
            Ok(block) if block.label == label => blocks.push(block.contents),
            Ok(_) | Err(_) => return Err(contents(path, label)),
        }
    }
    Ok(blocks)
}

fn read_bounded(path: &Path, len_max: usize) -> Result<Vec<u8>, PkiError> {
    let file = File::open(path).map_err(PkiError::io(path))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(len_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(PkiError::io(path))?;
    if bytes.len() > len_max {
        Err(contents(path, "so few bytes as it should"))
    } else {
        Ok(bytes)
    }
}

/// A reader sees the old file or the new one, never a part, even across a power cut.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // What an interrupted run left may have another mode.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)
        .map_err(PkiError::io(path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(PkiError::io(path))?;
    fs::rename(&new, path).map_err(PkiError::io(path))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(PkiError::io(path))
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = base64(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (place, letter) in encoded.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let number = group
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
        for place in 0..4usize {
            let letter = ALPHABET
                .get(number >> (18 - 6 * place) & 63)
                .filter(|_| place <= group.len());
            text.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    text
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const REVOCATION_LIST: &str = "X509 CRL";
const KEY_FILE: &[u8] = b"juki key file";
/// A revocation list in base64, with room for its lines.
const PEM_BYTES_MAX: usize = REVOCATION_LIST_BYTES_MAX * 3 / 2;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::*;
    use crate::generate_key;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_comes_back_from_a_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        fs::write(&path, "older").unwrap();
        let key = generate_key().unwrap();
        write_key(&path, &key).unwrap();
        assert_eq!(read_key(&path).unwrap(), key);
        assert_eq!(mode(&path), 0o600);
        assert!(matches!(
            read_certificates(&path),
            Err(PkiError::Contents { .. })
        ));
    }

    #[test]
    fn a_sealed_key_opens_with_its_pass_phrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let key = generate_key().unwrap();
        seal_key_file(&path, &key, b"pass phrase").unwrap();
        assert_eq!(open_key_file(&path, b"pass phrase").unwrap(), key);
        assert_eq!(mode(&path), 0o600);
        assert!(matches!(
            open_key_file(&path, b"other"),
            Err(PkiError::Passphrase(_))
        ));
        fs::write(&path, "no key").unwrap();
        assert!(matches!(
            open_key_file(&path, b"other"),
            Err(PkiError::Contents { .. })
        ));
    }

    #[test]
    fn a_file_of_the_wrong_kind_or_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        assert!(matches!(read_key(&path), Err(PkiError::Io { .. })));
        for text in [
            String::new(),
            "garbage".to_owned(),
            "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n".to_owned(),
            "x".repeat(PEM_BYTES_MAX + 1),
        ] {
            fs::write(&path, text).unwrap();
            assert!(matches!(read_key(&path), Err(PkiError::Contents { .. })));
            assert!(matches!(
                read_certificates(&path),
                Err(PkiError::Contents { .. })
            ));
            assert!(matches!(
                read_revocation_list(&path),
                Err(PkiError::Contents { .. })
            ));
        }
        fs::write(&path, [0xff; 100]).unwrap();
        assert!(matches!(read_key(&path), Err(PkiError::Contents { .. })));
    }

    #[test]
    fn base64_gives_the_published_examples() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn certificates_and_lists_come_back_as_written(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..4)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x");
            write_certificates(&path, &blocks).unwrap();
            prop_assert_eq!(read_certificates(&path).unwrap(), blocks.clone());
            write_revocation_list(&path, &blocks[0]).unwrap();
            prop_assert_eq!(read_revocation_list(&path).unwrap(), blocks[0].clone());
        }
    }
}
