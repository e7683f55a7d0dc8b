//! Whole networks out of seeds, and planted bugs that they must find.

use std::collections::BTreeMap;

use three_tier::{Counts, Options, World, seeds};

#[test]
fn whatever_fails_every_tier_ends_with_the_registers_that_were_asked_for() {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    let count = seeds(60);
    for seed in 0..count {
        let outcome = World::run(seed, Options::default());
        if !outcome.violations.is_empty() {
            failed.push(format!("seed {seed}: {:?}", outcome.violations));
        }
        for (what, number) in named(&outcome.counts) {
            *sums.entry(what).or_default() += number;
        }
    }
    println!("{count} seeds: {sums:?}");
    assert!(failed.is_empty(), "{} of {count} seeds failed:\n{}", failed.len(), failed.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n"));
    // A run in which nothing failed would prove nothing.
    for (what, number) in sums {
        assert!(number >= count / 20, "{what} happened only {number} times in {count} seeds");
    }
}

#[test]
fn a_network_without_faults_settles_too() {
    let outcome = World::run(1, Options { faults: false, ..Options::default() });
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert_eq!((outcome.counts.power_losses, outcome.counts.repeated, outcome.counts.replays_refused), (0, 0, 0));
}

#[test]
fn the_same_seed_runs_the_same_way_twice() {
    for seed in [3, 14, 15] {
        let (one, two) = (World::run(seed, Options::default()), World::run(seed, Options::default()));
        assert_eq!(one.trace, two.trace, "seed {seed}");
        assert_eq!(one.counts, two.counts, "seed {seed}");
        assert_ne!(one.trace, World::run(seed + 100, Options::default()).trace);
    }
}

#[test]
fn a_communication_server_that_skips_its_syncs_is_caught() {
    let caught = (0..20).filter(|seed| !World::run(*seed, Options { skip_sync_in: Some(1), busy_ms: 120_000, ..Options::default() }).violations.is_empty()).count();
    assert!(caught >= 15, "only {caught} of 20 seeds notice that nothing is synced");
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
