//! Communication server of one municipality (コミュニケーションサーバ).

fn main() -> std::process::ExitCode {
    juki_node::run::<municipal_cs::MunicipalCs>()
}
