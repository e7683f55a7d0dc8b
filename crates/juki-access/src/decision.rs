//! The decision: grant, role, legal basis and date give a permit or a reason.

use std::collections::{BTreeMap, VecDeque};

use juki_crypto::{Digest, DigestStream, VerifyingKey};
use juki_domain::{CivilDate, ErrorCode, LegalBasisTable, Purpose};
use prost::Message as _;

use crate::{Authorisation, CardCertificate, CardList, Grant, Role};

/// How many verified grants are remembered, so that a session's signatures are checked once.
const REMEMBERED_MAX: usize = 1024;

/// What a request goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// The resident record code.
    Code = 1,
    /// The four items.
    Items = 2,
}

/// What is asked, as far as access is concerned.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The terminal's node, proved by its session.
    pub terminal: &'a str,
    /// The affair.
    pub affair: &'a str,
    /// What it goes by.
    pub keys: Keys,
    /// The question's bytes, which the proof covers.
    pub question: &'a [u8],
}

/// Permission to answer one request. Only [`AccessControl::decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The operator.
    pub operator: String,
    /// The card.
    pub card: String,
    /// The body.
    pub body: String,
    /// The affair.
    pub affair: String,
    /// The statute that permits it.
    pub statute: String,
    _decided: Decided,
}

/// What no other module can make, and so no other permit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decided;

/// Why a request is refused, with as much of who asked as could be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAccess {
    /// The reason.
    pub code: ErrorCode,
    /// The operator, where the card proved one.
    pub operator: String,
    /// The card.
    pub card: String,
    /// The body.
    pub body: String,
    /// From when the basis would hold, where it has a date and it has not come.
    pub starts: Option<CivilDate>,
}

/// The answering node's access control.
pub struct AccessControl {
    registrar: VerifyingKey,
    table: LegalBasisTable,
    listed: CardList,
    remembered: BTreeMap<Digest, (Grant, CardCertificate)>,
    order: VecDeque<Digest>,
}

impl AccessControl {
    /// Access control under a registrar's key and a legal-basis table.
    #[must_use]
    pub fn new(registrar: VerifyingKey, table: LegalBasisTable) -> Self {
        Self {
            registrar,
            table,
            listed: CardList::default(),
            remembered: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Refuses these cards from now on, in place of those listed before.
    pub fn install_cards(&mut self, listed: CardList) {
        self.listed = listed;
    }

    /// Decides one request.
    ///
    /// # Errors
    /// [`RefusedAccess`] with the first reason against it.
    pub fn decide(
        &mut self,
        authorisation: &Authorisation,
        asked: &Asked<'_>,
        now_ms: u64,
        date: CivilDate,
    ) -> Result<Permit, RefusedAccess> {
        let now_s = now_ms / 1000;
        let nobody = |code| RefusedAccess {
            code,
            operator: String::new(),
            card: String::new(),
            body: String::new(),
            starts: None,
        };
        if authorisation.grant.is_empty() {
            return Err(nobody(ErrorCode::GrantMissing));
        }
        let (grant, card) = self.recognise(authorisation, now_s).map_err(nobody)?;
        let refuse = |code, starts| {
            Err(RefusedAccess {
                code,
                operator: card.operator.clone(),
                card: card.serial.clone(),
                body: card.body.clone(),
                starts,
            })
        };
        if self.listed.get(&card.serial).is_some() {
            return refuse(ErrorCode::CardListed, None);
        }
        if now_s > card.valid_until_s {
            return refuse(ErrorCode::CardExpired, None);
        }
        let key = match grant.admits(asked.terminal, now_s, &authorisation.key) {
            Ok(key) => key,
            Err(error) => return refuse(error.code(), None),
        };
        if !key.fits(asked.question, &authorisation.proof) {
            return refuse(ErrorCode::RequestMacWrong, None);
        }
        if !card.has(Role::BusinessOperator) {
            return refuse(ErrorCode::RoleNotAllowed, None);
        }
        let purpose = Purpose {
            body: card.body.clone(),
            affair: asked.affair.to_owned(),
        };
        match self.table.decide(&purpose, date) {
            Ok(basis) => Ok(Permit {
                operator: card.operator.clone(),
                card: card.serial.clone(),
                body: card.body.clone(),
                affair: asked.affair.to_owned(),
                statute: basis.statute_ja.clone(),
                _decided: Decided,
            }),
            Err(refused) => {
                let starts = match refused {
                    juki_domain::RefusedPurpose::NotStarted { starts } => starts,
                    juki_domain::RefusedPurpose::NoBasis => None,
                };
                refuse(refused.code(), starts)
            }
        }
    }

    fn recognise(
        &mut self,
        authorisation: &Authorisation,
        now_s: u64,
    ) -> Result<(Grant, CardCertificate), ErrorCode> {
        let id = DigestStream::new("juki grant id")
            .with(&authorisation.signature)
            .with(&authorisation.grant)
            .with(&authorisation.certificate)
            .finish();
        if let Some(known) = self.remembered.get(&id) {
            return Ok(known.clone());
        }
        let card = CardCertificate::decode(authorisation.certificate.as_slice())
            .map_err(|_| ErrorCode::CardUnknown)?;
        let key = card
            .verify(&self.registrar, now_s)
            .map_err(crate::CardError::code)?;
        let grant = Grant::verify(&authorisation.grant, &authorisation.signature, &key)
            .map_err(|error| error.code())?;
        if self.order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.remembered.remove(&oldest);
        }
        self.order.push_back(id);
        self.remembered.insert(id, (grant.clone(), card.clone()));
        Ok((grant, card))
    }
}

#[cfg(test)]
mod tests {
    use juki_crypto::{DigestKey, SigningKey, SystemRandomness};

