//! What a certificate says.

use juki_domain::NodeId;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use crate::PkiError;

/// Longest certificate that is read, in bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

/// The DNS name that stands for a node in its certificate: `NODE.NETWORK.juki.internal`.
///
/// # Errors
/// [`PkiError::Name`] where one of the two cannot be a part of such a name.
pub fn node_dns_name(node: &NodeId, network: &str) -> Result<String, PkiError> {
    check_label(node.as_str())?;
    check_label(network)?;
    Ok(format!("{node}.{network}{DOMAIN}"))
}

/// The node that a certificate (DER) names; its signature is not judged here.
///
/// # Errors
/// [`PkiError::Certificate`] where it is none of a node, [`PkiError::OtherNetwork`] where it names
/// no node of this network.
pub fn node_of(certificate: &[u8], network: &str) -> Result<NodeId, PkiError> {
    let parsed = parse(certificate)?;
    let names = parsed
        .subject_alternative_name()
        .ok()
        .flatten()
        .ok_or(PkiError::Certificate)?;
    let [GeneralName::DNSName(name)] = names.value.general_names.as_slice() else {
        return Err(PkiError::Certificate);
    };
    node_of_name(name, network)
}

/// The node that stands under a DNS name of a certificate.
pub(crate) fn node_of_name(name: &str, network: &str) -> Result<NodeId, PkiError> {
    let other = || PkiError::OtherNetwork(network.to_owned());
    let node = name
        .strip_suffix(DOMAIN)
        .and_then(|rest| rest.strip_suffix(network)?.strip_suffix('.'))
        .ok_or_else(other)?;
    node.parse().map_err(|_| other())
}

/// The serial of a certificate (DER), without leading zeros.
///
/// # Errors
/// [`PkiError::Certificate`] where the bytes are no certificate.
pub fn serial_of(certificate: &[u8]) -> Result<Vec<u8>, PkiError> {
    Ok(trimmed(parse(certificate)?.raw_serial()))
}

/// The public key of a node's certificate (DER), 32 bytes.
///
/// # Errors
/// [`PkiError::Certificate`] where the bytes are no certificate with an Ed25519 key.
pub fn key_of(certificate: &[u8]) -> Result<[u8; 32], PkiError> {
    let parsed = parse(certificate)?;
    let key = &parsed.public_key().subject_public_key.data;
    key.as_ref().try_into().map_err(|_| PkiError::Certificate)
}

/// The last Unix second at which a certificate (DER) is valid.
///
/// # Errors
/// [`PkiError::Certificate`] where the bytes are no certificate, [`PkiError::Time`] before 1970.
pub fn not_after_of(certificate: &[u8]) -> Result<u64, PkiError> {
    u64::try_from(parse(certificate)?.validity().not_after.timestamp()).map_err(|_| PkiError::Time)
}

/// Whether an authority (its certificate as DER) has signed a certificate (DER). Times are not judged.
#[must_use]
pub fn is_issued_by(certificate: &[u8], authority: &[u8]) -> bool {
    let (Ok(certificate), Ok(authority)) = (parse(certificate), parse(authority)) else {
        return false;
    };
    authority.is_ca()
        && certificate.issuer().as_raw() == authority.subject().as_raw()
        && certificate
            .verify_signature(Some(authority.public_key()))
            .is_ok()
}

/// The context under which a root signs which roots are to be believed.
pub const ROOTS_CONTEXT: &str = "juki roots";

/// What is signed over a set of roots (DER), in their order.
#[must_use]
pub fn roots_message(roots: &[Vec<u8>]) -> Vec<u8> {
    let mut message = Vec::new();
    for root in roots {
        // Certificates are bounded far below this.
        let len = u32::try_from(root.len()).unwrap_or(u32::MAX);
        message.extend_from_slice(&len.to_be_bytes());
        message.extend_from_slice(root);
    }
    message
}

/// The 32-byte key of an authority's certificate.
///
/// # Errors
/// [`PkiError::Certificate`] where it is none of an authority.
pub fn authority_key(certificate: &[u8]) -> Result<[u8; 32], PkiError> {
    let parsed = parse(certificate)?;
    if !parsed.is_ca() {
        return Err(PkiError::Certificate);
    }
    parsed
        .public_key()
        .subject_public_key
        .data
        .as_ref()
        .try_into()
        .map_err(|_| PkiError::Certificate)
}

pub(crate) fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, PkiError> {
    if certificate.len() > CERTIFICATE_BYTES_MAX {
        return Err(PkiError::Certificate);
    }
    match x509_parser::parse_x509_certificate(certificate) {
        Ok(([], parsed)) => Ok(parsed),
        Ok(_) | Err(_) => Err(PkiError::Certificate),
    }
}

pub(crate) fn check_label(text: &str) -> Result<(), PkiError> {
    let fits = (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if fits {
        Ok(())
    } else {
        Err(PkiError::Name(text.escape_debug().take(80).collect()))
    }
}

pub(crate) fn trimmed(serial: &[u8]) -> Vec<u8> {
    serial
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect()
}

const DOMAIN: &str = ".juki.internal";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Authority, generate_key, public_key_info, public_key_of};

    fn certificate() -> Vec<u8> {
        let root = Authority::root(
            "demo",
            &generate_key().unwrap(),
            1_790_000_000,
            1_890_000_000,
        )
        .unwrap();
        let key = public_key_info(&public_key_of(&generate_key().unwrap()).unwrap());
        root.issue_node(
            &"cs-1".parse().unwrap(),
            "demo",
            &key,
            1_790_000_000,
            1_800_000_000,
        )
        .unwrap()
    }

    #[test]
    fn an_authoritys_certificate_names_no_node() {
        let root = Authority::root(
            "demo",
            &generate_key().unwrap(),
            1_790_000_000,
            1_890_000_000,
        )
        .unwrap();
        assert!(matches!(
            node_of(root.certificate(), "demo"),
            Err(PkiError::Certificate)
        ));
    }

    #[test]
    fn a_network_whose_id_ends_in_anothers_is_another_network() {
        assert!(matches!(
            node_of(&certificate(), "emo"),
            Err(PkiError::OtherNetwork(_))
        ));
        assert!(matches!(
            node_of(&certificate(), ""),
            Err(PkiError::OtherNetwork(_))
        ));
    }

    #[test]
    fn bytes_before_or_after_a_certificate_make_it_none() {
        let mut longer = certificate();
        longer.push(0);
        assert!(serial_of(&longer).is_err());
        assert!(serial_of(&longer[1..]).is_err());
        assert!(serial_of(&vec![0x30; CERTIFICATE_BYTES_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn an_altered_certificate_never_panics(place in 0usize..400, bit in 0u8..8) {
            let mut bytes = certificate();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            let _ = (node_of(&bytes, "demo"), serial_of(&bytes), not_after_of(&bytes));
        }
    }
}
