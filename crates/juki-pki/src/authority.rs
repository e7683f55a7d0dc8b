//! The authorities that sign certificates and revocation lists.

use juki_domain::NodeId;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

use crate::certificate::{authority_key, check_label, node_dns_name};
use crate::key::public_key_of;
use crate::revocation::REVOCATION_LIST_BYTES_MAX;
use crate::{CERTIFICATE_BYTES_MAX, PkiError};

/// How far certificates begin before the time they are issued at, in seconds: clocks differ.
pub const BACKDATE_S: u64 = 300;

/// A certificate with its key that may sign others: the root or the issuing authority.
pub struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new root that signs itself.
    ///
    /// # Errors
    /// [`PkiError::Name`], [`PkiError::Key`] or [`PkiError::Time`].
    pub fn root(
        network: &str,
        pkcs8: &[u8],
        not_before: u64,
        not_after: u64,
    ) -> Result<Self, PkiError> {
        let params = authority_params(network, "root authority", 1, not_before, not_after)?;
        let key = key_pair(pkcs8)?;
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// A new issuing authority, signed by this root.
    ///
    /// # Errors
    /// [`PkiError::Name`], [`PkiError::Key`] or [`PkiError::Time`].
    pub fn issuing(
        &self,
        network: &str,
        pkcs8: &[u8],
        not_before: u64,
        not_after: u64,
    ) -> Result<Self, PkiError> {
        let params = authority_params(network, ISSUING, 0, not_before, not_after)?;
        let key = key_pair(pkcs8)?;
        let certificate = params.signed_by(&key, &self.issuer)?.der().to_vec();
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// A certificate (DER) under this root for an issuing authority that has another root's already:
    /// the same name and the same key, so that what it signs is believed under either root.
    ///
    /// # Errors
    /// [`PkiError::Name`], [`PkiError::Key`] or [`PkiError::Time`].
    pub fn certify_issuing(
        &self,
        network: &str,
        public_key: &[u8],
        not_before: u64,
        not_after: u64,
    ) -> Result<Vec<u8>, PkiError> {
        let params = authority_params(network, ISSUING, 0, not_before, not_after)?;
        let certificate = params.signed_by(&subject_key(public_key)?, &self.issuer)?;
        Ok(certificate.der().to_vec())
    }

    /// An authority from its certificate and key.
    ///
    /// # Errors
    /// [`PkiError::Certificate`] where it is no authority's, [`PkiError::Key`] where the key is not
    /// the certificate's.
    pub fn open(certificate: &[u8], pkcs8: &[u8]) -> Result<Self, PkiError> {
        if authority_key(certificate)? != public_key_of(pkcs8)? {
            return Err(PkiError::Key);
        }
        let issuer =
            Issuer::from_ca_cert_der(&CertificateDer::from(certificate), key_pair(pkcs8)?)?;
        Ok(Self {
            certificate: certificate.to_vec(),
            issuer,
        })
    }

    /// The certificate as DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// A certificate (DER) for a node's public key, given as SubjectPublicKeyInfo DER or PEM.
    ///
    /// The serial is random; validity begins [`BACKDATE_S`] before `not_before`.
    ///
    /// # Errors
    /// [`PkiError::Name`], [`PkiError::Key`] or [`PkiError::Time`].
    pub fn issue_node(
        &self,
        node: &NodeId,
        network: &str,
        public_key: &[u8],
        not_before: u64,
        not_after: u64,
    ) -> Result<Vec<u8>, PkiError> {
        let mut params = params(network, node.as_str(), not_before, not_after)?;
        let name = node_dns_name(node, network)?;
        params.subject_alt_names = vec![SanType::DnsName(
            name.clone().try_into().map_err(|_| PkiError::Name(name))?,
        )];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&subject_key(public_key)?, &self.issuer)?;
        Ok(certificate.der().to_vec())
    }

    /// A signed revocation list (DER) of (serial, Unix time of revocation).
    ///
    /// # Errors
    /// [`PkiError::Time`], or [`PkiError::RevocationList`] where it would exceed
    /// [`REVOCATION_LIST_BYTES_MAX`].
    pub fn revocation_list(
        &self,
        number: u64,
        revoked: &[(Vec<u8>, u64)],
        this_update: u64,
        next_update: u64,
    ) -> Result<Vec<u8>, PkiError> {
        if next_update <= this_update {
            return Err(PkiError::Time);
        }
        let revoked_certs = revoked
            .iter()
            .map(|(serial, at)| revoked_entry(serial, *at))
            .collect::<Result<_, _>>()?;
        let params = CertificateRevocationListParams {
            this_update: moment(this_update.saturating_sub(BACKDATE_S))?,
            next_update: moment(next_update)?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer)?.der().to_vec();
        if list.len() > REVOCATION_LIST_BYTES_MAX {
            Err(PkiError::RevocationList)
        } else {
            Ok(list)
        }
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(..)")
    }
}

