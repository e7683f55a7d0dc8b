//! Somebody with all of a node's keys who changes what its ledger says.

use std::fs;
use std::sync::Arc;

use juki_crypto::{StorageKey, SystemRandomness, random_array};
use juki_domain::{NodeId, NodeRole};
use juki_ledger::{Chain, Checkpoint, Entry, EntryKind, SegmentHeader, encode_frame};
use juki_node::Keys;
use prost::Message as _;

use crate::{Deployment, entries};

/// Entries of one forged frame.
const FRAME: usize = 50;

/// Writes a node's ledger anew with its own keys, so that it stands by itself: entries keep their
/// salts, and checkpoints are signed again where they differ.
///
/// # Panics
/// As every step of a test.
pub fn rewrite(deployment: &Deployment, node: &str, edit: impl FnOnce(&mut Vec<Entry>)) {
    let folder = deployment.node(node);
    let id: NodeId = node.parse().unwrap();
    let keys = Keys::read(&folder.join("keys"), &id, NodeRole::AccessPoint).unwrap();
    let mut all = entries(deployment, node);
    edit(&mut all);
    let mut chain = Chain::default();
    let mut forged = Vec::new();
    for (seq, mut entry) in (1..).zip(all) {
        entry.seq = seq;
        if entry.kind == EntryKind::CHECKPOINT {
            let said = Checkpoint::decode(entry.payload.as_slice()).unwrap();
            if !said.covers(&chain) {
                let again = Checkpoint::sign(&id, &chain, said.at_ms, &keys.signing);
                entry.payload = again.encode_to_vec();
            }
        }
        let leaf = entry.leaf();
        chain.advance(&leaf);
        forged.push((Arc::new(entry), leaf));
    }
    let frame_key = StorageKey::new(random_array(&SystemRandomness));
    let header = SegmentHeader {
        node: id,
        number: 1,
        before: Chain::default(),
        begun_ms: 1,
        signer: *keys.signing.public().as_bytes(),
    };
    let nonce = random_array(&SystemRandomness);
    let mut bytes = header.encode(&keys.storage_key(), &frame_key, nonce);
    for (index, entries) in (0..).zip(forged.chunks(FRAME)) {
        bytes.extend(encode_frame(&frame_key, index, entries));
    }
    let ledger = folder.join("data/ledger");
    for file in fs::read_dir(&ledger).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    fs::write(ledger.join("00000001.segment"), bytes).unwrap();
}
