//! Announce files: how a bound address becomes known.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::Path;

/// Writes an address so that a reader sees the old text or the new one, never a part.
pub(crate) async fn write(path: &Path, address: SocketAddr) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "an announce path must end in a file name",
        )
    })?;
    let mut temporary = name.to_os_string();
    temporary.push(".new");
    let temporary = path.with_file_name(temporary);
    tokio::fs::write(&temporary, format!("{address}\n")).await?;
    tokio::fs::rename(&temporary, path).await
}

/// The address that an announce file names. A read of some twenty bytes that the page cache holds; handing it to another thread would
/// take longer.
pub(crate) fn read(path: &Path) -> Option<SocketAddr> {
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(TEXT_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    text.trim_end()
        .parse()
        .ok()
        .filter(|address: &SocketAddr| address.port() != 0)
}

/// Longer than the longest IPv6 address with a zone and a port.
const TEXT_BYTES_MAX: u64 = 128;
