//! Log-in: the card signs a session grant.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use juki_access::{Authorisation, GRANT_SECONDS_MAX, Grant};
use juki_crypto::{SystemRandomness, random_array};
use juki_domain::ErrorCode;
use juki_smartcard::SoftCard;
use prost::Message as _;

/// Who logged in, and what goes to the asking service.
pub(crate) struct LoggedIn {
    pub(crate) operator: String,
    pub(crate) card: String,
    pub(crate) until_s: u64,
    pub(crate) authorisation: Authorisation,
}

/// Unlocks a card and lets it sign a grant for this terminal. Blocks for the PIN's key derivation.
pub(crate) fn log_in(terminal: &str, card: &Path, pin: &str) -> Result<LoggedIn, ErrorCode> {
    let card = SoftCard::open(card).map_err(|error| error.code())?;
    let unlocked = card.unlock(pin).map_err(|error| error.code())?;
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let key: [u8; 32] = random_array(&SystemRandomness);
    let grant = Grant::new(terminal, now_s, GRANT_SECONDS_MAX, &key);
    let until_s = grant.until_s;
    let grant = grant.encode_to_vec();
    let signature = unlocked.sign_in(Grant::context(), &grant).to_vec();
    let certificate = card.certificate().to_vec();
    Ok(LoggedIn {
        operator: card.operator().to_owned(),
        card: card.serial().to_owned(),
        until_s,
        authorisation: Authorisation {
            grant,
            signature,
            certificate,
            key: key.to_vec(),
            proof: Vec::new(),
        },
    })
}
