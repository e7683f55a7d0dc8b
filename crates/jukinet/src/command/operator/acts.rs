//! What is done with cards: a manager's card signs it, the registrar at the national center does it.

use std::path::{Path, PathBuf};

use juki_access::{Role, SignedAct};
use juki_admin::AdminClient;
use juki_crypto::{SystemRandomness, random_array};
use juki_domain::{ErrorCode, NodeRole};
use juki_services::cards::{ACT_SUBJECT, ActKind, CardAct};
use juki_smartcard::{NewCard, Pkcs11Card, SoftCard, UnlockedCard};
use prost::Message as _;
use serde_json::{Value, json};

use super::pin::{drawn, pin_of, refused, token_pin_of};
use super::{CARD_ENDING, PIN_ENDING, card_file};
use crate::cli::{ByArgs, CardArgs, EnrolArgs, RevokeCardArgs};
use crate::command::new::folder;
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::hexadecimal::hex;
use crate::local_time::unix_now_ms;
use crate::screen::Screen;
use crate::text::operators as text;

/// Makes a card: a file with a temporary PIN, or a key and certificate on a token.
pub(super) async fn enrol(args: &EnrolArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    match (&args.pkcs11, &args.token) {
        (Some(module), Some(token)) => {
            enrol_token(&deployment, args, (module, token), screen).await
        }
        (_, _) => enrol_file(&deployment, args, screen).await,
    }
}

async fn enrol_file(deployment: &Deployment, args: &EnrolArgs, screen: Screen) -> Ending {
    let name = args.name.as_deref().unwrap_or(&args.operator);
    let file = new_card_file(deployment, name)?;
    let broken = |error: juki_pki::PkiError| Failure::new(error.code(), error.to_string());
    let key = juki_pki::generate_key().map_err(broken)?;
    let public = juki_pki::public_key_of(&key).map_err(broken)?;
    let done = registered(deployment, args, &public, screen).await?;
    let certificate = member(&done, "certificate")?;
    let serial = done.get("card").and_then(Value::as_str).unwrap_or_default();
    let new = NewCard {
        serial,
        operator: &args.operator,
        certificate: &certificate,
        registrar: Some(registrar_key(deployment)?),
        pin_is_temporary: true,
    };
    let pin = drawn();
    SoftCard::issue(&file, &pin, &new, &key)
        .map_err(|error| refused(&error, &file, screen.lang))?;
    let pin_file = file.with_extension(PIN_ENDING);
    folder::write(&pin_file, pin.as_bytes())?;
    let lang = screen.lang;
    screen.line(text::enrolled(lang, serial, &file.display().to_string()));
    screen.line(text::temporary_pin(lang, &pin));
    let dir = args.dir.display().to_string();
    screen.line(text::lend_next(lang, &dir, name));
    let mut document = done;
    if let Some(members) = document.as_object_mut() {
        members.insert("file".to_owned(), json!(file));
        members.insert("pin_file".to_owned(), json!(pin_file));
    }
    screen.document(&document)?;
    Ok(Outcome::Held)
}

async fn enrol_token(
    deployment: &Deployment,
    args: &EnrolArgs,
    (module, token): (&Path, &str),
    screen: Screen,
) -> Ending {
    let pin = token_pin_of(args.token_pin_file.as_deref(), screen.lang)?;
    let broken = |error| refused(&error, module, screen.lang);
    let public = Pkcs11Card::make_key(module, token, &pin).map_err(broken)?;
    let done = registered(deployment, args, &public, screen).await?;
    let certificate = member(&done, "certificate")?;
    Pkcs11Card::put_certificate(module, token, &pin, &certificate).map_err(broken)?;
    let serial = done.get("card").and_then(Value::as_str).unwrap_or_default();
    screen.line(text::enrolled_on(screen.lang, serial, token));
    screen.document(&done)?;
    Ok(Outcome::Held)
}

/// Has the registrar enrol a key.
async fn registered(
    deployment: &Deployment,
    args: &EnrolArgs,
    public: &[u8],
    screen: Screen,
) -> Result<Value, Failure> {
    let act = CardAct {
        kind: ActKind::Enrol as u32,
        operator: args.operator.clone(),
        body: args.body.clone(),
        roles: args.role.iter().map(|role| *role as u32).collect(),
        key: public.to_vec(),
        days: args.days,
        ..CardAct::default()
    };
    let is_of_trust = args.role.iter().any(|role| role.is_of_trust());
    signed(deployment, &args.by, is_of_trust, &act, screen).await
}

/// Lends, takes back, reports as lost, inspects.
pub(super) async fn act(kind: ActKind, args: &CardArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let done = on_card(&deployment, CardAct::default(), kind, args, screen).await?;
    tell(&done, screen)
}

/// Withdraws or suspends.
pub(super) async fn revoke(args: &RevokeCardArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.card.dir)?;
    let act = CardAct {
        reason: args.reason.listed_for() as u32,
        ..CardAct::default()
    };
    let done = on_card(&deployment, act, ActKind::Revoke, &args.card, screen).await?;
    tell(&done, screen)
}

/// Has the registrar sign an unlocking, and gives it to the card where its file is here, else to the
/// terminals, which count the wrong PINs of tokens.
pub(super) async fn unlock(args: &CardArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let act = CardAct::default();
    let done = on_card(&deployment, act, ActKind::Unlock, args, screen).await?;
    if let Ok(file) = card_file(&deployment, &args.card, screen.lang) {
        let broken = |error| refused(&error, &file, screen.lang);
        let unlocking = member(&done, "unlocking")?;
        let card = SoftCard::open(&file).map_err(broken)?;
        card.accept_unlocking(&unlocking).map_err(broken)?;
    } else {
        let own = |name: &str| done.get(name).cloned().unwrap_or_default();
        let body = json!({"card": own("card"), "unlocking": own("unlocking")});
        let places = deployment.places().into_iter();
        for terminal in places.filter(|place| place.role == NodeRole::AgencyTerminal) {
            let client = AdminClient::new(terminal.admin_socket()).with_lang(screen.lang);
            // A terminal that does not run, or never saw the card, has nothing to unlock.
            let _told: Result<Value, _> = client.post_json("/operator/unlock", &body).await;
        }
    }
    tell(&done, screen)
}

