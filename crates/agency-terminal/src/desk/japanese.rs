//! The command line's help in Japanese.

use clap::{Arg, ArgAction};

/// The same command line with Japanese help.
pub(crate) fn in_japanese(command: clap::Command) -> clap::Command {
    command
        .about(ABOUT)
        .after_help(EXAMPLES)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help),
        )
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version),
        )
        .mut_args(|argument| {
            let id = argument.get_id().as_str();
            match ARGUMENTS.iter().find(|(name, _)| *name == id) {
                Some((_, help)) => argument.help(*help),
                None => argument,
            }
        })
}

const ABOUT: &str =
    "本人確認情報の提供を受ける機関の業務端末: ノードを動かす、または動いているノードに照会する";

const ARGUMENTS: &[(&str, &str)] = &[
    ("config", "ノードの設定ファイル（node.toml）"),
    ("check", "設定と鍵を読んで検査し、終わる"),
    ("log", "標準エラー出力に書くログの形式"),
    ("lang", "人が読む文の言語（省略時は LANG に従う）"),
    ("affair", "動いている端末に照会する: 法が照会を認める事務"),
    ("code", "住民票コード（- は標準入力から読む）"),
    ("name", "氏名"),
    ("birth", "生年月日"),
    ("sex", "性別"),
    ("address", "住所"),
    ("login", "先にこの操作者カードのファイルでログインする"),
    (
        "pin_file",
        "暗証番号のファイル（省略時は JUKINET_PIN、キーボードの順）",
    ),
    (
        "prompt",
        "対話で照会する（ログイン、事務の選択、照会、ログアウト）",
    ),
    (
        "json",
        "標準出力には回答ごとに JSON オブジェクトを一つだけ出す",
    ),
    ("help", "説明を表示する"),
    ("version", "版を表示する"),
];

const EXAMPLES: &str = "例:
  agency-terminal --config nodes/agency-mhlw/node.toml
  agency-terminal --config nodes/agency-mhlw/node.toml --login cards/agency-mhlw.card --pin-file cards/agency-mhlw.pin
  agency-terminal --config nodes/agency-mhlw/node.toml --affair war-bereaved-pension --code 91234567891
  agency-terminal --config nodes/agency-mhlw/node.toml --affair war-bereaved-pension --code - --json < code.txt
  agency-terminal --config nodes/agency-mhlw/node.toml --affair war-bereaved-pension --name '山田　花子' --birth 昭和45年1月2日 --sex 女 --address '山口県萩市大字江向510番地'
  agency-terminal --config nodes/agency-mhlw/node.toml --prompt

終了コード: 0 正常に停止または回答あり（該当、該当なし、複数該当）、1 失敗または拒否、2 使い方または設定の誤り";
