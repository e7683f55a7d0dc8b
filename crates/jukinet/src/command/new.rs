//! `jukinet new`: a deployment folder.

mod basis;
mod cards;
pub(crate) mod folder;
mod keys;

pub(crate) use keys::ROOT_DAYS;

use std::path::Path;

use juki_crypto::{SystemRandomness, random_array};
use juki_domain::{ErrorCode, Lang, LegalBasisTable, NodeRole};
use juki_topology::{Access, Network, NodeConfig};
use serde_json::json;

use crate::cli::{NewArgs, Preset};
use crate::command::population;
use crate::deployment::{Deployment, NETWORK_FILE, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::unix_now;
use crate::policy_seal;
use crate::screen::Screen;
use crate::text;

use self::cards::Card;
use self::folder::Folder;

/// A deployment that was just made.
struct Made {
    deployment: Deployment,
    cards: Vec<Card>,
    residents: Vec<population::MunicipalityFiles>,
}

pub(crate) fn run(args: &NewArgs, screen: Screen) -> Ending {
    let folder = Folder::claim(&args.dir, screen.lang)?;
    let made = match make(args, folder.path(), screen.lang) {
        Ok(made) => made,
        Err(failure) => {
            folder.give_up();
            return Err(failure);
        }
    };
    tell(&made, &args.dir, screen)?;
    Ok(Outcome::Held)
}

fn make(args: &NewArgs, folder: &Path, lang: Lang) -> Result<Made, Failure> {
    let now = unix_now();
    let network = network(args, now)?;
    let deployment = Deployment::of(folder.to_owned(), network);
    let places = deployment.places();
    folder::check_socket_paths(&deployment, &places, lang)?;
    for name in ["run", "logs", "papers", "cards", "pki", "nodes"] {
        folder::private(&deployment.folder().join(name))?;
    }
    folder::write(
        &deployment.folder().join(NETWORK_FILE),
        deployment.network().to_toml()?.as_bytes(),
    )?;
    folder::write(&deployment.legal_basis(), LEGAL_BASIS.as_bytes())?;
    let configs: Vec<(NodePlace, NodeConfig)> = places
        .into_iter()
        .filter_map(|place| {
            deployment
                .network()
                .node_config(&place.name)
                .map(|config| (place, config))
        })
        .collect();
    for (place, config) in &configs {
        for path in [place.folder.clone(), place.keys(), place.data()] {
            folder::private(&path)?;
        }
        if place.role == NodeRole::MunicipalCs {
            for part in ["in", "out", "done", "refused"] {
                folder::private(&deployment.registers().join(place.name.as_str()).join(part))?;
            }
        }
        folder::write(&place.config(), config.to_toml()?.as_bytes())?;
        if let Some(policy) = config.policy_toml()? {
            folder::write(&place.policy(), policy_seal::sealed(&policy).as_bytes())?;
        }
    }
    let registrar = keys::write(&deployment, &configs, now)?;
    basis::write(&configs, &registrar, LEGAL_BASIS)?;
    let cards = cards::write(&deployment, &configs, &registrar, now)?;
    let residents = match args.scale {
        Some(scale) => {
            let codes: Vec<_> = configs
                .iter()
                .filter_map(|(_, config)| config.node.municipality)
                .collect();
            let settings = population::settings(
                &codes,
                scale,
                args.seed,
                deployment.network().calendar().base,
            )?;
            population::write(
                &settings,
                FIRST_DAYS,
                population::threads_of_machine(),
                &deployment.folder().join("residents"),
            )?
            .files
        }
        None => Vec::new(),
    };
    Ok(Made {
        deployment,
        cards,
        residents,
    })
}

fn network(args: &NewArgs, now: u64) -> Result<Network, Failure> {
    let access = Access {
        operator_per_min: args.operator_per_min,
        body_per_min: args.body_per_min,
    };
    let network = match args.preset {
        // The demo's lines pass everything at once anyway.
        Preset::Demo => Network::demo(args.seed, &network_id("demo"), now)?,
        Preset::Yamaguchi2002 => {
            let table = LegalBasisTable::parse(LEGAL_BASIS)
                .map_err(|error| Failure::new(error.code(), error.to_string()))?;
            let id = network_id("yamaguchi");
            Network::yamaguchi_2002(args.seed, &id, now, table.all(), args.unshaped)?
        }
    };
    Ok(network.with_access(access)?)
}

/// A network's id is new with every deployment, so that certificates of one are nothing in another.
fn network_id(preset: &str) -> String {
    let drawn = random_array::<4>(&SystemRandomness);
    format!("{preset}-{:08x}", u32::from_be_bytes(drawn))
}

fn tell(made: &Made, dir: &Path, screen: Screen) -> Result<(), Failure> {
    let lang = screen.lang;
    let nodes = made.deployment.places();
    screen.line(text::made(lang, &dir.display().to_string(), nodes.len()));
    population::tell(&made.residents, screen);
    for card in &made.cards {
        let (title, pin) = (text::card_of(lang, &card.name), text::pin(lang));
        screen.line(format!(
            "{title}: {}  {pin}: {}",
            card.file.display(),
            card.pin
        ));
    }
    screen.line(text::next_commands(lang, &dir.display().to_string()));
    let cards = made
        .cards
        .iter()
        .map(|card| json!({"name": card.name, "node": card.node, "card": card.file, "pin_file": card.pin_file}));
    screen.document(&json!({
        "folder": made.deployment.folder(),
        "network": made.deployment.network().id(),
        "nodes": nodes.iter().map(|place| place.name.as_str()).collect::<Vec<_>>(),
        "cards": cards.collect::<Vec<_>>(),
        "residents": made.residents,
    }))
}

/// Reports a failure of a library of this kind with its own words.
fn broken<E: std::error::Error + 'static>(code: ErrorCode) -> impl Fn(E) -> Failure {
    move |error| Failure::new(code, crate::failure::with_causes(&error))
}

/// Changes of the first day after the start come with the residents.
const FIRST_DAYS: u16 = 1;

const LEGAL_BASIS: &str = include_str!("../../../../configs/legal-basis.csv");