fn authority_params(
    network: &str,
    name: &str,
    depth: u8,
    not_before: u64,
    not_after: u64,
) -> Result<CertificateParams, PkiError> {
    let mut params = params(network, name, not_before, not_after)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(depth));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn params(
    network: &str,
    name: &str,
    not_before: u64,
    not_after: u64,
) -> Result<CertificateParams, PkiError> {
    check_label(network)?;
    if not_after <= not_before {
        return Err(PkiError::Time);
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, network);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = moment(not_before.saturating_sub(BACKDATE_S))?;
    params.not_after = moment(not_after)?;
    params.serial_number = Some(random_serial()?);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn revoked_entry(serial: &[u8], at: u64) -> Result<RevokedCertParams, PkiError> {
    if serial.is_empty() || serial.len() > SERIAL_LEN_MAX {
        return Err(PkiError::RevocationList);
    }
    Ok(RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: moment(at)?,
        reason_code: None,
        invalidity_date: None,
    })
}

fn random_serial() -> Result<SerialNumber, PkiError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| PkiError::Key)?;
    // Positive and without a leading zero, so that its DER is these sixteen bytes and no others.
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn subject_key(public_key: &[u8]) -> Result<SubjectPublicKeyInfo, PkiError> {
    if public_key.len() > CERTIFICATE_BYTES_MAX {
        return Err(PkiError::Key);
    }
    let key = match std::str::from_utf8(public_key) {
        Ok(text) if text.trim_start().starts_with("-----BEGIN") => {
            SubjectPublicKeyInfo::from_pem(text)
        }
        Ok(_) | Err(_) => SubjectPublicKeyInfo::from_der(public_key),
    };
    let key = key.map_err(|_| PkiError::Key)?;
    if rcgen::PublicKeyData::algorithm(&key) == &rcgen::PKCS_ED25519 {
        Ok(key)
    } else {
        Err(PkiError::Key)
    }
}

pub(crate) fn key_pair(pkcs8: &[u8]) -> Result<KeyPair, PkiError> {
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &rcgen::PKCS_ED25519)
        .map_err(|_| PkiError::Key)
}

fn moment(unix_s: u64) -> Result<OffsetDateTime, PkiError> {
    let seconds = i64::try_from(unix_s).map_err(|_| PkiError::Time)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| PkiError::Time)
}

