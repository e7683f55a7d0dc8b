//! The tool that a person starts a network with: see `jukinet --help`.

fn main() -> std::process::ExitCode {
    jukinet::run()
}
