//! The deployment folder: what lies where.

use std::fs;
use std::path::{Path, PathBuf};

use juki_domain::{ErrorCode, Lang, NodeId, NodeRole};
use juki_topology::{Network, NodeConfig, NodePattern};

use crate::cli::Selection;
use crate::failure::Failure;
use crate::text;

/// A deployment folder that holds a network.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    folder: PathBuf,
    network: Network,
}

/// One node of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodePlace {
    /// The node's name.
    pub(crate) name: NodeId,
    /// What it is.
    pub(crate) role: NodeRole,
    /// `DIR/nodes/NAME`.
    pub(crate) folder: PathBuf,
    /// `DIR/logs/NAME.log`.
    pub(crate) log: PathBuf,
}

impl NodePlace {
    /// The node's configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("node.toml")
    }

    /// The policy, of a firewall.
    pub(crate) fn policy(&self) -> PathBuf {
        self.folder.join("policy.toml")
    }

    /// The folder of ledger, index and admin socket.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of keys and certificates.
    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    /// The folder of the secret keys, which may lie apart: as the node's configuration says, else
    /// that of all keys. `None` for credentials of a service manager, which this program has only
    /// where it was given them too.
    pub(crate) fn secrets(&self) -> Option<PathBuf> {
        secrets_in(&self.folder)
    }

    /// The admin socket.
    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.data().join("admin.sock")
    }
}

