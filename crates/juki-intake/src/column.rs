//! The columns of the register's files.

/// A column that this format knows. The header names columns; their order is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// 宛名番号: the register's own number of the resident.
    Resident,
    /// 異動事由; a file without it is an initial file.
    Reason,
    /// 異動日
    EventDate,
    /// 氏名
    Name,
    /// 生年月日
    Birth,
    /// 性別
    Sex,
    /// 住所
    Address,
    /// 転出証明書番号
    Certificate,
    /// 相手市区町村コード
    Counterpart,
    /// 市区町村コード: whose register the row is of, where a file says so.
    Municipality,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 10] = [
        Self::Resident,
        Self::Reason,
        Self::EventDate,
        Self::Name,
        Self::Birth,
        Self::Sex,
        Self::Address,
        Self::Certificate,
        Self::Counterpart,
        Self::Municipality,
    ];

    /// The columns of a daily file, in the order in which it is written.
    pub const DAILY: [Self; 9] = [
        Self::Resident,
        Self::Reason,
        Self::EventDate,
        Self::Name,
        Self::Birth,
        Self::Sex,
        Self::Address,
        Self::Certificate,
        Self::Counterpart,
    ];

    /// The columns of an initial file, in the order in which it is written. Every file needs them.
    pub const INITIAL: [Self; 5] = [
        Self::Resident,
        Self::Name,
        Self::Birth,
        Self::Sex,
        Self::Address,
    ];

    /// The name in the header row.
    #[must_use]
    pub fn ja(self) -> &'static str {
        match self {
            Self::Resident => "宛名番号",
            Self::Reason => "異動事由",
            Self::EventDate => "異動日",
            Self::Name => "氏名",
            Self::Birth => "生年月日",
            Self::Sex => "性別",
            Self::Address => "住所",
            Self::Certificate => "転出証明書番号",
            Self::Counterpart => "相手市区町村コード",
            Self::Municipality => "市区町村コード",
        }
    }

    /// The column with this name in the header row.
    #[must_use]
    pub fn from_ja(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.ja() == name)
    }

    /// The column that holds the item that a refused change request names.
    pub(crate) fn of_item(item: &str) -> Option<Self> {
        match item {
            "event_date" => Some(Self::EventDate),
            "name" => Some(Self::Name),
            "birth" => Some(Self::Birth),
            "sex" => Some(Self::Sex),
            "address" => Some(Self::Address),
            "certificate" => Some(Self::Certificate),
            "counterpart" => Some(Self::Counterpart),
            _ => None,
        }
    }
}
