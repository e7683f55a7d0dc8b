//! Terminal of a body that receives identity records (業務端末).

fn main() -> std::process::ExitCode {
    juki_node::run::<agency_terminal::AgencyTerminal>()
}
