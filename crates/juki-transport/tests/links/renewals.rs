//! A node's new certificate: shown at once, and no frame is lost over it.

use std::collections::BTreeSet;

use bytes::Bytes;
use juki_domain::ErrorCode;
use juki_transport::{Class, LinkEvent, Transport, TransportError};
use tokio::sync::oneshot;

use crate::office::{BAD, GOOD, HUB, Node, Office, Pair, id, now_s};

/// Sends numbered frames for as long as the renewing node still has links of its old certificate, and
/// says how many there were.
async fn send(from: Transport, peer: &str, renewing: Transport, count: oneshot::Sender<u32>) {
    let mut sent = 0;
    while sent < 200 || renewing.links_to_renew() > 0 {
        let class = if sent % 3 == 0 {
            Class::Bulk
        } else {
            Class::Interactive
        };
        let frame = Bytes::copy_from_slice(&u32::to_be_bytes(sent));
        from.send_wait(&id(peer), class, frame).await.unwrap();
        sent += 1;
    }
    count.send(sent).unwrap();
}

/// Takes frames until all that were sent are there; no link may come or go meanwhile.
async fn take(node: &mut Node, mut count: oneshot::Receiver<u32>) {
    let mut taken = BTreeSet::new();
    let mut all = None;
    while all != Some(taken.len()) {
        tokio::select! {
            sent = &mut count, if all.is_none() => all = Some(sent.unwrap() as usize),
            event = node.next() => {
                let LinkEvent::Frame { frame, .. } = event else {
                    panic!("{event:?} while frames were on their way");
                };
                let number = u32::from_be_bytes(frame.as_ref().try_into().unwrap());
                assert!(taken.insert(number), "{number} came twice");
            }
        }
    }
}

#[tokio::test]
async fn no_frame_is_lost_whichever_end_has_a_new_certificate() {
    for renews in [GOOD, HUB] {
        let office = Office::new();
        let mut hub = Node::start(office.listening(HUB, &[GOOD]));
        let first_of_hub = office.listening(HUB, &[]).identity;
        let settings = office.dialling(GOOD, HUB, hub.dial());
        let mut cs = Node::start(settings);
        hub.up(GOOD).await;
        cs.up(HUB).await;
        let renewing = if renews == GOOD { &cs } else { &hub }.transport.clone();
        let before = renewing.certificate();
        let next = office.identity(renews);
        renewing.renew(&next.key, &next.chain).unwrap();
        assert_eq!(renewing.certificate(), next.chain[0]);
        assert_eq!(renewing.links_to_renew(), 1);
        let ((up, ups), (down, downs)) = (oneshot::channel(), oneshot::channel());
        tokio::join!(
            send(cs.transport.clone(), HUB, renewing.clone(), up),
            send(hub.transport.clone(), GOOD, renewing.clone(), down),
            take(&mut hub, ups),
            take(&mut cs, downs),
        );
        // The certificate before may be revoked now: no link stands on it any more.
        let serial = juki_pki::serial_of(&before).unwrap();
        let list = office
            .issuing
            .revocation_list(2, &[(serial, now_s())], now_s(), now_s() + 3600)
            .unwrap();
        hub.transport.install_crl(&list).unwrap();
        assert_eq!(cs.new_list().await, list);
        cs.send(HUB, b"after").await.unwrap();
        assert_eq!(hub.frame().await.1.as_ref(), b"after");
        assert_eq!(cs.transport.peers()[0].ups, 1);
        drop(first_of_hub);
    }
}

#[tokio::test]
async fn later_dials_show_the_new_certificate_and_the_old_one_is_refused() {
    let mut pair = Pair::start().await;
    let settings = pair.bad();
    let old = settings.identity.clone();
    let mut bad = Node::start(settings.clone());
    pair.hub.up(BAD).await;
    bad.up(HUB).await;
    let next = pair.office.identity(BAD);
    bad.transport.renew(&next.key, &next.chain).unwrap();
    while bad.transport.links_to_renew() > 0 {
        tokio::task::yield_now().await;
    }
    pair.hub
        .transport
        .install_crl(&pair.office.revocation_list(2, &[&old]))
        .unwrap();
    bad.transport.shutdown().await;
    // Whoever comes with the old certificate is refused; the new one opens.
    let mut thief = Node::start(settings.clone());
    assert_eq!(thief.down(HUB).await, ErrorCode::CertificateRevoked);
    thief.transport.shutdown().await;
    let mut settings = settings;
    settings.identity = next;
    let mut again = Node::start(settings);
    again.up(HUB).await;
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_changes_nothing() {
    let mut pair = Pair::start().await;
    let hub = pair.hub.transport.clone();
    let before = hub.certificate();
    let other = pair.office.identity(GOOD);
    assert!(matches!(
        hub.renew(&other.key, &other.chain),
        Err(TransportError::OtherNode(_))
    ));
    let foreign = Office::new().identity(HUB);
    assert!(matches!(
        hub.renew(&foreign.key, &foreign.chain),
        Err(TransportError::Tls(_))
    ));
    let own = pair.office.identity(HUB);
    assert!(matches!(
        hub.renew(&other.key, &own.chain),
        Err(TransportError::Tls(_))
    ));
    let ended = pair
        .office
        .identity_between(HUB, "demo", now_s() - 7200, now_s() - 3600);
    assert!(matches!(
        hub.renew(&ended.key, &ended.chain),
        Err(TransportError::Tls(_))
    ));
    assert_eq!((hub.certificate(), hub.links_to_renew()), (before, 0));
    pair.undisturbed().await;
}

#[tokio::test]
async fn roots_are_replaced_one_after_the_other_and_a_node_does_not_lock_itself_out() {
    let office = Office::new();
    let (mut first, second) = (office.listening(HUB, &[GOOD]), Office::new());
    first.identity.roots = vec![office.identity(HUB).roots[0].clone()];
    let hub = Node::start(first);
    let roots = |offices: &[&Office]| -> Vec<Vec<u8>> {
        let roots = offices
            .iter()
            .map(|office| office.identity(HUB).roots[0].clone());
        roots.collect()
    };
    let stranger = second.identity(HUB);
    assert!(hub.transport.renew(&stranger.key, &stranger.chain).is_err());
    assert!(hub.transport.replace_roots(&roots(&[&second])).is_err());
    assert!(hub.transport.replace_roots(&[]).is_err());
    hub.transport
        .replace_roots(&roots(&[&office, &second]))
        .unwrap();
    // A node still needs a certificate under the second root before the first is dropped.
    assert!(hub.transport.replace_roots(&roots(&[&second])).is_err());
    hub.transport.replace_roots(&roots(&[&office])).unwrap();
}
