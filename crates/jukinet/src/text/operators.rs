//! Operators' cards and the card ledger.

use juki_domain::Lang;

texts! {
    enrolled(serial: &str, file: &str) ja "カード {serial} を作りました: {file}" en "made card {serial}: {file}"
    temporary_pin(pin: &str) ja "仮の暗証番号: {pin}（初めて使う前に変える）" en "temporary PIN: {pin} (to be changed before the first use)"
    lend_next(dir: &str, name: &str) ja "次の手順:\n  jukinet operator lend {dir} {name}\n  jukinet operator pin {dir} --card {name}" en "Next:\n  jukinet operator lend {dir} {name}\n  jukinet operator pin {dir} --card {name}"
    card_is(card: &str, operator: &str, state: &str) ja "カード {card}（操作者 {operator}）: {state}" en "card {card} (operator {operator}): {state}"
    pin_changed(card: &str) ja "カード {card} の暗証番号を変えました" en "changed the PIN of card {card}"
    tries_left(left: u8) ja "残り {left} 回" en "{left} tries left"
    enter_new_pin() ja "新しい暗証番号: " en "new PIN: "
    logged_out(node: &str) ja "{node} のログインを終えました" en "logged out at {node}"
    enter_token_pin() ja "トークンの暗証番号: " en "the token's PIN: "
    enrolled_on(serial: &str, token: &str) ja "トークン {token} にカード {serial} を作りました" en "made card {serial} on token {token}"
    enter_again() ja "もう一度: " en "again: "
    not_the_same() ja "二度の入力が違います" en "the two entries differ"
    ledger_header() ja "カード|操作者|機関|役割|状態|経過（日付 操作 操作者 所見）" en "card|operator|body|roles|state|acts (date, act, by, note)"
    ledger_count(count: usize) ja "カード {count} 枚" en "{count} cards"
}

/// A card's state, as the registrar names it.
pub(crate) fn state(lang: Lang, name: &str) -> String {
    let ja = match name {
        "lent" => "貸与中",
        "lost" => "紛失",
        "revoked" => "失効",
        "returned" => "返却済み",
        "expired" => "期限切れ",
        "locked" => "停止中",
        "not-lent" => "未貸与",
        other => other,
    };
    match lang {
        Lang::Ja => ja.to_owned(),
        Lang::En => name.to_owned(),
    }
}

/// What was done, as the registrar names it.
pub(crate) fn act(lang: Lang, name: &str) -> String {
    let ja = match name {
        "enrol" => "登録",
        "lend" => "貸与",
        "return" => "返却",
        "lost" => "紛失",
        "revoke" => "失効・停止",
        "unlock" => "解除",
        "inspect" => "点検",
        "entered" => "引継ぎ",
        other => other,
    };
    match lang {
        Lang::Ja => ja.to_owned(),
        Lang::En => name.to_owned(),
    }
}
