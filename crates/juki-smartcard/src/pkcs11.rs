//! The card in a reader: a token behind a PKCS#11 module, with an Ed25519 key that never leaves it.
//!
//! On the token lie the private key (label `juki card key`) and the card's certificate as a data
//! object (label `juki card certificate`). A module belongs to the whole process and knows one login
//! for each token, so that whoever uses a module has it alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use juki_access::CardCertificate;
use juki_crypto::VerifyingKey;
use prost::Message as _;

use crate::operator_card::{CardError, OperatorCard, Pin};
use crate::token_pins::TokenPins;

const KEY_LABEL: &[u8] = b"juki card key";
const CERTIFICATE_LABEL: &[u8] = b"juki card certificate";
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// `edwards25519` as a printable string: the form that every module with Ed25519 takes.
const ED25519: [u8; 14] = *b"\x13\x0cedwards25519";

/// Modules that were loaded; one that is loaded stays, since it is initialised once in a process.
type Modules = BTreeMap<PathBuf, Pkcs11>;

static MODULES: Mutex<Modules> = Mutex::new(BTreeMap::new());

/// A token with an operator's key and certificate.
#[derive(Debug)]
pub struct Pkcs11Card {
    module: Pkcs11,
    slot: Slot,
    serial: String,
    operator: String,
    certificate: Vec<u8>,
    pins: TokenPins,
}

impl Pkcs11Card {
    /// Finds a token by its label and reads its certificate. `pins` is the folder of the counters of
    /// wrong PINs.
    ///
    /// # Errors
    /// [`CardError::Module`] where module or token are not there, [`CardError::Contents`] where the
    /// token is no operator's card.
    pub fn open(module: &Path, token: &str, pins: &Path) -> Result<Self, CardError> {
        let mut modules = have();
        let (module, slot) = find(&mut modules, module, token)?;
        let session = module.open_ro_session(slot).map_err(broken)?;
        let certificate = stored_certificate(&session)?;
        let decoded = CardCertificate::decode(certificate.as_slice())
            .map_err(|_| CardError::Contents("this certificate"))?;
        Ok(Self {
            pins: TokenPins::of(pins, &decoded.serial)?,
            serial: decoded.serial,
            operator: decoded.operator,
            certificate,
            module: module.clone(),
            slot,
        })
    }

    /// The card's own serial.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Whose card it is, as its certificate says.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The certificate as the token holds it: nobody has verified it.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The last unlocking that was accepted for it; empty before the first.
    ///
    /// # Errors
    /// [`CardError::Io`] or [`CardError::Damaged`] where the counter cannot be read.
    pub fn unlocking(&self) -> Result<Vec<u8>, CardError> {
        self.pins.unlocking()
    }

    /// Gives the card's tries back under an unlocking of this registrar.
    ///
    /// # Errors
    /// [`CardError::UnlockNotFitting`], or as [`Self::unlocking`].
    pub fn accept_unlocking(
        folder: &Path,
        serial: &str,
        unlocking: &[u8],
        registrar: &VerifyingKey,
    ) -> Result<(), CardError> {
        TokenPins::of(folder, serial)?.accept(unlocking, registrar)
    }

    /// Logs in to the token. No other token of any module can be used until this is dropped.
    ///
    /// # Errors
    /// [`CardError::PinWrong`], [`CardError::Locked`], [`CardError::PinForm`] (no try used),
    /// [`CardError::Module`].
    pub fn unlock(&self, pin: &str) -> Result<UnlockedToken<'_>, CardError> {
        let _form = Pin::parse(pin)?;
        let turn = have();
        let tried = self.pins.begin()?;
        let left = tried.left;
        let session = match log_in(&self.module, self.slot, pin) {
            Ok(session) => session,
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => return Err(CardError::PinWrong { left }),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => return Err(CardError::Locked),
            Err(error) => {
                tried.was_none()?;
                return Err(broken(error));
            }
        };
        tried.was_right()?;
        let key = private_key(&session)?.ok_or(CardError::Contents("no key"))?;
        Ok(UnlockedToken {
            card: self,
            session,
            key,
            _turn: turn,
        })
    }

    /// Makes the operator's key on a token that has none, and gives its public half.
    ///
    /// # Errors
    /// [`CardError::Contents`] where there is one already, [`CardError::PinWrong`] without a count,
    /// [`CardError::Module`].
    pub fn make_key(module: &Path, token: &str, pin: &str) -> Result<[u8; 32], CardError> {
        let mut modules = have();
        let (module, slot) = find(&mut modules, module, token)?;
        let session = write_session(module, slot, pin)?;
        if private_key(&session)?.is_some() {
            return Err(CardError::Contents("a second key"));
        }
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::Label(KEY_LABEL.to_vec()),
            Attribute::EcParams(ED25519.to_vec()),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Label(KEY_LABEL.to_vec()),
        ];
        let (public, _) = session
            .generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)
            .map_err(broken)?;
        let found = session.get_attributes(public, &[AttributeType::EcPoint]);
        let mut point = None;
        for attribute in found.map_err(broken)? {
            if let Attribute::EcPoint(bytes) = attribute {
                point = Some(bytes);
            }
        }
        // Modules before PKCS#11 3.0 wrap the point in an octet string.
        let point = point.unwrap_or_default();
        let point = point.strip_prefix(&[4, 32]).unwrap_or(&point);
        point
            .try_into()
            .map_err(|_| CardError::Contents("a key that is not Ed25519"))
    }

    /// Puts the card's certificate on the token, in place of an older one.
    ///
    /// # Errors
    /// As [`Self::make_key`].
    pub fn put_certificate(
        module: &Path,
        token: &str,
        pin: &str,
        certificate: &[u8],
    ) -> Result<(), CardError> {
        if certificate.len() > CERTIFICATE_BYTES_MAX {
            return Err(CardError::Contents("so long a certificate"));
        }
        let mut modules = have();
        let (module, slot) = find(&mut modules, module, token)?;
        let session = write_session(module, slot, pin)?;
        for object in session
            .find_objects(&certificate_template())
            .map_err(broken)?
        {
            session.destroy_object(object).map_err(broken)?;
        }
        let object = [
            &certificate_template()[..],
            &[
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Value(certificate.to_vec()),
            ],
        ]
        .concat();
        session.create_object(&object).map_err(broken)?;
        Ok(())
    }
}

