//! What a revocation list says.

use x509_parser::revocation_list::CertificateRevocationList;

use crate::PkiError;
use crate::authority::BACKDATE_S;
use crate::certificate::{parse as parse_certificate, trimmed};

/// Longest revocation list in bytes, some 6,000 serials: it must fit one control message.
pub const REVOCATION_LIST_BYTES_MAX: usize = 240 * 1024;

/// A revocation list as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Its number; a higher one is newer.
    pub number: u64,
    /// Unix second at which it was issued.
    pub issued: u64,
    /// Unix second by which the next list is due.
    pub next_update: u64,
    /// Revoked serials without leading zeros, sorted.
    pub serials: Vec<Vec<u8>>,
}

impl RevocationList {
    /// Reads a list (DER) without judging its signature.
    ///
    /// # Errors
    /// [`PkiError::RevocationList`] where the bytes are none, or lack number or next update.
    pub fn read(der: &[u8]) -> Result<Self, PkiError> {
        Self::from_parsed(&parse(der)?)
    }

    /// Whether this serial is revoked.
    #[must_use]
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.serials.binary_search(&trimmed(serial)).is_ok()
    }

    fn from_parsed(list: &CertificateRevocationList<'_>) -> Result<Self, PkiError> {
        let number = list
            .crl_number()
            .and_then(|number| u64::try_from(number).ok());
        let next_update = list
            .next_update()
            .and_then(|time| u64::try_from(time.timestamp()).ok());
        // A list begins early, as certificates do.
        let issued = u64::try_from(list.last_update().timestamp())
            .unwrap_or(0)
            .saturating_add(BACKDATE_S);
        let mut serials: Vec<_> = list
            .iter_revoked_certificates()
            .map(|entry| trimmed(entry.raw_serial()))
            .collect();
        serials.sort();
        match (number, next_update) {
            (Some(number), Some(next_update)) => Ok(Self {
                number,
                issued,
                next_update,
                serials,
            }),
            (None, _) | (_, None) => Err(PkiError::RevocationList),
        }
    }
}

/// The number of a list (DER).
///
/// # Errors
/// As [`RevocationList::read`].
pub fn crl_number(der: &[u8]) -> Result<u64, PkiError> {
    RevocationList::read(der).map(|list| list.number)
}

/// The Unix second by which the list after this one (DER) is due.
///
/// # Errors
/// As [`RevocationList::read`].
pub fn crl_next_update(der: &[u8]) -> Result<u64, PkiError> {
    RevocationList::read(der).map(|list| list.next_update)
}

/// The revoked serials of a list (DER), without leading zeros, sorted.
///
/// # Errors
/// As [`RevocationList::read`].
pub fn crl_serials(der: &[u8]) -> Result<Vec<Vec<u8>>, PkiError> {
    RevocationList::read(der).map(|list| list.serials)
}

/// Reads a list (DER) and verifies that the issuing authority signed it.
///
/// # Errors
/// [`PkiError::RevocationList`], [`PkiError::Certificate`] for the issuing certificate, or
/// [`PkiError::Signature`].
pub fn verify_crl(der: &[u8], issuing_certificate: &[u8]) -> Result<RevocationList, PkiError> {
    let list = parse(der)?;
    let issuing = parse_certificate(issuing_certificate)?;
    if list.issuer().as_raw() != issuing.subject().as_raw() {
        return Err(PkiError::Signature);
    }
    // One list has one form: two byte strings with the same signature must not both pass, and the
    // parser looks at the signature's own header less closely than that.
    if !ends_in_signature(der) {
        return Err(PkiError::Signature);
    }
    list.verify_signature(issuing.public_key())
        .map_err(|_| PkiError::Signature)?;
    RevocationList::from_parsed(&list)
}

/// Whether a signed document (DER) ends in an Ed25519 signature in the one form that it has.
pub(crate) fn ends_in_signature(der: &[u8]) -> bool {
    der.split_last_chunk::<SIGNATURE_LEN>()
        .is_some_and(|(signed, _)| signed.ends_with(ED25519_SIGNATURE))
}

