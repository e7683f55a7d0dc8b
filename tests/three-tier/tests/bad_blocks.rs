//! Blocks that must not be accepted: each is refused with its code and put on record, and another
//! town's journal goes on.

use juki_dispatch::{Input, SECURITY, SecurityRecord};
use juki_domain::{ErrorCode, MunicipalityCode, ServiceId};
use juki_journal::message::kind::Kind;
use juki_journal::{BLOCK_REFUSED, JournalMessage, JournalReceiver, Refused, SignedBlock};
use juki_wire::{Flags, FrameKind, Header, MessageId, Priority};
use prost::Message as _;
use three_tier::{Boot, JournalWriter, Node, Post, Puppet, cast, municipality};

const NOW_MS: u64 = 1_034_640_000_000;

/// A bad block that a town's server might send next.
type Bad = fn(&mut JournalWriter) -> SignedBlock;

const BAD: [(ErrorCode, Bad); 13] = [
    (ErrorCode::BlockSignature, |town| {
        JournalWriter::with_header(&town.block(2), &cast().keys(Post::Town(2)).0, |_| {})
    }),
    (ErrorCode::BlockSignature, |town| SignedBlock {
        signature: vec![0; 64],
        ..town.block(2)
    }),
    (ErrorCode::BlockGap, |town| {
        JournalWriter::with_header(&town.block(2), &town.key(), |header| header.first_seq += 1)
    }),
    (ErrorCode::BlockGap, |town| {
        JournalWriter::with_header(&town.block(2), &town.key(), |header| {
            header.first_seq = u64::MAX
        })
    }),
    (ErrorCode::BlockWrongWriter, |town| {
        JournalWriter::with_header(&town.block(2), &town.key(), |header| {
            header.municipality = municipality(1).number()
        })
    }),
    (ErrorCode::BlockDigest, |town| {
        JournalWriter::with_header(&town.block(2), &town.key(), |header| {
            header.digest = vec![7; 32]
        })
    }),
    (ErrorCode::BlockDigest, |town| town.block_of_others()),
    (ErrorCode::BlockPrevious, |town| {
        JournalWriter::with_header(&town.block(2), &town.key(), |header| {
            header.previous = vec![7; 32]
        })
    }),
    (ErrorCode::BlockEpoch, |town| {
        JournalWriter::with_header(&town.block(2), &town.key(), |header| header.epoch = 2)
    }),
    (ErrorCode::BlockMalformed, |town| SignedBlock {
        header: vec![0xff; 40],
        ..town.block(2)
    }),
    // Two other people under a header that was signed for these two.
    (ErrorCode::BlockMalformed, |town| {
        let others = town.block_of_others();
        SignedBlock {
            body: others.body,
            compressed: others.compressed,
            ..town.block(2)
        }
    }),
    (ErrorCode::BlockMalformed, |town| SignedBlock {
        body: [7, 251].repeat(150_000),
        compressed: false,
        ..town.block(2)
    }),
    // 64 MiB of nothing in a few kilobytes.
    (ErrorCode::BlockMalformed, |town| {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap_or_default();
        SignedBlock {
            body: bomb,
            compressed: true,
            ..town.block(2)
        }
    }),
];

#[test]
fn every_bad_block_is_refused_with_its_code_and_the_other_town_goes_on() {
    let mut node = started(Post::Prefecture);
    let (mut bad, mut good) = (JournalWriter::new(0), JournalWriter::new(1));
    bad.send_good(&mut node);
    let mut on_record = Vec::new();
    for (at, (code, make)) in BAD.into_iter().enumerate() {
        let block = make(&mut bad);
        let heard = bad.send(&mut node, &block);
        assert_eq!(
            (heard.messages.len(), heard.refused()),
            (1, Some(code.code())),
            "case {at}: {heard:?}"
        );
        assert_eq!(height(&node, municipality(0)), 2, "case {at}");
        // A gap is what a cut line leaves; all else is put on record.
        on_record.extend((code != ErrorCode::BlockGap).then(|| code.code().to_owned()));
        assert_eq!(refusals(&node), on_record, "case {at}");
        good.send_good(&mut node);
    }
    bad.send_good(&mut node);
    assert_eq!(
        (
            height(&node, municipality(0)),
            height(&node, municipality(1))
        ),
        (4, 2 * BAD.len() as u64)
    );
}

#[test]
fn words_that_are_no_message_are_refused_and_recorded() {
    let mut node = started(Post::Prefecture);
    let mut town = JournalWriter::new(0);
    for garbage in [vec![0xff; 100], Vec::new(), vec![0x1a, 0x7f]] {
        let heard = town.puppet.say(&mut node, ServiceId::Journal, garbage);
        assert_eq!(heard.refused(), Some(ErrorCode::BlockMalformed.code()));
    }
    assert_eq!(refusals(&node).len(), 3);
    town.send_good(&mut node);
}

