//! Running totals for the metrics page.

use juki_domain::{ErrorCode, ServiceId};

use crate::verdict::RefusedBy;

/// Totals since the start. They wrap never in practice and saturate in theory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    passed: [Passed; ServiceId::ALL.len()],
    refused: [u64; CODES.len()],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Passed {
    frames: u64,
    bytes: u64,
}

const CODES: [ErrorCode; 6] = [
    ErrorCode::PolicyNoRule,
    ErrorCode::SourceNotSpokenFor,
    ErrorCode::FrameOverPolicySize,
    ErrorCode::RateExceeded,
    ErrorCode::NoRoute,
    ErrorCode::OutsideHours,
];

impl Counters {
    pub(crate) fn pass(&mut self, service: ServiceId, bytes: usize) {
        let slot = ServiceId::ALL
            .into_iter()
            .position(|one| one == service)
            .and_then(|at| self.passed.get_mut(at));
        if let Some(slot) = slot {
            slot.frames = slot.frames.saturating_add(1);
            slot.bytes = slot.bytes.saturating_add(bytes as u64);
        }
    }

    pub(crate) fn refuse(&mut self, rule: RefusedBy) {
        let code = rule.code();
        let slot = CODES
            .into_iter()
            .position(|one| one == code)
            .and_then(|at| self.refused.get_mut(at));
        if let Some(slot) = slot {
            *slot = slot.saturating_add(1);
        }
    }

    /// For each service: frames and bytes that passed.
    pub fn passed(&self) -> impl Iterator<Item = (ServiceId, u64, u64)> + '_ {
        ServiceId::ALL
            .into_iter()
            .zip(&self.passed)
            .map(|(service, passed)| (service, passed.frames, passed.bytes))
    }

    /// For each code of the policy: frames that were refused.
    pub fn refused(&self) -> impl Iterator<Item = (ErrorCode, u64)> + '_ {
        CODES.into_iter().zip(self.refused.iter().copied())
    }
}
