use juki_crypto::{DirectoryEntry, SystemRandomness};
use juki_domain::NodeRole;

use super::*;

struct World {
    directory: Arc<Directory>,
    keys: HashMap<NodeId, (Arc<SigningKey>, Arc<SealingKey>)>,
}

impl World {
    fn new() -> Self {
        let mut directory = Directory::default();
        let mut keys = HashMap::new();
        for name in ["cs-352047", "prefecture-35", "cs-355011"] {
            let node: NodeId = name.parse().unwrap();
            let (signing, sealing) = (
                SigningKey::generate(&SystemRandomness).unwrap(),
                SealingKey::generate().unwrap(),
            );
            let entry = DirectoryEntry {
                role: NodeRole::MunicipalCs,
                signing: signing.public(),
                sealing: sealing.public().clone(),
                municipality: None,
            };
            directory.nodes.insert(node.clone(), entry);
            keys.insert(node, (Arc::new(signing), Arc::new(sealing)));
        }
        Self {
            directory: Arc::new(directory),
            keys,
        }
    }

    fn boot(&self, name: &str) -> Sessions {
        let node: NodeId = name.parse().unwrap();
        let (signing, sealing) = self.keys[&node].clone();
        Sessions::new(
            node,
            signing,
            sealing,
            self.directory.clone(),
            Arc::new(SystemRandomness),
            1,
        )
    }
}

fn say(from: &mut Sessions, to: &str, now: u64, body: &[u8]) -> Bytes {
    from.seal(
        now,
        &to.parse().unwrap(),
        (ServiceId::Journal, Priority::Bulk),
        (None, false),
        body.to_vec(),
    )
    .unwrap()
    .1
}

/// Carries frames between two nodes until neither has anything to resend; gives what arrived.
fn carry(now: u64, first: Bytes, nodes: [&mut Sessions; 2]) -> Vec<Vec<u8>> {
    carry_all(now, [first].into(), nodes)
}

fn carry_all(now: u64, mut queue: VecDeque<Bytes>, nodes: [&mut Sessions; 2]) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    let [a, b] = nodes;
    for _ in 0..20 {
        let Some(frame) = queue.pop_front() else {
            break;
        };
        let parts = FrameParts::decode(&frame).unwrap();
        let node = if parts.header.destination == a.me {
            &mut *a
        } else {
            &mut *b
        };
        match node.open(now, &parts) {
            OpenedFrame::Message { body, .. } => heard.push(body),
            OpenedFrame::Resend(frames) => {
                queue.extend(frames.into_iter().map(|(_, _, frame)| frame))
            }
            OpenedFrame::Reject { code, .. } => panic!("rejected: {code:?}"),
            OpenedFrame::Refused { .. } | OpenedFrame::Nothing => {}
        }
    }
    heard
}

#[test]
fn a_first_message_and_one_after_each_restart_arrive_once() {
    let world = World::new();
    let (mut cs, mut prefecture) = (world.boot("cs-352047"), world.boot("prefecture-35"));
    let frame = say(&mut cs, "prefecture-35", 10, b"one");
    assert_eq!(carry(10, frame, [&mut cs, &mut prefecture]), [b"one"]);
    prefecture = world.boot("prefecture-35");
    let frame = say(&mut cs, "prefecture-35", 20, b"two");
    let heard = carry(20, frame, [&mut cs, &mut prefecture]);
    // "one" was never answered, so it is said again: being told twice is the services' business.
    assert_eq!(heard, [b"one", b"two"]);
    let frame = say(&mut prefecture, "cs-352047", 21, b"down");
    assert_eq!(carry(21, frame, [&mut cs, &mut prefecture]), [b"down"]);
    cs = world.boot("cs-352047");
    let frame = say(&mut prefecture, "cs-352047", 30, b"again");
    let heard = carry(30, frame, [&mut cs, &mut prefecture]);
    assert_eq!(heard.last().map(Vec::as_slice), Some(&b"again"[..]));
}

#[test]
fn a_node_whose_clock_went_back_is_heard_again() {
    let world = World::new();
    let (mut cs, mut prefecture) = (world.boot("cs-352047"), world.boot("prefecture-35"));
    let frame = say(&mut cs, "prefecture-35", 1_000_000, b"one");
    assert_eq!(
        carry(1_000_000, frame, [&mut cs, &mut prefecture]),
        [b"one"]
    );
    cs = world.boot("cs-352047");
    let frame = say(&mut cs, "prefecture-35", 10, b"two");
    assert_eq!(carry(10, frame, [&mut cs, &mut prefecture]), [b"two"]);
}

