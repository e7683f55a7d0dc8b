//! Codes of certificates' renewal and of the roots' roll-over.

macro_rules! certificate_codes {
    ([$($before:tt)*] $next:ident $($later:ident)*) => {
        $next! { [$($before)*
            RenewalNotTheNodes "JKP-1101" Peer Never
            en "The request for a certificate is not the node's own."
               "It is damaged, names another node, or is not signed with the key that the directory names."
               "Make a new request with jukinet pki rotate; if it repeats, find out who made the request."
            ja "証明書の申請がそのノード自身のものではありません。"
               "壊れているか、別のノードの名か、名簿にある鍵の署名がありません。"
               "jukinet pki rotate で申請し直し、繰り返すなら誰の申請かを調べてください。"
            RenewalOfRevoked "JKP-1102" Peer Never
            en "The node's last certificate is revoked; no new one is issued."
               "Whoever holds the keys of a revoked node must not come back by a renewal."
               "Find out why it was revoked; then give the node new keys by making its folder anew."
            ja "最後の証明書が失効しているノードには、新しい証明書を発行しません。"
               "失効したノードの鍵を持つ者が、更新によって戻ることを防ぎます。"
               "失効の理由を調べ、ノードのフォルダーを作り直して新しい鍵を与えてください。"
            RenewalNotFitting "JKP-1103" Peer Never
            en "The certificate does not fit this node."
               "It is not for the key that the node last asked for, is another node's, or this node does not believe it."
               "Rotate again with jukinet pki rotate; during a roll-over, give the node the new root first."
            ja "証明書がこのノードに合いません。"
               "ノードが最後に申請した鍵のものでないか、別のノードのものか、このノードが信頼しない発行元です。"
               "jukinet pki rotate をやり直してください。ルートの切替中は、先に新しいルートを配ってください。"
            RootsNotSigned "JKP-1104" Peer Never
            en "The roots are not signed by a root that this node trusts."
               "New roots are believed only on the word of one that is believed already."
               "Check that the roots are this network's; sign them with jukinet pki roll-ca."
            ja "ルート証明書の組に、このノードが信頼するルートの署名がありません。"
               "新しいルートは、すでに信頼しているルートの署名がある場合だけ受け入れます。"
               "このネットワークのルートかを確かめ、jukinet pki roll-ca で署名して配ってください。"
            RootsLockOut "JKP-1105" Peer Never
            en "The node's own certificate or directory is not under these roots."
               "After this change neither the node nor its peers would believe it."
               "Give every node a certificate under the new root first: jukinet pki roll-ca --step move."
            ja "このノードの証明書または名簿が、指定のルートの下にありません。"
               "このまま変えると、このノードは自分も相手も信頼できなくなります。"
               "先に jukinet pki roll-ca --step move で全ノードに新しいルートの証明書を与えてください。"
            RollOverStep "JKP-1106" Us Never
            en "This step of the roll-over cannot be done yet."
               "A step before it is not complete at every node."
               "Do the steps in order: new, trust, move, drop; each can be repeated until it is complete."
            ja "ルート切替のこの段階は、まだ行えません。"
               "前の段階が、すべてのノードでは終わっていません。"
               "new、trust、move、drop の順に行ってください。各段階は終わるまで繰り返せます。"
            SecretsOpen "JKP-1107" Us Never
            en "Secret keys are not kept as secrets."
               "Others than the node's user can reach them, or they lie with the data that they protect."
               "Close them with chmod go-rwx, and name a folder outside the data folder in node.keys or node.secrets."
            ja "秘密鍵が秘密として置かれていません。"
               "ノードの利用者以外が読めるか、鍵が守るデータと同じ場所にあります。"
               "chmod go-rwx で閉じ、node.keys または node.secrets にデータフォルダーの外を指定してください。"
        ] $($later)* }
    };
}
