//! What the policy says about one frame.

use std::fmt;

use juki_domain::{ErrorCode, NodeId};
use juki_wire::{FrameKind, Header};

use crate::tables::FlowIndex;

/// The judgement of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'p> {
    /// The frame goes on unchanged.
    Pass {
        /// The peer that the route leads to.
        to: &'p NodeId,
        /// The named flow the frame belongs to: what [`crate::Summary`] counts it under.
        flow: FlowIndex,
    },
    /// The frame goes no further.
    Refuse {
        /// The rule that was applied.
        rule: RefusedBy,
        /// The stable code, always the one of `rule`.
        code: ErrorCode,
    },
}

impl Verdict<'_> {
    /// The refusal by a rule, with the rule's code.
    #[must_use]
    pub fn refuse(rule: RefusedBy) -> Self {
        Self::Refuse {
            rule,
            code: rule.code(),
        }
    }

    /// Whether the sender of a refused frame is to be told. Refusals and resets are never answered,
    /// or two nodes could refuse each other's refusals for ever.
    #[must_use]
    pub fn is_answered(header: &Header) -> bool {
        match header.kind {
            FrameKind::Message => true,
            FrameKind::Refusal | FrameKind::Reset => false,
        }
    }
}

/// The rule that refused a frame. Its text goes into the refusal frame and the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusedBy {
    /// The peer may not speak for the frame's source, or is itself unknown.
    SpeaksFor,
    /// No route leads to the destination, or it leads back to the peer that sent the frame.
    Route,
    /// No rule names this combination of interfaces, service, source and destination.
    DenyByDefault,
    /// The rule with this number names the frame, but it is longer than its service may be.
    Size(u16),
    /// The rule with this number names the frame, but its source sends too many of this service.
    Rate(u16),
    /// The rule with this number names the frame, but its source sends too many bytes under it.
    Volume(u16),
    /// The rule with this number names the frame, but not at this hour of the network's week.
    Hours(u16),
}

impl RefusedBy {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            Self::SpeaksFor => ErrorCode::SourceNotSpokenFor,
            Self::Route => ErrorCode::NoRoute,
            Self::DenyByDefault => ErrorCode::PolicyNoRule,
            Self::Size(_) => ErrorCode::FrameOverPolicySize,
            Self::Rate(_) | Self::Volume(_) => ErrorCode::RateExceeded,
            Self::Hours(_) => ErrorCode::OutsideHours,
        }
    }
}

impl fmt::Display for RefusedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpeaksFor => f.write_str("speaks-for"),
            Self::Route => f.write_str("route"),
            Self::DenyByDefault => f.write_str("deny-by-default"),
            Self::Size(number) => write!(f, "rule {number}: frame size"),
            Self::Rate(number) => write!(f, "rule {number}: frame rate"),
            Self::Volume(number) => write!(f, "rule {number}: byte rate"),
            Self::Hours(number) => write!(f, "rule {number}: hours"),
        }
    }
}