fn parse(der: &[u8]) -> Result<CertificateRevocationList<'_>, PkiError> {
    if der.len() > REVOCATION_LIST_BYTES_MAX {
        return Err(PkiError::RevocationList);
    }
    match x509_parser::parse_x509_crl(der) {
        Ok(([], list)) => Ok(list),
        Ok(_) | Err(_) => Err(PkiError::RevocationList),
    }
}

const SIGNATURE_LEN: usize = 64;
/// Algorithm Ed25519 and the header of a bit string of 64 bytes (RFC 8410).
const ED25519_SIGNATURE: &[u8] = &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x41, 0];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Authority, generate_key};

    const NOW: u64 = 1_790_000_000;

    fn issuing() -> Authority {
        let root = Authority::root("demo", &generate_key().unwrap(), NOW, NOW + 1_000_000).unwrap();
        root.issuing("demo", &generate_key().unwrap(), NOW, NOW + 1_000_000)
            .unwrap()
    }

    #[test]
    fn a_list_says_number_due_time_and_serials() {
        let issuing = issuing();
        let der = issuing
            .revocation_list(
                7,
                &[(vec![9, 9], NOW), (vec![0x80, 1], NOW)],
                NOW,
                NOW + 86_400,
            )
            .unwrap();
        let list = verify_crl(&der, issuing.certificate()).unwrap();
        assert_eq!(list.serials, [vec![9, 9], vec![0x80, 1]]);
        assert_eq!((list.issued, list.next_update), (NOW, NOW + 86_400));
        assert_eq!(
            (crl_number(&der).unwrap(), crl_next_update(&der).unwrap()),
            (7, NOW + 86_400)
        );
        assert!(list.revokes(&[0, 0x80, 1]) && list.revokes(&[9, 9]) && !list.revokes(&[9]));
        assert_eq!(
            crl_serials(
                &issuing
                    .revocation_list(u64::MAX, &[], NOW, NOW + 1)
                    .unwrap()
            )
            .unwrap(),
            Vec::<Vec<u8>>::new()
        );
        assert_eq!(
            crl_number(
                &issuing
                    .revocation_list(u64::MAX, &[], NOW, NOW + 1)
                    .unwrap()
            )
            .unwrap(),
            u64::MAX
        );
    }

    #[test]
    fn a_list_of_another_authority_is_refused() {
        let (ours, others) = (issuing(), issuing());
        let der = others.revocation_list(7, &[], NOW, NOW + 60).unwrap();
        assert!(matches!(
            verify_crl(&der, ours.certificate()),
            Err(PkiError::Signature)
        ));
    }

    #[test]
    fn an_altered_list_is_refused() {
        let issuing = issuing();
        let der = issuing
            .revocation_list(7, &[(vec![1; 16], NOW)], NOW, NOW + 60)
            .unwrap();
        for place in 0..der.len() {
            let mut altered = der.clone();
            altered[place] ^= 1;
            assert!(
                verify_crl(&altered, issuing.certificate()).is_err(),
                "byte {place}"
            );
        }
    }

    #[test]
    fn a_list_that_no_message_could_carry_is_not_made() {
        let revoked: Vec<_> = (0..8_000u32)
            .map(|n| ([&[0x40; 12], n.to_be_bytes().as_slice()].concat(), NOW))
            .collect();
        let issuing = issuing();
        assert!(matches!(
            issuing.revocation_list(1, &revoked, NOW, NOW + 60),
            Err(PkiError::RevocationList)
        ));
        assert!(
            issuing
                .revocation_list(1, &revoked[..6_000], NOW, NOW + 60)
                .is_ok()
        );
        assert!(matches!(
            issuing.revocation_list(1, &[(vec![1; 21], NOW)], NOW, NOW + 60),
            Err(PkiError::RevocationList)
        ));
        assert!(matches!(
            issuing.revocation_list(1, &[], NOW, NOW),
            Err(PkiError::Time)
        ));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(RevocationList::read(&bytes).is_err());
        }
    }
}
