//! Server of the designated information processing organisation (指定情報処理機関サーバ).

fn main() -> std::process::ExitCode {
    juki_node::run::<national_center::NationalCenter>()
}
