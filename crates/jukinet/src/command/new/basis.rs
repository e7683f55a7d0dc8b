//! The first legal-basis table of a new deployment: signed, so that no unsigned one is ever used.

use juki_crypto::{Notice, NoticeKind, SigningKey};
use juki_domain::NodeRole;
use juki_topology::NodeConfig;

use super::folder;
use crate::deployment::NodePlace;
use crate::failure::Failure;

/// Signs the table as number 1 and gives it to every node that speaks with others, as the registrar
/// would have them pass it on.
pub(super) fn write(
    nodes: &[(NodePlace, NodeConfig)],
    registrar: &SigningKey,
    table: &str,
) -> Result<(), Failure> {
    let kind = NoticeKind::LegalBasis;
    let notice = Notice::sign(kind, 1, table.as_bytes().to_vec(), registrar).encode();
    let file = format!("{}.notice", kind.name());
    nodes
        .iter()
        .filter(|(_, config)| config.node.role != NodeRole::AccessPoint)
        .try_for_each(|(place, _)| folder::write(&place.keys().join(&file), &notice))
}
