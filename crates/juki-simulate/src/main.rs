//! `juki-simulate`: see `jukinet simulate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    for seed in args[0]..=args[1] {
        let start = std::time::Instant::now();
        let outcome = juki_simulate::run(&juki_simulate::Scenario::small(seed));
        println!("{seed} {outcome:?} {:?}", start.elapsed());
    }
    ExitCode::SUCCESS
}
