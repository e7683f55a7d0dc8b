//! An unshaped line keeps the kernel's batches, and a flood passes it.

use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::time::Duration;

use access_point::AccessPoint;
use juki_topology::NodeConfig;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

const SEGMENT: usize = 1_200;
const SEGMENTS: usize = 20;

fn config(target: std::net::SocketAddr) -> NodeConfig {
    let text = format!(
        "[node]\nname = \"ap-35-1\"\nrole = \"access-point\"\nnetwork = \"demo-1\"\n\
         [calendar]\nbase = \"2002-10-15\"\nanchor_unix_s = 0\nversion = 1\n\
         [[relay]]\nname = \"cs-352047\"\nlisten = \"127.0.0.1:0\"\ntarget = \"{target}\"\n"
    );
    NodeConfig::parse(&text, "node.toml").expect("a configuration")
}

/// Numbers each segment, so that order and borders show.
fn batch() -> Vec<u8> {
    (0..SEGMENTS)
        .flat_map(|number| [u8::try_from(number).expect("small"); SEGMENT])
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_arrives_whole_in_order_and_with_its_borders() {
    let upper = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let target = upper.local_addr().expect("an address");
    let access_point = AccessPoint::start(&config(target), std::path::Path::new("."))
        .await
        .expect("started");
    let relay = access_point.bound()[0].1;

    let longest_run = tokio::task::spawn_blocking(move || {
        let lower = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let sender = UdpSocketState::new((&lower).into()).expect("a socket");
        let receiver = UdpSocketState::new((&upper).into()).expect("a socket");
        upper.set_nonblocking(false).expect("blocking");
        upper
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout");
        if sender.max_gso_segments() < SEGMENTS || receiver.gro_segments() < SEGMENTS {
            return None;
        }
        let contents = batch();
        let transmit = Transmit {
            destination: relay,
            ecn: None,
            contents: &contents,
            segment_size: Some(SEGMENT),
            src_ip: None,
        };
        sender.try_send((&lower).into(), &transmit).expect("sent");
        let mut received = Vec::new();
        let mut longest_run = 0;
        while received.len() < contents.len() {
            let mut buffer = vec![0; 65_536];
            let mut meta = [RecvMeta::default()];
            let mut slices = [IoSliceMut::new(&mut buffer)];
            receiver
                .recv((&upper).into(), &mut slices, &mut meta)
                .expect("received in time");
            assert_eq!(meta[0].stride.min(meta[0].len), SEGMENT);
            longest_run = longest_run.max(meta[0].len / SEGMENT);
            received.extend_from_slice(&buffer[..meta[0].len]);
        }
        assert_eq!(received, contents);
        Some(longest_run)
    });
    let longest_run = longest_run.await.expect("no panic");
    let upward = access_point.control().list()[0].upward.counters.line;
    match longest_run {
        Some(run) => {
            assert!(run > 1, "the relay took the batch apart");
            assert_eq!(upward.delivered, 20);
        }
        None => println!("skipped: this kernel has neither GSO nor GRO"),
    }
}
