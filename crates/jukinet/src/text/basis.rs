//! What `basis` says.

use juki_domain::Lang;

texts! {
    in_force(node: &str, number: u64, digest: &str) ja "{node} で発効中の法的根拠の表: 第 {number} 号\n  SHA-256 {digest}" en "in force at {node}: table of legal bases number {number}\n  SHA-256 {digest}"
    none_in_force(node: &str) ja "{node} には発効中の表がなく、誰にも回答しません" en "no table is in force at {node}; it answers nobody"
    header() ja "機関|事務|別表|開始|検索|項目|曖昧検索|操作者/分|機関/分|ここで回答" en "body|affair|table|from|keys|items|fuzzy|operator/min|body/min|answered here"
    not_started() ja "未定" en "not set"
    usual() ja "通常" en "usual"
    yes() ja "可" en "yes"
    no() ja "否" en "no"
    sound(file: &str, rows: usize) ja "{file}: {rows} 行、誤りなし" en "{file}: {rows} rows, nothing wrong"
    unchanged(number: u64) ja "発効中の第 {number} 号と同じです" en "it says the same as number {number}, which is in force"
    added(purpose: &str) ja "  追加 {purpose}" en "  added {purpose}"
    removed(purpose: &str) ja "  削除 {purpose}" en "  removed {purpose}"
    changed(purpose: &str) ja "  変更 {purpose}" en "  changed {purpose}"
    published(number: u64, digest: &str, by: &str) ja "{by} の操作により第 {number} 号として公布しました。届くすべてのノードで直ちに発効します。\n  SHA-256 {digest}" en "published as number {number} by {by}; it is in force at every node that can be reached.\n  SHA-256 {digest}"
    answers_nobody(node: &str) ja "{node} は照会に回答するノードではありません" en "{node} does not answer inquiries"
}
