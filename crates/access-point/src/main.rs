//! Relay that emulates leased lines at an access point (アクセスポイント).

fn main() -> std::process::ExitCode {
    juki_node::run::<access_point::AccessPointNode>()
}
