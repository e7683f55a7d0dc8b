//! The decoder that `JUKI_DECODER` names, under libFuzzer.
#![no_main]

use std::sync::LazyLock;

use decoders::{Decoder, decoder};
use libfuzzer_sys::fuzz_target;

static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let name = std::env::var("JUKI_DECODER").expect("JUKI_DECODER names a decoder");
    decoder(&name)
});

fuzz_target!(|bytes: &[u8]| {
    let _taken = (DECODER.decode)(bytes);
});
