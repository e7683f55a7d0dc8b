//! What is said of certificates and revocation lists.

use juki_domain::Lang;

texts! {
    all_informed(list: u64) ja "すべてのノードが失効リスト {list} 号で判断しています" en "every node judges by revocation list {list}"
    not_informed(list: u64, nodes: &str) ja "失効リスト {list} 号がまだ届いていないノード: {nodes}（つながれば自動で届きます。確認は jukinet pki status）" en "not yet informed of revocation list {list}: {nodes} (they get it by themselves when they can be reached; see jukinet pki status)"
    status_header() ja "ノード|シリアル番号|有効期限 (UTC)|残り日数|状態|失効リスト" en "node|serial|valid until (UTC)|days left|class|revocation list"
    not_informed_since(list: u64, since: &str) ja "{list}（{since} から未達）" en "{list} (not yet informed since {since})"
    newest_list(list: u64, late: usize) ja "最新の失効リストは {list} 号。未達 {late} ノード" en "The newest revocation list is {list}. Not yet informed: {late} nodes"
    rotated(node: &str, serial: &str, until: &str) ja "{node}: 新しい証明書 {serial}（{until} まで）に替えました" en "{node}: new certificate {serial}, valid until {until}"
    old_revoked(serial: &str) ja "  前の証明書 {serial} を失効させました" en "  revoked the one before, {serial}"
    not_rotated(node: &str, why: &str) ja "{node}: 替えられませんでした: {why}" en "{node}: not renewed: {why}"
    takes_no_part(node: &str) ja "{node} は証明書を使わないノードです（データグラムを中継するだけ）" en "{node} uses no certificate: it only passes datagrams on"
    links_left(node: &str, left: u64) ja "{node} は新しい証明書を使っていますが、{left} 本の接続がまだ前のものです" en "{node} shows its new certificate, but {left} of its links still have the one before"
    rolled_whole(step: &str) ja "段階 {step}: すべてのノードで完了" en "step {step}: complete at every node"
    rolled_in_part(step: &str, late: &str) ja "段階 {step}: 次のノードが未了（直してから繰り返してください）: {late}" en "step {step}: not done at {late} (mend them, then repeat it)"
    class_valid() ja "有効" en "valid"
    class_month() ja "30 日以内に期限切れ" en "ends within 30 days"
    class_week() ja "7 日以内に期限切れ" en "ends within 7 days"
    class_day() ja "1 日以内に期限切れ" en "ends within a day"
    class_ended() ja "期限切れ" en "ended"
    class_revoked() ja "失効" en "revoked"
    ends_soon(node: &str, days: u64) ja "{node} の証明書は {days} 日後に期限が切れます: jukinet pki rotate で更新してください" en "the certificate of {node} ends in {days} days: renew it with jukinet pki rotate"
    has_ended(node: &str) ja "{node} の証明書の期限が切れています: jukinet pki rotate で更新してください" en "the certificate of {node} has ended: renew it with jukinet pki rotate"
    renew_list() ja "全国センターの登録局が新しい失効リストを出すと自動で届きます。届かなければ接続を調べてください" en "a new list of the registrar at the national center comes by itself; if it does not, examine the links"
}

/// How a step of a roll-over ended.
pub(crate) fn rolled(lang: Lang, step: &str, late: &str) -> String {
    if late.is_empty() {
        rolled_whole(lang, step)
    } else {
        rolled_in_part(lang, step, late)
    }
}

/// A certificate's class, by its name in JSON.
pub(crate) fn class(lang: Lang, name: &str) -> String {
    match name {
        "30-days" => class_month(lang),
        "7-days" => class_week(lang),
        "1-day" => class_day(lang),
        "ended" => class_ended(lang),
        "revoked" => class_revoked(lang),
        _ => class_valid(lang),
    }
}
