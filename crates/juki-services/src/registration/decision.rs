//! Which change a request is, with which code.

use juki_dispatch::View;
use juki_domain::{
    Change, ChangeRequest, ErrorCode, IdentityRecord, MunicipalityCode, Origin, ReasonClass,
    ResidentRecordCode,
};
use juki_registry::{Standing, StoredRecord};

use super::message::Certificate;
use super::service::Registration;
use crate::codes::CodeStock;

impl Registration {
    pub(super) fn change(
        &self,
        request: &ChangeRequest,
        before: Option<StoredRecord>,
        certificate: Option<&Certificate>,
        view: &View,
    ) -> Result<(Change, bool), ErrorCode> {
        let stands = before
            .as_ref()
            .is_some_and(|before| before.standing() == Standing::Present);
        let stock = || CodeStock::peek(view).ok_or(ErrorCode::CodeStockEmpty);
        let change = |record, previous_code, origin| Change {
            reason: request.reason,
            event_date: request.event_date,
            record,
            previous_code,
            origin,
        };
        if request.reason.class() == ReasonClass::Entry {
            if stands {
                return Err(ErrorCode::ResidentKnown);
            }
            let (code, origin, from_stock) = match (&request.certificate, before) {
                (Some(number), before) => {
                    let certificate = certificate
                        .filter(|paper| paper.number == *number)
                        .ok_or(ErrorCode::CertificateNotAtHand)?;
                    let (code, origin) = self.presented(request, certificate, before)?;
                    (code, origin, false)
                }
                // Who comes back keeps the code that was entered last (Act art. 30-2 para. 1), and the
                // origin: without it the record would seem left behind by whoever cites this town.
                (None, Some(before)) => (before.change.record.code, before.change.origin, false),
                (None, None) => (stock()?, None, true),
            };
            return Ok((change(entered(request, code)?, None, origin), from_stock));
        }
        let before = before.ok_or(ErrorCode::ResidentUnknown)?;
        if !stands {
            return Err(ErrorCode::ResidentGone);
        }
        let record = before.change.record;
        match request.reason.class() {
            ReasonClass::CodeCorrection => {
                let previous = record.code;
                Ok((
                    change(
                        IdentityRecord {
                            code: stock()?,
                            ..record
                        },
                        Some(previous),
                        before.change.origin,
                    ),
                    true,
                ))
            }
            ReasonClass::Correction => {
                let corrected = IdentityRecord {
                    code: record.code,
                    name: request.name.clone().unwrap_or(record.name),
                    birth: request.birth.unwrap_or(record.birth),
                    sex: request.sex.unwrap_or(record.sex),
                    address: request.address.clone().unwrap_or(record.address),
                };
                Ok((change(corrected, None, before.change.origin), false))
            }
            ReasonClass::Deletion | ReasonClass::Entry => {
                Ok((change(record, None, before.change.origin), false))
            }
        }
    }

    /// What the clerk does with the paper: compares the person and takes over the code.
    fn presented(
        &self,
        request: &ChangeRequest,
        paper: &Certificate,
        before: Option<StoredRecord>,
    ) -> Result<(ResidentRecordCode, Option<Origin>), ErrorCode> {
        let same_person = request
            .birth
            .is_some_and(|birth| birth.number() == paper.birth)
            && request.sex.is_some_and(|sex| sex as u32 == paper.sex);
        let for_here = paper.destination == 0 || paper.destination == self.municipality.number();
        let from_there = request
            .counterpart
            .is_none_or(|counterpart| counterpart.number() == paper.municipality);
        if !(same_person && for_here && from_there) {
            return Err(ErrorCode::CertificateNotAtHand);
        }
        let municipality =
            MunicipalityCode::from_number(paper.municipality).map_err(|error| error.code())?;
        let code = paper
            .code
            .parse()
            .map_err(|error: juki_domain::CodeError| error.code())?;
        // Who moves back in without having lived elsewhere came from where they came from before.
        let origin = if municipality == self.municipality {
            before.and_then(|before| before.change.origin)
        } else {
            Some(Origin { municipality })
        };
        Ok((code, origin))
    }

    pub(super) fn certificate_of(
        &self,
        request: &ChangeRequest,
        entry: &Change,
    ) -> Option<Certificate> {
        Some(Certificate {
            number: request.certificate.clone()?,
            municipality: self.municipality.number(),
            destination: request.counterpart.map_or(0, MunicipalityCode::number),
            code: entry.record.code.reveal().to_owned(),
            birth: entry.record.birth.number(),
            sex: entry.record.sex as u32,
        })
    }
}

fn entered(request: &ChangeRequest, code: ResidentRecordCode) -> Result<IdentityRecord, ErrorCode> {
    let missing = ErrorCode::ItemMissing;
    Ok(IdentityRecord {
        code,
        name: request.name.clone().ok_or(missing)?,
        birth: request.birth.ok_or(missing)?,
        sex: request.sex.ok_or(missing)?,
        address: request.address.clone().ok_or(missing)?,
    })
}
