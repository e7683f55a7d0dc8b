//! What neighbours' checkpoints prove about a ledger.
//!
//! A checkpoint is the node's own signed word on where its chain stood. Whoever holds one needs not
//! be believed: it proves itself. Since a chain covers all entries before, one checkpoint behind a
//! change is enough to show it; the others say where.

use std::collections::BTreeMap;

use juki_crypto::VerifyingKey;
use juki_domain::NodeId;
use juki_ledger::{Chain, Checkpoint, Entry};
use prost::Message as _;

use crate::{NEIGHBOUR_CHECKPOINT, NeighbourCheckpoint};

/// Checkpoints of one ledger that are held at most; beyond them every second one is forgotten, the
/// newest never: then it is known less exactly where a ledger was changed, and still that it was.
const WITNESSES_MAX: usize = 16_384;

/// A checkpoint of one node's ledger in another node's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The node that kept it.
    pub keeper: NodeId,
    /// The number of its entry there.
    pub entry: u64,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
}

/// Checkpoints that ledgers keep of other ledgers.
#[derive(Debug, Default)]
pub struct Witnesses {
    of: BTreeMap<String, Vec<Witness>>,
}

impl Witnesses {
    /// Takes what an entry of the keeper's ledger says of another ledger.
    pub fn take(&mut self, keeper: &NodeId, entry: &Entry) {
        if entry.kind != NEIGHBOUR_CHECKPOINT {
            return;
        }
        let kept = NeighbourCheckpoint::decode(entry.payload.as_slice()).unwrap_or_default();
        let Some(checkpoint) = kept.checkpoint else {
            return;
        };
        let witnesses = self.of.entry(checkpoint.node.clone()).or_default();
        witnesses.push(Witness {
            keeper: keeper.clone(),
            entry: entry.seq,
            checkpoint,
        });
        if witnesses.len() > WITNESSES_MAX {
            sort(witnesses);
            let newest = witnesses.len() - 1;
            let mut at = 0;
            witnesses.retain(|_| {
                at += 1;
                at % 2 == 0 || at - 1 == newest
            });
        }
    }

    /// What is kept of a node's ledger, by the entries that it covers.
    #[must_use]
    pub fn of(&self, node: &NodeId) -> Vec<Witness> {
        let mut witnesses = self.of.get(node.as_str()).cloned().unwrap_or_default();
        sort(&mut witnesses);
        witnesses
    }
}

/// What is wrong with a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It ends before an entry that its node has signed.
    CutOff,
    /// Its chain is another one than its node has signed.
    Rewritten,
    /// It names another key than the one that signed.
    OtherKey,
}

/// A ledger differs from what its own node signed, and a neighbour's entry proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What is wrong.
    pub wrong: Wrong,
    /// The first entry that can be bad, or the first number that is missing.
    pub first: u64,
    /// The first bad entry is this one at the latest.
    pub last: u64,
    /// The proof.
    pub proof: Witness,
}

/// What the neighbours say of a ledger that stands by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confronted {
    /// Nobody keeps a checkpoint of it.
    Unwitnessed,
    /// All fit; the newest covers entries up to this number.
    Confirmed {
        /// The last entry that a neighbour's checkpoint covers.
        through: u64,
        /// How many checkpoints fit.
        witnesses: u64,
    },
    /// One does not fit.
    Contradicted(Contradiction),
}

