//! What `alerts` says.

use juki_domain::Lang;

texts! {
    none(node: &str) ja "{node} に届いた警報はありません。" en "{node} has heard of no alert."
    header() ja "時刻（UTC）|レベル|検知|見たノード|対象|コード|業務|件数|証拠" en "time (UTC)|level|kind|seen by|about|code|service|count|evidence"
    levels() ja "レベル 2: ファイアウォールが止めた。レベル 3: ファイアウォールを通り、その後ろで拒まれた。証拠: 見たノードの台帳の記録番号。" en "Level 2: a firewall stopped it. Level 3: it passed a firewall and was refused behind it. Evidence: the entry in the ledger of the node that saw it."
    lost(count: u64) ja "上位に伝わらなかった警報 {count} 件（台帳にはあります）。" en "{count} alerts were never passed up (they are in the ledger)."
}
