//! What the law asks of an operator, shown at each log-in (Basic Resident Register Act as of 2003:
//! art. 30-34, 30-35, 30-42, 30-43, 42 and 44).

use juki_domain::Lang;

/// The duties and penalties, one sentence group each.
pub(crate) fn duties(lang: Lang) -> [&'static str; 4] {
    match lang {
        Lang::Ja => JA,
        Lang::En => EN,
    }
}

const JA: [&str; 4] = [
    "本人確認情報は、法が認める事務のためだけに利用できます（住民基本台帳法第30条の34）。",
    "事務に関して知った秘密を漏らしてはなりません（第30条の35）。漏らした者は2年以下の懲役または100万円以下の罰金に処せられます（第42条）。",
    "法の定める事務のほかで、住民票コードを告げるよう求めてはなりません（第30条の42、第30条の43）。中止の命令に従わない者は1年以下の懲役または50万円以下の罰金に処せられます（第44条）。",
    "照会は、拒否されたものも含めてすべて記録され、監査を受けます。カードを他人に使わせず、離席するときはログアウトしてください。",
];

const EN: [&str; 4] = [
    "Identity records serve only the affairs that the law names (Basic Resident Register Act, art. 30-34).",
    "Keep secret what you learn in this work (art. 30-35). Disclosure is punished with up to two years of imprisonment or a fine of up to 1,000,000 yen (art. 42).",
    "Nobody may demand a resident record code outside the affairs that the law names (art. 30-42, 30-43). Disobeying an order to stop is punished with up to one year or 500,000 yen (art. 44).",
    "Every inquiry, refused ones too, is recorded and audited. Let nobody else use your card, and log out when you leave.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duties_and_penalties_are_named_in_both_languages() {
        for lang in [Lang::Ja, Lang::En] {
            let text = duties(lang).concat();
            for article in ["30", "42", "44", "34", "35", "43"] {
                assert!(text.contains(article), "{article}");
            }
        }
        assert!(duties(Lang::Ja).concat().contains("秘密"));
    }
}
