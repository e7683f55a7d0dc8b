//! Where a dialler finds its peer.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// An address to dial: fixed, or read from an announce file before every attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DialAddress {
    /// `file:PATH`: a file with one `IP:PORT`; an absent file means that the peer is not there
    /// yet. A relative path starts at the configuration file's folder.
    File(PathBuf),
    /// `IP:PORT`.
    Fixed(SocketAddr),
}

/// A text is no address to dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address to dial is file:PATH or IP:PORT with a port other than 0")]
pub struct DialAddressError;

impl FromStr for DialAddress {
    type Err = DialAddressError;

    fn from_str(text: &str) -> Result<Self, DialAddressError> {
        match text.strip_prefix("file:") {
            Some("") => Err(DialAddressError),
            Some(path) => Ok(Self::File(PathBuf::from(path))),
            None => {
                let address: SocketAddr = text.parse().map_err(|_| DialAddressError)?;
                if address.port() == 0 {
                    Err(DialAddressError)
                } else {
                    Ok(Self::Fixed(address))
                }
            }
        }
    }
}

impl fmt::Display for DialAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Fixed(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_written_alike() {
        for text in [
            "file:../../run/fw-national.line.addr",
            "127.0.0.1:4433",
            "[::1]:4433",
        ] {
            let address: DialAddress = text.parse().expect("an address");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn an_address_that_cannot_be_dialled_is_refused() {
        for text in [
            "",
            "file:",
            "127.0.0.1",
            "127.0.0.1:0",
            "national:4433",
            "/run/x.addr",
        ] {
            assert_eq!(text.parse::<DialAddress>(), Err(DialAddressError), "{text}");
        }
    }
}
