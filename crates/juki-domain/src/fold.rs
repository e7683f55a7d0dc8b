//! Search keys of names and addresses. Texts themselves are never folded: only what is compared.

use unicode_normalization::UnicodeNormalization;

use crate::numeral::{decimal_of_kanji, is_kanji_numeral};
use crate::variant::representative;

/// The search key of a name: equal for spellings of one name that differ in width, kana, spaces,
/// variation selectors or variant kanji (渡邊 and 渡辺, but never 斉藤 and 斎藤).
///
/// Compatibility ideographs become their unified forms (U+FA19 神) here and nowhere else.
#[must_use]
pub fn fold_name(name: &str) -> String {
    settle(name, |text| {
        fold_characters(text)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect()
    })
}

/// The search key of an address: as for names, and block numbers become `1-2-3`, whether
/// written 一丁目2番地3, １丁目２番３号 or 1ノ2の3.
#[must_use]
pub fn fold_address(address: &str) -> String {
    settle(address, |text| fold_numbers(&fold_characters(text)))
}

/// Folds until nothing changes: dropping a space can bring a kana and its voicing mark together.
fn settle(text: &str, fold: impl Fn(&str) -> String) -> String {
    let mut folded = fold(text);
    if text.chars().all(is_folded_at_once) {
        return folded;
    }
    for _ in 1..PASSES_MAX {
        let again = fold(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

/// Whether a text of such characters is as it stays when it was folded once: nothing in it depends on
/// its neighbour, and no space is dropped that would give one character another's company.
fn is_folded_at_once(c: char) -> bool {
    !matches!(c, ' ' | '\u{3000}' | 'ー' | 'ゔ' | 'ヴ') && settled(c).is_some()
}

/// Width, kana, variation selectors and variant kanji.
fn fold_characters(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.chars().all(|c| settled(c).is_some()) {
        push_folded(&mut folded, text.chars().filter_map(settled));
    } else {
        let selected = text.chars().filter(|c| !is_variation_selector(*c));
        push_folded(&mut folded, selected.nfkc());
    }
    folded
}

fn push_folded(folded: &mut String, characters: impl Iterator<Item = char>) {
    let mut characters = characters
        .filter(|c| !is_variation_selector(*c))
        .map(hiragana)
        .peekable();
    while let Some(c) = characters.next() {
        let c = match c {
            'ゔ' => match characters.next_if(|next| "ぁぃぇぉ".contains(*next)) {
                Some('ぁ') => 'ば',
                Some('ぃ') => 'び',
                Some('ぇ') => 'べ',
                Some('ぉ') => 'ぼ',
                Some(_) | None => 'ぶ',
            },
            // The long-vowel mark sorts as the vowel that it lengthens (JIS X 4061).
            'ー' => folded.chars().next_back().and_then(vowel).unwrap_or('ー'),
            other => full_size(other),
        };
        folded.push(representative(c.to_ascii_lowercase()));
    }
}

/// What NFKC makes of a character that stands by itself whatever is beside it: unified ideographs,
/// kana without voicing marks of their own, ASCII and its full width. Most names and addresses hold
/// nothing else, and looking each character up in the tables costs more than all the rest.
fn settled(c: char) -> Option<char> {
    match c {
        '\u{20}'..='\u{7e}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'
        | '\u{4e00}'..='\u{9fff}'
        | '々' => Some(c),
        '\u{3000}' => Some(' '),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - FULL_WIDTH_APART),
        _ => None,
    }
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Katakana and its iteration marks as hiragana.
fn hiragana(c: char) -> char {
    match c {
        'ァ'..='ヶ' | 'ヽ' | 'ヾ' => char::from_u32(u32::from(c) - KANA_APART).unwrap_or(c),
        other => other,
    }
}

/// Small kana as their full size.
fn full_size(c: char) -> char {
    if matches!(c, '\u{3040}'..='\u{31ff}') {
        pair(SMALL_KANA, c).unwrap_or(c)
    } else {
        c
    }
}

/// The vowel that a kana ends in, where it has one.
fn vowel(c: char) -> Option<char> {
    VOWELS
        .iter()
        .find(|(_, kana)| kana.contains(c))
        .map(|(vowel, _)| *vowel)
}

fn pair(pairs: &str, c: char) -> Option<char> {
    let mut characters = pairs.chars();
    while let (Some(from), Some(to)) = (characters.next(), characters.next()) {
        if from == c {
            return Some(to);
        }
    }
    None
}

/// Joins block numbers with hyphens and drops the spaces.
fn fold_numbers(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let Some((number, after)) = take_number(rest, &folded) else {
            if !c.is_whitespace() {
                folded.push(c);
            }
            rest = rest.strip_prefix(c).unwrap_or_default();
            continue;
        };
        folded.push_str(&number);
        rest = skip_joint(after);
        if take_number(rest, "").is_some() {
            folded.push('-');
        }
    }
    folded
}

/// A number at the start of a text and what follows it: ASCII digits, or a kanji numeral that
/// stands before 丁目, 番地, 番 or 号.
fn take_number<'a>(text: &'a str, before: &str) -> Option<(String, &'a str)> {
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if after.len() < text.len() {
        return Some((text.strip_suffix(after)?.to_owned(), after));
    }
    let after = text.trim_start_matches(is_kanji_numeral);
    let apart = !before.ends_with(|c: char| c.is_ascii_digit());
    if !apart || after.len() == text.len() || strip_marker(after).is_none() {
        return None;
    }
    Some((decimal_of_kanji(text.strip_suffix(after)?)?, after))
}

/// Skips what stands between a block number and the next: markers, hyphens of every kind,
/// spaces, and の where a number follows.
fn skip_joint(text: &str) -> &str {
    let mut rest = text;
    loop {
        let skipped = strip_marker(rest)
            .or_else(|| rest.strip_prefix(is_joint))
            .or_else(|| {
                let after = rest.strip_prefix(['の', '之'])?;
                take_number(after.trim_start(), "").map(|_| after)
            });
        match skipped {
            Some(after) => rest = after,
            None => return rest,
        }
    }
}

fn strip_marker(text: &str) -> Option<&str> {
    if NOT_MARKERS.iter().any(|word| text.starts_with(word)) {
        return None;
    }
    MARKERS.iter().find_map(|marker| text.strip_prefix(marker))
}

fn is_joint(c: char) -> bool {
    c.is_whitespace() || HYPHENS.contains(c)
}

/// Enough for a small kana, a space and a voicing mark between them to come together.
const PASSES_MAX: usize = 8;
/// Distance from a full-width character to its ASCII form.
const FULL_WIDTH_APART: u32 = 0xfee0;
/// Distance from a katakana to its hiragana.
const KANA_APART: u32 = 0x60;
const SMALL_KANA: &str = "ぁあぃいぅうぇえぉおっつゃやゅゆょよゎわゕかゖけㇰくㇱしㇲすㇳとㇴぬㇵはㇶひㇷふㇸへㇹほㇺむㇻらㇼりㇽるㇾれㇿろヷばヸびヹべヺぼ";
const VOWELS: [(char, &str); 5] = [
    ('あ', "あかがさざただなはばぱまやらわ"),
    ('い', "いきぎしじちぢにひびぴみりゐ"),
    ('う', "うくぐすずつづぬふぶぷむゆる"),
    ('え', "えけげせぜてでねへべぺめれゑ"),
    ('お', "おこごそぞとどのほぼぽもよろを"),
];
/// Longest first, since 番地 begins with 番.
const MARKERS: [&str; 5] = ["丁目", "番地", "号室", "番", "号"];
/// Words of place and house names that begin like a marker.
const NOT_MARKERS: [&str; 6] = ["番町", "番街", "番館", "号棟", "号館", "号地"];
/// Hyphens, dashes, minus, and the long-vowel mark that stands for one, as NFKC leaves them.
const HYPHENS: &str = "-‐‒–—―−ー─━";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same_name(a: &str, b: &str) -> bool {
        fold_name(a) == fold_name(b)
    }

    fn same_address(a: &str, b: &str) -> bool {
        fold_address(a) == fold_address(b)
    }

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (a, b) in [
            ("渡邊　花子", "渡辺花子"),
            ("渡邉 花子", "渡辺　花子"),
            ("齋藤", "斎藤"),
            ("齊藤", "斉藤"),
            ("髙橋", "高橋"),
            ("山﨑", "山嵜"),
            ("𠮷田", "吉田"),
            ("邊\u{e0101}見", "辺見"),
            ("葛\u{e0100}城", "葛城"),
            ("\u{fa19}田", "神田"),
            ("ﾔﾏｸﾞﾁ ﾀﾛｳ", "やまぐち　たろう"),
            ("ﾊﾞﾊﾞ", "ばば"),
            ("か\u{3099}", "が"),
            ("マリー", "まりい"),
            ("ショウヘイ", "シヨウヘイ"),
            ("ヴァレリー", "バレリイ"),
            ("ＡＢＣ", "abc"),
        ] {
            assert!(
                same_name(a, b),
                "{a} {b}: {} {}",
                fold_name(a),
                fold_name(b)
            );
        }
    }

    #[test]
    fn different_names_keep_different_keys() {
        for (a, b) in [
            ("斉藤", "斎藤"),
            ("齊藤", "齋藤"),
            ("渡辺", "渡部"),
            ("川崎", "川埼"),
            ("おの", "おおの"),
            ("はば", "ばば"),
            ("竹内", "武内"),
        ] {
            assert!(!same_name(a, b), "{a} {b}");
        }
    }

    #[test]
    fn ways_of_writing_a_block_number_have_one_key() {
        let key = "山口市滝町1-2-3";
        for address in [
            "山口市滝町１丁目２番３号",
            "山口市滝町一丁目2番地3",
            "山口市滝町一丁目二番三号",
            "山口市 滝町 1－2－3",
            "山口市滝町1ー2−3",
            "山口市滝町１丁目２番地の３",
            "山口市滝町1ノ2の3",
            "山口市滝町1之2-3-",
            "山口市滝町1-2 3",
        ] {
            assert_eq!(fold_address(address), key, "{address}");
        }
        assert_eq!(fold_address("古屋町二十八番地"), "古屋町28");
        assert_eq!(fold_address("古屋町百五番地の十二号"), "古屋町105-12");
    }

    #[test]
    fn different_addresses_keep_different_keys() {
        for (a, b) in [
            ("滝町1-21-1", "滝町1-2-11"),
            ("滝町1-2 101", "滝町1-21 01"),
            ("三田1-2", "田1-2"),
            ("一番町2", "町1-2"),
            ("千代田1", "千代1"),
        ] {
            assert!(!same_address(a, b), "{a} {b}: {}", fold_address(a));
        }
    }

    #[test]
    fn names_of_places_keep_their_numerals() {
        assert_eq!(fold_address("千代田区一番町３番地"), "千代田区一番町3");
        assert_eq!(fold_address("八王子市三崎町"), "八王子市三崎町");
        assert_eq!(
            fold_address("滝町2番地メゾン滝3号棟101号室"),
            "滝町2めぞん滝3号棟101"
        );
    }

    #[test]
    fn what_is_taken_as_settled_is_what_nfkc_makes_of_it() {
        let characters: Vec<char> = ('\0'..=char::MAX)
            .filter(|c| settled(*c).is_some())
            .collect();
        assert!(characters.len() > 21_000);
        let whole: String = characters.iter().collect();
        let ours: String = characters.iter().filter_map(|c| settled(*c)).collect();
        assert!(
            whole.nfkc().eq(ours.chars()),
            "none of them joins its neighbour"
        );
        let reversed: String = characters.iter().rev().collect();
        assert!(reversed.nfkc().eq(ours.chars().rev()));
        for joined in [
            '\u{3099}', '\u{309a}', '\u{301}', '\u{fe00}', '\u{ff9e}', '\u{fa19}',
        ] {
            assert_eq!(settled(joined), None, "{:04x}", u32::from(joined));
        }
    }

    proptest! {
        #[test]
        fn what_is_folded_at_once_needs_no_second_time(text in "[ぁ-ゖァ-ヺ一二十百千丁目番地号室町街館棟之邊齋ノ0-9０-９A-Za-zー－-]{0,24}") {
            let again = |once: &str, twice: String| once == twice;
            let name = fold_characters(&text);
            let address = fold_numbers(&name);
            if text.chars().all(is_folded_at_once) {
                prop_assert!(again(&name, fold_characters(&name)), "{}", text);
                prop_assert!(again(&address, fold_numbers(&fold_characters(&address))), "{}", text);
            }
        }

        #[test]
        fn folding_a_key_changes_nothing(text in "\\PC{0,30}") {
            let (name, address) = (fold_name(&text), fold_address(&text));
            prop_assert_eq!(&fold_name(&name), &name);
            prop_assert_eq!(&fold_address(&address), &address);
        }

        #[test]
        fn folding_a_key_of_hard_characters_changes_nothing(text in "[ぁ-ゟァ-ヿｦ-ﾟㇰ-ㇿ\u{3099}\u{309a} 　一二十百千〇0-9０-９丁目番地号室町のノ之ー－−―邊齋\u{e0100}\u{fe00}A]{0,24}") {
            let (name, address) = (fold_name(&text), fold_address(&text));
            prop_assert_eq!(&fold_name(&name), &name, "{}", text);
            prop_assert_eq!(&fold_address(&address), &address, "{}", text);
        }

        #[test]
        fn spaces_and_selectors_never_change_the_key_of_a_name(name in "[一-龯]{1,6}", place in 0_usize..6) {
            let mut marked: Vec<char> = name.chars().collect();
            let place = place.min(marked.len());
            marked.splice(place..place, ['\u{e0101}', '　']);
            prop_assert_eq!(fold_name(&marked.iter().collect::<String>()), fold_name(&name));
        }
    }
}
