//! Checkpoints of neighbours: which are kept, and which contradict what is kept already.

use juki_crypto::{Directory, VerifyingKey};
use juki_domain::{ErrorCode, NodeId};
use juki_ledger::Checkpoint;
use prost::Message;

/// One checkpoint of a peer is kept in this time at most, unless it ran far ahead.
const KEEP_EVERY_MS: u64 = 60_000;
/// So many entries ahead, a checkpoint is kept at once.
const KEEP_EVERY_ENTRIES: u64 = 1_000;

/// The newest checkpoint that is kept of a peer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Neighbour {
    /// The last entry that it covers.
    #[prost(uint64, tag = "1")]
    pub seq: u64,
    /// The chain after that entry.
    #[prost(bytes = "vec", tag = "2")]
    pub hash: Vec<u8>,
    /// When the peer signed it, in ms since 1970.
    #[prost(uint64, tag = "3")]
    pub signed_ms: u64,
    /// When it was kept, in ms since 1970.
    #[prost(uint64, tag = "4")]
    pub kept_ms: u64,
}

impl Neighbour {
    /// What is known once this checkpoint is kept.
    #[must_use]
    pub fn after(checkpoint: &Checkpoint, kept_ms: u64) -> Self {
        Self {
            seq: checkpoint.seq,
            hash: checkpoint.hash.clone(),
            signed_ms: checkpoint.at_ms,
            kept_ms,
        }
    }
}

/// Whether a checkpoint that `from` sent is to be kept. `urgent` keeps any that is newer: it came
/// with an alert, whose evidence it pins.
///
/// # Errors
/// A checkpoint that is to be kept too, and says that something is wrong with its ledger:
/// [`ErrorCode::LedgerForked`] or [`ErrorCode::LedgerWentBack`]; one that is not to be kept, since
/// the node did not sign it: [`ErrorCode::CheckpointForged`].
pub fn judge_checkpoint(
    directory: &Directory,
    from: &NodeId,
    checkpoint: &Checkpoint,
    known: Option<&Neighbour>,
    (now_ms, urgent): (u64, bool),
) -> Result<bool, ErrorCode> {
    let key: Option<&VerifyingKey> = directory.entry(from).map(|entry| &entry.signing);
    let signed =
        checkpoint.node == from.as_str() && key.is_some_and(|key| checkpoint.verify(key).is_ok());
    if !signed {
        return Err(ErrorCode::CheckpointForged);
    }
    let Some(known) = known else {
        return Ok(true);
    };
    if checkpoint.seq == known.seq {
        return if checkpoint.hash == known.hash {
            Ok(false)
        } else {
            Err(ErrorCode::LedgerForked)
        };
    }
    if checkpoint.seq < known.seq {
        // An older word may arrive late, after a session was opened anew.
        return if checkpoint.at_ms > known.signed_ms {
            Err(ErrorCode::LedgerWentBack)
        } else {
            Ok(false)
        };
    }
    let since = now_ms.checked_sub(known.kept_ms);
    Ok(urgent
        || checkpoint.seq - known.seq >= KEEP_EVERY_ENTRIES
        || since.is_none_or(|since| since >= KEEP_EVERY_MS))
}

#[cfg(test)]
mod tests {
    use juki_crypto::{DirectoryEntry, SealingKey, SigningKey, SystemRandomness};
    use juki_domain::NodeRole;
    use juki_ledger::Chain;

    use super::*;

    struct World {
        node: NodeId,
        key: SigningKey,
        directory: Directory,
    }

    impl World {
        fn new() -> Self {
            let node: NodeId = "prefecture-35".parse().unwrap();
            let key = SigningKey::generate(&SystemRandomness).unwrap();
            let entry = DirectoryEntry {
                role: NodeRole::PrefectureServer,
                signing: key.public(),
                sealing: SealingKey::generate().unwrap().public().clone(),
                municipality: None,
            };
            let directory = Directory {
                nodes: [(node.clone(), entry)].into(),
                ..Directory::default()
            };
            Self {
                node,
                key,
                directory,
            }
        }

        fn checkpoint(&self, seq: u64, byte: u8, at_ms: u64) -> Checkpoint {
            let chain = Chain {
                seq,
                hash: [byte; 32],
            };
            Checkpoint::sign(&self.node, &chain, at_ms, &self.key)
        }

        fn judge(
            &self,
            checkpoint: &Checkpoint,
            known: &Neighbour,
            now_ms: u64,
            urgent: bool,
        ) -> Result<bool, ErrorCode> {
            let known = Some(known);
            judge_checkpoint(
                &self.directory,
                &self.node,
                checkpoint,
                known,
                (now_ms, urgent),
            )
        }
    }

    #[test]
    fn checkpoints_are_kept_once_a_minute_or_each_thousand_entries_or_with_an_alert() {
        let world = World::new();
        let first = world.checkpoint(10, 1, 100);
        let kept = judge_checkpoint(&world.directory, &world.node, &first, None, (200, false));
        assert_eq!(kept, Ok(true));
        let known = Neighbour::after(&first, 200);
        let next = world.checkpoint(20, 2, 300);
        assert_eq!(
            world.judge(&first, &known, 400, true),
            Ok(false),
            "it is kept already"
        );
        assert_eq!(world.judge(&next, &known, 60_199, false), Ok(false));
        assert_eq!(world.judge(&next, &known, 60_200, false), Ok(true));
        assert_eq!(world.judge(&next, &known, 400, true), Ok(true));
        let ahead = world.checkpoint(1_010, 3, 400);
        assert_eq!(world.judge(&ahead, &known, 401, false), Ok(true));
    }

    #[test]
    fn a_ledger_that_goes_back_or_forks_contradicts_what_is_kept() {
        let world = World::new();
        let known = Neighbour::after(&world.checkpoint(500, 1, 1_000), 1_000);
        let other = world.checkpoint(500, 2, 2_000);
        assert_eq!(
            world.judge(&other, &known, 2_000, false),
            Err(ErrorCode::LedgerForked)
        );
        let shorter = world.checkpoint(400, 3, 2_000);
        assert_eq!(
            world.judge(&shorter, &known, 2_000, false),
            Err(ErrorCode::LedgerWentBack)
        );
        let late = world.checkpoint(400, 3, 900);
        assert_eq!(world.judge(&late, &known, 2_000, false), Ok(false));
    }

    #[test]
    fn nobody_speaks_for_another_ledger() {
        let world = World::new();
        let checkpoint = world.checkpoint(1, 1, 1);
        let other: NodeId = "national".parse().unwrap();
        let known = Neighbour::default();
        let judged = judge_checkpoint(&world.directory, &other, &checkpoint, None, (1, false));
        assert_eq!(judged, Err(ErrorCode::CheckpointForged));
        let altered = Checkpoint {
            seq: 2,
            ..checkpoint
        };
        assert_eq!(
            world.judge(&altered, &known, 2, false),
            Err(ErrorCode::CheckpointForged)
        );
    }
}