#[test]
fn a_restarted_node_and_its_peer_that_speak_at_once_do_not_reset_each_other_for_ever() {
    let world = World::new();
    let (mut cs, mut prefecture) = (world.boot("cs-352047"), world.boot("prefecture-35"));
    for (now, body) in [(10, b"a"), (11, b"b")] {
        let frame = say(&mut cs, "prefecture-35", now, body);
        carry(now, frame, [&mut cs, &mut prefecture]);
        let frame = say(&mut prefecture, "cs-352047", now, body);
        carry(now, frame, [&mut cs, &mut prefecture]);
    }
    prefecture = world.boot("prefecture-35");
    let crossing = [
        say(&mut cs, "prefecture-35", 30, b"up"),
        say(&mut prefecture, "cs-352047", 30, b"down"),
    ];
    let heard = carry_all(30, crossing.into(), [&mut cs, &mut prefecture]);
    assert!(
        heard.contains(&b"up".to_vec()) && heard.contains(&b"down".to_vec()),
        "{heard:?}"
    );
    // Both have settled: what they say next arrives at once.
    for now in [40, 41] {
        let frame = say(&mut cs, "prefecture-35", now, b"next");
        assert_eq!(carry(now, frame, [&mut cs, &mut prefecture]), [b"next"]);
        let frame = say(&mut prefecture, "cs-352047", now, b"next");
        assert_eq!(carry(now, frame, [&mut cs, &mut prefecture]), [b"next"]);
    }
}

#[test]
fn what_was_said_long_ago_is_not_said_again() {
    let world = World::new();
    let (mut cs, mut prefecture) = (world.boot("cs-352047"), world.boot("prefecture-35"));
    for now in [10, 20] {
        let frame = say(&mut cs, "prefecture-35", now, b"old");
        carry(now, frame, [&mut cs, &mut prefecture]);
    }
    prefecture = world.boot("prefecture-35");
    let frame = say(&mut cs, "prefecture-35", 20 + AWAITING_MS_MAX + 1, b"new");
    assert_eq!(
        carry(20 + AWAITING_MS_MAX + 1, frame, [&mut cs, &mut prefecture]),
        [b"new"]
    );
}

#[test]
fn a_replayed_frame_is_refused_before_and_after_a_restart() {
    let world = World::new();
    let (mut cs, mut prefecture) = (world.boot("cs-352047"), world.boot("prefecture-35"));
    let first = say(&mut cs, "prefecture-35", 10, b"x");
    carry(10, first, [&mut cs, &mut prefecture]);
    let frame = say(&mut cs, "prefecture-35", 11, b"recorded");
    let parts = FrameParts::decode(&frame).unwrap();
    assert!(matches!(
        prefecture.open(11, &parts),
        OpenedFrame::Message { .. }
    ));
    assert!(matches!(
        prefecture.open(12, &parts),
        OpenedFrame::Reject {
            code: ErrorCode::FrameReplayed,
            ..
        }
    ));
    let mut prefecture = world.boot("prefecture-35");
    // The opening it carries is bound to the run before: all the replayer gets is a reset.
    assert!(matches!(
        prefecture.open(13, &parts),
        OpenedFrame::Resend(_)
    ));
}

#[test]
fn a_node_cannot_speak_for_another() {
    let world = World::new();
    let mut prefecture = world.boot("prefecture-35");
    let mut thief = Sessions {
        me: "cs-352047".parse().unwrap(),
        ..world.boot("cs-355011")
    };
    let frame = say(&mut thief, "prefecture-35", 10, b"forged");
    let forged = FrameParts::decode(&frame).unwrap();
    assert!(matches!(
        prefecture.open(10, &forged),
        OpenedFrame::Reject {
            code: ErrorCode::SourceSignatureWrong,
            ..
        }
    ));
}

#[test]
fn a_frame_for_another_node_is_not_opened() {
    let world = World::new();
    let (mut cs, mut other) = (world.boot("cs-352047"), world.boot("cs-355011"));
    let frame = say(&mut cs, "prefecture-35", 10, b"x");
    assert!(matches!(
        other.open(10, &FrameParts::decode(&frame).unwrap()),
        OpenedFrame::Reject {
            code: ErrorCode::NoRoute,
            ..
        }
    ));
}
