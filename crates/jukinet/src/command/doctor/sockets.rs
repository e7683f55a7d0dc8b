//! The UDP ports that are bound on this machine.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;

/// The ports, as the kernel lists them.
#[derive(Debug, Default)]
pub(super) struct BoundPorts {
    ports: HashSet<u16>,
    is_known: bool,
}

impl BoundPorts {
    /// Reads `/proc/net/udp` and `udp6`.
    pub(super) fn read() -> Self {
        let mut bound = Self::default();
        for file in ["/proc/net/udp", "/proc/net/udp6"] {
            if let Ok(text) = fs::read_to_string(file) {
                bound.is_known = true;
                bound.ports.extend(text.lines().filter_map(port_of));
            }
        }
        bound
    }

    /// Whether somebody has the port of this address; none where the kernel does not tell.
    pub(super) fn has(&self, address: &str) -> Option<bool> {
        let address: SocketAddr = address.parse().ok()?;
        self.is_known.then(|| self.ports.contains(&address.port()))
    }
}

/// The local port of a line `sl: ADDRESS:PORT ..` in hexadecimal digits.
fn port_of(line: &str) -> Option<u16> {
    let local = line.split_whitespace().nth(1)?;
    u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_bound_port_is_found_and_a_freed_one_is_not() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        assert_eq!(BoundPorts::read().has(&address), Some(true));
        assert_eq!(BoundPorts::read().has("no address"), None);
        assert_eq!(BoundPorts::default().has(&address), None);
    }

    #[test]
    fn the_port_stands_behind_the_last_colon() {
        let line = "  12: 0100007F:B86B 00000000:0000 07 00000000:00000000 00:00000000 00000000";
        assert_eq!(port_of(line), Some(0xb86b));
        assert_eq!(port_of("  sl  local_address rem_address"), None);
    }
}