/// Confronts a ledger with its witnesses, which [`Witnesses::of`] gives in order. `chains` are the
/// ledger's own at the numbers of the witnesses, as far as it has them; `signers` the public keys
/// that it names.
#[must_use]
pub fn confront(
    witnesses: &[Witness],
    signers: &[[u8; 32]],
    chains: &[Chain],
    head: &Chain,
) -> Confronted {
    let keys: Vec<VerifyingKey> = signers
        .iter()
        .filter_map(|signer| VerifyingKey::from_bytes(signer).ok())
        .collect();
    let own: BTreeMap<u64, &Chain> = chains.iter().map(|chain| (chain.seq, chain)).collect();
    let start = Chain::default();
    let mut sound = 0;
    let mut confirmed = 0;
    for proof in witnesses {
        let checkpoint = &proof.checkpoint;
        let contradiction = |wrong, last| {
            Confronted::Contradicted(Contradiction {
                wrong,
                first: sound + 1,
                last,
                proof: proof.clone(),
            })
        };
        if !keys.iter().any(|key| checkpoint.verify(key).is_ok()) {
            return contradiction(Wrong::OtherKey, checkpoint.seq);
        }
        let chain = if checkpoint.seq == 0 {
            Some(&start)
        } else {
            own.get(&checkpoint.seq).copied()
        };
        match chain {
            Some(chain) if checkpoint.covers(chain) => {
                sound = checkpoint.seq;
                confirmed += 1;
            }
            // What is cut off may have been changed before its end as well: then an earlier
            // checkpoint has shown it.
            None if checkpoint.seq > head.seq => {
                return Confronted::Contradicted(Contradiction {
                    wrong: Wrong::CutOff,
                    first: head.seq + 1,
                    last: head.seq + 1,
                    proof: proof.clone(),
                });
            }
            Some(_) | None => return contradiction(Wrong::Rewritten, checkpoint.seq),
        }
    }
    if confirmed == 0 {
        Confronted::Unwitnessed
    } else {
        Confronted::Confirmed {
            through: sound,
            witnesses: confirmed,
        }
    }
}

/// The oldest checkpoint that covers an entry: it proves that the entry was there, and is changed
/// where the ledger cannot show it.
#[must_use]
pub fn witness_of(witnesses: &[Witness], signers: &[[u8; 32]], entry: u64) -> Option<Witness> {
    let genuine = |checkpoint: &Checkpoint| {
        signers.iter().any(|signer| {
            VerifyingKey::from_bytes(signer).is_ok_and(|key| checkpoint.verify(&key).is_ok())
        })
    };
    let mut covering = witnesses
        .iter()
        .filter(|witness| witness.checkpoint.seq >= entry);
    covering
        .find(|witness| genuine(&witness.checkpoint))
        .cloned()
}

fn sort(witnesses: &mut [Witness]) {
    witnesses.sort_by(|one, other| {
        let place = |witness: &Witness| (witness.checkpoint.seq, witness.checkpoint.at_ms);
        place(one)
            .cmp(&place(other))
            .then_with(|| one.keeper.cmp(&other.keeper))
    });
}

#[cfg(test)]
mod tests {
    use juki_crypto::{SigningKey, SystemRandomness};
    use juki_ledger::EntryKind;

    use super::*;

    /// A ledger of this many entries, whose leaves are all alike but one.
    fn chains(entries: u64, other: u64) -> Vec<Chain> {
        let mut chain = Chain::default();
        (1..=entries)
            .map(|seq| {
                chain.advance(&[u8::from(seq == other); 32]);
                chain
            })
            .collect()
    }

    fn witnesses(key: &SigningKey, at: &[u64], honest: &[Chain]) -> Vec<Witness> {
        let mut all = Witnesses::default();
        let node: NodeId = "cs-352047".parse().unwrap();
        let keeper: NodeId = "prefecture-35".parse().unwrap();
        for (entry, seq) in (100..).zip(at) {
            let chain = honest.iter().find(|chain| chain.seq == *seq).unwrap();
            let checkpoint = Checkpoint::sign(&node, chain, *seq, key);
            let payload = NeighbourCheckpoint {
                checkpoint: Some(checkpoint),
            };
            let kept = Entry {
                seq: entry,
                at_ms: 1,
                kind: NEIGHBOUR_CHECKPOINT,
                salt: [0; 16],
                payload: payload.encode_to_vec(),
            };
            all.take(&keeper, &kept);
            let unrelated = Entry {
                kind: EntryKind(80),
                ..kept
            };
            all.take(&keeper, &unrelated);
        }
        all.of(&node)
    }

