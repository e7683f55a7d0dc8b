//! The server above the office, and what may come from there.

use juki_domain::{NodeId, ServiceId};
use juki_topology::NodeConfig;
use juki_wire::Header;

/// Frames for the firewall itself that are looked into within a second.
const FRAMES_PER_S_MAX: u32 = 50;
/// Longest frame for the firewall itself in bytes.
const BYTES_MAX: usize = 128 * 1024;

/// The server above and the way there.
#[derive(Debug)]
pub(crate) struct Upper {
    /// The server; at the top the firewall's own.
    pub(crate) server: NodeId,
    /// The peer that leads there.
    pub(crate) peer: NodeId,
    second: u64,
    frames: u32,
}

impl Upper {
    /// A firewall dials the one above it, which speaks for the server there; the firewall at the top
    /// dials nobody and reports to its own server.
    pub(crate) fn of(config: &NodeConfig) -> Option<Self> {
        let dialled = config.peer.iter().find(|peer| peer.dial.is_some());
        let peer = dialled.or_else(|| {
            let own = |peer: &&juki_topology::Peer| peer.speaks_for.contains(&peer.name);
            config.peer.iter().find(own)
        })?;
        Some(Self {
            server: peer.speaks_for.first()?.clone(),
            peer: peer.name.clone(),
            second: 0,
            frames: 0,
        })
    }

    /// Whether a frame for the firewall itself may be looked into.
    pub(crate) fn admits(
        &mut self,
        now_ms: u64,
        peer: &NodeId,
        header: &Header,
        length: usize,
    ) -> bool {
        let fits = *peer == self.peer
            && header.source == self.server
            && header.service == ServiceId::Monitor
            && length <= BYTES_MAX;
        if !fits {
            return false;
        }
        let second = now_ms / 1_000;
        if second != self.second {
            (self.second, self.frames) = (second, 0);
        }
        self.frames += 1;
        self.frames <= FRAMES_PER_S_MAX
    }
}

#[cfg(test)]
mod tests {
    use juki_topology::Network;
    use juki_wire::{Flags, FrameKind, MessageId, Priority};

    use super::*;

    fn upper(firewall: &str) -> Upper {
        let network = Network::demo(1, "demo", 0).unwrap();
        Upper::of(&network.node_config(&firewall.parse().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn each_firewall_reports_to_the_server_above_its_office() {
        let reports = [
            ("fw-cs-352047", "prefecture-35", "fw-prefecture-35"),
            ("fw-prefecture-35", "national", "fw-national"),
            ("fw-agency-mhlw", "national", "fw-national"),
            ("fw-national", "national", "national"),
        ];
        for (firewall, server, peer) in reports {
            let upper = upper(firewall);
            assert_eq!((upper.server.as_str(), upper.peer.as_str()), (server, peer));
        }
    }

    #[test]
    fn only_the_server_above_reaches_the_firewall_itself_and_not_without_end() {
        let mut upper = upper("fw-cs-352047");
        let header = |source: &str, service| Header {
            kind: FrameKind::Message,
            service,
            priority: Priority::Interactive,
            flags: Flags::default(),
            source: source.parse().unwrap(),
            destination: "fw-cs-352047".parse().unwrap(),
            calendar_version: 1,
            message_id: MessageId([1; 16]),
            session: [1; 16],
            sequence: 0,
        };
        let (above, inside) = (
            "fw-prefecture-35".parse().unwrap(),
            "cs-352047".parse().unwrap(),
        );
        let good = header("prefecture-35", ServiceId::Monitor);
        assert!(upper.admits(1_000, &above, &good, 500));
        assert!(!upper.admits(1_000, &inside, &good, 500));
        assert!(!upper.admits(1_000, &above, &good, BYTES_MAX + 1));
        let others = [
            header("cs-352047", ServiceId::Monitor),
            header("prefecture-35", ServiceId::Query),
        ];
        for other in others {
            assert!(!upper.admits(1_000, &above, &other, 500));
        }
        let admitted = (0..100)
            .filter(|_| upper.admits(1_500, &above, &good, 500))
            .count();
        assert_eq!(admitted, 49, "one came in this second before");
        assert!(upper.admits(2_000, &above, &good, 500));
    }
}
