//! Error codes as QUIC application close codes, and what a lost connection says.

use juki_domain::ErrorCode;
use quinn::{ConnectionError, VarInt};

/// The close code of a node that stops in an orderly way.
pub(crate) const STOPPING: VarInt = VarInt::from_u32(0);

/// The close code of an error: the letter of its family as ASCII, then its four digits, so that
/// JKT-1001 becomes 841001.
pub(crate) fn close_number(code: ErrorCode) -> VarInt {
    let text = code.code();
    let letter = text.as_bytes().get(2).copied().map_or(0, u32::from);
    let digits = text
        .split_once('-')
        .and_then(|(_, digits)| digits.parse::<u32>().ok())
        .unwrap_or(0);
    VarInt::from_u32(letter.saturating_mul(FAMILY).saturating_add(digits))
}

/// The error of a close code, where it is one.
pub(crate) fn code_of_number(number: VarInt) -> Option<ErrorCode> {
    let number = u32::try_from(number.into_inner()).ok()?;
    let letter = char::from_u32(number / FAMILY).filter(char::is_ascii_uppercase)?;
    ErrorCode::from_code(&format!("JK{letter}-{:04}", number % FAMILY))
}

/// Why a connection ended, seen from this side.
pub(crate) fn code_of_error(error: &ConnectionError) -> ErrorCode {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            code_of_number(close.error_code).unwrap_or(ErrorCode::LineDown)
        }
        ConnectionError::ConnectionClosed(close) => code_of_transport(close.error_code.into()),
        ConnectionError::TransportError(error) => code_of_transport(error.code.into()),
        ConnectionError::VersionMismatch => ErrorCode::HelloFailed,
        ConnectionError::Reset
        | ConnectionError::TimedOut
        | ConnectionError::LocallyClosed
        | ConnectionError::CidsExhausted => ErrorCode::LineDown,
    }
}

/// The error over which this side broke off a TLS handshake, if it did.
pub(crate) fn code_of_own_alert(error: &ConnectionError) -> Option<ErrorCode> {
    let ConnectionError::TransportError(error) = error else {
        return None;
    };
    let number = u64::from(error.code);
    (0x100..=0x1ff)
        .contains(&number)
        .then(|| code_of_transport(number))
}

/// TLS alerts travel as transport errors 0x100 to 0x1ff (RFC 9001 4.8).
fn code_of_transport(number: u64) -> ErrorCode {
    match number {
        CERTIFICATE_REVOKED => ErrorCode::CertificateRevoked,
        CERTIFICATE_EXPIRED => ErrorCode::CertificateExpired,
        UNKNOWN_CA | CERTIFICATE_REQUIRED | DECRYPT_ERROR => ErrorCode::CertificateUnknownAuthority,
        BAD_CERTIFICATE => ErrorCode::CertificateOtherNode,
        0x100..=0x1ff => ErrorCode::HelloFailed,
        _ => ErrorCode::LineDown,
    }
}

const FAMILY: u32 = 10_000;
const BAD_CERTIFICATE: u64 = 0x100 + 42;
const CERTIFICATE_REVOKED: u64 = 0x100 + 44;
const CERTIFICATE_EXPIRED: u64 = 0x100 + 45;
const UNKNOWN_CA: u64 = 0x100 + 48;
const DECRYPT_ERROR: u64 = 0x100 + 51;
const CERTIFICATE_REQUIRED: u64 = 0x100 + 116;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_code_has_a_close_code_of_its_own() {
        for code in ErrorCode::ALL {
            assert_eq!(code_of_number(close_number(*code)), Some(*code));
        }
        assert_eq!(
            close_number(ErrorCode::CertificateUnknownAuthority),
            VarInt::from_u32(841_001)
        );
    }

    #[test]
    fn a_number_that_is_no_error_code_is_taken_for_none() {
        for number in [0, 1, 840_000, 841_999, u32::MAX] {
            assert_eq!(code_of_number(VarInt::from_u32(number)), None);
        }
        assert_eq!(code_of_number(VarInt::MAX), None);
    }
}
