//! The model keeps its numbers over 100,000 datagrams, for any mixture of settings and offers.

use std::time::Duration;

use juki_line::{Delivery, DropReason, LineModel, LineSettings, OVERHEAD_BYTES, Verdict};
use proptest::prelude::*;

const DATAGRAMS: usize = 100_000;

#[test]
fn bandwidth_is_within_one_percent_over_100_000_datagrams() {
    for bandwidth_bps in [64_000, 1_536_000, 6_000_000, 100_000_000, 10_000_000_000] {
        let settings = LineSettings {
            bandwidth_bps,
            queue_bytes: LineSettings::QUEUE_BYTES_MAX,
            ..LineSettings::UNSHAPED
        };
        let mut line = LineModel::new(settings, 7);
        let (mut bits, mut end, mut now) = (0_u64, Duration::ZERO, Duration::ZERO);
        for number in 0..DATAGRAMS {
            let len = 40 + number % 1_400;
            if number % 10_000 == 0 {
                now = end; // keeps the transmitter busy without filling the queue
            }
            if let Verdict::Deliver(delivery) = line.offer(now, len) {
                bits += (u64::try_from(len).expect("small") + OVERHEAD_BYTES) * 8;
                end = delivery.at;
            }
        }
        assert_eq!(line.counters().delivered, 100_000);
        let measured = bits as f64 / end.as_secs_f64();
        let error = (measured / bandwidth_bps as f64 - 1.0).abs();
        assert!(error < 0.01, "{bandwidth_bps} bit/s: measured {measured}");
    }
}

#[test]
fn an_overfed_line_still_carries_its_bandwidth() {
    let settings = LineSettings::preset("64k").expect("named");
    let mut line = LineModel::new(settings, 7);
    let mut carried = 0_u64;
    for step in 0..100_000_u64 {
        // 1,228 bytes every 10 ms is fifteen times what fits.
        if let Verdict::Deliver(_) = line.offer(Duration::from_millis(10 * step), 1_200) {
            carried += 1_228 * 8;
        }
    }
    let measured = carried as f64 / 1_000.0;
    assert!(
        (measured / 64_000.0 - 1.0).abs() < 0.01,
        "measured {measured} bit/s"
    );
}

#[test]
fn delay_and_jitter_stay_within_one_millisecond_of_their_settings() {
    let settings = LineSettings {
        delay_us: 25_000,
        jitter_us: 10_000,
        ..LineSettings::UNSHAPED
    };
    let mut line = LineModel::new(settings, 7);
    let (mut least, mut most, mut sum) = (f64::MAX, 0.0_f64, 0.0_f64);
    for step in 0..100_000_u64 {
        let now = Duration::from_millis(20 * step);
        let Verdict::Deliver(delivery) = line.offer(now, 100) else {
            panic!("dropped")
        };
        let delay_ms = (delivery.at - now).as_secs_f64() * 1_000.0;
        (least, most, sum) = (least.min(delay_ms), most.max(delay_ms), sum + delay_ms);
    }
    assert!((25.0..26.0).contains(&least), "least {least} ms");
    assert!((34.0..=35.0).contains(&most), "most {most} ms");
    assert!(
        (sum / DATAGRAMS as f64 - 30.0).abs() < 1.0,
        "mean {} ms",
        sum / DATAGRAMS as f64
    );
}

#[test]
fn loss_is_within_half_a_percent_over_100_000_datagrams() {
    for loss in [0.0, 0.001, 0.05, 0.3, 1.0] {
        let mut line = LineModel::new(
            LineSettings {
                loss,
                ..LineSettings::UNSHAPED
            },
            7,
        );
        let lost = (0..DATAGRAMS)
            .filter(|_| line.offer(Duration::ZERO, 100) == Verdict::Drop(DropReason::Lost))
            .count();
        let measured = lost as f64 / DATAGRAMS as f64;
        assert!(
            (measured - loss).abs() < 0.005,
            "{loss}: measured {measured}"
        );
        assert_eq!(
            line.counters().dropped_lost,
            u64::try_from(lost).expect("small")
        );
    }
}

