//! Certificates, revocation lists and key files of one network.
//!
//! Two authorities: the root, whose key stays sealed and offline, and the issuing authority that
//! the registrar keeps online. All keys are Ed25519; all times are Unix seconds.

mod authority;
mod certificate;
mod error;
mod expiry;
mod key;
mod link_key;
mod pem_file;
mod request;
mod revocation;

pub use authority::{Authority, BACKDATE_S};
pub use certificate::{
    CERTIFICATE_BYTES_MAX, ROOTS_CONTEXT, authority_key, is_issued_by, key_of, node_dns_name,
    node_of, not_after_of, roots_message, serial_of,
};
pub use error::PkiError;
pub use expiry::Expiry;
pub use key::{generate_key, public_key_info, public_key_of};
pub use link_key::{read_link_key, write_link_key};
pub use pem_file::{
    open_key_file, read_certificates, read_key, read_revocation_list, seal_key_file,
    write_certificates, write_key, write_notice, write_revocation_list, write_secret,
};
pub use request::{RENEWAL_CONTEXT, read_request, request_certificate};
pub use revocation::{
    REVOCATION_LIST_BYTES_MAX, RevocationList, crl_next_update, crl_number, crl_serials, verify_crl,
};
