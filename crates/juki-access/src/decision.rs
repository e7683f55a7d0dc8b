//! The decision: grant, role, rates, legal basis and date give a permit or a reason.

use juki_crypto::VerifyingKey;
use juki_domain::{
    CivilDate, ErrorCode, LegalBasis, LegalBasisTable, Purpose, RecordItems, RefusedPurpose,
};

use crate::rates::{Bound, BoundOf, RateReached, Rates};
use crate::recognise::{Recogniser, Session};
use crate::{AccessRates, Authorisation, CardList, Role};

/// What a request goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// The resident record code.
    Code = 1,
    /// The four items.
    Items = 2,
    /// Fewer than the four items, or a name by its beginning.
    Fuzzy = 3,
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
    /// The items that may be shown, and no others.
    pub items: RecordItems,
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
    /// After how many milliseconds to ask again, where a rate is reached.
    pub ask_again_ms: Option<u64>,
    /// Whether any number of requests may be refused like this: no rate bounds them.
    pub unbounded: bool,
}

/// A legal-basis table with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasisInForce {
    /// The number of the notice that brought it.
    pub number: u64,
    /// Its rows, as far as they concern this node.
    pub table: LegalBasisTable,
}

/// The answering node's access control.
pub struct AccessControl {
    recogniser: Recogniser,
    listed: CardList,
    lacks_list: bool,
    basis: Option<BasisInForce>,
    overall: AccessRates,
    rates: Rates,
}

impl AccessControl {
    /// Access control under a registrar's key. It refuses everybody until a table is in force.
    #[must_use]
    pub fn new(registrar: VerifyingKey, overall: AccessRates) -> Self {
        Self {
            recogniser: Recogniser::new(registrar),
            listed: CardList::default(),
            lacks_list: false,
            basis: None,
            overall,
            rates: Rates::default(),
        }
    }

    /// Takes a table in force in place of the one before.
    pub fn take_in_force(&mut self, basis: BasisInForce) {
        self.basis = Some(basis);
    }

    /// Refuses these cards from now on, in place of those listed before.
    pub fn install_cards(&mut self, listed: CardList) {
        self.listed = listed;
        self.lacks_list = false;
    }

    /// Refuses everybody until cards are listed again: the node went by a list that it has lost.
    pub fn await_cards(&mut self) {
        self.lacks_list = true;
    }

    /// The same access control with a table in force.
    #[must_use]
    pub fn with_basis(mut self, number: u64, table: LegalBasisTable) -> Self {
        self.take_in_force(BasisInForce { number, table });
        self
    }

    /// The number of the table in force; 0 where there is none.
    #[must_use]
    pub fn basis_number(&self) -> u64 {
        self.basis.as_ref().map_or(0, |basis| basis.number)
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
        if authorisation.grant.is_empty() {
            return Err(RefusedAccess::of_nobody(ErrorCode::GrantMissing));
        }
        let session = self
            .recogniser
            .recognise(authorisation, now_s)
            .map_err(RefusedAccess::of_nobody)?;
        let unproved = |code| RefusedAccess {
            unbounded: true,
            ..RefusedAccess::of(&session, code)
        };
        if self.lacks_list {
            return Err(unproved(ErrorCode::CardListMissing));
        }
        if self.listed.get(&session.card.serial).is_some() {
            return Err(unproved(ErrorCode::CardListed));
        }
        if now_s > session.card.valid_until_s {
            return Err(unproved(ErrorCode::CardExpired));
        }
        let key = session
            .grant
            .admits(asked.terminal, now_s, &authorisation.key)
            .map_err(|error| unproved(error.code()))?;
        if !key.fits(asked.question, &authorisation.proof) {
            return Err(unproved(ErrorCode::RequestMacWrong));
        }
        // From here on it is proved who asks, and every question counts, refused or not.
        self.rates
            .admit(&overall(&session, self.overall), now_ms)
            .map_err(|reached| RefusedAccess::by_rate(&session, reached))?;
        let refuse = |code| RefusedAccess::of(&session, code);
        if !session.card.has(Role::BusinessOperator) {
            return Err(refuse(ErrorCode::RoleNotAllowed));
        }
        let purpose = Purpose {
            body: &session.card.body,
            affair: asked.affair,
        };
        let basis = self
            .basis
            .as_ref()
            .ok_or_else(|| refuse(ErrorCode::BasisNotInForce))?;
        let row = basis
            .table
            .decide(purpose, date)
            .map_err(|refused| RefusedAccess {
                starts: match refused {
                    RefusedPurpose::NotStarted { starts } => starts,
                    RefusedPurpose::NoBasis => None,
                },
                ..refuse(refused.code())
            })?;
        match asked.keys {
            Keys::Code if !row.keys.code() => return Err(refuse(ErrorCode::KeysNotPermitted)),
            Keys::Items if !row.keys.items() => return Err(refuse(ErrorCode::KeysNotPermitted)),
            Keys::Fuzzy if !row.fuzzy => return Err(refuse(ErrorCode::FuzzyNotPermitted)),
            Keys::Code | Keys::Items | Keys::Fuzzy => {}
        }
        admit_for_affair(&mut self.rates, &session, row, now_ms)
            .map_err(|reached| RefusedAccess::by_rate(&session, reached))?;
        Ok(Permit {
            operator: session.card.operator.clone(),
            card: session.card.serial.clone(),
            body: row.body.clone(),
            affair: row.affair.clone(),
            statute: row.statute_ja.clone(),
            items: row.items,
            _decided: Decided,
        })
    }
}

impl RefusedAccess {
    fn of_nobody(code: ErrorCode) -> Self {
        Self {
            code,
            operator: String::new(),
            card: String::new(),
            body: String::new(),
            starts: None,
            ask_again_ms: None,
            unbounded: true,
        }
    }

    fn of(session: &Session, code: ErrorCode) -> Self {
        Self {
            operator: session.card.operator.clone(),
            card: session.card.serial.clone(),
            body: session.card.body.clone(),
            unbounded: false,
            ..Self::of_nobody(code)
        }
    }

    fn by_rate(session: &Session, reached: RateReached) -> Self {
        Self {
            ask_again_ms: Some(reached.ask_again_ms),
            unbounded: true,
            ..Self::of(session, reached.code())
        }
    }
}

fn overall(session: &Session, rates: AccessRates) -> [Bound<'_>; 2] {
    [
        Bound {
            subject: &session.operator_subject,
            of: BoundOf::Operator,
            per_min: rates.operator_per_min,
        },
        Bound {
            subject: &session.card.body,
            of: BoundOf::Body,
            per_min: rates.body_per_min,
        },
    ]
}

/// The bounds of the row itself, for those rows that have any.
fn admit_for_affair(
    rates: &mut Rates,
    session: &Session,
    row: &LegalBasis,
    now_ms: u64,
) -> Result<(), RateReached> {
    // Ids hold no slash, so that no two of these are the same.
    let own = [
        (
            row.operator_per_min,
            BoundOf::Operator,
            &session.operator_subject,
        ),
        (row.body_per_min, BoundOf::Body, &session.card.body),
    ];
    let own = own
        .into_iter()
        .filter_map(|(rate, of, who)| Some((rate?, of, format!("{}//{who}", row.affair))));
    let own: Vec<_> = own.collect();
    if own.is_empty() {
        return Ok(());
    }
    let bounds: Vec<Bound<'_>> = own
        .iter()
        .map(|(per_min, of, subject)| Bound {
            subject,
            of: *of,
            per_min: *per_min,
        })
        .collect();
    rates.admit(&bounds, now_ms)
}

#[cfg(test)]
mod tests;
