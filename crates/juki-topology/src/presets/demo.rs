//! The demo's network.

use juki_domain::NodeId;

use super::{UNSHAPED, fixed};
use crate::access::Access;
use crate::calendar::Calendar;
use crate::config_error::ConfigError;
use crate::network::{
    AccessPoint, Agency, Municipality, National, Network, NetworkParts, NetworkSection, Prefecture,
};

/// The body whose terminal stands in the demo network: the ministry of health and labour (厚生労働省).
pub const DEMO_BODY: &str = "mhlw";

impl Network {
    /// A small network to begin with: three municipalities of Yamaguchi as of 2002-10-15, their
    /// prefecture, the national center, one agency and one access point, on unshaped lines.
    ///
    /// # Errors
    /// Where `id` is no network id or `seed` or the anchor is 2^63 or more.
    pub fn demo(seed: u64, id: &str, anchor_unix_s: u64) -> Result<Self, ConfigError> {
        let access_point: NodeId = fixed("ap-35-1")?;
        let municipalities = DEMO_MUNICIPALITIES.iter().map(|(code, label)| {
            Ok(Municipality {
                code: fixed(code)?,
                label: (*label).to_owned(),
                access_point: access_point.clone(),
                line: UNSHAPED.to_owned(),
            })
        });
        Self::new(NetworkParts {
            machines: Vec::new(),
            network: NetworkSection {
                name: "demo".to_owned(),
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
                access_point: access_point.clone(),
                line: UNSHAPED.to_owned(),
            }],
            agencies: vec![Agency {
                body: DEMO_BODY.to_owned(),
                label: "厚生労働省".to_owned(),
                prefecture: None,
                access_point: access_point.clone(),
                line: UNSHAPED.to_owned(),
            }],
            access_points: vec![AccessPoint {
                name: access_point,
                label: "山口アクセスポイント".to_owned(),
                uplink: None,
            }],
        })
    }
}

const DEMO_MUNICIPALITIES: [(&str, &str); 3] = [
    ("352047", "萩市"),
    ("355011", "川上村"),
    ("355020", "阿武町"),
];