impl Deployment {
    /// Opens the folder and reads its network.
    ///
    /// # Errors
    /// [`ErrorCode::NotADeployment`] where there is no `network.toml`; a configuration code where it is wrong.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(NETWORK_FILE);
        let nowhere = || Failure::new(ErrorCode::NotADeployment, folder.display().to_string());
        let folder = folder.canonicalize().map_err(|_| nowhere())?;
        if !file.is_file() {
            return Err(nowhere());
        }
        let text = fs::read_to_string(&file).map_err(|error| {
            Failure::new(
                ErrorCode::ConfigUnreadable,
                format!("{}: {error}", file.display()),
            )
        })?;
        let network = Network::parse(&text, &file.display().to_string()).map_err(Failure::from)?;
        Ok(Self { folder, network })
    }

    /// The deployment that a network makes in this folder, which need not hold it yet.
    pub(crate) fn of(folder: PathBuf, network: Network) -> Self {
        Self { folder, network }
    }

    /// The folder's absolute path.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The network.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// `DIR/run`: announced addresses, the supervisor's socket, lock and state.
    pub(crate) fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// `DIR/logs`.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// `DIR/registers`: a folder for each communication server's register.
    pub(crate) fn registers(&self) -> PathBuf {
        self.folder.join("registers")
    }

    /// `DIR/cards`: operators' cards.
    pub(crate) fn cards(&self) -> PathBuf {
        self.folder.join("cards")
    }

    /// `DIR/legal-basis.csv`: the table as it is edited; in force is what the registrar signed.
    pub(crate) fn legal_basis(&self) -> PathBuf {
        self.folder.join("legal-basis.csv")
    }

    /// `DIR/pki`: the offline root key and the authorities' certificates.
    pub(crate) fn pki(&self) -> PathBuf {
        self.folder.join("pki")
    }

    /// The supervisor's admin socket.
    pub(crate) fn supervisor_socket(&self) -> PathBuf {
        self.run().join("supervisor.sock")
    }

    /// The file that the running supervisor keeps locked.
    pub(crate) fn supervisor_lock(&self) -> PathBuf {
        self.run().join("supervisor.lock")
    }

    /// The supervisor's last word on its nodes.
    pub(crate) fn state_file(&self) -> PathBuf {
        self.run().join("state.json")
    }

    /// Every node, in the network's order.
    pub(crate) fn places(&self) -> Vec<NodePlace> {
        self.network
            .nodes()
            .into_iter()
            .map(|node| self.place_of(&node.name, node.role))
            .collect()
    }

    /// The node with this name.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigBadValue`] naming the nodes that there are.
    pub(crate) fn place(&self, name: &str, lang: Lang) -> Result<NodePlace, Failure> {
        let places = self.places();
        match places.iter().find(|place| place.name.as_str() == name) {
            Some(place) => Ok(place.clone()),
            None => Err(unknown_node(name, &places, lang)),
        }
    }

    /// The only node of a role, or the named one of that role.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigBadValue`] where none or several fit, naming them.
    pub(crate) fn only(
        &self,
        role: NodeRole,
        name: Option<&str>,
        lang: Lang,
    ) -> Result<NodePlace, Failure> {
        let mut fitting: Vec<NodePlace> = self
            .places()
            .into_iter()
            .filter(|place| {
                place.role == role && name.is_none_or(|name| place.name.as_str() == name)
            })
            .collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some(place), true) => Ok(place),
            (Some(last), false) => {
                fitting.push(last);
                let detail = text::several_nodes(lang, role.program(), &names_of(&fitting));
                Err(Failure::new(ErrorCode::ConfigBadValue, detail))
            }
            (None, _) => match name {
                Some(name) => Err(unknown_node(name, &self.places(), lang)),
                None => Err(Failure::new(
                    ErrorCode::ConfigBadValue,
                    text::no_such_role(lang, role.program()),
                )),
            },
        }
    }

    /// The nodes that a selection names.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigBadValue`] where one of its patterns fits no node.
    pub(crate) fn selected(
        &self,
        selection: &Selection,
        lang: Lang,
    ) -> Result<Vec<NodePlace>, Failure> {
        let places = self.places();
        let fits =
            |pattern: &NodePattern, place: &NodePlace| pattern.matches(&place.name, place.role);
        for pattern in selection.only.iter().chain(&selection.except) {
            if !places.iter().any(|place| fits(pattern, place)) {
                return Err(unknown_node(&pattern.to_string(), &places, lang));
            }
        }
        let named = |patterns: &[NodePattern], place: &NodePlace| {
            patterns.iter().any(|pattern| fits(pattern, place))
        };
        let wanted = |place: &NodePlace| {
            (selection.only.is_empty() || named(&selection.only, place))
                && !named(&selection.except, place)
        };
        Ok(places.into_iter().filter(wanted).collect())
    }

    /// The same nodes in the order in which to start them.
    pub(crate) fn in_start_order(&self, mut places: Vec<NodePlace>) -> Vec<NodePlace> {
        let order = self.network.start_order();
        places.sort_by_key(|place| order.iter().position(|name| *name == place.name));
        places
    }

    /// Whether a node's keys were left away here, because it lives on another machine.
    pub(crate) fn is_keyless(&self, place: &NodePlace) -> bool {
        self.network.machine_of(&place.name).is_some() && !place.keys().exists()
    }

    /// A node's configuration, as its file has it.
    ///
    /// # Errors
    /// A configuration code where the file cannot be read or is wrong.
    pub(crate) fn config_of(&self, place: &NodePlace) -> Result<NodeConfig, Failure> {
        let file = place.config();
        let text = fs::read_to_string(&file).map_err(|error| {
            Failure::new(
                ErrorCode::ConfigUnreadable,
                format!("{}: {error}", file.display()),
            )
        })?;
        NodeConfig::parse(&text, &file.display().to_string()).map_err(Failure::from)
    }

    /// The folder of the node with this name.
    pub(crate) fn place_folder(&self, node: &str) -> PathBuf {
        self.folder.join("nodes").join(node)
    }

    fn place_of(&self, name: &NodeId, role: NodeRole) -> NodePlace {
        NodePlace {
            name: name.clone(),
            role,
            folder: self.place_folder(name.as_str()),
            log: self.logs().join(format!("{name}.log")),
        }
    }
}

/// The file that makes a folder a deployment.
pub(crate) const NETWORK_FILE: &str = "network.toml";

fn unknown_node(name: &str, places: &[NodePlace], lang: Lang) -> Failure {
    Failure::new(
        ErrorCode::ConfigBadValue,
        text::unknown_node(lang, name, &names_of(places)),
    )
}

fn names_of(places: &[NodePlace]) -> String {
    places
        .iter()
        .map(|place| place.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The folder of the secret keys of the node with this folder: [`NodePlace::secrets`].
pub(crate) fn secrets_in(node: &Path) -> Option<PathBuf> {
    let named = fs::read_to_string(node.join("node.toml"))
        .ok()
        .and_then(|text| NodeConfig::parse(&text, "node.toml").ok())
        .and_then(|config| config.node.secrets);
    let Some(named) = named else {
        return Some(node.join("keys"));
    };
    match named.strip_prefix("$CREDENTIALS_DIRECTORY") {
        Ok(rest) => {
            std::env::var_os("CREDENTIALS_DIRECTORY").map(|given| PathBuf::from(given).join(rest))
        }
        Err(_) => Some(node.join(named)),
    }
}
