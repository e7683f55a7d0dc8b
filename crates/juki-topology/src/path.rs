//! A frame's way through a network, judged by the derived configurations alone.

use std::fmt;

use juki_domain::{ErrorCode, NodeId, NodeRole, ServiceId};

use crate::network::Network;
use crate::node_config::NodeConfig;

/// A frame does not pass: where, and for which reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    /// The node that refuses it.
    pub node: NodeId,
    /// `NoRoute`, `PeerNotNamed`, `SourceNotSpokenFor` or `PolicyNoRule`.
    pub code: ErrorCode,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refuses: {}", self.node, self.code.code())
    }
}

impl Network {
    /// The nodes that a frame of that service passes from one node to another, both included.
    /// Access points do not show, since they see no frames.
    ///
    /// # Errors
    /// The first node that does not pass it on. A sender without a route counts as refusing.
    pub fn path(
        &self,
        from: &NodeId,
        to: &NodeId,
        service: ServiceId,
    ) -> Result<Vec<NodeId>, Refused> {
        let frame = Frame {
            source: from,
            destination: to,
            service,
        };
        let mut path = vec![from.clone()];
        let mut came_from: Option<NodeId> = None;
        // No frame passes more nodes than there are; more hops would be a loop.
        for _ in 0..=self.offices.len() * 2 {
            let Some(here) = path.last().cloned() else {
                break;
            };
            let refuse = |code| Refused {
                node: here.clone(),
                code,
            };
            let config = self
                .node_config(&here)
                .ok_or_else(|| refuse(ErrorCode::NoRoute))?;
            let next = frame.judge(&config, came_from.as_ref()).map_err(refuse)?;
            match next {
                None => return Ok(path),
                Some(next) => path.push(next),
            }
            came_from = Some(here);
        }
        Err(Refused {
            node: from.clone(),
            code: ErrorCode::NoRoute,
        })
    }
}

struct Frame<'a> {
    source: &'a NodeId,
    destination: &'a NodeId,
    service: ServiceId,
}

impl Frame<'_> {
    /// The next node, or none at the destination.
    fn judge(
        &self,
        config: &NodeConfig,
        came_from: Option<&NodeId>,
    ) -> Result<Option<NodeId>, ErrorCode> {
        let entry = match came_from {
            None => None,
            Some(name) => {
                let peer = config.peer_named(name).ok_or(ErrorCode::PeerNotNamed)?;
                if !peer.speaks_for.contains(self.source) {
                    return Err(ErrorCode::SourceNotSpokenFor);
                }
                Some(peer)
            }
        };
        if config.node.name == *self.destination {
            return if entry.is_some() {
                Ok(None)
            } else {
                Err(ErrorCode::NoRoute)
            };
        }
        let next = config
            .next_hop(self.destination)
            .ok_or(ErrorCode::NoRoute)?;
        let Some(entry) = entry else {
            return Ok(Some(next.name.clone()));
        };
        let has_rule = config.node.role == NodeRole::FirewallProxy
            && config.rule.iter().any(|rule| {
                rule.from == entry.interface
                    && rule.to == next.interface
                    && rule.services.contains(&self.service)
                    && rule.sources.contains(self.source)
                    && rule.destinations.contains(self.destination)
            });
        if has_rule {
            Ok(Some(next.name.clone()))
        } else {
            Err(ErrorCode::PolicyNoRule)
        }
    }
}
