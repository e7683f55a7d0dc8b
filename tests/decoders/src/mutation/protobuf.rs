//! The fields of a Protocol Buffers message, so that one can be changed and all lengths still fit.

/// One field: its tag with the wire type, and its contents without a length.
pub(super) struct Field {
    key: u64,
    /// What the field holds.
    pub(super) contents: Contents,
}

/// What a field holds.
pub(super) enum Contents {
    /// A number.
    Number(u64),
    /// Eight or four bytes.
    Fixed(Vec<u8>),
    /// Bytes, a text, or a message.
    Bytes(Vec<u8>),
}

/// The fields of a message; `None` where the bytes are no message with at least one.
pub(super) fn fields(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_number(&mut bytes)?;
        let contents = match key & 7 {
            0 => Contents::Number(take_number(&mut bytes)?),
            1 => Contents::Fixed(take(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(take_number(&mut bytes)?).ok()?;
                Contents::Bytes(take(&mut bytes, length)?)
            }
            5 => Contents::Fixed(take(&mut bytes, 4)?),
            _ => return None,
        };
        fields.push(Field { key, contents });
    }
    (!fields.is_empty()).then_some(fields)
}

/// The message of some fields.
pub(super) fn message(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        bytes.extend(number(field.key));
        match &field.contents {
            Contents::Number(value) => bytes.extend(number(*value)),
            Contents::Fixed(fixed) => bytes.extend_from_slice(fixed),
            Contents::Bytes(inner) => {
                bytes.extend(number(inner.len() as u64));
                bytes.extend_from_slice(inner);
            }
        }
    }
    bytes
}

/// A number as Protocol Buffers write it.
pub(super) fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for at in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take(bytes: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        let inner = message(&[Field {
            key: 0x18,
            contents: Contents::Number(u64::MAX),
        }]);
        let outer = message(&[
            Field {
                key: 0x0a,
                contents: Contents::Bytes(inner),
            },
            Field {
                key: 0x11,
                contents: Contents::Fixed(vec![7; 8]),
            },
        ]);
        assert_eq!(message(&fields(&outer).unwrap()), outer);
        assert!(fields(b"no message").is_none() && fields(&[]).is_none());
    }
}
