//! What `firewall` says.

use juki_domain::Lang;

texts! {
    not_a_firewall(node: &str) ja "{node} はファイアウォールではありません" en "{node} is no firewall"
    policy(digest: &str, file: &str, by: &str, since: &str) ja "規則 {digest}\n  {file}（{since} UTC に発効、{by}）" en "policy {digest}\n  {file} (in force since {since} UTC, by {by})"
    rule_header() ja "番号|規則|通過|バイト" en "rule|says|frames|bytes"
    finding_header() ja "検知|対象|コード|業務|件数|最後（UTC）" en "finding|subject|code|service|count|last (UTC)"
    no_findings() ja "検知はありません。" en "The detectors have found nothing."
    reloaded(node: &str, added: u64, removed: u64, changed: u64) ja "{node}: 新しい規則を発効しました（組合せ 追加 {added}、削除 {removed}、変更 {changed}）。" en "{node}: the new policy is in force (combinations: {added} added, {removed} removed, {changed} changed)."
    refused(node: &str, code: &str) ja "{node} は拒みます（{code}）。" en "{node} refuses it ({code})."
    passes(node: &str, to: &str) ja "{node} は {to} へ通します。" en "{node} passes it to {to}."
}
