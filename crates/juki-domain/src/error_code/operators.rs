//! Codes of operators' cards, sessions and signed acts.

macro_rules! operator_codes {
    ([$($before:tt)*] $next:ident $($later:ident)*) => {
        $next! { [$($before)*
            CardListed "JKA-1201" Peer Never
            en "The operator's card may not be used."
               "It was reported lost, withdrawn, returned or suspended, or was never lent."
               "Go to the card manager; if you found the card, hand it in."
            ja "この操作者カードは使えません。"
               "紛失の届出、失効、返却、停止のいずれかか、まだ貸与されていないカードです。"
               "カード管理者に申し出てください。拾ったカードなら届け出てください。"
            CardExpired "JKA-1202" Peer Never
            en "The operator's card has expired."
               "A card serves until the day that its certificate names."
               "Have a new card enrolled and hand in the old one."
            ja "操作者カードの有効期限が切れています。"
               "カードは証明書に書かれた日まで使えます。"
               "新しいカードの発行を受け、古いカードを返却してください。"
            ActInvalid "JKA-1203" Peer Never
            en "The signed act cannot be accepted."
               "It cannot be read, is of another subject, or the card did not sign it as it stands."
               "Do the act again with the card; if it repeats, report it as an alteration."
            ja "署名された操作を受け付けられません。"
               "読めないか、別の対象の操作か、カードの署名と内容が合いません。"
               "カードでもう一度操作し、繰り返すなら改変の疑いとして報告してください。"
            ActNotFresh "JKA-1204" Peer Never
            en "The act was not signed just now."
               "An act holds for five minutes, and not beyond a restart of the node that does it."
               "Compare the clocks of both machines and sign the act again."
            ja "署名されてから時間がたった操作です。"
               "操作の署名は 5 分間だけ有効で、受け付けるノードの再起動を越えては使えません。"
               "両方の計算機の時計を比べ、操作をやり直してください。"
            ActRepeated "JKA-1205" Peer Never
            en "The act was done already."
               "The same signed act came a second time."
               "Look at the card ledger; if you did not repeat it yourself, report it."
            ja "すでに行われた操作です。"
               "同じ署名の操作が二度届きました。"
               "カード管理簿を見て、自分で繰り返したのでなければ報告してください。"
            CardStateWrong "JKA-1206" Peer Never
            en "The card's state does not allow this."
               "A card is lent, returned, unlocked or withdrawn in an order that the ledger keeps."
               "Look at the card's line in the card ledger and choose the act that fits."
            ja "カードの今の状態では行えない操作です。"
               "貸与、返却、解除、失効には順序があり、管理簿がそれを守ります。"
               "カード管理簿の行を見て、状態に合う操作を選んでください。"
            PinTemporary "JKA-1207" Peer Never
            en "The card still has its temporary PIN."
               "The PIN that a card is handed out with is known to whoever made the card."
               "Choose your own: jukinet operator pin DIR --card CARD."
            ja "カードが仮の暗証番号のままです。"
               "渡されたときの暗証番号は、カードを作った人も知っています。"
               "自分の番号に変えてください: jukinet operator pin DIR --card CARD。"
            PinTooSimple "JKA-1208" Peer Never
            en "The new PIN is too simple."
               "It repeats one character, counts up or down, or is the old one."
               "Choose another that others do not guess."
            ja "新しい暗証番号が簡単すぎます。"
               "同じ文字の繰り返しか、順に並んだ数か、前と同じ番号です。"
               "人に推測されない別の番号を選んでください。"
            UnlockNotFitting "JKA-1209" Peer Never
            en "The unlocking does not fit the card."
               "It is of another card or registrar, or is older than the last one."
               "Have the card manager unlock this card again."
            ja "解除の許可がこのカードに合いません。"
               "別のカードか別の登録局のもの、または前回より古い許可です。"
               "カード管理者にこのカードの解除をやり直してもらってください。"
            LoginEnded "JKA-1210" Peer Never
            en "There is no such session at this terminal."
               "It was idle too long, its time was over, its card was withdrawn, or it was ended."
               "Log in again."
            ja "この端末にそのログインはありません。"
               "操作がなかったか、時間が過ぎたか、カードが止められたか、ログアウトしました。"
               "ログインし直してください。"
            LoginsFull "JKA-1211" Us Later
            en "The terminal has no room for another session."
               "So many operators are logged in that no more are admitted."
               "Log out where nobody works, or wait until an idle session ends."
            ja "この端末にはこれ以上ログインできません。"
               "ログイン中の操作者が上限に達しています。"
               "使っていないログインを終えるか、終わるのを待ってください。"
            CardModule "JKA-1212" Us Later
            en "The card reader's module does not do what it should."
               "The PKCS#11 module cannot be loaded, or has no such card, key or mechanism."
               "See whether the card is in the reader and the module and label are right."
            ja "カード読み取りのモジュールが使えません。"
               "PKCS#11 モジュールを読み込めないか、カード、鍵、方式がありません。"
               "カードの挿入と、モジュールやラベルの指定を確かめてください。"
            CardDamaged "JKA-1213" Peer Never
            en "The card file is damaged."
               "It was cut, altered or is no card."
               "Have the card manager withdraw it and make a new one."
            ja "カードのファイルが壊れています。"
               "途中で切れたか、書き換えられたか、カードではありません。"
               "カード管理者に失効と再発行を依頼してください。"
            CardListMissing "JKA-1214" Us Later
            en "The node does not have the card list that its ledger knows of."
               "A file beside its keys is missing or is an older one, so that a lost card might be taken."
               "Nothing is provided until a peer or the national center has sent the list again."
            ja "台帳に記録されたカード一覧が、このノードにありません。"
               "鍵の横のファイルがないか古いため、紛失カードを受け付けるおそれがあります。"
               "隣のノードか全国センターから一覧が届くまで、提供は行われません。"
        ] $($later)* }
    };
}
