//! The hostile peer as a program: see `juki-adversary --help`.

fn main() -> std::process::ExitCode {
    juki_adversary::run()
}
