//! What is said of deployments on several machines.

use juki_domain::Lang;

texts! {
    derived(written: usize, all: usize) ja "{all} ノード中 {written} ノードの node.toml を network.toml から書き直しました。" en "Wrote {written} of {all} node.toml files anew from network.toml."
    restart_to_use(folder: &str) ja "動いているノードは次の起動から使います: jukinet down {folder} && jukinet up {folder} --detach" en "Running nodes use them after their next start: jukinet down {folder} && jukinet up {folder} --detach"
    no_keys(node: &str) ja "{node} の鍵がありません" en "there are no keys for {node}"
    new_for_nodes() ja "ノードを増やすには jukinet new で新しい配備を作ってください" en "nodes are added by making a new deployment with jukinet new"
    all_ready_here(count: usize, all: usize, seconds: &str) ja "この計算機の {count} ノードすべて準備完了（全体は {all} ノード、{seconds} 秒）" en "all nodes of this machine are ready: {count} of {all} in {seconds} s"
    elsewhere(names: &str) ja "別の計算機の相手: {names}" en "peers that live elsewhere: {names}"
    and_more(names: &str, more: usize) ja "{names} ほか {more} 個" en "{names} and {more} more"
    already_running(folder: &str, pid: u32) ja "{folder} は監視プロセス {pid} が動かしています" en "the supervisor {pid} runs {folder}"
    one_supervisor(folder: &str) ja "一つのフォルダーの監視プロセスは一つです。ノードを加えるには jukinet down {folder} の後、この計算機の全ノードを --only に並べて起動し直してください。同じ計算機で別々に動かすなら、フォルダーの写しを使います" en "one folder has one supervisor: to add nodes, jukinet down {folder}, then jukinet up with all nodes of this machine after --only; parts that are to run apart on one machine need a copy of the folder each"
    policy_kept(file: &str, beside: &str) ja "{file} は人が変えた規則なので残しました。導いた規則は {beside} にあります。" en "{file} was changed by a person and is kept; the derived policy is in {beside}."
}
