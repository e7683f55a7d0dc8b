//! The encodings of the register's files.

use std::borrow::Cow;

use encoding_rs::SHIFT_JIS;

/// How the text of a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEncoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 with a byte order mark, as spreadsheet programs expect it.
    Utf8Bom,
    /// CP932 (Windows-31J), the Shift_JIS that holds 髙 and 﨑.
    Cp932,
}

/// What a UTF-8 file may begin with.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl FileEncoding {
    /// The text of a field, or `None` where its bytes are no text in this encoding.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::Utf8 | Self::Utf8Bom => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Cp932 => SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes),
        }?;
        // A replacement character says that an earlier conversion already lost the original.
        (!text.contains('\u{fffd}')).then_some(text)
    }

    /// The bytes of a text, or `None` where this encoding cannot hold it exactly.
    pub(crate) fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Utf8 | Self::Utf8Bom => Some(Cow::Borrowed(text.as_bytes())),
            Self::Cp932 => {
                let (bytes, _, lossy) = SHIFT_JIS.encode(text);
                // The encoder turns ¥ into a backslash and − into －, which text kept exactly as given forbids.
                let exact = !lossy
                    && (text.is_ascii() || self.decode(&bytes).is_some_and(|back| back == text));
                exact.then_some(bytes)
            }
        }
    }
}
