//! A stolen node key, after the registrar has revoked its certificate.

use crate::report::{Heard, Report};
use crate::{Fault, ShiftedClock, Speaker, StolenNode};

/// How often it is tried: as often as the firewall's detector needs.
const TIMES: usize = 12;

/// Tries to take the node's place again and again; nobody may let it in.
///
/// # Errors
/// [`Fault`] where the attack could not be made.
pub async fn stolen_key(stolen: &StolenNode) -> Result<Report, Fault> {
    let mut report = Report::new("stolen-key", stolen.name());
    for attempt in 1..=TIMES {
        let heard = match Speaker::begin(stolen, ShiftedClock::default()).await {
            Ok(_) => Heard::Taken,
            Err(Fault::Ended(ended)) => Heard::Ended(ended),
            Err(other) => return Err(other),
        };
        report.hostile(&format!("attempt {attempt}"), heard);
    }
    Ok(report)
}