    use super::*;

    const TABLE: &str = "affair,body,table,body_ja,statute_ja,affair_ja,starts,starts_mark\npension,mhlw,別表第一,厚生労働省,援護法,年金,2002-09,src\nonkyu,mhlw,別表第一,厚生労働省,恩給法,恩給,2003-04,reading\n";

    struct World {
        access: AccessControl,
        card: SigningKey,
        certificate: CardCertificate,
    }

    fn world(roles: &[Role]) -> World {
        let (registrar, card) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let certificate = CardCertificate {
            serial: "C-1".into(),
            operator: "op-1".into(),
            body: "mhlw".into(),
            roles: roles.iter().map(|role| *role as u32).collect(),
            key: card.public().as_bytes().to_vec(),
            valid_until_s: 10_000,
            signature: Vec::new(),
        }
        .signed(&registrar);
        World {
            access: AccessControl::new(registrar.public(), LegalBasisTable::parse(TABLE).unwrap()),
            card,
            certificate,
        }
    }

    impl World {
        fn authorisation(&self, question: &[u8], terminal: &str) -> Authorisation {
            let key = [9; 32];
            let grant = Grant::new(terminal, 1000, 900, &key).encode_to_vec();
            Authorisation {
                signature: self.card.sign(Grant::context(), &grant).to_vec(),
                grant,
                certificate: self.certificate.encode_to_vec(),
                key: key.to_vec(),
                proof: DigestKey::new(&key).digest(question).to_vec(),
            }
        }

        fn ask(
            &mut self,
            authorisation: &Authorisation,
            affair: &str,
            now_s: u64,
            date: &str,
        ) -> Result<Permit, ErrorCode> {
            let asked = Asked {
                terminal: "agency-mhlw",
                affair,
                keys: Keys::Code,
                question: b"q",
            };
            self.access
                .decide(authorisation, &asked, now_s * 1000, date.parse().unwrap())
                .map_err(|refused| refused.code)
        }
    }

    #[test]
    fn a_lawful_request_gets_a_permit_that_names_operator_and_statute() {
        let mut world = world(&[Role::BusinessOperator]);
        let authorisation = world.authorisation(b"q", "agency-mhlw");
        let permit = world
            .ask(&authorisation, "pension", 1100, "2002-10-15")
            .unwrap();
        assert_eq!(
            (
                permit.operator.as_str(),
                permit.body.as_str(),
                permit.statute.as_str()
            ),
            ("op-1", "mhlw", "援護法")
        );
    }

