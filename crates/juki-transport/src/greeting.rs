//! Hello and its answer, and the three streams of a link.

use std::collections::BTreeMap;
use std::time::Duration;

use juki_crypto::NoticeKind;
use juki_domain::{CivilDate, ErrorCode, NodeId};
use juki_wire::hello::control::Kind;
use juki_wire::{Hello, HelloAck, VERSION};
use quinn::{Connection, RecvStream, SendStream};

use crate::control::{HELLO_BYTES_MAX, read_control, write_control};
use crate::hub::Hub;
use crate::notices::known_numbers;
use crate::peer_slot::PeerSlot;
use crate::streams::{Broken, TAG_BULK, TAG_CONTROL, TAG_INTERACTIVE};

/// A greeted connection, ready to be a link.
pub(crate) struct Greeted {
    pub(crate) control: (SendStream, RecvStream),
    pub(crate) interactive: (SendStream, RecvStream),
    pub(crate) bulk: (SendStream, RecvStream),
    /// The civil dates are more than one day apart.
    pub(crate) calendar_apart: bool,
    /// Number of the newest revocation list that the peer has.
    pub(crate) revocation_number: u64,
    /// Number of the newest notice of each kind that the peer has.
    pub(crate) notice_numbers: BTreeMap<NoticeKind, u64>,
    /// Whether it takes over from the link that is up.
    pub(crate) takes_over: bool,
    /// The generation of this node's certificate that it was made with.
    pub(crate) generation: u64,
}

/// Says hello to the peer that was dialled.
pub(crate) async fn greet_as_dialler(
    hub: &Hub,
    connection: &Connection,
    slot: &PeerSlot,
    (takes_over, generation): (bool, u64),
) -> Result<Greeted, Broken> {
    in_time(hub.settings.timing.hello_timeout, async {
        let mut control = open(connection, TAG_CONTROL, PRIORITY_CONTROL).await?;
        let hello = Hello {
            takes_over,
            ..hub.hello()
        };
        write_control(&mut control.0, Kind::Hello(hello)).await?;
        let Some(Kind::HelloAck(HelloAck { hello: Some(hello) })) =
            read_control(&mut control.1, HELLO_BYTES_MAX).await?
        else {
            return Err(Broken::Refused(ErrorCode::HelloFailed));
        };
        let calendar_apart = hear(hub, connection, slot, &hello)?;
        Ok(Greeted {
            control,
            interactive: open(connection, TAG_INTERACTIVE, PRIORITY_INTERACTIVE).await?,
            bulk: open(connection, TAG_BULK, PRIORITY_BULK).await?,
            calendar_apart,
            revocation_number: hello.revocation_number,
            notice_numbers: known_numbers(&hello.notices),
            takes_over,
            generation,
        })
    })
    .await
}

/// Waits for the hello of a peer whose certificate is the one of this slot.
pub(crate) async fn greet_as_listener(
    hub: &Hub,
    connection: &Connection,
    slot: &PeerSlot,
    generation: u64,
) -> Result<Greeted, Broken> {
    in_time(hub.settings.timing.hello_timeout, async {
        let mut control = accept(connection, TAG_CONTROL, PRIORITY_CONTROL).await?;
        let Some(Kind::Hello(hello)) = read_control(&mut control.1, HELLO_BYTES_MAX).await? else {
            return Err(Broken::Refused(ErrorCode::HelloFailed));
        };
        let calendar_apart = hear(hub, connection, slot, &hello)?;
        write_control(
            &mut control.0,
            Kind::HelloAck(HelloAck {
                hello: Some(hub.hello()),
            }),
        )
        .await?;
        Ok(Greeted {
            control,
            interactive: accept(connection, TAG_INTERACTIVE, PRIORITY_INTERACTIVE).await?,
            bulk: accept(connection, TAG_BULK, PRIORITY_BULK).await?,
            calendar_apart,
            revocation_number: hello.revocation_number,
            notice_numbers: known_numbers(&hello.notices),
            takes_over: hello.takes_over,
            generation,
        })
    })
    .await
}

/// Notes what the peer says of itself, then judges it.
fn hear(
    hub: &Hub,
    connection: &Connection,
    slot: &PeerSlot,
    hello: &Hello,
) -> Result<bool, Judged> {
    let on_the_way = u64::try_from(connection.rtt().as_millis() / 2).unwrap_or(0);
    slot.note_hello(hello, hub.now_ms().saturating_sub(on_the_way));
    judge(hello, &hub.hello(), &slot.name)
}

