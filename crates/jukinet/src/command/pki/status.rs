//! `jukinet pki status`: every node's certificate and the revocation list that it judges by.

use std::collections::BTreeMap;

use juki_admin::{AdminClient, StatusReport};
use juki_domain::{Lang, NodeRole};
use juki_pki::{Expiry, RevocationList};
use serde::Serialize;
use serde_json::Value;

use super::lists::{list_in_file, list_of, newest_list};
use super::{Holder, hex, holders, reports};
use crate::cli::FolderArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::local_time::{DAY_S, unix_now, utc};
use crate::screen::Screen;
use crate::text;

/// One node's line. The JSON form is part of the command surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct NodeCertificate {
    node: String,
    /// Hexadecimal; empty where the certificate cannot be read.
    serial: String,
    valid_until_unix_s: u64,
    days_left: u64,
    /// `valid`, `30-days`, `7-days`, `1-day`, `ended` or `revoked`.
    class: &'static str,
    /// Whether the node itself said so; otherwise its files did.
    answers: bool,
    /// Number of the revocation list that the node judges by.
    list: u64,
    /// Since when there is a list that the node does not have; none where it has the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_informed_since_unix_s: Option<u64>,
}

/// The newest list that anybody here has, and when each list was issued where that is known.
struct Newest {
    list: RevocationList,
    issued: BTreeMap<u64, u64>,
}

pub(super) async fn run(args: &FolderArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let holders: Vec<Holder> = holders(&deployment)
        .into_iter()
        .filter(|holder| !deployment.is_keyless(&holder.place))
        .collect();
    let reports = reports(&holders).await;
    let newest = newest(&deployment, &holders, screen).await;
    let now_s = unix_now();
    let rows: Vec<NodeCertificate> = holders
        .iter()
        .zip(&reports)
        .map(|(holder, report)| row(holder, report.as_ref(), newest.as_ref(), now_s))
        .collect();
    let list = newest.as_ref().map_or(0, |newest| newest.list.number);
    show(&rows, list, screen);
    screen.document(&serde_json::json!({ "list": list, "nodes": rows }))?;
    Ok(Outcome::Held)
}

async fn newest(deployment: &Deployment, holders: &[Holder], screen: Screen) -> Option<Newest> {
    let list = newest_list(holders)?;
    let mut issued = BTreeMap::new();
    if let Ok(center) = deployment.only(NodeRole::NationalCenter, None, screen.lang) {
        let answer: Option<Value> = AdminClient::new(center.admin_socket())
            .get_json("/pki/lists")
            .await
            .ok();
        let lists = answer
            .as_ref()
            .and_then(|answer| answer.get("lists"))
            .and_then(Value::as_array);
        let number = |list: &Value, name: &str| list.get(name).and_then(Value::as_u64);
        issued.extend(
            lists
                .into_iter()
                .flatten()
                .filter_map(|list| Some((number(list, "number")?, number(list, "issued_unix_s")?))),
        );
    }
    Some(Newest { list, issued })
}

impl Newest {
    /// Since when there is a list after this one.
    fn since(&self, number: u64) -> Option<u64> {
        if number >= self.list.number {
            return None;
        }
        let after = self.issued.range(number.saturating_add(1)..).next();
        Some(after.map_or(self.list.issued, |(_, issued)| *issued))
    }
}

fn row(
    holder: &Holder,
    report: Option<&StatusReport>,
    newest: Option<&Newest>,
    now_s: u64,
) -> NodeCertificate {
    let (serial, not_after) = report
        .and_then(certificate_said)
        .or_else(|| certificate_in_file(holder))
        .unwrap_or_default();
    let list = report
        .and_then(list_of)
        .or_else(|| list_in_file(holder).map(|list| list.number))
        .unwrap_or(0);
    let revoked = newest.is_some_and(|newest| {
        newest
            .list
            .serials
            .iter()
            .any(|revoked| hex(revoked) == serial)
    });
    NodeCertificate {
        node: holder.name().to_owned(),
        class: if revoked {
            "revoked"
        } else {
            Expiry::of(not_after, now_s).name()
        },
        serial,
        valid_until_unix_s: not_after,
        days_left: not_after.saturating_sub(now_s) / DAY_S,
        answers: report.is_some(),
        list,
        not_informed_since_unix_s: newest.and_then(|newest| newest.since(list)),
    }
}

fn certificate_said(report: &StatusReport) -> Option<(String, u64)> {
    let serial = report.more.get("certificate_serial")?.as_str()?;
    let not_after = report.more.get("certificate_not_after_unix_s")?.as_u64()?;
    Some((serial.to_owned(), not_after))
}

fn certificate_in_file(holder: &Holder) -> Option<(String, u64)> {
    let chain = juki_pki::read_certificates(&holder.place.keys().join("node.crt")).ok()?;
    let own = chain.first()?;
    let serial = juki_pki::serial_of(own).ok()?;
    Some((hex(&serial), juki_pki::not_after_of(own).ok()?))
}

fn show(rows: &[NodeCertificate], list: u64, screen: Screen) {
    let lang = screen.lang;
    let header = text::pki::status_header(lang);
    let line = |row: &NodeCertificate| {
        vec![
            row.node.clone(),
            row.serial.clone(),
            utc(row.valid_until_unix_s),
            row.days_left.to_string(),
            text::pki::class(lang, row.class),
            informed(row, lang),
        ]
    };
    screen.table(
        &header.split('|').collect::<Vec<_>>(),
        rows.iter().map(line).collect(),
    );
    let late = rows
        .iter()
        .filter(|row| row.not_informed_since_unix_s.is_some())
        .count();
    screen.line(text::pki::newest_list(lang, list, late));
}

fn informed(row: &NodeCertificate, lang: Lang) -> String {
    match row.not_informed_since_unix_s {
        Some(since) => text::pki::not_informed_since(lang, row.list, &utc(since)),
        None => row.list.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_lags_is_not_informed_since_the_first_list_that_it_lacks() {
        let newest = Newest {
            list: RevocationList {
                number: 5,
                issued: 500,
                next_update: 900,
                serials: Vec::new(),
            },
            issued: [(3, 300), (4, 400), (5, 500)].into(),
        };
        assert_eq!(newest.since(5), None);
        assert_eq!(newest.since(6), None);
        assert_eq!(newest.since(4), Some(500));
        assert_eq!(newest.since(2), Some(300));
        assert_eq!(newest.since(1), Some(300));
        let unknown = Newest {
            issued: BTreeMap::new(),
            ..newest
        };
        assert_eq!(unknown.since(2), Some(500));
    }
}
