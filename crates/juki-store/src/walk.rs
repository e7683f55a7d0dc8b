//! Going through a ledger without its key: whose it is, and where its chain stands.

use std::io;

use juki_domain::NodeId;
use juki_ledger::{Chain, SegmentHeader};
use juki_runtime::Files;

use crate::recover::{SegmentEnd, continues, read_header, segment_numbers, walk_segment};

/// Whom a ledger's segments name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerOwner {
    /// The node, as the first segment names it.
    pub node: NodeId,
    /// The public keys of all segments, each once.
    pub signers: Vec<[u8; 32]>,
}

/// Reads whose ledger it is; `None` where no segment can be read.
///
/// # Errors
/// Whatever the operating system says.
pub fn ledger_owner(files: &dyn Files) -> io::Result<Option<LedgerOwner>> {
    let mut owner: Option<LedgerOwner> = None;
    for number in segment_numbers(files)? {
        let Ok(header) = SegmentHeader::decode(&read_header(files, number)?) else {
            continue;
        };
        let owner = owner.get_or_insert(LedgerOwner {
            node: header.node,
            signers: Vec::new(),
        });
        if !owner.signers.contains(&header.signer) {
            owner.signers.push(header.signer);
        }
    }
    Ok(owner)
}

/// Where the chain stood after certain entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The chain after each entry that was asked for and is there, in order.
    pub chains: Vec<Chain>,
    /// The chain after the last whole entry.
    pub head: Chain,
}

/// Walks the chain over the leaves in clear up to the first damage, and notes where it stands after
/// each of these entries, whose numbers rise.
///
/// # Errors
/// Whatever the operating system says.
pub fn walk_chain(files: &dyn Files, after: &[u64]) -> io::Result<Walked> {
    let mut chain = Chain::default();
    let mut chains = Vec::with_capacity(after.len());
    let mut wanted = after.iter().copied().skip_while(|seq| *seq == 0).peekable();
    for number in segment_numbers(files)? {
        let header = SegmentHeader::decode(&read_header(files, number)?);
        if !header.is_ok_and(|header| continues(&header, number, &chain)) {
            break;
        }
        let mut within = chain;
        let end = walk_segment(files, number, &mut chain, &mut |_, frame| {
            for leaf in &frame.leaves {
                within.advance(leaf);
                while wanted.next_if(|seq| *seq == within.seq).is_some() {
                    chains.push(within);
                }
            }
        })?;
        if !matches!(end, SegmentEnd::Clean { .. }) {
            break;
        }
    }
    Ok(Walked {
        chains,
        head: chain,
    })
}
