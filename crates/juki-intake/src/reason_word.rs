//! The words by which registers name a reason of change.

use juki_domain::ChangeReason;

/// What a word in the column 異動事由 means for the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReasonWord {
    /// A reason of change that goes out.
    Reason(ChangeReason),
    /// An event that changes no item of the identity record (世帯変更, 改製 ..): nothing goes out.
    NoItemChanged,
}

/// What this word means: the regulation's ten words and their English names, and the words of
/// municipal systems that existed in 2002. 軽微な修正 came later and is unknown.
pub(crate) fn reason_word(word: &str) -> Option<ReasonWord> {
    let word = word.replace('（', "(").replace('）', ")");
    if let Ok(reason) = word.parse() {
        return Some(ReasonWord::Reason(reason));
    }
    if UNCHANGING.contains(&word.as_str()) {
        return Some(ReasonWord::NoItemChanged);
    }
    MUNICIPAL
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, reason)| ReasonWord::Reason(*reason))
}

const MUNICIPAL: [(&str, ChangeReason); 17] = [
    ("転入", ChangeReason::MoveIn),
    ("国内転入", ChangeReason::MoveIn),
    ("国外転入", ChangeReason::MoveIn),
    ("国外転入等", ChangeReason::MoveIn),
    ("職権記載", ChangeReason::ExOfficioEntry),
    ("職権記載(帰化等)", ChangeReason::ExOfficioEntry),
    ("異動の取消し(増)", ChangeReason::ExOfficioEntry),
    ("国内転出", ChangeReason::MoveOut),
    ("国外転出", ChangeReason::MoveOut),
    ("職権消除", ChangeReason::ExOfficioDeletion),
    ("職権消除(国籍喪失)", ChangeReason::ExOfficioDeletion),
    ("異動の取消し(減)", ChangeReason::ExOfficioDeletion),
    ("職権修正", ChangeReason::ExOfficioCorrection),
    ("誤記修正", ChangeReason::ExOfficioCorrection),
    ("異動の取消し(修正)", ChangeReason::ExOfficioCorrection),
    ("住民票コードの変更請求", ChangeReason::CodeChangeRequest),
    ("住民票コードの職権記載", ChangeReason::CodeExOfficio),
];

const UNCHANGING: [&str; 6] = [
    "世帯分離",
    "世帯合併",
    "世帯変更",
    "世帯主変更",
    "改製",
    "再製",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_law_and_of_municipal_systems_are_both_known() {
        for reason in ChangeReason::ALL {
            assert_eq!(reason_word(reason.ja()), Some(ReasonWord::Reason(reason)));
            assert_eq!(reason_word(reason.name()), Some(ReasonWord::Reason(reason)));
        }
        assert_eq!(
            reason_word("職権記載（帰化等）"),
            Some(ReasonWord::Reason(ChangeReason::ExOfficioEntry))
        );
        assert_eq!(
            reason_word("国外転出"),
            Some(ReasonWord::Reason(ChangeReason::MoveOut))
        );
        assert_eq!(
            reason_word("誤記修正"),
            Some(ReasonWord::Reason(ChangeReason::ExOfficioCorrection))
        );
    }

    #[test]
    fn household_events_change_nothing_and_later_words_are_unknown() {
        assert_eq!(reason_word("世帯主変更"), Some(ReasonWord::NoItemChanged));
        assert_eq!(reason_word("改製"), Some(ReasonWord::NoItemChanged));
        for later in ["軽微な修正", "通称の記載", "個人番号の変更請求", ""] {
            assert_eq!(reason_word(later), None, "{later}");
        }
    }
}
