//! The key of a node's certificate, in its keys folder.
//!
//! A node begins with one key for everything, `node.key`. A renewed certificate has a key of its own,
//! `link.key`; the node's word in journals and receipts stays under the first. Certificate and key are
//! two files, and a machine may stop between the two writes: the new key is written as `link.key.next`,
//! then the certificate, then the key gets its name. Whichever of the files belongs to the
//! certificate is the key.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use crate::PkiError;
use crate::certificate::key_of;
use crate::key::public_key_of;
use crate::pem_file::{read_certificates, read_key, write_certificates, write_key};

/// The key of this certificate (DER): `link.key` or `link.key.next` of the keys folder, or the node's
/// first key.
///
/// # Errors
/// [`PkiError::Certificate`] where it is none, [`PkiError::Key`] where no key here belongs to it.
pub fn read_link_key(
    keys: &Path,
    certificate: &[u8],
    node_key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let wanted = key_of(certificate)?;
    let fits = |key: &[u8]| public_key_of(key).is_ok_and(|public| public == wanted);
    if fits(node_key) {
        return Ok(Zeroizing::new(node_key.to_vec()));
    }
    for name in [LINK_KEY, NEXT] {
        match read_key(&keys.join(name)) {
            Ok(key) if fits(&key) => return Ok(key),
            Ok(_) | Err(_) => {}
        }
    }
    Err(PkiError::Key)
}

/// Writes a renewed certificate with its key (PKCS#8) in such an order that a stop in between leaves
/// the old or the new pair. `chain` is the node's certificate, then the issuing authority's.
///
/// # Errors
/// [`PkiError::Io`].
pub fn write_link_key(keys: &Path, pkcs8: &[u8], chain: &[Vec<u8>]) -> Result<(), PkiError> {
    settle(keys)?;
    write_key(&keys.join(NEXT), pkcs8)?;
    write_certificates(&keys.join(CERTIFICATE), chain)?;
    name_next(keys)
}

/// Ends a renewal that was stopped before the key got its name: it may be the only copy of the key in
/// force, and the next renewal writes over it.
fn settle(keys: &Path) -> Result<(), PkiError> {
    let (Ok(chain), Ok(next)) = (
        read_certificates(&keys.join(CERTIFICATE)),
        read_key(&keys.join(NEXT)),
    ) else {
        return Ok(());
    };
    let wanted = chain
        .first()
        .and_then(|certificate| key_of(certificate).ok());
    if wanted.is_some() && public_key_of(&next).ok() == wanted {
        name_next(keys)?;
    }
    Ok(())
}

fn name_next(keys: &Path) -> Result<(), PkiError> {
    let path = keys.join(LINK_KEY);
    fs::rename(keys.join(NEXT), &path).map_err(PkiError::io(&path))?;
    fs::File::open(keys)
        .and_then(|folder| folder.sync_all())
        .map_err(PkiError::io(keys))
}

const CERTIFICATE: &str = "node.crt";

const LINK_KEY: &str = "link.key";
const NEXT: &str = "link.key.next";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{Authority, generate_key, public_key_info};

    const NOW: u64 = 1_790_000_000;

    fn certificate(issuing: &Authority, key: &[u8]) -> Vec<u8> {
        let public = public_key_info(&public_key_of(key).unwrap());
        issuing
            .issue_node(&"a".parse().unwrap(), "demo", &public, NOW, NOW + 60)
            .unwrap()
    }

    #[test]
    fn the_key_that_belongs_to_the_certificate_is_found_wherever_a_stop_left_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path();
        let root = Authority::root("demo", &generate_key().unwrap(), NOW, NOW + 60).unwrap();
        let [node, first, second] = [(), (), ()].map(|()| generate_key().unwrap());
        let [of_node, of_first, of_second] =
            [&node, &first, &second].map(|key| certificate(&root, key));
        let found = |certificate: &[u8]| read_link_key(keys, certificate, &node);
        assert_eq!(found(&of_node).unwrap(), node);
        assert!(matches!(found(&of_first), Err(PkiError::Key)));

        write_link_key(keys, &first, std::slice::from_ref(&of_first)).unwrap();
        assert_eq!(found(&of_first).unwrap(), first);
        let mode = |name: &str| fs::metadata(keys.join(name)).unwrap().permissions().mode();
        assert_eq!(mode("link.key") & 0o777, 0o600);

        // Stopped before the certificate was written, and after.
        write_key(&keys.join(NEXT), &second).unwrap();
        assert_eq!(found(&of_first).unwrap(), first);
        assert_eq!(found(&of_second).unwrap(), second);

        write_link_key(keys, &second, std::slice::from_ref(&of_second)).unwrap();
        assert_eq!(found(&of_second).unwrap(), second);
        assert!(matches!(found(&of_first), Err(PkiError::Key)));
        assert!(!keys.join(NEXT).exists());
    }

    #[test]
    fn a_renewal_after_one_that_was_stopped_keeps_the_key_in_force_until_its_own_certificate_is_there()
     {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path();
        let root = Authority::root("demo", &generate_key().unwrap(), NOW, NOW + 60).unwrap();
        let [node, first, second] = [(), (), ()].map(|()| generate_key().unwrap());
        let [of_first, of_second] = [&first, &second].map(|key| certificate(&root, key));
        // Stopped when the certificate was there and its key had not got its name.
        write_key(&keys.join(NEXT), &first).unwrap();
        write_certificates(&keys.join(CERTIFICATE), std::slice::from_ref(&of_first)).unwrap();
        // The next one cannot write its certificate: a folder lies where it is written first.
        let hindrance = keys.join("node.crt.new");
        fs::create_dir(&hindrance).unwrap();
        assert!(write_link_key(keys, &second, std::slice::from_ref(&of_second)).is_err());
        assert_eq!(read_link_key(keys, &of_first, &node).unwrap(), first);
        fs::remove_dir(&hindrance).unwrap();
        write_link_key(keys, &second, std::slice::from_ref(&of_second)).unwrap();
        assert_eq!(read_link_key(keys, &of_second, &node).unwrap(), second);
    }
}