#[test]
fn a_block_seen_before_gets_its_receipt_again_and_changes_nothing() {
    let mut node = started(Post::Prefecture);
    let mut town = JournalWriter::new(0);
    let block = town.block(3);
    for _ in 0..3 {
        assert_eq!(town.send(&mut node, &block).receipt(), Some(3));
    }
    town.go_on(&block);
    town.send_good(&mut node);
    assert_eq!(
        (refusals(&node).len(), height(&node, municipality(0))),
        (0, 5)
    );
}

#[test]
fn only_the_town_and_then_its_prefecture_may_bring_a_journal_or_ask_for_it() {
    let mut center = started(Post::National);
    let mut town = JournalWriter::new(0);
    let block = town.block(2);
    let wrong = Some(ErrorCode::BlockWrongWriter.code());
    assert_eq!(
        town.send(&mut center, &block).refused(),
        wrong,
        "a town does not write to the center"
    );
    let mut prefecture = Puppet::new(Post::Prefecture, true, 9);
    let heard = prefecture.say(
        &mut center,
        ServiceId::Journal,
        JournalMessage::bytes(Kind::Block(block)),
    );
    assert_eq!(heard.receipt(), Some(2));
    let ask = JournalMessage::bytes(Kind::Ask(municipality(0).number()));
    assert_eq!(
        prefecture
            .say(&mut center, ServiceId::Journal, ask.clone())
            .receipt(),
        Some(2)
    );
    assert_eq!(
        JournalWriter::new(1)
            .puppet
            .say(&mut center, ServiceId::Journal, ask)
            .refused(),
        wrong
    );
}

#[test]
fn a_sender_with_other_keys_is_not_heard_and_is_on_record() {
    let mut node = started(Post::Prefecture);
    let mut town = JournalWriter::new(0);
    let mut thief = Puppet::new(Post::Town(0), false, 3);
    let heard = thief.say(
        &mut node,
        ServiceId::Journal,
        JournalMessage::bytes(Kind::Block(town.block(2))),
    );
    assert_eq!(heard.messages, []);
    assert_eq!(heard.refusals, [ErrorCode::SourceSignatureWrong.code()]);
    assert_eq!(height(&node, municipality(0)), 0);
    let recorded: Vec<String> = security(&node)
        .into_iter()
        .map(|record| record.code)
        .collect();
    assert_eq!(recorded, [ErrorCode::SourceSignatureWrong.code()]);
    town.send_good(&mut node);
}

#[test]
fn a_flood_of_forged_frames_is_counted_in_few_entries() {
    let mut node = started(Post::Prefecture);
    for number in 0..200u8 {
        let header = Header {
            kind: FrameKind::Message,
            service: ServiceId::Journal,
            priority: Priority::Bulk,
            flags: Flags {
                opening: true,
                reply: false,
            },
            source: Post::Town(0).name(),
            destination: Post::Prefecture.name(),
            calendar_version: 1,
            message_id: MessageId([number; 16]),
            session: [number; 16],
            sequence: 0,
        };
        node.inbox
            .push(Input::Frame(header.frame(&[0, 1, 9, 9]).unwrap()));
    }
    let (_, ended) = node.turn(NOW_MS, "2002-10-15".parse().unwrap());
    ended.unwrap();
    let recorded = security(&node);
    assert!(recorded.len() <= 20, "{} entries", recorded.len());
    assert_eq!(recorded.iter().map(|record| record.count).sum::<u32>(), 200);
}

fn started(post: Post) -> Node {
    let mut node = Node::new(post, 5, false);
    assert!(matches!(node.boot(NOW_MS), Boot::Up { .. }));
    node
}

fn refusals(node: &Node) -> Vec<String> {
    let refused = |payload: &[u8]| {
        Refused::decode(payload).map_or_else(|_| "?".to_owned(), |refused| refused.code)
    };
    node.entries()
        .iter()
        .filter(|entry| entry.kind == BLOCK_REFUSED)
        .map(|entry| refused(&entry.payload))
        .collect()
}

fn security(node: &Node) -> Vec<SecurityRecord> {
    node.entries()
        .iter()
        .filter(|entry| entry.kind == SECURITY)
        .filter_map(|entry| SecurityRecord::decode(entry.payload.as_slice()).ok())
        .collect()
}

fn height(node: &Node, of: MunicipalityCode) -> u64 {
    JournalReceiver::cursors(node.view())
        .iter()
        .find(|(code, _)| *code == of)
        .map_or(0, |(_, cursor)| cursor.seq)
}
