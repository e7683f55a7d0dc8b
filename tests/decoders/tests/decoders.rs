//! Every decoder under mutations of its messages. Set `JUKI_FUZZ_MS` to go on for longer than a
//! second and a half; a failure tells its input in hexadecimal, which belongs into the corpus.

use std::collections::BTreeSet;

use decoders::{Onslaught, all, corpus_of, decoder, write_corpus};

macro_rules! survive {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                let survived = Onslaught::default().at(&decoder($name)).unwrap();
                assert!(survived.inputs >= 10_000);
                assert!(survived.taken < survived.inputs, "nothing was refused");
            }
        )*

        const NAMES: &[&str] = &[$($name,)*];
    };
}

survive! {
    frame: "frame",
    control: "control",
    refusal: "refusal",
    reset: "reset",
    certificate: "certificate",
    revocation_list: "revocation-list",
    notice: "notice",
    directory: "directory",
    session_opening: "session-opening",
    sealed_frame: "sealed-frame",
    journal_message: "journal-message",
    block: "block",
    change: "change",
    receipt: "receipt",
    code_request: "code-request",
    code_block: "code-block",
    query_request: "query-request",
    query_answer: "query-answer",
    terminal_ask: "terminal-ask",
    terminal_answer: "terminal-answer",
    registration: "registration",
    move_out_certificate: "move-out-certificate",
    card_certificate: "card-certificate",
    grant: "grant",
    authorisation: "authorisation",
    legal_basis: "legal-basis",
    card_file: "card-file",
    audit_record: "audit-record",
    security_record: "security-record",
    firewall_record: "firewall-record",
    checkpoint: "checkpoint",
    segment_header: "segment-header",
    ledger_frame: "ledger-frame",
    network_toml: "network-toml",
    node_toml: "node-toml",
    policy_toml: "policy-toml",
    register_file: "register-file",
    change_json: "change-json",
    status_json: "status-json",
    trace_json: "trace-json",
}

#[test]
fn every_decoder_has_a_test_and_a_committed_corpus() {
    if std::env::var_os("JUKI_WRITE_CORPUS").is_some() {
        write_corpus();
    }
    let listed: BTreeSet<&str> = all().iter().map(|decoder| decoder.name).collect();
    assert_eq!(listed.len(), all().len(), "two decoders have one name");
    assert_eq!(listed, NAMES.iter().copied().collect());
    let mut bytes = 0;
    for name in listed {
        let corpus = corpus_of(name);
        assert!(
            !corpus.is_empty(),
            "{name} has no corpus: JUKI_WRITE_CORPUS=1 writes one"
        );
        bytes += corpus.iter().map(Vec::len).sum::<usize>();
    }
    assert!(bytes < 500_000, "the corpus has {bytes} bytes");
}