const ISSUING: &str = "issuing authority";
const SERIAL_LEN_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generate_key, node_of, not_after_of, public_key_info, serial_of};

    const NOW: u64 = 1_790_000_000;
    const YEAR: u64 = 31_557_600;

    fn issuing() -> Authority {
        let root = Authority::root("demo", &generate_key().unwrap(), NOW, NOW + 30 * YEAR).unwrap();
        root.issuing("demo", &generate_key().unwrap(), NOW, NOW + 10 * YEAR)
            .unwrap()
    }

    fn spki() -> Vec<u8> {
        public_key_info(&public_key_of(&generate_key().unwrap()).unwrap())
    }

    #[test]
    fn a_nodes_certificate_says_its_node_and_has_a_random_serial() {
        let issuing = issuing();
        let node: NodeId = "cs-352047".parse().unwrap();
        let key = spki();
        let first = issuing
            .issue_node(&node, "demo", &key, NOW, NOW + YEAR)
            .unwrap();
        let second = issuing
            .issue_node(&node, "demo", &key, NOW, NOW + YEAR)
            .unwrap();
        assert_eq!(node_of(&first, "demo").unwrap(), node);
        assert_eq!(not_after_of(&first).unwrap(), NOW + YEAR);
        assert_eq!(serial_of(&first).unwrap().len(), 16);
        assert_ne!(serial_of(&first).unwrap(), serial_of(&second).unwrap());
        assert!(matches!(
            node_of(&first, "other"),
            Err(PkiError::OtherNetwork(_))
        ));
    }

    #[test]
    fn a_certificate_begins_five_minutes_early() {
        let certificate = issuing()
            .issue_node(&"a".parse().unwrap(), "demo", &spki(), NOW, NOW + YEAR)
            .unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).unwrap();
        assert_eq!(
            parsed.validity().not_before.timestamp(),
            i64::try_from(NOW - 300).unwrap()
        );
    }

    #[test]
    fn an_issuing_authority_stands_under_two_roots_with_one_key() {
        let [first, second] = [(), ()].map(|()| {
            Authority::root("demo", &generate_key().unwrap(), NOW, NOW + 30 * YEAR).unwrap()
        });
        let key = generate_key().unwrap();
        let under_first = first.issuing("demo", &key, NOW, NOW + YEAR).unwrap();
        let public = public_key_info(&public_key_of(&key).unwrap());
        let under_second = second
            .certify_issuing("demo", &public, NOW, NOW + YEAR)
            .unwrap();
        assert!(crate::is_issued_by(&under_second, second.certificate()));
        assert!(!crate::is_issued_by(&under_second, first.certificate()));
        assert!(!crate::is_issued_by(
            under_first.certificate(),
            second.certificate()
        ));
        // A list that it signed before is believed with either certificate.
        let list = under_first.revocation_list(1, &[], NOW, NOW + 60).unwrap();
        assert!(crate::verify_crl(&list, &under_second).is_ok());
        assert!(Authority::open(&under_second, &key).is_ok());
    }

    #[test]
    fn an_authority_comes_back_from_certificate_and_key_only() {
        let root = Authority::root("demo", &generate_key().unwrap(), NOW, NOW + 30 * YEAR).unwrap();
        let key = generate_key().unwrap();
        let issuing = root.issuing("demo", &key, NOW, NOW + YEAR).unwrap();
        let again = Authority::open(issuing.certificate(), &key).unwrap();
        let list = again.revocation_list(1, &[], NOW, NOW + 60).unwrap();
        assert!(crate::verify_crl(&list, issuing.certificate()).is_ok());
        assert!(matches!(
            Authority::open(issuing.certificate(), &generate_key().unwrap()),
            Err(PkiError::Key)
        ));
        let node = issuing
            .issue_node(&"a".parse().unwrap(), "demo", &spki(), NOW, NOW + YEAR)
            .unwrap();
        assert!(matches!(
            Authority::open(&node, &key),
            Err(PkiError::Certificate)
        ));
    }

    #[test]
    fn names_times_and_keys_that_cannot_stand_in_a_certificate_are_refused() {
        let issuing = issuing();
        let node: NodeId = "a".parse().unwrap();
        for network in ["", "Demo", "a.b", "-a", "a-", "demo\n", &"a".repeat(64)] {
            assert!(
                matches!(
                    issuing.issue_node(&node, network, &spki(), NOW, NOW + 1),
                    Err(PkiError::Name(_))
                ),
                "{network:?}"
            );
        }
        let tailed: NodeId = "a-".parse().unwrap();
        assert!(matches!(
            issuing.issue_node(&tailed, "demo", &spki(), NOW, NOW + 1),
            Err(PkiError::Name(_))
        ));
        assert!(matches!(
            issuing.issue_node(&node, "demo", &spki(), NOW, NOW),
            Err(PkiError::Time)
        ));
        assert!(matches!(
            issuing.issue_node(&node, "demo", &spki(), NOW, u64::MAX),
            Err(PkiError::Time)
        ));
        assert!(matches!(
            issuing.issue_node(&node, "demo", b"no key", NOW, NOW + 1),
            Err(PkiError::Key)
        ));
        assert!(matches!(
            Authority::root("demo", b"no key", NOW, NOW + 1),
            Err(PkiError::Key)
        ));
        let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let p256 = rcgen::PublicKeyData::subject_public_key_info(&p256);
        assert!(matches!(
            issuing.issue_node(&node, "demo", &p256, NOW, NOW + 1),
            Err(PkiError::Key)
        ));
    }

    #[test]
    fn a_public_key_is_taken_as_pem_too() {
        let pair = key_pair(&generate_key().unwrap()).unwrap();
        let pem = pair.public_key_pem();
        assert!(
            issuing()
                .issue_node(&"a".parse().unwrap(), "demo", pem.as_bytes(), NOW, NOW + 1)
                .is_ok()
        );
    }
}
