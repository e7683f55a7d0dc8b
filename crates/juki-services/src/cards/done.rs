//! Which signed acts were done: for as long as the ledger stands, so that no restart lets one be
//! done again.

use juki_access::SignedAct;
use juki_dispatch::View;

const DONE: &[u8] = b"oz";

/// Whether an act was done before.
pub(crate) fn is_done(view: &View, signed: &SignedAct) -> bool {
    view.get(&key(signed)).is_some()
}

/// Folds an act that is on record.
pub(crate) fn note(view: &mut View, signed: &SignedAct) {
    view.put(key(signed), Vec::new());
}

/// An act's nonce is its name: acts of all subjects draw theirs at random.
fn key(signed: &SignedAct) -> Vec<u8> {
    [DONE, &signed.nonce].concat()
}
