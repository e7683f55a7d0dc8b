//! What the tool says to people, in both languages.

use juki_domain::Lang;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) ja $ja:literal en $en:literal)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name(lang: Lang $(, $argument: $kind)*) -> String {
                match lang {
                    Lang::Ja => format!($ja),
                    Lang::En => format!($en),
                }
            }
        )*
    };
}

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod basis;
pub(crate) mod evidence;
pub(crate) mod firewall;
pub(crate) mod machines;
pub(crate) mod matrix;
pub(crate) mod naps;
pub(crate) mod operators;
pub(crate) mod pki;
pub(crate) mod simulate;
pub(crate) mod watch;

texts! {
    // Names of nodes and roles.
    unknown_node(name: &str, nodes: &str) ja "ノード {name} はありません。あるのは: {nodes}" en "there is no node {name}; there are: {nodes}"
    several_nodes(role: &str, nodes: &str) ja "{role} が複数あります。--node で選んでください: {nodes}" en "there are several nodes of kind {role}, choose one with --node: {nodes}"
    no_such_role(role: &str) ja "この配備に {role} はありません" en "this deployment has no {role}"

    // new
    made(folder: &str, nodes: usize) ja "{folder} にノード {nodes} 個の配備を作りました。" en "Made a deployment of {nodes} nodes in {folder}."
    folder_not_empty(folder: &str) ja "{folder} は空ではありません" en "{folder} is not empty"
    path_too_long(folder: &str, excess: usize) ja "{folder} が {excess} バイト長すぎ、Unix ソケットを作れません" en "{folder} is {excess} bytes too long for the Unix sockets in it"
    use_shorter_path() ja "もっと短いパスのフォルダーを選んでください" en "choose a folder with a shorter path"
    residents_written(file: &str, count: usize) ja "住民 {count} 人: {file}" en "{count} residents: {file}"
    invented_towns(count: usize) ja "  うち {count} 人の大字・町名は架空（郵便番号データにない）" en "  {count} of them live in towns with invented names (the postal code file has none)"
    population_digest(digest: &str) ja "要約値 SHA-256: {digest}" en "digest SHA-256: {digest}"
    changes_written(file: &str, count: usize) ja "異動 {count} 件: {file}" en "{count} changes: {file}"
    card_of(agency: &str) ja "操作者カード（{agency}）" en "operator's card ({agency})"
    pin() ja "暗証番号" en "PIN"
    next_commands(folder: &str) ja "次の手順:\n  jukinet up {folder} --detach\n  jukinet status {folder}" en "Next:\n  jukinet up {folder} --detach\n  jukinet status {folder}"

    // up and down
    node_ready(node: &str, count: usize, all: usize) ja "準備完了 {node}（{count}/{all}）" en "ready {node} ({count}/{all})"
    node_running(node: &str, count: usize, all: usize) ja "起動 {node}（{count}/{all}、相手の一部は別の計算機）" en "running {node} ({count}/{all}; some of its peers live elsewhere)"
    all_ready(count: usize, seconds: &str) ja "{count} ノードすべて準備完了（{seconds} 秒）" en "all nodes are ready: {count} in {seconds} s"
    node_ended(node: &str, how: &str, log: &str) ja "{node} が終了したため再起動します（{how}）: {log}" en "{node} ended and is started again ({how}): {log}"
    node_failed(node: &str, how: &str, log: &str) ja "{node} は停止したままです（{how}）: {log}" en "{node} stays down ({how}): {log}"
    node_again(node: &str) ja "{node} は再び準備完了です" en "{node} is ready again"
    starting() ja "起動中" en "starting"
    stopping() ja "停止しています" en "stopping"
    all_stopped() ja "すべてのノードが停止しました" en "all nodes are stopped"
    stop_with(folder: &str) ja "停止するには: Ctrl-C または jukinet down {folder}" en "To stop: Ctrl-C, or jukinet down {folder}"
    not_ready_node(node: &str, state: &str, line: &str) ja "{node}（{state}）{line}" en "{node} ({state}) {line}"
    see_doctor(folder: &str) ja "原因を調べるには: jukinet doctor {folder}。他のノードは動き続けています（止めるには jukinet down {folder}）" en "to find the cause: jukinet doctor {folder}; the other nodes go on (jukinet down {folder} stops them)"
    no_last_line() ja "記録なし" en "no log line"
    supervisor_ended(line: &str) ja "監視プロセスが終了しました: {line}" en "the supervisor ended: {line}"
    not_running(folder: &str) ja "{folder} のノードは動いていません" en "no node of {folder} is running"
    still_there(nodes: &str) ja "まだ終わっていません: {nodes}" en "not gone yet: {nodes}"
    programs_missing(folder: &str, programs: &str) ja "{folder} に次のプログラムがありません: {programs}" en "{folder} lacks these programs: {programs}"
    nothing_selected() ja "起動するノードがありません" en "no node is left to start"

    // status
    head_node() ja "ノード" en "node"
    head_kind() ja "種別" en "kind"
    head_state() ja "状態" en "state"
    head_address() ja "アドレス" en "address"
    head_pid() ja "プロセス" en "process"
    head_memory() ja "メモリ" en "memory"
    head_behind() ja "未達" en "behind"
    summary(ready: usize, all: usize, date: &str) ja "{all} ノード中 {ready} ノードが準備完了。ネットワークの日付 {date}" en "{ready} of {all} nodes are ready. The network's date is {date}"

    // line
    line_changed(line: &str) ja "回線 {line} を変えました" en "changed the line {line}"
    line_captured(file: &str) ja "記録先: {file}" en "it is written to {file}"
    line_no_time(text: &str) ja "{text} は時刻ではありません。例: 2026-12-05T01:00" en "{text} is no time; write for example 2026-12-05T01:00"
    unknown_line(line: &str, lines: &str) ja "回線 {line} はありません。あるのは: {lines}" en "there is no line {line}; there are: {lines}"
    line_header() ja "回線|方向|状態|bit/s|遅延 µs|損失率|通過" en "line|direction|state|bit/s|delay us|loss|delivered"
    line_upward() ja "上り" en "upward"
    line_downward() ja "下り" en "downward"
    line_up() ja "接続" en "up"
    line_down() ja "切断" en "down"

    // demo
    demo_step(n: usize, of: usize, what: &str) ja "[{n}/{of}] {what}" en "[{n}/{of}] {what}"
    demo_making() ja "鍵、証明書、設定、住民の名簿を作る" en "making keys, certificates, configurations and resident files"
    demo_starting(count: usize) ja "{count} 個のプログラムを起動する" en "starting {count} programs"
    demo_loading(count: u64) ja "3 市町村の住民 {count} 人を登録し、県と全国に届くのを待つ" en "registering {count} residents of three municipalities, until prefecture and nation have them"
    demo_changes() ja "出生、二つの町の間の転出と転入、死亡" en "a birth, a move between two of the towns, a death"
    demo_provision() ja "操作者がカードで開始し、適法な照会と根拠のない照会をする" en "an operator logs in by card; a lawful question and one without legal basis"
    demo_change_done(what: &str, ms: u128) ja "      {what}: 全国センターに届くまで {ms} ms" en "      {what}: at the national center after {ms} ms"
    demo_birth() ja "出生（萩市）" en "birth (Hagi)"
    demo_move() ja "転出（川上村）と転入（萩市）" en "move-out (Kawakami) and move-in (Hagi)"
    demo_death() ja "死亡（阿武町）" en "death (Abu)"
    demo_answered(affair: &str) ja "      提供: {affair} について 1 件。証跡が先に記録されました" en "      provided: one record for {affair}; its audit record was durable first"
    demo_refused(affair: &str, code: &str, what: &str) ja "      拒否: {affair} → {code} {what}" en "      refused: {affair} -> {code} {what}"
    demo_digests(equal: &str) ja "3 階層の要約値: {equal}" en "digests on three tiers: {equal}"
    demo_equal() ja "一致" en "equal"
    demo_unequal() ja "不一致" en "NOT EQUAL"
    demo_table(dir: &str) ja "ノード一覧（ログは {dir}/logs/ノード.log、データは {dir}/nodes/ノード/data）" en "Nodes (logs: {dir}/logs/NODE.log, data: {dir}/nodes/NODE/data)"
    demo_kept(dir: &str) ja "終了すると: ノードは止まり、{dir} はそのまま残ります（jukinet up {dir} で再開）" en "On exit the nodes stop and {dir} stays as it is (jukinet up {dir} goes on)"
    demo_lost(dir: &str) ja "終了すると: ノードは止まり、{dir} は消えます（残すには jukinet demo --dir フォルダー）" en "On exit the nodes stop and {dir} is removed (to keep it: jukinet demo --dir FOLDER)"
    demo_card(card: &str, pin: &str) ja "操作者カード {card}  暗証番号 {pin}" en "operator's card {card}  PIN {pin}"
    demo_lines() ja "次に試す 3 行（別の端末に貼る）:" en "Three lines to paste into another terminal:"
    demo_integrator() ja "# 連携担当: 自分の住基システムから出生を届ける" en "# integrator: report a birth from your own resident register"
    demo_operator() ja "# 運用担当: ノードを見て原因と次の手順を知る" en "# operator: examine the nodes, with causes and next steps"
    demo_trainee() ja "# 訓練: 回線を切って何が起きるかを見る（up で戻す）" en "# trainee: cut a line and watch what happens (mend it with up)"
    demo_wait() ja "Ctrl-C で終わります" en "Ctrl-C ends it"
    demo_ready(seconds: &str) ja "準備完了まで {seconds} 秒" en "ready after {seconds} s"
    demo_import(node: &str, rejected: u64) ja "{node} が {rejected} 行を拒否しました" en "{node} refused {rejected} rows"
    demo_late(what: &str) ja "時間内に終わりませんでした: {what}" en "not done in time: {what}"

    // bench
    bench_preparing() ja "ネットワークを用意しています" en "preparing a network"
    bench_loading() ja "全住民を登録しています" en "registering all residents"
    bench_run(n: u32, of: u32) ja "測定 {n}/{of}" en "run {n} of {of}"
    bench_header() ja "指標|単位|中央値|最小|最大|回数" en "metric|unit|median|min|max|n"

    // trace
    head_time() ja "時刻 (UTC)" en "time (UTC)"
    head_from() ja "から" en "from"
    head_to() ja "へ" en "to"
    head_service() ja "サービス" en "service"
    head_length() ja "長さ" en "length"
    head_verdict() ja "判定" en "verdict"
    no_hop(id: &str) ja "どのノードもメッセージ {id} を覚えていません" en "no node remembers the message {id}"
    nodes_silent(nodes: &str) ja "答えなかったノード: {nodes}" en "nodes that did not answer: {nodes}"

    // audit
    ledger_intact(path: &str, entries: u64, checkpoints: u64) ja "正常 {path}: 記録 {entries} 件、検査点 {checkpoints} 個" en "intact {path}: {entries} entries, {checkpoints} checkpoints"
    ledger_damaged(path: &str, why: &str) ja "不正 {path}: {why}" en "damaged {path}: {why}"

    // cs, query, operator, pki
    head_row() ja "行" en "line"
    head_code() ja "コード" en "code"
    head_column() ja "欄" en "column"
    head_what() ja "理由" en "what"
    import_counts(rows: u64, accepted: u64, rejected: u64, skipped: u64) ja "{rows} 行: 取込 {accepted}、拒否 {rejected}、対象外 {skipped}" en "{rows} rows: {accepted} taken in, {rejected} rejected, {skipped} skipped"
    rejects_beyond(count: u64) ja "ほか {count} 行（--rejects でファイルにすべて書き出せます）" en "and {count} more (--rejects writes all into a file)"
    import_progress(percent: u64, rows: u64) ja "{percent} %（{rows} 行）" en "{percent} % ({rows} rows)"
    import_cut_off() ja "取込の結果が届く前に接続が切れました。サーバは取込を続けているかもしれません。同じファイルをもう一度取り込めば結果が分かります" en "the connection ended before the result came; the server may be going on: import the same file again to see"
    codes_written(residents: u64, file: &str) ja "住民 {residents} 人のコードを書きました: {file}" en "codes of {residents} residents: {file}"
    // reconcile
    compared(rows: u64, residents: u64) ja "ファイルの {rows} 行と CS の住民 {residents} 人を比べました" en "compared {rows} rows of the file with {residents} residents of the server"
    compared_again() ja "訂正を取り込み、もう一度比べました:" en "with the corrections taken in, compared again:"
    head_count() ja "件数" en "count"
    head_resident() ja "宛名番号" en "resident"
    head_items() ja "項目" en "items"
    kind_missing_at_cs() ja "住基にあり、CS にない" en "in the register, not at the server"
    kind_missing_in_register() ja "CS にあり、住基にない" en "at the server, not in the register"
    kind_altered() ja "項目が違う" en "items differ"
    kind_contradictory() ja "同じ宛名番号の行が矛盾している" en "two rows of one number contradict each other"
    kind_refused_row() ja "読めない行" en "the row cannot be read"
    kind_late() ja "比べる間に CS の記録が変わった（違いに数えない）" en "the record changed meanwhile (no difference)"
    same_number_as(line: u64) ja "{line} 行目と同じ宛名番号" en "same number as line {line}"
    correct_the_register() ja "住基の側を直す" en "correct the register"
    differences_beyond(count: u64) ja "ほか {count} 件（--worklist でファイルにすべて書き出せます）" en "and {count} more (--worklist writes all into a file)"
    change_key(key: &str) ja "届出の鍵 {key}（同じ鍵で繰り返しても一度だけ扱われます）" en "key of this report: {key} (a repetition under the same key changes nothing)"
    change_outcome(key: &str, outcome: &str) ja "届出 {key}: {outcome}" en "report {key}: {outcome}"
    change_reached(place: &str) ja "到達: {place}" en "reached: {place}"
    change_at_cs() ja "at-cs（CS の台帳）" en "at-cs (the server's ledger)"
    change_at_prefecture() ja "at-prefecture（都道府県サーバ）" en "at-prefecture (the prefecture's server)"
    change_at_national() ja "at-national（全国センター）" en "at-national (the national center)"
    change_number(seq: u64) ja "異動番号: {seq}" en "number in the journal: {seq}"
    revoked(node: &str) ja "{node} の証明書を失効させました" en "revoked the certificate of {node}"
    logged_in(node: &str) ja "{node} にログインしました" en "logged in at {node}"
    enter_pin() ja "暗証番号: " en "PIN: "
    no_card(card: &str, cards: &str) ja "カード {card} がありません。フォルダーにあるのは: {cards}" en "there is no card {card}; the folder has: {cards}"

    // man
    pages_written(count: usize, folder: &str) ja "{folder} に {count} 頁を書きました" en "wrote {count} pages into {folder}"

    // doctor
    head_result() ja "結果" en "result"
    head_check() ja "検査" en "check"
    head_cause() ja "原因" en "cause"
    head_todo() ja "次の手順" en "next"
    result_good() ja "良" en "good"
    result_doubtful() ja "注意" en "doubtful"
    result_bad() ja "不良" en "bad"
    healthy(count: usize) ja "検査 {count} 件、問題なし" en "{count} checks, nothing wrong"
    findings(bad: usize, doubtful: usize) ja "不良 {bad} 件、注意 {doubtful} 件" en "{bad} bad, {doubtful} doubtful"
    check_programs() ja "プログラム" en "programs"
    check_folder() ja "フォルダー" en "folder"
    check_configuration() ja "設定" en "configuration"
    check_secrets() ja "鍵の保護" en "protection of keys"
    check_certificate() ja "証明書" en "certificate"
    check_revocation() ja "失効リスト" en "revocation list"
    check_supervisor() ja "監視プロセス" en "supervisor"
    check_node() ja "ノード" en "node"
    check_clock() ja "時計と日付" en "clock and date"
    check_space() ja "空き容量" en "free space"
    build_programs() ja "cargo build --release で作り、jukinet と同じフォルダーに置いてください" en "build them with cargo build --release and put them beside jukinet"
    open_to_others(path: &str, mode: &str) ja "{path} を他の利用者が読めます（{mode}）" en "others can read {path} ({mode})"
    close_to_others(path: &str) ja "chmod go-rwx {path}" en "chmod go-rwx {path}"
    missing_file(path: &str) ja "{path} がありません" en "{path} is missing"
    make_anew() ja "配備を新しく作るか、控えから戻してください" en "make a new deployment or restore the file from a backup"
    supervisor_gone(pid: u32) ja "監視プロセス {pid} は止められずに消えました" en "the supervisor {pid} went away without stopping"
    start_with(folder: &str) ja "jukinet up {folder} --detach" en "jukinet up {folder} --detach"
    not_started() ja "起動していません" en "not started"
    supervisor_runs(nodes: usize) ja "{nodes} ノードを見守っています" en "it watches {nodes} nodes"
    node_state_is(state: &str, ended: &str, line: &str) ja "{state} {ended}: {line}" en "{state} {ended}: {line}"
    read_log(log: &str) ja "tail -n 20 {log}" en "tail -n 20 {log}"
    expires_in(days: u64) ja "{days} 日後に期限が切れます" en "it expires in {days} days"
    expired() ja "期限が切れています" en "it is expired"
    renew() ja "jukinet pki rotate で新しい証明書に替えてください" en "have it renewed with jukinet pki rotate"
    clock_before_anchor() ja "計算機の時計が配備を作った時より前を指しています" en "the machine's clock is before the time at which the deployment was made"
    set_clock() ja "計算機の時計を合わせてください" en "set the machine's clock"
    date_is(date: &str) ja "ネットワークの日付は {date} です" en "the network's date is {date}"
    date_beyond() ja "ネットワークの日付が扱える年を越えました" en "the network's date is beyond the years that dates can have"
    space_left(mebibytes: u64) ja "空きは {mebibytes} MiB です" en "{mebibytes} MiB are free"
    make_space() ja "空き容量を増やしてください。台帳に書けないノードは止まります" en "free some space: a node that cannot write its ledger stops"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_texts_of_both_languages() {
        for lang in [Lang::Ja, Lang::En] {
            let said = unknown_node(lang, "x-1", "a, b");
            assert!(said.contains("x-1") && said.contains("a, b"));
        }
        assert_ne!(all_stopped(Lang::Ja), all_stopped(Lang::En));
    }
}
