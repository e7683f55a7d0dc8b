//! Notices of the registrar: passed on hop by hop, the newest of each kind.

use std::sync::{Arc, Mutex};

use juki_crypto::{Notice, NoticeKind, SigningKey, SystemRandomness};
use juki_domain::ErrorCode;
use juki_topology::Interface;
use juki_transport::{NoticeRefused, NoticeStore, PeerSettings};
use juki_wire::hello::control::Kind;

use crate::office::{BAD, GOOD, HUB, Node, Office, Pair, id};
use crate::raw;

/// A notice of this office's registrar.
fn notice(office: &Office, kind: NoticeKind, number: u64) -> Vec<u8> {
    let body = format!("{} {number}", kind.name()).into_bytes();
    Notice::sign(kind, number, body, &office.registrar).encode()
}

fn kept(notices: &[Vec<u8>]) -> NoticeStore {
    NoticeStore {
        kept: notices.to_vec(),
        ..NoticeStore::default()
    }
}

#[tokio::test]
async fn a_notice_reaches_the_peers_peer_downward_and_upward_and_is_kept_there() {
    let office = Office::new();
    let mut national = Node::start(office.listening("national", &[HUB]));
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.peers.push(PeerSettings {
        name: id("national"),
        interface: Interface::NationalLine,
        dial: Some(national.dial()),
        line_bps: 0,
    });
    let mut prefecture = Node::start(settings);
    let mut settings = office.dialling(GOOD, HUB, prefecture.dial());
    let written = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&written);
    settings.notices.keep = Arc::new(move |kind, bytes| {
        keep.lock().unwrap().push((kind, bytes.to_vec()));
        Ok(())
    });
    let mut cs = Node::start(settings);
    national.up(HUB).await;
    cs.up(HUB).await;

    let down = notice(&office, NoticeKind::CardList, 1);
    national.transport.install_notice(&down).unwrap();
    for node in [&mut prefecture, &mut cs] {
        let heard = node.notice().await;
        assert_eq!((heard.kind, heard.number), (NoticeKind::CardList, 1));
        assert_eq!(heard.body, b"card-list 1");
    }
    assert_eq!(*written.lock().unwrap(), [(NoticeKind::CardList, down)]);

    let up = notice(&office, NoticeKind::LegalBasis, 5);
    cs.transport.install_notice(&up).unwrap();
    let heard = national.notice().await;
    assert_eq!((heard.kind, heard.number), (NoticeKind::LegalBasis, 5));
    assert_eq!(national.transport.notices().len(), 2);
}

#[tokio::test]
async fn whoever_has_an_older_notice_gets_the_newer_after_hello() {
    let office = Office::new();
    let one = notice(&office, NoticeKind::CardList, 1);
    let newer = notice(&office, NoticeKind::CardList, 9);
    for hub_has_it in [true, false] {
        let (of_hub, of_cs) = if hub_has_it {
            (&newer, &one)
        } else {
            (&one, &newer)
        };
        let mut settings = office.listening(HUB, &[GOOD]);
        settings.notices = kept(std::slice::from_ref(of_hub));
        let mut hub = Node::start(settings);
        let mut settings = office.dialling(GOOD, HUB, hub.dial());
        settings.notices = kept(std::slice::from_ref(of_cs));
        let mut cs = Node::start(settings);
        let receiver = if hub_has_it { &mut cs } else { &mut hub };
        assert_eq!(receiver.notice().await.number, 9);
    }
}

#[tokio::test]
async fn an_older_a_forged_and_a_garbled_notice_are_not_installed() {
    let office = Office::new();
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.notices = kept(&[
        notice(&office, NoticeKind::CardList, 5),
        notice(&Office::new(), NoticeKind::LegalBasis, 7),
        b"garbage".to_vec(),
    ]);
    let hub = Node::start(settings);
    assert_eq!(hub.transport.notices().len(), 1, "only its own registrar's");
    let install = |bytes: &[u8]| hub.transport.install_notice(bytes);
    for old in [4, 5] {
        assert!(matches!(
            install(&notice(&office, NoticeKind::CardList, old)),
            Err(NoticeRefused::NotNewer { number: 5, .. })
        ));
    }
    for forged in [notice(&Office::new(), NoticeKind::CardList, 6), vec![7; 40]] {
        let refused = install(&forged).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::NoticeInvalid);
    }
    assert!(install(&notice(&office, NoticeKind::CardList, 6)).is_ok());
}

#[tokio::test]
async fn a_notice_that_cannot_be_kept_is_in_force_and_passed_on_nevertheless() {
    let office = Office::new();
    let full = || NoticeStore {
        keep: Arc::new(|_, _| Err(std::io::ErrorKind::StorageFull.into())),
        ..NoticeStore::default()
    };
    let mut settings = office.listening(HUB, &[GOOD]);
    settings.notices = full();
    let hub = Node::start(settings);
    let mut settings = office.dialling(GOOD, HUB, hub.dial());
    settings.notices = full();
    let mut cs = Node::start(settings);
    cs.up(HUB).await;
    let list = notice(&office, NoticeKind::CardList, 3);
    let kept = hub.transport.install_notice(&list);
    assert!(matches!(
        kept,
        Err(NoticeRefused::Keep { notice, .. }) if notice.number == 3
    ));
    assert_eq!(cs.notice().await.number, 3);
    assert_eq!(hub.transport.notices().len(), 1);
}

#[tokio::test]
async fn a_forged_notice_from_a_peer_breaks_its_link_and_no_other() {
    let mut pair = Pair::start().await;
    let connection = raw::connect(
        raw::client_config(&pair.office.identity(BAD)),
        HUB,
        pair.hub.address(),
    )
    .await
    .unwrap();
    let mut streams = raw::greet(&connection, BAD).await;
    pair.hub.up(BAD).await;
    let stranger = SigningKey::generate(&SystemRandomness).unwrap();
    let notice = Notice::sign(NoticeKind::CardList, 100, Vec::new(), &stranger).encode();
    let update = Kind::Notice(juki_wire::NoticeUpdate { notice });
    streams
        .control
        .0
        .write_all(&raw::control(update))
        .await
        .unwrap();
    assert_eq!(
        raw::closed_with(&connection).await,
        Some(ErrorCode::NoticeInvalid)
    );
    assert_eq!(
        pair.hub.refused().await,
        (Some(id(BAD)), ErrorCode::NoticeInvalid)
    );
    pair.undisturbed().await;
}
