//! How far a row of the legal-basis table reaches: by what may be asked, what may be shown.

/// An item of the identity record, by its number in Act art. 30-5 para. 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecordItem {
    /// 氏名
    Name = 1,
    /// 出生の年月日
    BirthDate = 2,
    /// 男女の別
    Sex = 3,
    /// 住所
    Address = 4,
    /// 住民票コード
    Code = 5,
    /// 変更情報: why and when the record changed, whether it has ended, the code before.
    ChangeInformation = 6,
}

impl RecordItem {
    /// Every item, in the order of the law.
    pub const ALL: [Self; 6] = [
        Self::Name,
        Self::BirthDate,
        Self::Sex,
        Self::Address,
        Self::Code,
        Self::ChangeInformation,
    ];
}

/// A set of items of the identity record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RecordItems(u8);

impl RecordItems {
    /// The set of these items.
    #[must_use]
    pub fn of(items: &[RecordItem]) -> Self {
        Self(items.iter().fold(0, |set, item| set | bit(*item)))
    }

    /// Whether an item is in the set.
    #[must_use]
    pub fn has(self, item: RecordItem) -> bool {
        self.0 & bit(item) != 0
    }

    /// The items' numbers, in order.
    pub fn numbers(self) -> impl Iterator<Item = u32> {
        RecordItem::ALL
            .into_iter()
            .filter(move |item| self.has(*item))
            .map(|item| item as u32)
    }

    /// The set as bits: item n is bit n - 1.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0.into()
    }

    /// The set with these bits; `None` where a bit stands for no item.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        u8::try_from(bits)
            .ok()
            .filter(|bits| bits >> RecordItem::ALL.len() == 0)
            .map(Self)
    }

    /// Reads digits in rising order, such as `1234`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut set = Self::default();
        let mut last = 0;
        for byte in text.bytes() {
            let item = RecordItem::ALL
                .into_iter()
                .find(|item| b'0' + *item as u8 == byte && *item as u8 > last)?;
            last = item as u8;
            set.0 |= bit(item);
        }
        (set.0 != 0).then_some(set)
    }
}

impl std::fmt::Display for RecordItems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.numbers().try_for_each(|number| write!(f, "{number}"))
    }
}

fn bit(item: RecordItem) -> u8 {
    1 << (item as u8 - 1)
}

/// By what a person may be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermittedKeys {
    /// The resident record code alone.
    Code,
    /// The four items alone.
    Items,
    /// Either of them.
    Both,
}

impl PermittedKeys {
    /// Whether the code is permitted.
    #[must_use]
    pub fn code(self) -> bool {
        self != Self::Items
    }

    /// Whether the four items are permitted.
    #[must_use]
    pub fn items(self) -> bool {
        self != Self::Code
    }

    /// The word in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Items => "items",
            Self::Both => "both",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Code, Self::Items, Self::Both]
            .into_iter()
            .find(|keys| keys.name() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_digits_in_rising_order() {
        let some = RecordItems::parse("146").unwrap();
        assert!(some.has(RecordItem::Address) && !some.has(RecordItem::Code));
        assert_eq!(some.numbers().collect::<Vec<_>>(), [1, 4, 6]);
        assert_eq!(some.to_string(), "146");
        for text in ["", "0", "7", "11", "21", "1 2", "1,2", "x"] {
            assert_eq!(RecordItems::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_set_reads_back_from_its_bits_and_its_digits() {
        for bits in 0..64 {
            let set = RecordItems::from_bits(bits).unwrap();
            assert_eq!(set.bits(), bits);
            let digits = set.to_string();
            assert_eq!(RecordItems::parse(&digits), (bits != 0).then_some(set));
        }
        assert_eq!(RecordItems::from_bits(64), None);
        assert_eq!(RecordItems::from_bits(u32::MAX), None);
        assert_eq!(RecordItems::of(&RecordItem::ALL).bits(), 63);
    }
}
