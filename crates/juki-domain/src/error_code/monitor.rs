//! Codes of alerts, of checkpoints that neighbours exchange, and of evidence.

macro_rules! monitor_codes {
    ([$($before:tt)*] $next:ident $($later:ident)*) => {
        $next! { [$($before)*
            AlertForged "JKM-1001" Peer Never
            en "An alert is not signed by the node that it names."
               "The node that brought it altered or invented it, or may not speak for others."
               "Examine the node that brought it; compare with the ledger of the node that it names."
            ja "警報に、名指されたノードの署名がありません。"
               "届けたノードが書き換えたか作り出したか、他のノードの代わりに送れない立場です。"
               "届けたノードを調べ、名指されたノードの台帳と比べてください。"
            CheckpointForged "JKM-1002" Peer Never
            en "A checkpoint is not signed by the node that sent it."
               "It was altered on its way, or the node speaks of a ledger that is not its own."
               "Examine the node that sent it, and verify its ledger with jukinet audit verify."
            ja "検査点に、送ったノードの署名がありません。"
               "途中で書き換えられたか、自分のものでない台帳について述べています。"
               "送ったノードを調べ、jukinet audit verify でその台帳を検証してください。"
            LedgerForked "JKM-1003" Peer Never
            en "A node's ledger contradicts a checkpoint that it signed before."
               "It signed two different chains for the same entry: its ledger was rewritten."
               "Treat it as level 3: secure the ledger, and verify it beside this node's ledger."
            ja "ノードの台帳が、以前に自ら署名した検査点と食い違っています。"
               "同じ番号の記録に二つの異なる鎖を署名しました。台帳が書き直されています。"
               "レベル 3 として扱い、台帳を保全し、このノードの台帳と並べて検証してください。"
            LedgerWentBack "JKM-1004" Peer Never
            en "A node's ledger is shorter than it was."
               "It signed an earlier entry after a later one: its end was cut off, or an old copy was put back."
               "Unless somebody restored it, treat it as level 3: secure the ledger and verify it beside this node's."
            ja "ノードの台帳が以前より短くなっています。"
               "後の番号に署名した後で前の番号に署名しました。末尾が切られたか、古い写しに戻されています。"
               "復元した覚えがなければレベル 3 として扱い、台帳を保全して並べて検証してください。"
        ] $($later)* }
    };
}
