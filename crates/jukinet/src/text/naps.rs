//! What the supervisor says of the machine's time.

use juki_domain::Lang;

texts! {
    slept(from: &str, to: &str, long: &str) ja "計算機は {from} から {to}（UTC）まで眠っていました（{long}）。" en "the machine slept from {from} to {to} UTC ({long}); "
    connected_again(nodes: usize, seconds: &str) ja "{nodes} ノードすべてが {seconds} 秒後に再び接続しました" en "all {nodes} nodes are connected again after {seconds} s"
    not_connected(seconds: u64, nodes: usize, first: &str) ja "{seconds} 秒後も {first} など {nodes} ノードが接続していません: jukinet doctor" en "{nodes} nodes are not connected again after {seconds} s, {first} among them: jukinet doctor"
    clock_set(seconds: i64) ja "計算機の時計が {seconds:+} 秒動かされました。ネットワークの日付と証明書の期限はこの時計に従います" en "the machine's clock was set by {seconds:+} s; the network's date and the certificates go by it"
    seconds(seconds: u64) ja "{seconds} 秒" en "{seconds} s"
    minutes(minutes: u64) ja "{minutes} 分" en "{minutes} min"
    hours(hours: u64, minutes: u64) ja "{hours} 時間 {minutes} 分" en "{hours} h {minutes} min"
}
