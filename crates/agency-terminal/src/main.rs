//! Terminal of a body that receives identity records (業務端末): see `agency-terminal --help`.

fn main() -> std::process::ExitCode {
    agency_terminal::run()
}
