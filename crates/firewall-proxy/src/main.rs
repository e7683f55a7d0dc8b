//! Firewall between an office and the lines (ファイアウォール): see `firewall-proxy --help`.

fn main() -> std::process::ExitCode {
    firewall_proxy::run()
}
