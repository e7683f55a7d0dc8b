//! What `status --watch` says.

use juki_domain::{Lang, NodeRole};

texts! {
    head(ready: usize, all: usize, date: &str) ja "準備完了 {ready}/{all}   ネットワークの日付 {date}   Ctrl-C で終了" en "{ready}/{all} nodes ready   the network's date {date}   Ctrl-C ends"
    sums(residents: u64, national: u64, behind: u64, memory: u64) ja "住民 {residents}（全国センター {national}）  未達 {behind}  メモリ {memory} MiB" en "residents {residents} (national center {national})  behind {behind}  memory {memory} MiB"
    nothing_changed() ja "見始めてから変化なし" en "nothing has changed since the first look"
    state_changed(time: &str, node: &str, before: &str, now: &str) ja "{time} {node}: {before} -> {now}" en "{time} {node}: {before} -> {now}"
    started_anew(time: &str, node: &str) ja "{time} {node}: 起動し直しました" en "{time} {node}: started anew"
    others(count: usize) ja "ほか {count} 個" en "and {count} more"
    others_quiet(count: usize) ja "ほか {count} 個、すべて準備完了" en "and {count} more, all ready"
}

/// A line for the nodes that are not shown.
pub(crate) fn not_shown(lang: Lang, count: usize, quiet: bool) -> String {
    if quiet {
        others_quiet(lang, count)
    } else {
        others(lang, count)
    }
}

/// What nodes of a role are called together.
pub(crate) fn kind(lang: Lang, role: NodeRole) -> &'static str {
    match (role, lang) {
        (NodeRole::MunicipalCs, _) => "CS",
        (NodeRole::PrefectureServer, Lang::Ja) => "都道府県サーバ",
        (NodeRole::PrefectureServer, Lang::En) => "prefecture",
        (NodeRole::NationalCenter, Lang::Ja) => "全国センター",
        (NodeRole::NationalCenter, Lang::En) => "national",
        (NodeRole::FirewallProxy, Lang::Ja) => "ファイアウォール",
        (NodeRole::FirewallProxy, Lang::En) => "firewalls",
        (NodeRole::AgencyTerminal, Lang::Ja) => "端末",
        (NodeRole::AgencyTerminal, Lang::En) => "terminals",
        (NodeRole::AccessPoint, Lang::Ja) => "アクセスポイント",
        (NodeRole::AccessPoint, Lang::En) => "access points",
    }
}
