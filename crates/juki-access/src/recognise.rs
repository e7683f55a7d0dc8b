//! Recognising an operator's session by the authorisation that a request carries.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use juki_crypto::{Digest, DigestStream, VerifyingKey};
use juki_domain::ErrorCode;
use prost::Message as _;

use crate::{Authorisation, CardCertificate, CardError, Grant};

/// A session whose signatures were verified.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) grant: Grant,
    pub(crate) card: CardCertificate,
    /// Body and operator, by which questions are counted.
    pub(crate) operator_subject: String,
}

/// Verifies signatures of cards and grants, each session's once.
pub(crate) struct Recogniser {
    registrar: VerifyingKey,
    remembered: BTreeMap<Digest, Arc<Session>>,
    order: VecDeque<Digest>,
}

impl Recogniser {
    pub(crate) fn new(registrar: VerifyingKey) -> Self {
        Self {
            registrar,
            remembered: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The session of an authorisation. Whether card and grant are valid now, only a session that
    /// was not known before is asked here.
    pub(crate) fn recognise(
        &mut self,
        authorisation: &Authorisation,
        now_s: u64,
    ) -> Result<Arc<Session>, ErrorCode> {
        let id = DigestStream::new("juki grant id")
            .with(&authorisation.signature)
            .with(&authorisation.grant)
            .with(&authorisation.certificate)
            .finish();
        if let Some(known) = self.remembered.get(&id) {
            return Ok(Arc::clone(known));
        }
        let card = CardCertificate::decode(authorisation.certificate.as_slice())
            .map_err(|_| ErrorCode::CardUnknown)?;
        let key = card
            .verify(&self.registrar, now_s)
            .map_err(CardError::code)?;
        let grant = Grant::verify(&authorisation.grant, &authorisation.signature, &key)
            .map_err(|error| error.code())?;
        if self.order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.remembered.remove(&oldest);
        }
        let session = Arc::new(Session {
            operator_subject: format!("{}/{}", card.body, card.operator),
            grant,
            card,
        });
        self.order.push_back(id);
        self.remembered.insert(id, Arc::clone(&session));
        Ok(session)
    }
}

/// How many sessions are remembered.
const REMEMBERED_MAX: usize = 1024;
