//! What the operator reads, in both languages.

use juki_domain::Lang;

macro_rules! texts {
    ($($name:ident($($argument:ident: $kind:ty),*) ja $ja:literal en $en:literal)*) => {
        $(
            pub(crate) fn $name(lang: Lang $(, $argument: $kind)*) -> String {
                match lang {
                    Lang::Ja => format!($ja),
                    Lang::En => format!($en),
                }
            }
        )*
    };
}

texts! {
    // What is asked for.
    ask_pin() ja "暗証番号: " en "PIN: "
    ask_code() ja "住民票コード: " en "resident record code: "
    ask_name() ja "氏名: " en "name: "
    ask_birth() ja "生年月日: " en "birth date: "
    ask_sex() ja "性別（男・女）: " en "sex (male or female): "
    ask_address() ja "住所: " en "address: "
    input_ended(item: &str) ja "{item} の前に入力が終わりました" en "the input ended before: {item}"

    // Answers.
    logged_in() ja "ログインしました" en "logged in"
    logged_out() ja "ログアウトしました" en "logged out"
    operator() ja "操作者" en "operator"
    card() ja "カード" en "card"
    session_minutes(minutes: u64) ja "約 {minutes} 分後まで" en "for about {minutes} minutes"
    valid() ja "有効" en "valid"
    outcome() ja "結果" en "outcome"
    matched() ja "該当あり" en "match"
    no_match() ja "該当なし" en "no match"
    several() ja "複数該当（項目を確かめてください）" en "several (check the items)"
    refused() ja "拒否" en "refused"
    resident_code() ja "住民票コード" en "code"
    name() ja "氏名" en "name"
    birth() ja "生年月日" en "birth date"
    sex() ja "性別" en "sex"
    address() ja "住所" en "address"
    municipality() ja "市区町村" en "municipality"
    change_reason() ja "異動事由" en "last change"
    change_date() ja "異動日" en "changed on"
    previous_code() ja "前の住民票コード" en "previous code"
    ended() ja "消除" en "ended"
    yes() ja "はい" en "yes"
    reason() ja "理由" en "why"
    starts() ja "根拠の施行日" en "basis starts on"
    next_step() ja "対処" en "do"
    message() ja "メッセージ番号" en "message"

    // Prompt.
    greeting() ja "照会の対話です。help で命令の一覧、quit で終わります。" en "Inquiries at a prompt: help lists the commands, quit ends it."
    affair_is(affair: &str) ja "事務: {affair}" en "affair: {affair}"
    no_affair() ja "先に affair で事務を選んでください" en "choose an affair first: affair AFFAIR"
    needs_card() ja "login の後にカードのファイルを書いてください" en "name the card's file after login"
    needs_affair() ja "affair の後に事務を書いてください" en "name the affair after affair"
    unknown_command(word: &str) ja "命令 {word} はありません（help で一覧）" en "there is no command {word} (help lists them)"
    help() ja "login カード    操作者カードのファイルでログインする
affair 事務     法が照会を認める事務を選ぶ
code [コード]   住民票コードで照会する（省略すると尋ねます）
items           氏名、生年月日、性別、住所で照会する（順に尋ねます）
logout          ログアウトする
help            この一覧
quit            終わる" en "login CARD      log in with an operator's card file
affair AFFAIR   choose the affair that the law permits the inquiry for
code [CODE]     ask by resident record code (asks for it where it is left out)
items           ask by name, birth date, sex and address (asks for each)
logout          log out
help            this list
quit            end"
}
