//! Bound addresses in files: written by who listens, read by who dials.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use juki_topology::DialAddress;

/// Writes an address as text, so that a reader sees a whole one or none.
pub(crate) fn announce(path: &Path, address: SocketAddr) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    File::create(&new)?.write_all(format!("{address}\n").as_bytes())?;
    fs::rename(&new, path)
}

/// The address to dial now; none where the peer has not announced itself yet.
pub(crate) fn resolve(dial: &DialAddress) -> Option<SocketAddr> {
    match dial {
        DialAddress::Fixed(address) => Some(*address),
        DialAddress::File(path) => {
            let mut text = String::new();
            File::open(path)
                .ok()?
                .take(ADDRESS_LEN_MAX)
                .read_to_string(&mut text)
                .ok()?;
            text.trim()
                .parse()
                .ok()
                .filter(|address: &SocketAddr| address.port() != 0)
        }
    }
}

/// Longer than any IPv6 address with scope and port.
const ADDRESS_LEN_MAX: u64 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_address_is_what_a_dialler_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/cs.inside.addr");
        let dial = DialAddress::File(path.clone());
        assert_eq!(resolve(&dial), None);
        for address in ["127.0.0.1:4433", "[::1]:1"] {
            announce(&path, address.parse().unwrap()).unwrap();
            assert_eq!(resolve(&dial), Some(address.parse().unwrap()));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "[::1]:1\n");
    }

    #[test]
    fn garbage_in_an_address_file_is_no_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("addr");
        for text in [
            "",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:4433 more",
            &"x".repeat(10_000),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(
                resolve(&DialAddress::File(path.clone())),
                None,
                "{text:.20}"
            );
        }
    }
}
