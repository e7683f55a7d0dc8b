//! Families of variant kanji, for search keys only.
//!
//! Only families that every reader takes for one name are here: reductions published for the
//! character set of administration (domain.md 6.3) and old forms of the jōyō list. 斉 and 斎 are
//! two families: 斉藤 and 斎藤 are different names.

use std::sync::LazyLock;

/// The member of a kanji's family that stands for all of it; the character itself if it has none.
pub(crate) fn representative(c: char) -> char {
    // Every address is folded at every tier, and most of it has no variants.
    if c < FIRST_KANJI {
        return c;
    }
    let found = VARIANTS.binary_search_by_key(&c, |(variant, _)| *variant);
    found
        .ok()
        .and_then(|at| VARIANTS.get(at))
        .map_or(c, |(_, representative)| *representative)
}

/// Variant and representative, sorted by variant.
static VARIANTS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let pairs = FAMILIES
        .iter()
        .flat_map(|(first, rest)| rest.chars().map(move |variant| (variant, *first)));
    let mut pairs: Vec<(char, char)> = pairs.collect();
    pairs.sort_unstable();
    pairs
});

/// Characters before the first kanji of Unicode have no variants here.
const FIRST_KANJI: char = '\u{3400}';

/// Representative, then its variants.
const FAMILIES: [(char, &str); 27] = [
    ('辺', "邊邉"),
    ('斎', "齋"),
    ('斉', "齊亝"),
    ('高', "髙"),
    ('崎', "﨑嵜"),
    ('沢', "澤"),
    ('浜', "濱濵"),
    ('桜', "櫻"),
    ('広', "廣"),
    ('国', "國圀"),
    ('島', "嶋嶌"),
    ('真', "眞"),
    ('恵', "惠"),
    ('栄', "榮"),
    ('寿', "壽"),
    ('豊', "豐"),
    ('蔵', "藏"),
    ('亀', "龜"),
    ('実', "實"),
    ('弥', "彌"),
    ('応', "應"),
    ('学', "學"),
    ('徳', "德"),
    ('増', "增"),
    ('清', "淸"),
    ('曽', "曾"),
    ('吉', "𠮷"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn no_kanji_is_in_two_families_or_changed_by_normalisation() {
        let members: Vec<char> = FAMILIES
            .iter()
            .flat_map(|(first, rest)| std::iter::once(*first).chain(rest.chars()))
            .collect();
        assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), members.len());
        for member in members {
            assert_eq!(
                member.to_string().nfkc().collect::<String>(),
                member.to_string()
            );
        }
    }

    #[test]
    fn a_representative_stands_for_itself() {
        for (first, rest) in FAMILIES {
            assert_eq!(representative(first), first);
            assert!(rest.chars().all(|variant| representative(variant) == first));
        }
    }
}
