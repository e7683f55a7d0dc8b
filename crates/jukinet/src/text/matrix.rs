//! What `doctor` says of links.

use juki_domain::Lang;

texts! {
    check_route() ja "経路" en "route"
    check_port() ja "ポート" en "port"
    check_tls() ja "TLS" en "TLS"
    check_clock() ja "時計" en "clock"
    check_calendar() ja "暦" en "calendar"
    check_version() ja "版" en "version"
    check_chain() ja "台帳" en "chain"
    head_peer() ja "相手" en "peer"
    all_good(links: usize, checks: usize) ja "接続 {links} 本、それぞれ検査 {checks} 件: すべて良" en "{links} links, {checks} checks each: all good"
    nothing_wrong(links: usize, checks: usize, unknown: usize) ja "接続 {links} 本、それぞれ検査 {checks} 件: 問題なし（ここでは分からないもの {unknown} 件）" en "{links} links, {checks} checks each: nothing wrong, {unknown} not known here"
    some_wrong(links: usize, checks: usize, bad: usize, doubtful: usize) ja "接続 {links} 本、それぞれ検査 {checks} 件: 不良 {bad}、注意 {doubtful}" en "{links} links, {checks} checks each: {bad} bad, {doubtful} doubtful"
    elsewhere(nodes: usize) ja "別の計算機にあるノード: {nodes} 個（ここでは起動していません）" en "{nodes} nodes live elsewhere: they are not started here"
    signs() ja "ok 良、? 注意、!! 不良、- 不明、-> 別の計算機" en "ok good, ? doubtful, !! bad, - unknown, -> elsewhere"

    and_more(place: &str, more: usize) ja "{place} ほか {more} 件" en "{place} and {more} more"
    other_network(own: &str, other: &str) ja "ネットワークの名が {own} と {other} で違います" en "the ends are of different networks: {own} and {other}"
    not_named(file: &str, peer: &str) ja "{file} は {peer} を相手として（同じ側で）名指していません" en "{file} does not name {peer} as the peer that it is"
    no_relay(access_point: &str, line: &str) ja "{access_point} の設定に回線 {line} がありません" en "the configuration of {access_point} has no line {line}"
    does_not_run(node: &str, how: &str) ja "{node} が動いていません: {how}" en "{node} does not run: {how}"
    line_is_cut(line: &str) ja "回線 {line} が切られています" en "the line {line} is cut"
    not_announced(node: &str, file: &str) ja "{node} のアドレスを示すファイル {file} がありません" en "{file}, which announces the address of {node}, is missing or no address"
    not_bound(node: &str, address: &str) ja "{node} が示したアドレス {address} を使っているものがありません" en "nobody has bound {address}, which {node} has announced"
    not_connected(since: &str, code: &str) ja "{since}（UTC）から接続がありません（{code}）" en "not connected since {since} UTC ({code})"

    no_certificate(file: &str) ja "{file} を読めません" en "{file} cannot be read"
    certificate_expired(node: &str) ja "{node} の証明書は期限が切れています（JKT-1002）" en "the certificate of {node} is expired (JKT-1002)"
    certificate_revoked(node: &str, other: &str) ja "{node} の証明書は失効しており、{other} が拒みます（JKT-1003）" en "the certificate of {node} is revoked, {other} refuses it (JKT-1003)"

    clocks_apart(fast: &str, late: &str, seconds: u64) ja "{fast} の時計が {late} より {seconds} 秒進んでいます" en "the clock of {fast} is {seconds} s ahead of that of {late}"
    calendar_text(version: u64, date: u64) ja "第 {version} 版 {date}" en "version {version} on {date}"
    calendars_differ(node: &str, own: &str, peer: &str, other: &str) ja "暦が違います: {node} は{own}、{peer} は{other}" en "the calendars differ: {node} has {own}, {peer} {other}"
    versions_differ(node: &str, own: &str, peer: &str, other: &str) ja "版が違います: {node} は {own}、{peer} は {other}" en "the versions differ: {node} has {own}, {peer} {other}"

    journal_behind(node: &str, municipality: &str, own: u64, tier: &str, held: u64) ja "{node} の {municipality} の異動は {own} 件、{tier} は {held} 件: 古い台帳に戻されています（JKJ-1008）" en "{node} has {own} entries of the journal of {municipality}, {tier} has {held}: it was put back to an older copy of its ledger (JKJ-1008)"
    copy_behind(node: &str, municipality: &str, own: u64, tier: &str, held: u64) ja "{node} の {municipality} の異動は {own} 件、{tier} は {held} 件: 足りない分は下の階層が送り直します。後でもう一度調べてください" en "{node} has {own} entries of the journal of {municipality}, {tier} has {held}: the tier below sends again what is missing; look again"
    restore_ledger(folder: &str, node: &str) ja "jukinet down {folder} の後、新しい方の台帳を {folder}/nodes/{node}/data/ledger に戻し、data/index を消す" en "jukinet down {folder}; then put the newer ledger into {folder}/nodes/{node}/data/ledger and remove data/index"
    ledger_failed(node: &str) ja "{node} は台帳に書けません" en "{node} can no longer write its ledger"
    ledger_missing(path: &str) ja "台帳 {path} がありません" en "there is no ledger at {path}"
}
