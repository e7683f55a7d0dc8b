//! Announce files: how a bound address becomes known.

use std::io;
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
