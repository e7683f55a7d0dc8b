//! `docs/error-codes.md` is generated from the codes: this test compares it, and writes it anew with
//! `JUKI_WRITE_DOCS=1`.

use std::path::Path;

use juki_domain::{ErrorCode, Fault, Lang};

const HEAD: &str = "# Error codes

One code for each reason to refuse or to fail, the same at every node, in answers, logs, refusal
frames and ledgers. Codes are never reused. *Who* has to act: the one who sent the input (sender),
this node (node), or the network between (network). *Again*: whether the same request, sent again
unchanged, may succeed.

各理由に一つのコードがあり、どのノードでも、応答、ログ、拒否フレーム、台帳で同じです。コードは使い回しません。
「Who」は対処する側です(sender は送った側、node はこのノード、network は間の網)。
「Again」は同じ要求をそのまま送り直して成功しうるかどうかです。

This file is generated from `crates/juki-domain/src/error_code/`; a test compares the two. Write it
anew with `JUKI_WRITE_DOCS=1 cargo nextest run -p juki-domain`.
";

const FAMILIES: [(&str, &str, &str); 14] = [
    ("JKC", "configuration", "設定"),
    ("JKD", "vocabulary of law", "法令の語彙"),
    ("JKI", "intake of files", "ファイルの取り込み"),
    ("JKR", "registration", "登録"),
    ("JKW", "frames", "フレーム"),
    ("JKL", "links", "回線"),
    ("JKT", "certificates", "証明書"),
    ("JKP", "policy of firewalls", "ファイアウォールの規則"),
    ("JKA", "access", "利用の権限"),
    ("JKE", "sessions", "セッション"),
    ("JKJ", "journal", "ジャーナル"),
    ("JKS", "storage", "保存"),
    ("JKN", "supervision", "起動と監視"),
    ("JKM", "alerts and evidence", "警報と証拠"),
];

fn document() -> String {
    let families: Vec<String> = FAMILIES.iter().map(|family| table(*family)).collect();
    format!("{HEAD}{}", families.concat())
}

fn table((family, en, ja): (&str, &str, &str)) -> String {
    let codes = ErrorCode::ALL.iter().copied();
    let rows: Vec<String> = codes
        .filter(|error| error.code().starts_with(family))
        .map(row)
        .collect();
    format!(
        "\n## {family}: {en} / {ja}\n\n\
         | code | name | who | again | what, why, what to do | 何が、なぜ、どうする |\n\
         |---|---|---|---|---|---|\n{}",
        rows.concat()
    )
}

fn row(error: ErrorCode) -> String {
    let who = match error.fault() {
        Fault::Peer => "sender",
        Fault::Us => "node",
        Fault::Network => "network",
    };
    let again = if error.retry() { "yes" } else { "no" };
    let (en, ja) = (error.explain(Lang::En), error.explain(Lang::Ja));
    format!(
        "| `{error}` | {error:?} | {who} | {again} | **{}** {} {} | **{}** {}{} |\n",
        en.what, en.why, en.todo, ja.what, ja.why, ja.todo
    )
}

#[test]
fn the_documented_error_codes_are_those_of_the_code() {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/error-codes.md"
    ));
    let wanted = document();
    assert!(
        ErrorCode::ALL
            .iter()
            .all(|error| wanted.contains(&format!("| `{error}` |"))),
        "a family is missing from the table"
    );
    if std::env::var_os("JUKI_WRITE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let differs = written
        .lines()
        .zip(wanted.lines())
        .find(|(written, wanted)| written != wanted);
    assert!(
        written == wanted,
        "docs/error-codes.md is old, first at {differs:?}: write it with JUKI_WRITE_DOCS=1"
    );
}
