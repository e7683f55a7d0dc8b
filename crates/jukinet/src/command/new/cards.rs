//! Operators' cards of a new deployment: one for each agency's terminal, and those of the managers.

use std::path::PathBuf;

use juki_access::{CardCertificate, Role};
use juki_crypto::{SigningKey, SystemRandomness, random_array};
use juki_domain::{ErrorCode, NodeRole};
use juki_pki::{generate_key, public_key_of};
use juki_services::cards::FirstCards;
use juki_smartcard::{NewCard, SoftCard};
use juki_topology::NodeConfig;
use prost::Message as _;

use super::keys::hex;
use super::{broken, folder};
use crate::command::operator::{CARD_ENDING, CARD_MANAGER, PIN_ENDING, SYSTEM_MANAGER, pin};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::Failure;
use crate::local_time::DAY_S;

/// A card that was just made.
pub(super) struct Card {
    /// Its name in the folder of cards.
    pub(super) name: String,
    /// The node that it is used at.
    pub(super) node: String,
    /// The card file.
    pub(super) file: PathBuf,
    /// The file with its PIN.
    pub(super) pin_file: PathBuf,
    /// The PIN.
    pub(super) pin: String,
    certificate: Vec<u8>,
}

/// What a card is to be.
struct Wanted {
    name: String,
    node: String,
    operator: String,
    body: String,
    role: Role,
}

/// Writes a card and its PIN for every agency's terminal and for those who manage, and what the
/// registrar enters into its card ledger at its first start.
pub(super) fn write(
    deployment: &Deployment,
    nodes: &[(NodePlace, NodeConfig)],
    registrar: &SigningKey,
    now: u64,
) -> Result<Vec<Card>, Failure> {
    let agencies = nodes
        .iter()
        .filter(|(_, config)| config.node.role == NodeRole::AgencyTerminal)
        .map(|(place, config)| {
            let body = config.node.body.clone().unwrap_or_default();
            Wanted {
                name: place.name.to_string(),
                node: place.name.to_string(),
                operator: format!("{body}-1"),
                body,
                role: Role::BusinessOperator,
            }
        });
    let center = nodes
        .iter()
        .find(|(_, config)| config.node.role == NodeRole::NationalCenter)
        .map(|(place, _)| place);
    let managers = center.into_iter().flat_map(|center| {
        let roles = [
            (SYSTEM_MANAGER, Role::SystemManager),
            (CARD_MANAGER, Role::CardManager),
            (AUDITOR, Role::Auditor),
        ];
        roles.map(|(name, role)| Wanted {
            name: name.to_owned(),
            node: center.name.to_string(),
            operator: format!("{name}-1"),
            body: CENTER_BODY.to_owned(),
            role,
        })
    });
    let wanted: Vec<Wanted> = agencies.chain(managers).collect();
    let cards = make_all(deployment, &wanted, registrar, now)?;
    if let Some(center) = center {
        let certificates = cards.iter().map(|card| card.certificate.clone());
        let first = FirstCards {
            certificates: certificates.collect(),
        };
        let file = center.keys().join("first-cards.bin");
        folder::write(&file, &first.encode_to_vec())?;
    }
    Ok(cards)
}

/// Each card's PIN costs a slow derivation, so they are made side by side.
fn make_all(
    deployment: &Deployment,
    wanted: &[Wanted],
    registrar: &SigningKey,
    now: u64,
) -> Result<Vec<Card>, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = wanted.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let running: Vec<_> = wanted
            .chunks(part)
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|wanted| write_one(deployment, wanted, registrar, now))
                        .collect::<Result<Vec<Card>, Failure>>()
                })
            })
            .collect();
        let mut cards = Vec::new();
        for thread in running {
            let made = thread
                .join()
                .map_err(|_| Failure::new(ErrorCode::CheckFailed, "cards"))?;
            cards.extend(made?);
        }
        Ok(cards)
    })
}

fn write_one(
    deployment: &Deployment,
    wanted: &Wanted,
    registrar: &SigningKey,
    now: u64,
) -> Result<Card, Failure> {
    let serial = hex(&random_array::<8>(&SystemRandomness));
    let key = generate_key().map_err(broken(ErrorCode::DiskFailed))?;
    let public = public_key_of(&key).map_err(broken(ErrorCode::DiskFailed))?;
    let certificate = CardCertificate {
        serial: serial.clone(),
        operator: wanted.operator.clone(),
        body: wanted.body.clone(),
        roles: vec![wanted.role as u32],
        key: public.to_vec(),
        valid_until_s: now + CARD_DAYS * DAY_S,
        signature: Vec::new(),
    };
    let certificate = certificate.signed(registrar).encode_to_vec();
    let pin = pin::drawn();
    let file = deployment
        .cards()
        .join(format!("{}.{CARD_ENDING}", wanted.name));
    let pin_file = file.with_extension(PIN_ENDING);
    let new = NewCard {
        serial: &serial,
        operator: &wanted.operator,
        certificate: &certificate,
        registrar: Some(*registrar.public().as_bytes()),
        pin_is_temporary: false,
    };
    SoftCard::issue(&file, &pin, &new, &key).map_err(broken(ErrorCode::DiskFailed))?;
    folder::write(&pin_file, pin.as_bytes())?;
    Ok(Card {
        name: wanted.name.clone(),
        node: wanted.node.clone(),
        file,
        pin_file,
        pin,
        certificate,
    })
}

const AUDITOR: &str = "auditor";

/// The organisation of the national center, as the cards of its staff name it.
const CENTER_BODY: &str = "center";

const CARD_DAYS: u64 = 2 * 365;
