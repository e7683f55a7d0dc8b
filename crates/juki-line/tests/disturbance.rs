//! What a bad line was told to do, counted over 100,000 datagrams.

use std::time::Duration;

use juki_line::{
    Burst, Delivery, Disturbance, DropReason, JitterShape, LineModel, LineSettings, Verdict,
};

const DATAGRAMS: u32 = 100_000;
const APART: Duration = Duration::from_millis(1);

fn with(disturbance: Disturbance) -> LineSettings {
    LineSettings {
        disturbance,
        ..LineSettings::UNSHAPED
    }
}

/// What becomes of 100,000 datagrams of 100 bytes, a millisecond apart: none where one is lost.
fn outcomes(settings: LineSettings) -> Vec<Option<Delivery>> {
    assert_eq!(settings.check(), Ok(()));
    let mut line = LineModel::new(settings, 7);
    let one = |number: u32| match line.offer(APART * number, 100) {
        Verdict::Deliver(delivery) => Some(delivery),
        Verdict::Drop(reason) => {
            assert_eq!(reason, DropReason::Lost);
            None
        }
    };
    (0..DATAGRAMS).map(one).collect()
}

fn share(count: usize) -> f64 {
    count as f64 / f64::from(DATAGRAMS)
}

#[test]
fn bursts_lose_what_they_say_in_runs_as_long_as_they_say() {
    for (enter, leave, loss) in [(0.001, 0.05, 1.0), (0.01, 0.25, 0.8), (0.02, 0.5, 0.5)] {
        let burst = Burst { enter, leave, loss };
        let lost: Vec<bool> = outcomes(with(Disturbance {
            burst: Some(burst),
            ..Disturbance::default()
        }))
        .iter()
        .map(Option::is_none)
        .collect();
        let measured = share(lost.iter().filter(|lost| **lost).count());
        assert!(
            (measured - burst.mean_loss()).abs() < 0.005,
            "{burst:?}: {measured}"
        );
        if loss >= 1.0 {
            let runs = lost.chunk_by(|a, b| a == b).filter(|run| run[0]);
            let lengths: Vec<f64> = runs.map(|run| run.len() as f64).collect();
            let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
            assert!(
                (mean * leave - 1.0).abs() < 0.2,
                "{burst:?}: runs of {mean}"
            );
        }
    }
}

#[test]
fn independent_loss_goes_on_between_bursts() {
    let settings = LineSettings {
        loss: 0.1,
        ..with(Disturbance {
            burst: Some(Burst {
                enter: 0.01,
                leave: 0.09,
                loss: 1.0,
            }),
            ..Disturbance::default()
        })
    };
    let lost = outcomes(settings)
        .iter()
        .filter(|one| one.is_none())
        .count();
    // A tenth of the time all, else a tenth.
    assert!((share(lost) - 0.19).abs() < 0.01, "{}", share(lost));
}

#[test]
fn duplicates_corruption_and_reordering_are_as_frequent_as_asked() {
    let settings = with(Disturbance {
        duplicate: 0.02,
        corrupt: 0.03,
        reorder: 0.05,
        reorder_us: 5_000,
        ..Disturbance::default()
    });
    let all: Vec<Delivery> = outcomes(settings).into_iter().flatten().collect();
    let of =
        |chosen: &dyn Fn(&Delivery) -> bool| share(all.iter().filter(|one| chosen(one)).count());
    let near = |measured: f64, asked: f64| (measured - asked).abs() < 0.005;
    assert!(near(of(&|one| one.again_at.is_some()), 0.02));
    assert!(near(of(&|one| one.corrupt_bit.is_some()), 0.03));
    let late = all.iter().enumerate();
    let late = late.filter(|(number, one)| one.at > APART * u32::try_from(*number).unwrap());
    assert!(near(share(late.count()), 0.05));
    let passed = all.windows(2).filter(|pair| pair[1].at < pair[0].at);
    assert!(
        passed.count() > 1_000,
        "later datagrams pass those held back"
    );
    assert!(
        all.iter()
            .all(|one| one.again_at.is_none_or(|again| again >= one.at))
    );
}

#[test]
fn corruption_turns_exactly_one_bit_over() {
    let settings = with(Disturbance {
        corrupt: 1.0,
        ..Disturbance::default()
    });
    let mut bytes_hit = std::collections::BTreeSet::new();
    for one in outcomes(settings).into_iter().flatten() {
        let mut payload = [0; 100];
        one.corrupt(&mut payload);
        let ones: u32 = payload.iter().map(|byte: &u8| byte.count_ones()).sum();
        assert_eq!(ones, 1);
        bytes_hit.insert(payload.iter().position(|byte| *byte != 0));
    }
    assert_eq!(bytes_hit.len(), 100);
}

#[test]
fn an_exponential_jitter_has_its_mean_and_a_tail_that_ends() {
    let settings = LineSettings {
        jitter_us: 100,
        ..with(Disturbance {
            jitter: JitterShape::Exponential,
            ..Disturbance::default()
        })
    };
    let all: Vec<Delivery> = outcomes(settings).into_iter().flatten().collect();
    let late_us = |(number, one): (usize, &Delivery)| {
        (one.at - APART * u32::try_from(number).unwrap()).as_secs_f64() * 1e6
    };
    let late: Vec<f64> = all.iter().enumerate().map(late_us).collect();
    let mean = late.iter().sum::<f64>() / late.len() as f64;
    assert!((mean - 100.0).abs() < 5.0, "mean {mean} us");
    let most = late.iter().copied().fold(0.0, f64::max);
    assert!((500.0..=1_000.0).contains(&most), "most {most} us");
}

#[test]
fn what_is_switched_off_changes_no_other_draw() {
    let lossy = LineSettings {
        loss: 0.3,
        ..LineSettings::UNSHAPED
    };
    let times_only = LineSettings {
        disturbance: Disturbance {
            reorder_us: 1_000,
            ..Disturbance::default()
        },
        ..lossy
    };
    assert_eq!(outcomes(lossy), outcomes(times_only));
}
