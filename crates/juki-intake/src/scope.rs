//! What rows of one municipality's register can say: which days, which municipality.

use juki_domain::{ChangeRequest, CivilDate, ErrorCode, MunicipalityCode, fold_address};

use crate::{Column, Reject};

/// Whose rows a reader takes, and when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The municipality whose register it is.
    pub municipality: MunicipalityCode,
    /// Its name as addresses have it (萩市), where it is known.
    pub name: Option<String>,
    /// The network's civil date: nothing has happened after it.
    pub today: CivilDate,
}

impl Scope {
    /// Judges the cell 市区町村コード of a row.
    pub(crate) fn judge_code(&self, code: MunicipalityCode) -> Result<(), Reject> {
        if code == self.municipality {
            return Ok(());
        }
        Err(Reject::at(
            ErrorCode::OtherMunicipality,
            Column::Municipality,
        ))
    }

    /// Judges the dates and the address of a request.
    pub(crate) fn judge(&self, request: &ChangeRequest) -> Result<(), Reject> {
        if let Some(item) = request.date_out_of_bounds(self.today) {
            return Err(Reject {
                code: ErrorCode::DateOutOfBounds,
                column: Column::of_item(item).map(|column| column.ja().to_owned()),
            });
        }
        match &request.address {
            Some(address) if !self.is_here(address.reveal()) => {
                Err(Reject::at(ErrorCode::OtherMunicipality, Column::Address))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether an address can lie in the municipality. One that names no prefecture can.
    fn is_here(&self, address: &str) -> bool {
        let address = address.trim_start();
        let Some((number, rest)) = (1u8..)
            .zip(PREFECTURES)
            .find_map(|(number, prefecture)| Some((number, address.strip_prefix(prefecture)?)))
        else {
            return true;
        };
        if number != self.municipality.prefecture().number() {
            return false;
        }
        let Some(name) = &self.name else {
            return true;
        };
        // Spellings differ (茅ヶ崎市, 茅ケ崎市): folding is dear, so only what does not fit is folded.
        follows(rest.trim_start(), name) || follows(&fold_address(rest), &fold_address(name))
    }
}

/// Whether what follows the prefecture begins with the municipality's name, behind a county's where
/// it has one.
fn follows(rest: &str, name: &str) -> bool {
    const COUNTY_CHARS_MAX: usize = 8;
    if rest.starts_with(name) {
        return true;
    }
    rest.char_indices()
        .take(COUNTY_CHARS_MAX)
        .filter(|(_, character)| *character == '郡')
        .any(|(at, county)| {
            rest.get(at + county.len_utf8()..)
                .is_some_and(|rest| rest.trim_start().starts_with(name))
        })
}

/// The prefectures in the order of their codes.
const PREFECTURES: [&str; 47] = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(code: &str, name: Option<&str>) -> Scope {
        Scope {
            municipality: code.parse().unwrap(),
            name: name.map(str::to_owned),
            today: "2002-10-15".parse().unwrap(),
        }
    }

    #[test]
    fn an_address_of_the_municipality_or_without_prefecture_is_here() {
        let hagi = scope("352047", Some("萩市"));
        for address in [
            "山口県萩市大字江向510番地",
            "山口県　萩市大字椿1番地",
            "大字江向510番地",
            "萩市大字江向510番地",
        ] {
            assert!(hagi.is_here(address), "{address}");
        }
        let abu = scope("355020", Some("阿武町"));
        assert!(abu.is_here("山口県阿武郡阿武町大字奈古1番地"));
        assert!(abu.is_here("山口県阿武町大字奈古1番地"));
        let chigasaki = scope("142077", Some("茅ヶ崎市"));
        assert!(chigasaki.is_here("神奈川県茅ケ崎市茅ヶ崎一丁目1番"));
    }

    #[test]
    fn an_address_that_names_another_place_is_not() {
        let hagi = scope("352047", Some("萩市"));
        for address in [
            "山口県阿武郡川上村1番地",
            "山口県長門市1番地",
            "島根県萩市1番地",
            "東京都千代田区千代田1番1号",
        ] {
            assert!(!hagi.is_here(address), "{address}");
        }
        let unnamed = scope("352047", None);
        assert!(unnamed.is_here("山口県長門市1番地") && !unnamed.is_here("島根県浜田市1番地"));
    }
}
