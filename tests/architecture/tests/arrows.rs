//! The forbidden arrows of docs/architecture.md, asserted on `cargo metadata`.
#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that fails ends the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

const PURE: [&str; 17] = [
    "juki-domain",
    "juki-crypto",
    "juki-wire",
    "juki-ledger",
    "juki-line",
    "juki-topology",
    "juki-intake",
    "juki-population",
    "juki-dispatch",
    "juki-registry",
    "juki-audit",
    "juki-access",
    "juki-journal",
    "juki-services",
    "juki-firewall",
    "juki-incident",
    "juki-exercise",
];
const NODES: [&str; 6] = [
    "municipal-cs",
    "prefecture-server",
    "national-center",
    "firewall-proxy",
    "agency-terminal",
    "access-point",
];

struct Arrows {
    direct: BTreeMap<String, BTreeSet<String>>,
    own: BTreeSet<String>,
}

impl Arrows {
    fn read() -> Self {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .unwrap();
        let own: BTreeSet<String> = metadata
            .packages
            .iter()
            .map(|package| package.name.to_string())
            .collect();
        let normal = |package: &cargo_metadata::Package| {
            package
                .dependencies
                .iter()
                .filter(|d| d.kind == DependencyKind::Normal)
                .map(|d| d.name.clone())
                .collect()
        };
        let direct = metadata
            .packages
            .iter()
            .map(|package| (package.name.to_string(), normal(package)))
            .collect();
        Self { direct, own }
    }

    /// All own crates that a crate reaches, itself not counted.
    fn reach(&self, from: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(at) = open.pop() {
            for to in self
                .direct
                .get(&at)
                .into_iter()
                .flatten()
                .filter(|to| self.own.contains(*to))
            {
                if reached.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        reached
    }

    fn users_of(&self, library: &str) -> BTreeSet<&str> {
        self.direct
            .iter()
            .filter(|(_, to)| to.contains(library))
            .map(|(from, _)| from.as_str())
            .collect()
    }
}

fn assert_never(arrows: &Arrows, from: &str, to: &[&str]) {
    let reached = arrows.reach(from);
    for to in to {
        assert!(!reached.contains(*to), "{from} reaches {to}");
    }
}

#[test]
fn a_firewall_knows_no_records() {
    let arrows = Arrows::read();
    assert!(arrows.own.contains("firewall-proxy"));
    assert_never(
        &arrows,
        "firewall-proxy",
        &[
            "juki-registry",
            "juki-journal",
            "juki-services",
            "juki-index",
        ],
    );
}

#[test]
fn no_node_knows_generators_exercises_or_tests() {
    let arrows = Arrows::read();
    for node in NODES {
        assert!(arrows.own.contains(node), "{node} is missing");
        assert_never(
            &arrows,
            node,
            &[
                "juki-population",
                "juki-exercise",
                "juki-adversary",
                "juki-testkit",
                "jukinet",
            ],
        );
    }
}

#[test]
fn whatever_is_hostile_is_linked_by_tests_alone() {
    let arrows = Arrows::read();
    assert!(arrows.own.contains("juki-adversary"));
    let users = arrows.users_of("juki-adversary");
    assert!(
        users.iter().all(|user| *user == "hostile"),
        "{users:?} link the adversary"
    );
    assert_never(&arrows, "juki-adversary", &NODES);
}

#[test]
fn the_tool_links_no_node() {
    assert_never(&Arrows::read(), "jukinet", &NODES);
}

#[test]
fn pure_crates_reach_no_machine() {
    let arrows = Arrows::read();
    let machine = [
        "tokio",
        "quinn",
        "quinn-udp",
        "sled",
        "rcgen",
        "axum",
        "hyper",
        "lsm-tree",
        "rustix",
        "clap",
        "tracing-subscriber",
    ];
    for pure in PURE.iter().filter(|name| arrows.own.contains(**name)) {
        assert_never(
            &arrows,
            pure,
            &[
                "juki-runtime",
                "juki-store",
                "juki-index",
                "juki-transport",
                "juki-node",
                "juki-admin",
                "juki-pki",
                "juki-smartcard",
            ],
        );
        for library in machine {
            assert!(
                !arrows.direct[*pure].contains(library),
                "{pure} names {library}"
            );
        }
    }
}

#[test]
fn one_crate_names_each_heavy_library() {
    let arrows = Arrows::read();
    assert_eq!(arrows.users_of("sled"), BTreeSet::from(["juki-index"]));
    assert_eq!(arrows.users_of("lsm-tree"), BTreeSet::from(["juki-index"]));
    // The adversary speaks raw bytes, and shares no code with what it attacks.
    assert_eq!(
        arrows.users_of("quinn"),
        BTreeSet::from(["juki-adversary", "juki-transport"])
    );
    assert_eq!(arrows.users_of("rcgen"), BTreeSet::from(["juki-pki"]));
    assert_eq!(
        arrows.users_of("cryptoki"),
        BTreeSet::from(["juki-smartcard"])
    );
    assert_eq!(
        arrows.users_of("tracing-subscriber"),
        BTreeSet::from(["juki-node"])
    );
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for folder in ["crates", "tests"] {
        for entry in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
            let manifest = entry.unwrap().path().join("Cargo.toml");
            let text = std::fs::read_to_string(&manifest).unwrap();
            assert!(
                text.contains("[lints]\nworkspace = true"),
                "{}",
                manifest.display()
            );
        }
    }
}
