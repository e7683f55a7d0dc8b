//! In place of the prefecture server and the national center.

use std::sync::Arc;

use juki_domain::{NodeId, NodeRole, ServiceId};
use juki_transport::LinkEvent;
use juki_wire::Header;
use tokio::sync::mpsc;

use super::durable_log::DurableLog;
use super::network::Sizes;
use super::office::{About, Office};
use crate::failure::Failure;

/// Makes durable what comes, then answers or confirms; the prefecture passes blocks on meanwhile and
/// the nation's confirmations down.
pub(super) async fn work(
    office: Arc<Office>,
    mut events: mpsc::Receiver<LinkEvent>,
    log: DurableLog,
    sizes: Sizes,
) -> Result<(), Failure> {
    let passes_on = office.config.node.role == NodeRole::PrefectureServer;
    let above = passes_on.then(|| office.above()).transpose()?;
    // Whose blocks the nation confirms: the demo is measured with one writing municipality.
    let mut writer: Option<NodeId> = None;
    while let Some(event) = events.recv().await {
        let LinkEvent::Frame { frame, .. } = event else {
            continue;
        };
        let Ok((header, _)) = Header::decode(&frame) else {
            continue;
        };
        let from_above = above.as_ref() == Some(&header.source);
        match header.service {
            ServiceId::Query => {
                let durable = log.append(sizes.audit_record);
                let office = Arc::clone(&office);
                tokio::spawn(async move {
                    if durable.await.is_ok() {
                        let about = About::question(header.message_id);
                        office.send(&header.source, &about, sizes.answer);
                    }
                });
            }
            ServiceId::Journal if from_above => {
                if let Some(writer) = &writer {
                    // Two stands for the tier: the first confirmation is the prefecture's.
                    let about = About {
                        number: header.sequence | NATIONAL,
                        ..About::journal(0)
                    };
                    office.send(writer, &about, sizes.receipt);
                }
            }
            ServiceId::Journal => {
                let durable = log.append(frame.len());
                if let Some(above) = &above {
                    writer = Some(header.source.clone());
                    office.send(above, &About::journal(header.sequence), frame.len());
                }
                let office = Arc::clone(&office);
                tokio::spawn(async move {
                    if durable.await.is_ok() {
                        let about = About::journal(header.sequence);
                        office.send(&header.source, &about, sizes.receipt);
                    }
                });
            }
            ServiceId::CodeAllocation | ServiceId::Monitor | ServiceId::Registrar => {}
        }
    }
    Ok(())
}

/// Marks the number of a confirmation by the nation.
pub(super) const NATIONAL: u64 = 1 << 63;
