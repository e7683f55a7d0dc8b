//! Whole networks out of seeds, and a planted bug that they must find.

use std::collections::BTreeMap;

use three_tier::{Counts, Options, World, seeds};

/// The seeds are dealt out to so many tests, which run side by side.
const SHARDS: u64 = 4;

#[test]
fn whatever_fails_all_tiers_agree_in_the_first_quarter_of_the_seeds() {
    run_shard(0);
}

#[test]
fn whatever_fails_all_tiers_agree_in_the_second_quarter_of_the_seeds() {
    run_shard(1);
}

#[test]
fn whatever_fails_all_tiers_agree_in_the_third_quarter_of_the_seeds() {
    run_shard(2);
}

#[test]
fn whatever_fails_all_tiers_agree_in_the_last_quarter_of_the_seeds() {
    run_shard(3);
}

#[test]
fn a_network_without_faults_settles_too() {
    let outcome = World::run(
        1,
        Options {
            faults: false,
            ..Options::default()
        },
    );
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert_eq!(
        (
            outcome.counts.power_losses,
            outcome.counts.repeated,
            outcome.counts.replays_refused
        ),
        (0, 0, 0)
    );
}

#[test]
fn the_same_seed_runs_the_same_way_twice() {
    for seed in [3, 14, 15] {
        let (one, two) = (
            World::run(seed, Options::default()),
            World::run(seed, Options::default()),
        );
        assert_eq!(one.trace, two.trace, "seed {seed}");
        assert_eq!(one.counts, two.counts, "seed {seed}");
        assert_ne!(one.trace, World::run(seed + 100, Options::default()).trace);
    }
}

#[test]
fn a_communication_server_that_skips_its_syncs_is_caught() {
    let options = Options {
        skip_sync_in: Some(1),
        busy_ms: 90_000,
        ..Options::default()
    };
    let caught = (0..20)
        .filter(|seed| !World::run(*seed, options).violations.is_empty())
        .count();
    assert!(
        caught >= 15,
        "only {caught} of 20 seeds notice that nothing is synced"
    );
}

/// Every seed checks everything; the shards only share the work.
fn run_shard(shard: u64) {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    let mut run = 0;
    for seed in (0..seeds(32)).filter(|seed| seed % SHARDS == shard) {
        run += 1;
        let outcome = World::run(seed, Options::default());
        if !outcome.violations.is_empty() {
            failed.push(format!("seed {seed}: {:?}", outcome.violations));
        }
        for (what, number) in named(&outcome.counts) {
            *sums.entry(what).or_default() += number;
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {run} seeds failed ({sums:?}):\n{}",
        failed.len(),
        failed
            .iter()
            .take(20)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    );
    // A run in which nothing failed would prove nothing.
    for (what, number) in sums.into_iter().filter(|_| run >= 8) {
        assert!(number > 0, "{what} never happened in {run} seeds");
    }
}

fn named(counts: &Counts) -> [(&'static str, u64); 16] {
    let Counts {
        power_losses,
        mid_turn,
        torn_tails,
        partial_indexes,
        stops,
        kills,
        index_failures,
        cuts,
        repeated,
        lost,
        refused_frames,
        replays_refused,
        acknowledged,
        refused_requests,
        duplicates,
        questions,
    } = *counts;
    [
        ("power losses", power_losses),
        ("power losses in a turn", mid_turn),
        ("torn tails", torn_tails),
        ("partial indexes", partial_indexes),
        ("stops", stops),
        ("kills", kills),
        ("index failures", index_failures),
        ("cuts", cuts),
        ("frames repeated", repeated),
        ("frames lost", lost),
        ("frames refused on the way", refused_frames),
        ("replays refused", replays_refused),
        ("changes acknowledged", acknowledged),
        ("requests refused", refused_requests),
        ("duplicates", duplicates),
        ("questions", questions),
    ]
}
