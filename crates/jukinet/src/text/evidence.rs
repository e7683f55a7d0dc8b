//! What `audit verify` says of neighbours.

use juki_domain::Lang;

texts! {
    witnessed(witnesses: u64, through: u64) ja "、隣接ノードの検査点 {witnesses} 個と一致（記録 {through} まで）" en ", {witnesses} checkpoints of neighbours fit (up to entry {through})"
    proven(keeper: &str, entry: u64, seq: u64) ja "  証拠: {keeper} の台帳の記録 {entry}（記録 {seq} までの署名済み検査点）" en "  proven by entry {entry} in the ledger of {keeper} (a signed checkpoint up to entry {seq})"
    cut_off(first: u64) ja "末尾が切られています。記録 {first} から先がありません" en "its end was cut off: entry {first} is the first that is missing"
    rewritten(first: u64, last: u64) ja "書き直されています。最初の不正な記録は {first} から {last} の間です" en "it was rewritten: the first bad entry is one of {first} to {last}"
    still_running(node: &str) ja "{node} が動いています。先に止めてください" en "{node} is running; stop it first"
    nothing_to_purge(node: &str) ja "{node}: 消すべき記録はありません。" en "{node}: nothing is to be purged."
    purged(node: &str, count: u64, first: u64, last: u64, entry: u64) ja "{node}: 記録 {first} から {last} のうち {count} 件の内容を消しました（理由は記録 {entry}）。" en "{node}: the contents of {count} entries from {first} to {last} are purged (entry {entry} says why)."
    with_purged(count: u64) ja "、法定期間を過ぎて消去 {count} 件" en ", {count} purged by law"
    with_purges_open(count: u64) ja "（うち {count} 件は途中で止まった消去による。消去をやり直してください）" en " ({count} of them by a purge that was broken off: do it again)"
    other_key(first: u64) ja "別の鍵の台帳です。署名済みの検査点と鍵が違います（記録 {first} 以降）" en "it names another key than the one that signed its checkpoints (from entry {first} on)"
}