/// Whether the civil dates are more than a day apart, where the hello is acceptable at all.
fn judge(theirs: &Hello, own: &Hello, peer: &NodeId) -> Result<bool, Judged> {
    if theirs.version != VERSION {
        return Err(Judged(ErrorCode::FrameVersion));
    }
    if theirs.network != own.network {
        return Err(Judged(ErrorCode::HelloFailed));
    }
    if theirs.node != peer.as_str() {
        return Err(Judged(ErrorCode::CertificateOtherNode));
    }
    let days = |number| {
        CivilDate::from_number(number)
            .map(CivilDate::days)
            .map_err(|_| Judged(ErrorCode::HelloFailed))
    };
    Ok(days(theirs.civil_date)?.abs_diff(days(own.civil_date)?) > 1)
}

#[derive(Debug, PartialEq, Eq)]
struct Judged(ErrorCode);

impl From<Judged> for Broken {
    fn from(judged: Judged) -> Self {
        Self::Refused(judged.0)
    }
}

async fn in_time(
    limit: Duration,
    greeting: impl Future<Output = Result<Greeted, Broken>>,
) -> Result<Greeted, Broken> {
    match tokio::time::timeout(limit, greeting).await {
        // Before the link is up, whatever is cut, too long or garbage is no hello.
        Ok(Err(Broken::Refused(
            ErrorCode::FrameTruncated | ErrorCode::FrameTooLong | ErrorCode::FrameGarbage,
        ))) => Err(Broken::Refused(ErrorCode::HelloFailed)),
        Err(_) => Err(Broken::Refused(ErrorCode::HandshakeTooSlow)),
        Ok(result) => result,
    }
}

async fn open(
    connection: &Connection,
    tag: u8,
    priority: i32,
) -> Result<(SendStream, RecvStream), Broken> {
    let (mut send, receive) = connection.open_bi().await.map_err(|_| Broken::Gone)?;
    prioritise(&send, priority)?;
    send.write_all(&[tag]).await?;
    Ok((send, receive))
}

async fn accept(
    connection: &Connection,
    tag: u8,
    priority: i32,
) -> Result<(SendStream, RecvStream), Broken> {
    let (send, mut receive) = connection.accept_bi().await.map_err(|_| Broken::Gone)?;
    prioritise(&send, priority)?;
    let mut first = [0];
    receive.read_exact(&mut first).await?;
    if first == [tag] {
        Ok((send, receive))
    } else {
        Err(Broken::Refused(ErrorCode::HelloFailed))
    }
}

fn prioritise(stream: &SendStream, priority: i32) -> Result<(), Broken> {
    stream.set_priority(priority).map_err(|_| Broken::Gone)
}

const PRIORITY_CONTROL: i32 = 2;
const PRIORITY_INTERACTIVE: i32 = 1;
const PRIORITY_BULK: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(date: u32) -> Hello {
        Hello {
            version: VERSION,
            node: "cs-352047".to_owned(),
            network: "demo".to_owned(),
            calendar_version: 1,
            civil_date: date,
            revocation_number: 7,
            clock_ms: 0,
            program: String::new(),
            notices: Vec::new(),
            takes_over: false,
        }
    }

    #[test]
    fn civil_dates_may_be_one_day_apart() {
        let peer: NodeId = "cs-352047".parse().unwrap();
        for (date, apart) in [
            (20_021_231, false),
            (20_030_101, false),
            (20_030_102, true),
            (20_021_230, false),
            (20_021_229, true),
        ] {
            assert_eq!(
                judge(&hello(date), &hello(20_021_231), &peer),
                Ok(apart),
                "{date}"
            );
        }
    }

    #[test]
    fn a_hello_of_another_version_network_node_or_calendar_is_refused() {
        let peer: NodeId = "cs-352047".parse().unwrap();
        let own = hello(20_021_231);
        let refused = |theirs: Hello| judge(&theirs, &own, &peer).map_err(|judged| judged.0);
        assert_eq!(
            refused(Hello {
                version: 2,
                ..own.clone()
            }),
            Err(ErrorCode::FrameVersion)
        );
        assert_eq!(
            refused(Hello {
                network: "demo2".to_owned(),
                ..own.clone()
            }),
            Err(ErrorCode::HelloFailed)
        );
        assert_eq!(
            refused(Hello {
                node: "cs-355011".to_owned(),
                ..own.clone()
            }),
            Err(ErrorCode::CertificateOtherNode)
        );
        assert_eq!(
            refused(Hello {
                civil_date: 20_021_331,
                ..own.clone()
            }),
            Err(ErrorCode::HelloFailed)
        );
    }
}
