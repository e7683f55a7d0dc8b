//! Bytes as hexadecimal digits, as admin interfaces take them.

/// Lowercase digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that digits of either case stand for.
pub(crate) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(high)? * 16 + digit(low)?).ok();
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_back_and_nothing_else_is() {
        assert_eq!(bytes_of(&hex(&[0, 9, 255])), Some(vec![0, 9, 255]));
        assert_eq!(bytes_of("0AfF"), Some(vec![10, 255]));
        for text in ["a", "+1", "zz", "é"] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
    }
}
