//! Names for several nodes at once.

use std::fmt;
use std::str::FromStr;

use juki_domain::{NodeId, NodeRole};

/// `kind:ROLE`, or a node's name in which each `*` stands for any letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodePattern {
    /// All nodes of a role.
    Kind(NodeRole),
    /// All nodes whose names fit.
    Name(String),
}

/// A text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is kind:PROGRAM, or a node's name of a-z, 0-9 and - with * for any letters")]
pub struct NodePatternError;

impl NodePattern {
    /// Whether it means the node of this name and role.
    #[must_use]
    pub fn matches(&self, name: &NodeId, role: NodeRole) -> bool {
        match self {
            Self::Kind(kind) => *kind == role,
            Self::Name(pattern) => fits(pattern, name.as_str()),
        }
    }
}

impl FromStr for NodePattern {
    type Err = NodePatternError;

    fn from_str(text: &str) -> Result<Self, NodePatternError> {
        if let Some(kind) = text.strip_prefix("kind:") {
            return kind.parse().map(Self::Kind).map_err(|_| NodePatternError);
        }
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*".contains(&b);
        if text.is_empty() || text.len() > LENGTH_MAX || !text.bytes().all(letter) {
            return Err(NodePatternError);
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl fmt::Display for NodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(role) => write!(f, "kind:{}", role.program()),
            Self::Name(pattern) => f.write_str(pattern),
        }
    }
}

/// Each part between the stars is looked for behind the one before it; first and last are at the ends.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(last)
}

/// Twice a node's name: room for stars.
const LENGTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        let pattern: NodePattern = pattern.parse().expect("a pattern");
        pattern.matches(&name.parse().expect("a name"), NodeRole::FirewallProxy)
    }

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name) in [
            ("national", "national"),
            ("*", "national"),
            ("fw-*", "fw-cs-352047"),
            ("*national", "fw-national"),
            ("*national", "national"),
            ("*-35*", "fw-cs-352047"),
            ("f*cs*7", "fw-cs-352047"),
            ("kind:firewall-proxy", "anything"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("national", "fw-national"),
            ("fw-*", "national"),
            ("*-35", "cs-352047"),
            ("a*a", "a"),
            ("kind:municipal-cs", "cs-352047"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_can_be_no_name_is_no_pattern() {
        for text in ["", "kind:", "kind:router", "CS-1", "a b", &"a".repeat(65)] {
            assert_eq!(text.parse::<NodePattern>(), Err(NodePatternError), "{text}");
        }
        for text in ["kind:municipal-cs", "fw-*"] {
            assert_eq!(
                text.parse::<NodePattern>().expect("a pattern").to_string(),
                text
            );
        }
    }
}
