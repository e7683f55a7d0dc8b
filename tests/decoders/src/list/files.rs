//! Files and bodies that people and registers write.

use std::sync::LazyLock;

use juki_admin::{Hop, StatusReport};
use juki_intake::{Inspection, Reader, ReaderSettings};
use juki_topology::{Network, NodeConfig};

use crate::Decoder;

pub(super) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder {
            name: "network-toml",
            decode: |bytes| text(bytes).is_some_and(|text| Network::parse(text, "n").is_ok()),
            samples: || vec![DEMO.to_toml().unwrap().into_bytes()],
        },
        Decoder {
            name: "node-toml",
            decode: |bytes| text(bytes).is_some_and(|text| NodeConfig::parse(text, "n").is_ok()),
            samples: || {
                let of = |name: &str| config(name).to_toml().unwrap().into_bytes();
                ["cs-352047", "fw-prefecture-35", "national", "ap-35-1"]
                    .map(of)
                    .to_vec()
            },
        },
        Decoder {
            name: "policy-toml",
            decode: |bytes| {
                text(bytes).is_some_and(|text| FIREWALL.with_policy(text, "policy.toml").is_ok())
            },
            samples: || vec![FIREWALL.policy_toml().unwrap().unwrap().into_bytes()],
        },
        Decoder {
            name: "register-file",
            decode: register_file,
            samples: register_files,
        },
        Decoder {
            name: "change-json",
            decode: |bytes| municipal_cs::read_change(bytes, "2002-10-15".parse().unwrap()).is_ok(),
            samples: || vec![CHANGE_JSON.as_bytes().to_vec()],
        },
        Decoder {
            name: "status-json",
            decode: |bytes| serde_json::from_slice::<StatusReport>(bytes).is_ok(),
            samples: || vec![STATUS_JSON.as_bytes().to_vec()],
        },
        Decoder {
            name: "trace-json",
            decode: |bytes| serde_json::from_slice::<Vec<Hop>>(bytes).is_ok(),
            samples: || vec![b"[]".to_vec(), TRACE_JSON.as_bytes().to_vec()],
        },
    ]
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

static DEMO: LazyLock<Network> = LazyLock::new(|| Network::demo(7, "demo", 1_700_000_000).unwrap());
static FIREWALL: LazyLock<NodeConfig> = LazyLock::new(|| config("fw-cs-352047"));

fn config(name: &str) -> NodeConfig {
    DEMO.node_config(&name.parse().unwrap()).unwrap()
}

/// Read in pieces, as a file comes; looked at whole, as a spool is. Taken where one row is.
fn register_file(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(ReaderSettings {
        initial_date: "2002-08-05".parse().unwrap(),
        line_bytes_max: 4_096,
    });
    let mut inspection = Some(Inspection::new(4_096));
    let mut taken = false;
    for piece in bytes.chunks(97) {
        reader.feed(piece);
        while let Some(row) = reader.next_row() {
            taken |= row.result.is_ok();
        }
        inspection = inspection
            .and_then(|mut inspection| inspection.feed(piece).is_ok().then_some(inspection));
    }
    reader.finish();
    while let Some(row) = reader.next_row() {
        taken |= row.result.is_ok();
    }
    let _whole = inspection.map(Inspection::finish);
    taken
}

fn register_files() -> Vec<Vec<u8>> {
    let initial = "宛名番号,氏名,生年月日,性別,住所\n0001,試験　太郎,昭和45年1月2日,男,山口県萩市大字江向510番地\n0002,\"髙﨑, 花子\",S45.1.2,2,山口県萩市\n";
    let daily = "宛名番号,異動事由,異動日,氏名,生年月日,性別,住所,転出証明書番号,相手市区町村コード\n0003,出生,2002-10-15,試験　次郎,平成14年10月15日,男,山口県萩市大字江向3番地,,\n0001,転出,平成14年10月15日,,,,,P-1,355011\n";
    let mut files = Vec::new();
    for file in [initial, daily] {
        files.push(file.as_bytes().to_vec());
        files.push([b"\xef\xbb\xbf", file.as_bytes()].concat());
        let (cp932, _, lossy) = encoding_rs::SHIFT_JIS.encode(file);
        assert!(!lossy);
        files.push(cp932.into_owned());
        files.push(file.replace('\n', "\r\n").into_bytes());
    }
    files
}

const CHANGE_JSON: &str = r#"{"key":"k-1","resident":"N-1","reason":"birth","event_date":"2002-10-15","name":"検査　太郎","birth":"2002-10-15","sex":"male","address":"山口県萩市大字江向510番地"}"#;
const TRACE_JSON: &str = r#"[{"node":"cs-352047","at_unix_us":1034640000000000,"from":"cs-352047","to":"fw-cs-352047","service":"journal","length":300,"verdict":"passed"}]"#;
const STATUS_JSON: &str = r#"{"node":"cs-352047","role":"municipal-cs","state":"ready","peers":[{"name":"fw-cs-352047","interface":"inside","up":true}],"behind":0,"residents":1,"journal":{"head":1}}"#;
