//! Requests for certificates (PKCS#10).

use juki_domain::NodeId;
use rcgen::{CertificateParams, DistinguishedName, DnType, SanType};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;

use crate::authority::key_pair;
use crate::certificate::{node_dns_name, node_of_name};
use crate::revocation::ends_in_signature;
use crate::{CERTIFICATE_BYTES_MAX, PkiError};

/// The context under which a node signs its request, so that the registrar knows it.
pub const RENEWAL_CONTEXT: &str = "juki certificate renewal";

/// A request (DER) for a certificate of this node with the public half of this key (PKCS#8), which
/// signs it.
///
/// # Errors
/// [`PkiError::Name`] or [`PkiError::Key`].
pub fn request_certificate(
    node: &NodeId,
    network: &str,
    pkcs8: &[u8],
) -> Result<Vec<u8>, PkiError> {
    let name = node_dns_name(node, network)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, node.as_str());
    params.subject_alt_names = vec![SanType::DnsName(
        name.clone().try_into().map_err(|_| PkiError::Name(name))?,
    )];
    let request = params.serialize_request(&key_pair(pkcs8)?)?;
    Ok(request.der().to_vec())
}

/// Whose certificate a request (DER) asks for and with which key, as SubjectPublicKeyInfo DER. Whoever
/// made it has that key.
///
/// # Errors
/// [`PkiError::Certificate`] where it is none, [`PkiError::Signature`] where its key has not signed
/// it, [`PkiError::OtherNetwork`] where it names no node of this network.
pub fn read_request(der: &[u8], network: &str) -> Result<(NodeId, Vec<u8>), PkiError> {
    if der.len() > CERTIFICATE_BYTES_MAX {
        return Err(PkiError::Certificate);
    }
    let Ok(([], request)) = X509CertificationRequest::from_der(der) else {
        return Err(PkiError::Certificate);
    };
    // The parser looks at the signature's own header less closely than that.
    if !ends_in_signature(der) {
        return Err(PkiError::Signature);
    }
    request
        .verify_signature()
        .map_err(|_| PkiError::Signature)?;
    let mut names = Vec::new();
    for extension in request.requested_extensions().into_iter().flatten() {
        if let ParsedExtension::SubjectAlternativeName(found) = extension {
            names.push(found);
        }
    }
    let [names] = names.as_slice() else {
        return Err(PkiError::Certificate);
    };
    let [GeneralName::DNSName(name)] = names.general_names.as_slice() else {
        return Err(PkiError::Certificate);
    };
    let key = request.certification_request_info.subject_pki.raw.to_vec();
    Ok((node_of_name(name, network)?, key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{generate_key, public_key_info, public_key_of};

    #[test]
    fn a_request_says_its_node_and_its_key() {
        let node: NodeId = "cs-352047".parse().unwrap();
        let key = generate_key().unwrap();
        let request = request_certificate(&node, "demo", &key).unwrap();
        let (named, public) = read_request(&request, "demo").unwrap();
        assert_eq!(named, node);
        assert_eq!(public, public_key_info(&public_key_of(&key).unwrap()));
        assert!(matches!(
            read_request(&request, "other"),
            Err(PkiError::OtherNetwork(_))
        ));
    }

    #[test]
    fn an_altered_request_is_refused() {
        let key = generate_key().unwrap();
        let request = request_certificate(&"a".parse().unwrap(), "demo", &key).unwrap();
        for place in 0..request.len() {
            let mut altered = request.clone();
            altered[place] ^= 1;
            assert!(read_request(&altered, "demo").is_err(), "byte {place}");
        }
        let mut longer = request;
        longer.push(0);
        assert!(read_request(&longer, "demo").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read_request(&bytes, "demo").is_err());
        }
    }
}