    #[test]
    fn a_sound_ledger_is_confirmed_and_every_change_is_placed_between_two_checkpoints() {
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        let signers = [*key.public().as_bytes()];
        let honest = chains(50, 0);
        let witnesses = witnesses(&key, &[30, 10, 20], &honest);
        let sound = confront(&witnesses, &signers, &honest, honest.last().unwrap());
        let confirmed = Confronted::Confirmed {
            through: 30,
            witnesses: 3,
        };
        assert_eq!(sound, confirmed);
        for changed in 1..=30 {
            let other = chains(50, changed);
            let found = confront(&witnesses, &signers, &other, other.last().unwrap());
            let Confronted::Contradicted(found) = found else {
                panic!("{changed} was not found");
            };
            assert_eq!(found.wrong, Wrong::Rewritten);
            assert!((found.first..=found.last).contains(&changed), "{found:?}");
            assert!(found.last - found.first < 10);
            assert_eq!(found.proof.keeper.as_str(), "prefecture-35");
            assert_eq!(found.proof.checkpoint.seq, found.last);
        }
        let later = chains(50, 31);
        assert_eq!(
            confront(&witnesses, &signers, &later, later.last().unwrap()),
            confirmed,
            "nobody can tell what no neighbour has seen"
        );
    }

    #[test]
    fn a_cut_ledger_names_the_first_number_that_is_missing() {
        let key = SigningKey::generate(&SystemRandomness).unwrap();
        let signers = [*key.public().as_bytes()];
        let honest = chains(50, 0);
        let witnesses = witnesses(&key, &[10, 40], &honest);
        let left: Vec<Chain> = honest.iter().take(25).copied().collect();
        let found = confront(&witnesses, &signers, &left, left.last().unwrap());
        let Confronted::Contradicted(found) = found else {
            panic!("the cut was not found");
        };
        assert_eq!((found.wrong, found.first), (Wrong::CutOff, 26));
        assert_eq!(witness_of(&witnesses, &signers, 26), Some(found.proof));
    }

    #[test]
    fn a_ledger_under_another_key_contradicts_what_the_true_key_signed() {
        let (key, other) = (
            SigningKey::generate(&SystemRandomness).unwrap(),
            SigningKey::generate(&SystemRandomness).unwrap(),
        );
        let honest = chains(20, 0);
        let witnesses = witnesses(&key, &[10], &honest);
        let signers = [*other.public().as_bytes()];
        let found = confront(&witnesses, &signers, &honest, honest.last().unwrap());
        assert!(matches!(
            found,
            Confronted::Contradicted(Contradiction {
                wrong: Wrong::OtherKey,
                first: 1,
                ..
            })
        ));
        assert_eq!(
            witness_of(&witnesses, &signers, 5),
            None,
            "it proves nothing under that key"
        );
    }

    #[test]
    fn many_checkpoints_are_thinned_out_and_the_newest_stays() {
        let mut all = Witnesses::default();
        let keeper: NodeId = "national".parse().unwrap();
        let most = WITNESSES_MAX as u64 * 3;
        for seq in 1..=most {
            let checkpoint = Checkpoint {
                node: "prefecture-35".to_owned(),
                seq,
                ..Checkpoint::default()
            };
            let payload = NeighbourCheckpoint {
                checkpoint: Some(checkpoint),
            };
            let kept = Entry {
                seq,
                at_ms: 1,
                kind: NEIGHBOUR_CHECKPOINT,
                salt: [0; 16],
                payload: payload.encode_to_vec(),
            };
            all.take(&keeper, &kept);
        }
        let left = all.of(&"prefecture-35".parse().unwrap());
        assert!(left.len() <= WITNESSES_MAX);
        assert_eq!(left.last().unwrap().checkpoint.seq, most);
    }
}