    #[test]
    fn each_reason_against_a_request_is_named() {
        let mut world = world(&[Role::BusinessOperator]);
        let good = world.authorisation(b"q", "agency-mhlw");
        let other_question = world.authorisation(b"other", "agency-mhlw");
        let other_terminal = world.authorisation(b"q", "agency-other");
        let stranger = SigningKey::generate(&SystemRandomness).unwrap();
        let forged = Authorisation {
            signature: stranger.sign(Grant::context(), &good.grant).to_vec(),
            ..good.clone()
        };
        let own_card = Authorisation {
            certificate: world.certificate.clone().signed(&stranger).encode_to_vec(),
            ..good.clone()
        };
        let other_key = Authorisation {
            key: vec![8; 32],
            proof: DigestKey::new(&[8; 32]).digest(b"q").to_vec(),
            ..good.clone()
        };
        let mut refused = |authorisation: &Authorisation, affair, now_s, date, code| {
            let told = world.ask(authorisation, affair, now_s, date).unwrap_err();
            assert_eq!(told, code, "{affair} at {now_s} on {date}");
        };
        let (day, pension) = ("2002-10-15", "pension");
        let none = Authorisation::default();
        refused(&none, pension, 1100, day, ErrorCode::GrantMissing);
        refused(&good, pension, 2000, day, ErrorCode::GrantExpired);
        refused(&good, pension, 11_000, day, ErrorCode::CardExpired);
        refused(
            &good,
            pension,
            1100,
            "2002-08-15",
            ErrorCode::BasisNotStarted,
        );
        refused(&good, "onkyu", 1100, day, ErrorCode::BasisNotStarted);
        refused(&good, "gossip", 1100, day, ErrorCode::NoLegalBasis);
        refused(
            &other_question,
            pension,
            1100,
            day,
            ErrorCode::RequestMacWrong,
        );
        refused(&other_terminal, pension, 1100, day, ErrorCode::GrantMissing);
        refused(&forged, pension, 1100, day, ErrorCode::CardUnknown);
        refused(&own_card, pension, 1100, day, ErrorCode::CardUnknown);
        refused(&other_key, pension, 1100, day, ErrorCode::RequestMacWrong);
    }

    #[test]
    fn a_card_that_expires_within_its_grant_is_refused_though_it_was_remembered() {
        let mut world = world(&[Role::BusinessOperator]);
        world.certificate.valid_until_s = 1200;
        let registrar = SigningKey::generate(&SystemRandomness).unwrap();
        world.certificate = world.certificate.clone().signed(&registrar);
        world.access =
            AccessControl::new(registrar.public(), LegalBasisTable::parse(TABLE).unwrap());
        let authorisation = world.authorisation(b"q", "agency-mhlw");
        let mut ask = |now_s| {
            world
                .ask(&authorisation, "pension", now_s, "2002-10-15")
                .map(|permit| permit.operator)
        };
        assert_eq!(ask(1200), Ok("op-1".to_owned()));
        assert_eq!(ask(1201), Err(ErrorCode::CardExpired));
    }

    #[test]
    fn a_listed_card_is_refused_with_its_name_until_the_list_lets_it_go() {
        let mut world = world(&[Role::BusinessOperator]);
        let authorisation = world.authorisation(b"q", "agency-mhlw");
        let asked = Asked {
            terminal: "agency-mhlw",
            affair: "pension",
            keys: Keys::Code,
            question: b"q",
        };
        let day: CivilDate = "2002-10-15".parse().unwrap();
        let mut ask = |listed: &[&str]| {
            let mut list = CardList::default();
            for serial in listed {
                list.list(serial, crate::ListedFor::Lost, 1050).unwrap();
            }
            world.access.install_cards(list);
            world.access.decide(&authorisation, &asked, 1_100_000, day)
        };
        assert!(ask(&["C-2"]).is_ok());
        let refused = ask(&["C-1", "C-2"]).unwrap_err();
        assert_eq!(
            (
                refused.code,
                refused.card.as_str(),
                refused.operator.as_str()
            ),
            (ErrorCode::CardListed, "C-1", "op-1")
        );
        assert!(ask(&["C-2"]).is_ok());
    }

    #[test]
    fn a_system_manager_sees_no_record() {
        let mut world = world(&[Role::SystemManager]);
        let authorisation = world.authorisation(b"q", "agency-mhlw");
        assert_eq!(
            world
                .ask(&authorisation, "pension", 1100, "2002-10-15")
                .unwrap_err(),
            ErrorCode::RoleNotAllowed
        );
    }

    #[test]
    fn a_grant_longer_than_fifteen_minutes_is_refused() {
        let mut world = world(&[Role::BusinessOperator]);
        let mut authorisation = world.authorisation(b"q", "agency-mhlw");
        let long = Grant {
            until_s: 1000 + GRANT_SECONDS + 1,
            ..Grant::decode(authorisation.grant.as_slice()).unwrap()
        };
        authorisation.grant = long.encode_to_vec();
        authorisation.signature = world
            .card
            .sign(Grant::context(), &authorisation.grant)
            .to_vec();
        assert_eq!(
            world
                .ask(&authorisation, "pension", 1100, "2002-10-15")
                .unwrap_err(),
            ErrorCode::GrantMissing
        );
    }

    const GRANT_SECONDS: u64 = crate::GRANT_SECONDS_MAX;
}