/// A token whose PIN was right. It is logged out when this is dropped.
pub struct UnlockedToken<'a> {
    card: &'a Pkcs11Card,
    session: Session,
    key: ObjectHandle,
    _turn: MutexGuard<'static, Modules>,
}

impl OperatorCard for UnlockedToken<'_> {
    fn serial(&self) -> &str {
        &self.card.serial
    }

    fn operator(&self) -> &str {
        &self.card.operator
    }

    fn certificate(&self) -> &[u8] {
        &self.card.certificate
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], CardError> {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signature = self.session.sign(&mechanism, self.key, message);
        signature
            .map_err(broken)?
            .try_into()
            .map_err(|_| CardError::Contents("a key that is not Ed25519"))
    }
}

impl Drop for UnlockedToken<'_> {
    fn drop(&mut self) {
        // A token that went away is logged out as well.
        let _gone = self.session.logout();
    }
}

impl std::fmt::Debug for UnlockedToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnlockedToken")
            .field("serial", &self.card.serial)
            .finish_non_exhaustive()
    }
}

fn have() -> MutexGuard<'static, Modules> {
    MODULES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find<'a>(
    modules: &'a mut Modules,
    path: &Path,
    token: &str,
) -> Result<(&'a Pkcs11, Slot), CardError> {
    if !modules.contains_key(path) {
        let module = Pkcs11::new(path).map_err(broken)?;
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match module.initialize(arguments) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(broken(error)),
        }
        modules.insert(path.to_owned(), module);
    }
    let module = modules
        .get(path)
        .ok_or_else(|| CardError::Module("no module".to_owned()))?;
    for slot in module.get_slots_with_token().map_err(broken)? {
        if module
            .get_token_info(slot)
            .is_ok_and(|info| info.label().trim_end() == token)
        {
            return Ok((module, slot));
        }
    }
    Err(CardError::Module(format!("no token {token}")))
}

fn log_in(module: &Pkcs11, slot: Slot, pin: &str) -> Result<Session, Error> {
    let session = module.open_ro_session(slot)?;
    session.login(UserType::User, Some(&AuthPin::new(pin.into())))?;
    Ok(session)
}

fn write_session(module: &Pkcs11, slot: Slot, pin: &str) -> Result<Session, CardError> {
    let session = module.open_rw_session(slot).map_err(broken)?;
    session
        .login(UserType::User, Some(&AuthPin::new(pin.into())))
        .map_err(broken)?;
    Ok(session)
}

fn private_key(session: &Session) -> Result<Option<ObjectHandle>, CardError> {
    let template = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Label(KEY_LABEL.to_vec()),
    ];
    let found = session.find_objects(&template).map_err(broken)?;
    Ok(found.first().copied())
}

fn certificate_template() -> [Attribute; 2] {
    [
        Attribute::Class(ObjectClass::DATA),
        Attribute::Label(CERTIFICATE_LABEL.to_vec()),
    ]
}

fn stored_certificate(session: &Session) -> Result<Vec<u8>, CardError> {
    let missing = || CardError::Contents("no certificate");
    let found = session.find_objects(&certificate_template());
    let object = found
        .map_err(broken)?
        .first()
        .copied()
        .ok_or_else(missing)?;
    let attributes = session.get_attributes(object, &[AttributeType::Value]);
    for attribute in attributes.map_err(broken)? {
        if let Attribute::Value(bytes) = attribute
            && bytes.len() <= CERTIFICATE_BYTES_MAX
        {
            return Ok(bytes);
        }
    }
    Err(missing())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands where map_err wants a function of the error"
)]
fn broken(error: Error) -> CardError {
    CardError::Module(error.to_string())
}
