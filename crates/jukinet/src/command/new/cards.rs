//! Operators' cards of a new deployment: one for each agency's terminal.

use std::path::PathBuf;

use juki_access::{CardCertificate, Role};
use juki_crypto::{Randomness as _, SigningKey, SystemRandomness, random_array};
use juki_domain::{ErrorCode, NodeRole};
use juki_pki::{generate_key, public_key_of};
use juki_smartcard::SoftCard;
use juki_topology::NodeConfig;
use prost::Message as _;

use super::keys::hex;
use super::{broken, folder};
use crate::command::operator::{CARD_ENDING, PIN_ENDING};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::Failure;
use crate::local_time::DAY_S;

/// A card that was just made.
pub(super) struct Card {
    /// The terminal it is for.
    pub(super) agency: String,
    /// The card file.
    pub(super) file: PathBuf,
    /// The file with its PIN.
    pub(super) pin_file: PathBuf,
    /// The PIN.
    pub(super) pin: String,
}

/// Writes a card and its PIN for every agency's terminal.
pub(super) fn write(
    deployment: &Deployment,
    nodes: &[(NodePlace, NodeConfig)],
    registrar: &SigningKey,
    now: u64,
) -> Result<Vec<Card>, Failure> {
    let agencies = nodes
        .iter()
        .filter(|(_, config)| config.node.role == NodeRole::AgencyTerminal);
    agencies
        .map(|(place, config)| write_one(deployment, place, config, registrar, now))
        .collect()
}

fn write_one(
    deployment: &Deployment,
    place: &NodePlace,
    config: &NodeConfig,
    registrar: &SigningKey,
    now: u64,
) -> Result<Card, Failure> {
    let body = config.node.body.clone().unwrap_or_default();
    let operator = format!("{body}-1");
    let serial = hex(&random_array::<8>(&SystemRandomness));
    let key = generate_key().map_err(broken(ErrorCode::DiskFailed))?;
    let public = public_key_of(&key).map_err(broken(ErrorCode::DiskFailed))?;
    let certificate = CardCertificate {
        serial: serial.clone(),
        operator: operator.clone(),
        body,
        roles: vec![Role::BusinessOperator as u32],
        key: public.to_vec(),
        valid_until_s: now + CARD_DAYS * DAY_S,
        signature: Vec::new(),
    };
    let certificate = certificate.signed(registrar).encode_to_vec();
    let pin = new_pin();
    let file = deployment
        .cards()
        .join(format!("{}.{CARD_ENDING}", place.name));
    let pin_file = file.with_extension(PIN_ENDING);
    SoftCard::create(&file, &pin, &serial, &operator, &certificate, &key)
        .map_err(broken(ErrorCode::DiskFailed))?;
    folder::write(&pin_file, pin.as_bytes())?;
    Ok(Card {
        agency: place.name.to_string(),
        file,
        pin_file,
        pin,
    })
}

/// Six random digits, each as likely as any other.
fn new_pin() -> String {
    let mut pin = String::new();
    while pin.len() < PIN_DIGITS {
        let mut byte = [0; 1];
        SystemRandomness.fill(&mut byte);
        let [byte] = byte;
        // 250 is the largest multiple of ten that a byte holds: above it, some digits would come more often.
        if byte < 250 {
            pin.push(char::from(b'0' + byte % 10));
        }
    }
    pin
}

const CARD_DAYS: u64 = 2 * 365;
const PIN_DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_six_digits_and_is_drawn_anew() {
        let pins: std::collections::BTreeSet<String> = (0..50).map(|_| new_pin()).collect();
        assert!(
            pins.iter()
                .all(|pin| pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()))
        );
        assert!(pins.len() > 45);
    }
}