#[test]
fn another_seed_loses_other_datagrams() {
    let pattern = |seed| {
        let mut line = LineModel::new(
            LineSettings {
                loss: 0.5,
                ..LineSettings::UNSHAPED
            },
            seed,
        );
        (0..64)
            .map(|_| line.offer(Duration::ZERO, 1))
            .collect::<Vec<_>>()
    };
    assert_eq!(pattern(1), pattern(1));
    assert_ne!(pattern(1), pattern(2));
}

fn any_settings() -> impl Strategy<Value = LineSettings> {
    (
        0..200_000_u64,
        0..100_000_u64,
        0..100_000_u64,
        0.0..0.5,
        0..100_000_u64,
        68..9_000_u16,
    )
        .prop_map(
            |(bandwidth_bps, delay_us, jitter_us, loss, queue_bytes, mtu)| LineSettings {
                bandwidth_bps,
                delay_us,
                jitter_us,
                loss,
                queue_bytes,
                mtu,
                ..LineSettings::UNSHAPED
            },
        )
}

#[derive(Debug, Clone)]
enum Act {
    Offer { pause_us: u64, len: usize },
    Set(LineSettings),
    Up(bool),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        20 => (0..50_000_u64, 0..2_000_usize)
            .prop_map(|(pause_us, len)| Act::Offer { pause_us, len }),
        1 => any_settings().prop_map(Act::Set),
        1 => any::<bool>().prop_map(Act::Up),
    ]
}

proptest! {
    #[test]
    fn no_datagram_overtakes_another_or_arrives_before_it_was_sent(
        settings in any_settings(),
        seed in any::<u64>(),
        acts in proptest::collection::vec(any_act(), 1..300),
    ) {
        let mut line = LineModel::new(settings, seed);
        let (mut now, mut newest, mut offered) = (Duration::ZERO, Duration::ZERO, 0);
        for act in acts {
            match act {
                Act::Offer { pause_us, len } => {
                    now += Duration::from_micros(pause_us);
                    offered += 1;
                    if let Verdict::Deliver(Delivery { at, .. }) = line.offer(now, len) {
                        prop_assert!(at >= newest);
                        prop_assert!(at >= now + Duration::from_micros(line.settings().delay_us));
                        newest = at;
                    }
                }
                Act::Set(settings) => line.set(settings),
                Act::Up(is_up) => line.set_up(is_up),
            }
        }
        let counted = line.counters();
        let dropped = counted.dropped_down
            + counted.dropped_too_long
            + counted.dropped_queue_full
            + counted.dropped_lost;
        prop_assert_eq!(counted.delivered + dropped, offered);
    }

    #[test]
    fn the_same_seed_gives_the_same_verdicts(
        settings in any_settings(),
        seed in any::<u64>(),
        lens in proptest::collection::vec(0..2_000_usize, 1..200),
    ) {
        let run = || {
            let mut line = LineModel::new(settings, seed);
            lens.iter().map(|len| line.offer(Duration::ZERO, *len)).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn the_queue_never_holds_more_than_its_bytes(
        bandwidth_bps in 8_000..1_000_000_u64,
        queue_bytes in 0..20_000_u64,
        lens in proptest::collection::vec(0..1_400_usize, 1..200),
    ) {
        let settings = LineSettings { bandwidth_bps, queue_bytes, ..LineSettings::UNSHAPED };
        let mut line = LineModel::new(settings, 1);
        let longest_wait = (queue_bytes.max(1_428) + 1) as f64 * 8.0 / bandwidth_bps as f64;
        for len in lens {
            if let Verdict::Deliver(Delivery { at, .. }) = line.offer(Duration::ZERO, len) {
                prop_assert!(at.as_secs_f64() <= longest_wait);
            }
        }
    }
}
