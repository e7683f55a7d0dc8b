//! Who plays: the nodes, their keys, the directory, one operator.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use juki_access::{Authorisation, CardCertificate, Grant, Role};
use juki_crypto::{Directory, DirectoryEntry, SealingKey, SigningKey};
use juki_domain::{MunicipalityCode, NodeId, NodeRole};
use prost::Message as _;

/// A node's place in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Post {
    /// The communication server of one of three towns.
    Town(usize),
    /// The prefecture server.
    Prefecture,
    /// The national center.
    National,
    /// An agency's terminal.
    Terminal,
}

impl Post {
    /// Every post.
    pub const ALL: [Self; 6] = [
        Self::Town(0),
        Self::Town(1),
        Self::Town(2),
        Self::Prefecture,
        Self::National,
        Self::Terminal,
    ];

    /// How many towns there are.
    pub const TOWNS: usize = 3;

    /// The node's name.
    #[must_use]
    pub fn name(self) -> NodeId {
        let name = match self {
            Self::Town(town) => format!("cs-{}", municipality(town)),
            Self::Prefecture => "prefecture-35".to_owned(),
            Self::National => "national".to_owned(),
            Self::Terminal => "agency-mhlw".to_owned(),
        };
        name.parse().expect("a node name")
    }

    /// The post of a name.
    #[must_use]
    pub fn of(name: &NodeId) -> Option<Self> {
        Self::ALL.into_iter().find(|post| post.name() == *name)
    }

    fn role(self) -> NodeRole {
        match self {
            Self::Town(_) => NodeRole::MunicipalCs,
            Self::Prefecture => NodeRole::PrefectureServer,
            Self::National => NodeRole::NationalCenter,
            Self::Terminal => NodeRole::AgencyTerminal,
        }
    }
}

/// The municipality of a town.
#[must_use]
pub fn municipality(town: usize) -> MunicipalityCode {
    let codes = ["352047", "355011", "355020"];
    codes
        .get(town)
        .and_then(|code| code.parse().ok())
        .expect("one of three towns")
}

/// A node's keys.
type Keys = (Arc<SigningKey>, Arc<SealingKey>);

/// Keys of all nodes and of one operator. They are drawn once per process: no trace depends on them.
pub struct Cast {
    /// Who is who.
    pub directory: Arc<Directory>,
    /// The registrar's key.
    pub registrar: SigningKey,
    keys: BTreeMap<Post, Keys>,
    card: SigningKey,
    certificate: CardCertificate,
}

impl Cast {
    /// The keys of a node.
    #[must_use]
    pub fn keys(&self, post: Post) -> Keys {
        self.keys.get(&post).cloned().expect("every post has keys")
    }

    /// What the operator's card signs at log-in, without a proof.
    #[must_use]
    pub fn authorisation(&self, now_ms: u64, key: [u8; 32]) -> Authorisation {
        let grant =
            Grant::new(Post::Terminal.name().as_str(), now_ms / 1000, 900, &key).encode_to_vec();
        Authorisation {
            signature: self.card.sign(Grant::context(), &grant).to_vec(),
            grant,
            certificate: self.certificate.encode_to_vec(),
            key: key.to_vec(),
            proof: Vec::new(),
        }
    }
}

/// The cast of this process.
pub fn cast() -> &'static Cast {
    static CAST: OnceLock<Cast> = OnceLock::new();
    CAST.get_or_init(make)
}

fn make() -> Cast {
    let signing = |seed: u8| SigningKey::from_seed(&[seed; 32]).expect("any seed is a key");
    let (registrar, card) = (signing(100), signing(101));
    let mut directory = Directory {
        registrar: Some(registrar.public()),
        ..Directory::default()
    };
    let mut keys = BTreeMap::new();
    for (post, seed) in Post::ALL.into_iter().zip(1u8..) {
        let (signing, sealing) = (
            signing(seed),
            SealingKey::generate().expect("the library has random bytes"),
        );
        let town = match post {
            Post::Town(town) => Some(municipality(town)),
            Post::Prefecture | Post::National | Post::Terminal => None,
        };
        let entry = DirectoryEntry {
            role: post.role(),
            signing: signing.public(),
            sealing: sealing.public().clone(),
            municipality: town,
        };
        directory.nodes.insert(post.name(), entry);
        keys.insert(post, (Arc::new(signing), Arc::new(sealing)));
    }
    let certificate = CardCertificate {
        serial: "C-1".to_owned(),
        operator: "operator-1".to_owned(),
        body: "mhlw".to_owned(),
        roles: vec![Role::BusinessOperator as u32],
        key: card.public().as_bytes().to_vec(),
        valid_until_s: u64::MAX / 2,
        signature: Vec::new(),
    }
    .signed(&registrar);
    Cast {
        directory: Arc::new(directory),
        registrar,
        keys,
        card,
        certificate,
    }
}
