//! Firewall between an office and the lines (ファイアウォール).

fn main() -> std::process::ExitCode {
    juki_node::run::<firewall_proxy::FirewallProxy>()
}
