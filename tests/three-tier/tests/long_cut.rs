//! A town that is cut off for long: its backlog travels in blocks of bounded size, and no code is
//! given twice though its stock runs out and its power fails.

use juki_journal::{BLOCK, BLOCK_BYTES_MAX, SignedBlock};
use juki_services::codes::CodeStock;
use prost::Message as _;
use three_tier::{Options, Post, World, municipality};

#[test]
fn a_backlog_travels_in_several_blocks_and_no_code_is_given_twice() {
    let mut world = World::new(
        7,
        Options {
            residents: 9_000,
            faults: false,
            ..Options::default()
        },
    );
    world.advance(world.now_ms + 3_000);
    let stock = usize::try_from(CodeStock::left(world.node(Post::Town(0)).view())).unwrap();
    assert!((1..8_000).contains(&stock), "a stock of {stock}");
    let entered = stock + 200;
    world
        .network
        .cut((Post::Town(0), Post::Prefecture), u64::MAX);
    for batch in 0..entered / 100 {
        for _ in 0..100 {
            world.town_hall.enter(world.now_ms, 0);
        }
        world.advance(world.now_ms + 200);
        if batch % 13 == 3 {
            world.lose_power(Post::Town(0));
        }
    }
    world.advance(world.now_ms + 10_000);
    let town = world.node(Post::Town(0));
    assert_eq!(CodeStock::left(town.view()), 0);
    assert_eq!(world.town_hall.acknowledged.len(), stock);
    assert_eq!(world.town_hall.waiting(), 200, "who gets no code waits");
    world.settle();
    let blocks: Vec<SignedBlock> = world
        .node(Post::National)
        .entries()
        .iter()
        .filter(|entry| entry.kind == BLOCK)
        .map(|entry| SignedBlock::decode(entry.payload.as_slice()).unwrap())
        .filter(|block| block.read_header().unwrap().municipality == municipality(0).number())
        .collect();
    assert!(
        blocks.len() > 1 && blocks.len() < 60,
        "{} blocks",
        blocks.len()
    );
    assert!(
        blocks
            .iter()
            .all(|block| block.encoded_len() <= BLOCK_BYTES_MAX)
    );
    let longest = blocks
        .iter()
        .map(|block| block.read_header().unwrap().count)
        .max()
        .unwrap();
    assert!(
        longest > 200,
        "the longest block has only {longest} entries"
    );
    let outcome = world.finish();
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert_eq!(outcome.counts.acknowledged, entered as u64);
}
