//! Kanji numerals as dates and house numbers use them.

/// The decimal digits of a kanji numeral below ten thousand, written with units (二十三) or
/// digit by digit (二三, 一〇); nothing where the text is no such numeral.
pub(crate) fn decimal_of_kanji(text: &str) -> Option<String> {
    if text.is_empty() || text.chars().count() > LEN_MAX {
        return None;
    }
    if text.chars().all(|c| digit_of_kanji(c).is_some()) {
        return text
            .chars()
            .map(|c| digit_of_kanji(c).and_then(|d| char::from_digit(d, 10)))
            .collect();
    }
    let (mut sum, mut digit, mut unit_before) = (0, None, 10_000);
    for c in text.chars() {
        if let Some(value) = digit_of_kanji(c) {
            // 〇 has no place beside units, and two digits in a row say nothing.
            if value == 0 || digit.is_some() {
                return None;
            }
            digit = Some(value);
        } else {
            let unit = unit_of_kanji(c).filter(|unit| *unit < unit_before)?;
            sum += digit.take().unwrap_or(1) * unit;
            unit_before = unit;
        }
    }
    Some((sum + digit.unwrap_or(0)).to_string())
}

/// Whether a character can be part of a kanji numeral.
pub(crate) fn is_kanji_numeral(c: char) -> bool {
    digit_of_kanji(c).is_some() || unit_of_kanji(c).is_some()
}

fn digit_of_kanji(c: char) -> Option<u32> {
    "〇一二三四五六七八九"
        .chars()
        .zip(0..)
        .find(|(kanji, _)| *kanji == c)
        .map(|(_, digit)| digit)
}

fn unit_of_kanji(c: char) -> Option<u32> {
    match c {
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1000),
        _ => None,
    }
}

/// Longest numeral below ten thousand: 九千九百九十九.
const LEN_MAX: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_with_units_and_digit_by_digit_are_read() {
        for (kanji, decimal) in [
            ("一", "1"),
            ("十", "10"),
            ("十二", "12"),
            ("二十", "20"),
            ("二十三", "23"),
            ("百", "100"),
            ("百五", "105"),
            ("千二百三十四", "1234"),
            ("九千九百九十九", "9999"),
            ("二三", "23"),
            ("一〇", "10"),
            ("〇", "0"),
        ] {
            assert_eq!(decimal_of_kanji(kanji).as_deref(), Some(decimal), "{kanji}");
        }
    }

    #[test]
    fn what_is_no_numeral_gives_nothing() {
        for text in [
            "",
            "十十",
            "百千",
            "十二三",
            "二〇十",
            "十〇",
            "一二三四五六七八",
            "山",
            "二山",
            "12",
        ] {
            assert_eq!(decimal_of_kanji(text), None, "{text}");
        }
    }
}
