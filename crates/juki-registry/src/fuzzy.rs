//! Looking a person up by fewer than the four items.

use juki_domain::{Address, BirthDate, IdentityRecord, PersonName, Sex, fold_address, fold_name};

/// A name with its birth date and what else is known. Where an affair's own records are incomplete,
/// the law's table may permit such a question (domain.md 4.4: name and birth date).
#[derive(Clone, PartialEq, Eq)]
pub struct FuzzyItems {
    /// 氏名, or its beginning.
    pub name: PersonName,
    /// Whether the name may go on.
    pub name_begins: bool,
    /// 生年月日
    pub birth: BirthDate,
    /// 性別, where it is known.
    pub sex: Option<Sex>,
    /// 住所, where it is known.
    pub address: Option<Address>,
}

/// The same, as it is compared.
pub(crate) struct FoldedFuzzy {
    pub(crate) name: String,
    name_begins: bool,
    birth: BirthDate,
    sex: Option<Sex>,
    address: Option<String>,
}

impl FuzzyItems {
    pub(crate) fn folded(&self) -> FoldedFuzzy {
        FoldedFuzzy {
            name: fold_name(self.name.reveal()),
            name_begins: self.name_begins,
            birth: self.birth,
            sex: self.sex,
            address: self
                .address
                .as_ref()
                .map(|address| fold_address(address.reveal())),
        }
    }
}

impl FoldedFuzzy {
    /// The same as bytes; no four items have these.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"fewer\0".to_vec();
        bytes.push(u8::from(self.name_begins));
        bytes.extend_from_slice(&self.birth.number().to_be_bytes());
        bytes.push(self.sex.map_or(0, |sex| sex as u8));
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.address.as_deref().unwrap_or_default().as_bytes());
        bytes
    }

    /// Whether a record has these items.
    pub(crate) fn fits(&self, record: &IdentityRecord) -> bool {
        if record.birth != self.birth || self.sex.is_some_and(|sex| sex != record.sex) {
            return false;
        }
        let name = fold_name(record.name.reveal());
        let named = if self.name_begins {
            name.starts_with(&self.name)
        } else {
            name == self.name
        };
        let lives = |address: &String| fold_address(record.address.reveal()) == *address;
        named && self.address.as_ref().is_none_or(lives)
    }
}

impl std::fmt::Debug for FuzzyItems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FuzzyItems(..)")
    }
}

#[cfg(test)]
mod tests;