fn tell(done: &Value, screen: Screen) -> Ending {
    let own = |name: &str| done.get(name).and_then(Value::as_str).unwrap_or_default();
    let state = text::state(screen.lang, own("state"));
    screen.line(text::card_is(
        screen.lang,
        own("card"),
        own("operator"),
        &state,
    ));
    screen.document(done)?;
    Ok(Outcome::Held)
}

async fn on_card(
    deployment: &Deployment,
    act: CardAct,
    kind: ActKind,
    args: &CardArgs,
    screen: Screen,
) -> Result<Value, Failure> {
    let (serial, is_of_trust) = match card_file(deployment, &args.card, screen.lang) {
        Ok(file) => {
            let card =
                SoftCard::open(&file).map_err(|error| refused(&error, &file, screen.lang))?;
            let certificate = juki_access::CardCertificate::decode(card.certificate()).ok();
            let manages = |role: &u32| Role::from_number(*role).is_some_and(Role::is_of_trust);
            let is_of_trust = certificate.is_some_and(|card| card.roles.iter().any(manages));
            (card.serial().to_owned(), is_of_trust)
        }
        // A card that is gone, or lies on another machine, is named by its serial.
        Err(failure) if !is_serial(&args.card) => return Err(failure),
        Err(_) => (args.card.clone(), false),
    };
    let act = CardAct {
        kind: kind as u32,
        serial,
        note: args.note.clone(),
        ..act
    };
    signed(deployment, &args.by, is_of_trust, &act, screen).await
}

/// Lets the acting card sign and the national center do it.
async fn signed(
    deployment: &Deployment,
    by: &ByArgs,
    is_of_trust: bool,
    act: &CardAct,
    screen: Screen,
) -> Result<Value, Failure> {
    let usual = if is_of_trust {
        SYSTEM_MANAGER
    } else {
        CARD_MANAGER
    };
    let act = sign(
        deployment,
        by,
        usual,
        (ACT_SUBJECT, act.encode_to_vec()),
        screen,
    )?;
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let client = AdminClient::new(center.admin_socket()).with_lang(screen.lang);
    Ok(client
        .post_json("/cards/act", &json!({ "act": act }))
        .await?)
}

/// Lets a card sign an act: the named one, else the usual one. Hexadecimal digits.
pub(crate) fn sign(
    deployment: &Deployment,
    by: &ByArgs,
    usual: &str,
    act: (&str, Vec<u8>),
    screen: Screen,
) -> Result<String, Failure> {
    Signer::unlock(deployment, by, usual, screen).map(|signer| signer.sign(act))
}

/// A card that was unlocked for more than one act.
pub(crate) struct Signer(UnlockedCard);

impl Signer {
    /// Unlocks the named card, else the usual one.
    pub(crate) fn unlock(
        deployment: &Deployment,
        by: &ByArgs,
        usual: &str,
        screen: Screen,
    ) -> Result<Self, Failure> {
        let file = card_file(deployment, by.by.as_deref().unwrap_or(usual), screen.lang)?;
        let pin = pin_of(by.by_pin_file.as_deref(), &file, screen.lang)?;
        SoftCard::open(&file)
            .and_then(|card| card.unlock(&pin))
            .map(Self)
            .map_err(|error| refused(&error, &file, screen.lang))
    }

    /// Signs an act of a subject. Hexadecimal digits.
    pub(crate) fn sign(&self, (subject, act): (&str, Vec<u8>)) -> String {
        let card = &self.0;
        let unsigned = SignedAct::unsigned(
            subject,
            act,
            unix_now_ms(),
            random_array(&SystemRandomness),
            card.certificate(),
        );
        let signature = card.sign_in(SignedAct::context(), &unsigned.covered());
        hex(&unsigned.with_signature(signature).encode_to_vec())
    }
}

fn new_card_file(deployment: &Deployment, name: &str) -> Result<PathBuf, Failure> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !fits {
        return Err(Failure::new(ErrorCode::ValueInvalid, name.to_owned()));
    }
    let file = deployment.cards().join(format!("{name}.{CARD_ENDING}"));
    if Path::new(&file).exists() {
        return Err(Failure::new(
            ErrorCode::CardStateWrong,
            file.display().to_string(),
        ));
    }
    Ok(file)
}

/// The registrar's public key, from the authorities' certificates.
fn registrar_key(deployment: &Deployment) -> Result<[u8; 32], Failure> {
    let file = deployment.pki().join("issuing.crt");
    let broken = |error: juki_pki::PkiError| {
        Failure::new(error.code(), format!("{}: {error}", file.display()))
    };
    let chain = juki_pki::read_certificates(&file).map_err(broken)?;
    juki_pki::authority_key(chain.first().map_or(&[][..], Vec::as_slice)).map_err(broken)
}

fn member(done: &Value, name: &str) -> Result<Vec<u8>, Failure> {
    let text = done.get(name).and_then(Value::as_str).unwrap_or_default();
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| Failure::new(ErrorCode::FrameGarbage, name.to_owned()))
}

fn is_serial(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names of the managers' cards that a new deployment has.
pub(crate) const CARD_MANAGER: &str = "card-manager";
pub(crate) const SYSTEM_MANAGER: &str = "system-manager";
