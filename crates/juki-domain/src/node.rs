//! Names of nodes and services.

use std::fmt;
use std::str::FromStr;

/// The name of one node in one network: 1 to 32 of `a-z 0-9 -`, beginning with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Box<str>);

/// A text is not a node name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a node name is 1 to 32 of a-z, 0-9 and -, beginning with a letter")]
pub struct NodeIdError;

impl NodeId {
    /// Longest name in bytes.
    pub const LEN_MAX: usize = 32;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        let fits = (1..=Self::LEN_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(NodeIdError)
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a node is. The text form is the name of its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeRole {
    /// Communication server of one municipality (コミュニケーションサーバ).
    MunicipalCs,
    /// Server of one prefecture (都道府県サーバ).
    PrefectureServer,
    /// Server of the designated information processing organisation (指定情報処理機関サーバ).
    NationalCenter,
    /// Firewall before a server or an office (ファイアウォール).
    FirewallProxy,
    /// Terminal of a body that receives identity records.
    AgencyTerminal,
    /// Relay that emulates leased lines at an access point.
    AccessPoint,
}

impl NodeRole {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::MunicipalCs,
        Self::PrefectureServer,
        Self::NationalCenter,
        Self::FirewallProxy,
        Self::AgencyTerminal,
        Self::AccessPoint,
    ];

    /// The name of the program that plays this role.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::MunicipalCs => "municipal-cs",
            Self::PrefectureServer => "prefecture-server",
            Self::NationalCenter => "national-center",
            Self::FirewallProxy => "firewall-proxy",
            Self::AgencyTerminal => "agency-terminal",
            Self::AccessPoint => "access-point",
        }
    }
}

impl FromStr for NodeRole {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        Self::ALL
            .into_iter()
            .find(|role| role.program() == text)
            .ok_or(NodeIdError)
    }
}

/// A service of the network: the frame header's `service` field. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ServiceId {
    /// Blocks of a municipality's journal up, receipts down.
    Journal = 1,
    /// Blocks of unused resident record codes.
    CodeAllocation = 2,
    /// Immediate provision (即時提供).
    Query = 3,
    /// What a node says of itself to the one above it: heartbeat, alerts, checkpoints.
    Monitor = 4,
    /// Acts that the registrar at the national center signs: operators' cards, certificates.
    Registrar = 5,
}

impl ServiceId {
    /// Every service.
    pub const ALL: [Self; 5] = [
        Self::Journal,
        Self::CodeAllocation,
        Self::Query,
        Self::Monitor,
        Self::Registrar,
    ];

    /// The service with this number in a frame header.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|service| *service as u8 == number)
    }

    /// The name used in configuration and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::CodeAllocation => "code-allocation",
            Self::Query => "query",
            Self::Monitor => "monitor",
            Self::Registrar => "registrar",
        }
    }
}

impl FromStr for ServiceId {
    type Err = NodeIdError;

    fn from_str(text: &str) -> Result<Self, NodeIdError> {
        Self::ALL
            .into_iter()
            .find(|service| service.name() == text)
            .ok_or(NodeIdError)
    }
}
