//! Server of one prefecture (都道府県サーバ).

fn main() -> std::process::ExitCode {
    juki_node::run::<prefecture_server::PrefectureServer>()
}
