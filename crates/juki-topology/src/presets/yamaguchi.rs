//! Yamaguchi prefecture as it was on 2002-08-05, with all of its 56 municipalities.

use juki_domain::LegalBasis;

use super::{UNSHAPED, fixed};
use crate::access::Access;
use crate::calendar::Calendar;
use crate::config_error::ConfigError;
use crate::network::{
    AccessPoint, Agency, Municipality, National, Network, NetworkParts, NetworkSection, Prefecture,
};

impl Network {
    /// The whole prefecture as of 2002-10-15: 56 municipalities at 8 access points, prefecture
    /// server, national center, a terminal of each national body of the legal-basis rows given
    /// (別表第一) and one of the prefecture's own offices (別表第五).
    ///
    /// Leased lines carry 64 kbit/s to 1.5 Mbit/s by the size of the municipality
    /// (configs/presets/README.md); with `unshaped` every line passes everything at once.
    ///
    /// # Errors
    /// Where `id` is no network id, `seed` or the anchor is 2^63 or more, or a row names a body that
    /// makes no node name.
    pub fn yamaguchi_2002(
        seed: u64,
        id: &str,
        anchor_unix_s: u64,
        legal_basis: &[LegalBasis],
        unshaped: bool,
    ) -> Result<Self, ConfigError> {
        let line = |preset: &str| {
            if unshaped {
                UNSHAPED.to_owned()
            } else {
                preset.to_owned()
            }
        };
        let municipalities = table_rows().map(|[code, label, access_point, preset]| {
            Ok(Municipality {
                code: fixed(code)?,
                label: label.to_owned(),
                access_point: fixed(access_point)?,
                line: line(preset),
            })
        });
        let access_points = ACCESS_POINTS.iter().map(|(name, town)| {
            Ok(AccessPoint {
                name: fixed(name)?,
                label: format!("{town}アクセスポイント"),
                uplink: None,
            })
        });
        Self::new(NetworkParts {
            machines: Vec::new(),
            network: NetworkSection {
                name: "yamaguchi-2002".to_owned(),
                id: id.to_owned(),
                seed,
            },
            calendar: Calendar {
                base: fixed("2002-10-15")?,
                anchor_unix_s,
                version: 1,
            },
            access: Access::default(),
            national: National {
                label: "全国センター".to_owned(),
            },
            municipalities: municipalities.collect::<Result<_, ConfigError>>()?,
            prefectures: vec![Prefecture {
                code: fixed("35")?,
                label: "山口県".to_owned(),
                access_point: fixed(CAPITAL)?,
                line: line("atm-6m"),
            }],
            agencies: agencies(legal_basis, &line("128k"))?,
            access_points: access_points.collect::<Result<_, ConfigError>>()?,
        })
    }
}

/// One terminal for each body, in the order of the table. Rows of other tables than those of
/// national bodies and of the prefecture's own affairs have no office in this network.
fn agencies(legal_basis: &[LegalBasis], line: &str) -> Result<Vec<Agency>, ConfigError> {
    let mut agencies: Vec<Agency> = Vec::new();
    for row in legal_basis {
        let prefecture = match row.table.as_str() {
            "別表第一" => None,
            "別表第五" => Some(fixed("35")?),
            _ => continue,
        };
        if agencies.iter().all(|known| known.body != row.body) {
            agencies.push(Agency {
                body: row.body.clone(),
                label: row.body_ja.clone(),
                prefecture,
                access_point: fixed(CAPITAL)?,
                line: line.to_owned(),
            });
        }
    }
    Ok(agencies)
}

fn table_rows() -> impl Iterator<Item = [&'static str; 4]> {
    TABLE.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        Some([cells.next()?, cells.next()?, cells.next()?, cells.next()?])
    })
}

const TABLE: &str = include_str!("../../../../configs/presets/yamaguchi-2002.csv");

/// The access point at the prefecture's capital.
const CAPITAL: &str = "ap-35-5";

const ACCESS_POINTS: [(&str, &str); 8] = [
    ("ap-35-1", "岩国"),
    ("ap-35-2", "柳井"),
    ("ap-35-3", "徳山"),
    ("ap-35-4", "防府"),
    (CAPITAL, "山口"),
    ("ap-35-6", "宇部"),
    ("ap-35-7", "下関"),
    ("ap-35-8", "萩"),
];
