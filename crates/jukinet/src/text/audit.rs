//! What is said of ledgers that are searched and analysed.

use juki_domain::Lang;

texts! {
    search_header() ja "日時|操作者|端末|機関|事務|結果|台帳の記録" en "when|operator|terminal|body|affair|result|entry"
    requests_found(count: usize, left_out: u64) ja "照会 {count} 件（これより前の {left_out} 件は省略）" en "{count} requests ({left_out} earlier ones are not shown)"
    traffic_header() ja "期間|送信元|宛先|業務|フレーム数|バイト数|判定|台帳の記録" en "when|from|to|service|frames|bytes|verdict|entry"
    runs_found(count: usize, left_out: u64) ja "通信の記録 {count} 件（これより前の {left_out} 件は省略）" en "{count} runs of frames ({left_out} earlier ones are not shown)"
    exported(rows: u64, file: &str, manifest: &str) ja "照会 {rows} 件を {file} に書きました。目録: {manifest}" en "Wrote {rows} requests into {file}; manifest: {manifest}"
    supply_header() ja "提供先|事務|年月日|件数|方法" en "recipient|affair|date|number|method"
    supply_total(records: u64) ja "提供 合計 {records} 件" en "{records} records provided in all"
    finding_header() ja "期間|観点|対象|内容|証拠となる記録" en "when|rule|subject|finding|entries"
    analysed(events: u64, operator_days: u64, findings: usize) ja "{events} 件の記録、延べ {operator_days} 人日を解析: 指摘 {findings} 件" en "Analysed {events} entries, {operator_days} operator-days: {findings} findings"
    nothing_analysed() ja "解析する記録がありません" en "There is nothing to analyse"
    memory_full(events: u64) ja "注意: 対象が多すぎ、{events} 件の記録を追えませんでした" en "Note: {events} entries could not be followed, since there were too many subjects"
    findings_left(count: u64) ja "ほかに {count} 件の指摘" en "and {count} more findings"
    evidence_left(count: u64) ja "ほか {count} 件" en "{count} more"
    report_written(file: &str) ja "報告: {file}" en "Report: {file}"
    report_title(from: &str, to: &str) ja "定期解析の報告（{from} ～ {to}）" en "Periodic analysis, {from} to {to}"
    report_note() ja "指摘は疑いであり、事実の確認は人が行う。時刻はネットワークの暦日による。氏名やコードは含まない。" en "A finding is a suspicion; a person has to look into it. Times are of the network's civil day. No name or code is in this report."
    report_training() ja "訓練用ネットワーク（合成データ）" en "Training network, synthetic data"
    head_rule() ja "観点" en "Rule"
    head_count() ja "指摘" en "Findings"
    ledgers() ja "読んだ台帳" en "Ledgers read"
    ledger_header() ja "ノード|記録数|連鎖の先頭" en "node|entries|head of the chain"
    listed_line(file: &str, line: usize) ja "{file} の {line} 行目は住民票コードでも仮名でもありません" en "line {line} of {file} is neither a resident record code nor a pseudonym"
}
