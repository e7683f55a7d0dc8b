//! The four items of the identity record by which a person without a known code is looked up.

use juki_domain::{Address, BirthDate, IdentityRecord, PersonName, Sex, fold_address, fold_name};

use crate::keys::{Keys, SearchKey};

/// The four items a person is looked up by where the code is not known.
#[derive(Clone, PartialEq, Eq)]
pub struct FourItems {
    /// 氏名
    pub name: PersonName,
    /// 生年月日
    pub birth: BirthDate,
    /// 性別
    pub sex: Sex,
    /// 住所
    pub address: Address,
}

impl FourItems {
    pub(crate) fn of(record: &IdentityRecord) -> Self {
        Self {
            name: record.name.clone(),
            birth: record.birth,
            sex: record.sex,
            address: record.address.clone(),
        }
    }

    /// The key by which the index finds items that were folded.
    pub(crate) fn search_key(&self, keys: &Keys, folded: &[u8]) -> SearchKey {
        let name = folded.split(|byte| *byte == 0).next();
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        keys.items(name.unwrap_or_default(), self.birth, folded)
    }

    /// The folded form that two writings of the same person share. The stored form stays as it is.
    pub(crate) fn folded(&self) -> Vec<u8> {
        let mut bytes = fold_name(self.name.reveal()).into_bytes();
        bytes.push(0);
        bytes.extend_from_slice(&self.birth.number().to_be_bytes());
        bytes.push(self.sex as u8);
        bytes.extend_from_slice(fold_address(self.address.reveal()).as_bytes());
        bytes
    }
}

impl std::fmt::Debug for FourItems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FourItems(..)")
    }
}
