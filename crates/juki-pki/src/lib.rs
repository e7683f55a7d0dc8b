//! Certificates, revocation lists and key files of one network.
//!
//! Two authorities: the root, whose key stays sealed and offline, and the issuing authority that
//! the registrar keeps online. All keys are Ed25519; all times are Unix seconds.

mod authority;
mod certificate;
mod error;
mod expiry;
mod key;
mod pem_file;
mod revocation;

pub use authority::{Authority, BACKDATE_S};
pub use certificate::{
    CERTIFICATE_BYTES_MAX, authority_key, node_dns_name, node_of, not_after_of, serial_of,
};
pub use error::PkiError;
pub use expiry::Expiry;
pub use key::{generate_key, public_key_info, public_key_of};
pub use pem_file::{
    open_key_file, read_certificates, read_key, read_revocation_list, seal_key_file,
    write_certificates, write_key, write_notice, write_revocation_list,
};
pub use revocation::{
    REVOCATION_LIST_BYTES_MAX, RevocationList, crl_next_update, crl_number, crl_serials, verify_crl,
};
