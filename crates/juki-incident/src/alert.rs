//! One alert, signed by the node that raised it.

use std::fmt;

use juki_crypto::{SignatureError, SigningKey, VerifyingKey};
use juki_domain::NodeId;
use prost::Message;

const CONTEXT: &str = "juki alert 1";

/// Longest text of an alert in bytes: a node's name, an interface, an address, a code.
const TEXT_LEN_MAX: usize = 64;

/// The levels of misconduct of the emergency plan (緊急時対応計画; seed, document 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No threat to the data.
    One,
    /// Unauthorised access that did not pass a firewall, and what is alike.
    Two,
    /// Unauthorised access that passed a firewall, suspicious use of a terminal, and what is alike.
    Three,
}

impl Level {
    /// Its number in the plan.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// The level with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::One, Self::Two, Self::Three]
            .into_iter()
            .find(|level| level.number() == number)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// What a node saw and wants people to know. Names of nodes, codes and counts, never a body.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Alert {
    /// The node that saw it.
    #[prost(string, tag = "1")]
    pub node: String,
    /// When the last of it was seen, in ms since 1970 on that node's clock.
    #[prost(uint64, tag = "2")]
    pub at_ms: u64,
    /// What it is: the name of a detector's finding, or `refused-behind`.
    #[prost(string, tag = "3")]
    pub kind: String,
    /// The level of the emergency plan, 1 to 3.
    #[prost(uint32, tag = "4")]
    pub level: u32,
    /// How many events it stands for; of a spike its bytes.
    #[prost(uint64, tag = "5")]
    pub count: u64,
    /// The service that it concerns; empty where there is none.
    #[prost(string, tag = "6")]
    pub service: String,
    /// Whom it is about: a node, an address, or an interface where nobody has proved to be anyone.
    #[prost(string, tag = "7")]
    pub peer: String,
    /// The stable code of the last refusal; empty where nothing was refused.
    #[prost(string, tag = "8")]
    pub code: String,
    /// The number of the entry in the node's own ledger that says the same.
    #[prost(uint64, tag = "9")]
    pub evidence: u64,
    /// The node's signature over the rest.
    #[prost(bytes = "vec", tag = "10")]
    pub signature: Vec<u8>,
}

impl Alert {
    /// The same alert with the node's signature.
    #[must_use]
    pub fn signed(self, key: &SigningKey) -> Self {
        let unsigned = Self {
            signature: Vec::new(),
            ..self
        };
        let signature = key.sign(CONTEXT, &unsigned.encode_to_vec()).to_vec();
        Self {
            signature,
            ..unsigned
        }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`SignatureError`] where the key did not sign this.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        let unsigned = Self {
            signature: Vec::new(),
            ..self.clone()
        };
        key.verify(CONTEXT, &unsigned.encode_to_vec(), &self.signature)
    }

    /// The node that it names, where every field is within its bounds.
    #[must_use]
    pub fn origin(&self) -> Option<NodeId> {
        let texts = [&self.kind, &self.service, &self.peer, &self.code];
        let fits = texts.iter().all(|text| {
            text.len() <= TEXT_LEN_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let sound = fits && !self.kind.is_empty() && Level::from_number(self.level).is_some();
        sound.then(|| self.node.parse().ok()).flatten()
    }
}

/// A text cut to what an alert may hold; what is no visible ASCII becomes `?`.
pub(crate) fn bounded(text: &str) -> String {
    let mark = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(TEXT_LEN_MAX).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use juki_crypto::SystemRandomness;
    use proptest::prelude::*;

    use super::*;

    fn alert() -> Alert {
        Alert {
            node: "fw-cs-352047".to_owned(),
            at_ms: 5,
            kind: "scan".to_owned(),
            level: 2,
            count: 6,
            service: "journal".to_owned(),
            peer: "cs-352047".to_owned(),
            code: "JKP-1005".to_owned(),
            evidence: 9,
            signature: Vec::new(),
        }
    }

    #[test]
    fn an_alert_is_bound_to_its_node_and_to_every_word() {
        let (key, other) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let signed = alert().signed(&key);
        assert_eq!(signed.verify(&key.public()), Ok(()));
        assert!(signed.verify(&other.public()).is_err());
        let milder = Alert {
            level: 1,
            ..signed.clone()
        };
        let elsewhere = Alert {
            evidence: 10,
            ..signed.clone()
        };
        assert!(milder.verify(&key.public()).is_err());
        assert!(elsewhere.verify(&key.public()).is_err());
        assert_eq!(signed.origin(), Some("fw-cs-352047".parse().unwrap()));
    }

    #[test]
    fn an_alert_beyond_its_bounds_has_no_origin() {
        let wrong = [
            Alert {
                level: 4,
                ..alert()
            },
            Alert {
                level: 0,
                ..alert()
            },
            Alert {
                kind: String::new(),
                ..alert()
            },
            Alert {
                peer: "x".repeat(65),
                ..alert()
            },
            Alert {
                peer: "氏名".to_owned(),
                ..alert()
            },
            Alert {
                node: "No Node".to_owned(),
                ..alert()
            },
        ];
        for wrong in wrong {
            assert_eq!(wrong.origin(), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic_and_bounded_texts_fit(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            text in ".{0,200}",
        ) {
            if let Ok(alert) = Alert::decode(bytes.as_slice()) {
                let _ = alert.origin();
            }
            let peer = bounded(&text);
            let fitting = Alert { peer, ..alert() };
            prop_assert!(fitting.origin().is_some());
        }
    }
}
