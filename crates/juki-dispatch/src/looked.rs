//! What the index was asked last.

use bytes::Bytes;

/// How many answers are kept: what one entry looks at, twice.
const KEPT: usize = 8;

/// The last answers of the index, of which the oldest makes room for the next.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    answers: [Option<(Vec<u8>, Option<Bytes>)>; KEPT],
    next: usize,
}

impl Looked {
    /// The index's answer to a key, if it is still known.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        let known = self.answers.iter().flatten();
        known
            .filter(|(known, _)| known == key)
            .map(|(_, value)| value.clone())
            .next()
    }

    /// Keeps an answer.
    pub(crate) fn note(&mut self, key: &[u8], value: Option<&Bytes>) {
        if let Some(answer) = self.answers.get_mut(self.next) {
            *answer = Some((key.to_vec(), value.cloned()));
        }
        self.next = (self.next + 1) % KEPT;
    }

    /// Forgets all answers, which the index may give no more.
    pub(crate) fn forget(&mut self) {
        self.answers = Default::default();
    }
}
