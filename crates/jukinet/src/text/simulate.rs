//! What is said of simulated networks.

use juki_domain::Lang;

texts! {
    world(seed: u64, changes: u64, questions: u64, faults: u64, trace: &str, wall_s: &str) ja "シード {seed}: 異動 {changes}、照会 {questions}、障害 {faults}、痕跡 {trace}、{wall_s} 秒" en "seed {seed}: {changes} changes, {questions} questions, {faults} faults, trace {trace}, {wall_s} s"
    violation(sentence: &str) ja "  違反: {sentence}" en "  VIOLATED: {sentence}"
    replay(command: &str) ja "  再現: {command}（--shrink FILE で小さくする）" en "  again: {command} (make it small with --shrink FILE)"
    written(file: &str) ja "シナリオを {file} に書きました" en "wrote the scenario into {file}"
    shrunk(file: &str) ja "失敗する小さなシナリオを {file} に書きました" en "wrote a small scenario that fails into {file}"
    no_world() ja "シミュレーションできませんでした。理由は上にあります" en "nothing was simulated; the reason stands above"
}
