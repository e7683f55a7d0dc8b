//! The command line's help in Japanese.

/// The same command line with Japanese help. What the tables do not name keeps its English.
pub(crate) fn in_japanese(command: clap::Command) -> clap::Command {
    let command = command.after_help(EXAMPLES).about(ABOUT);
    translated(command, "")
}

fn translated(mut command: clap::Command, path: &str) -> clap::Command {
    if let Some((_, about)) = COMMANDS.iter().find(|(name, _)| *name == path) {
        command = command.about(*about);
    }
    let after = command.get_after_help().map(ToString::to_string);
    if let Some(examples) = after.as_deref().and_then(|text| {
        text.strip_prefix("Examples:")
            .or_else(|| text.strip_prefix("Example:"))
    }) {
        command = command.after_help(format!("例:{examples}"));
    }
    let command = command.mut_args(|argument| {
        let id = argument.get_id().as_str();
        let own = format!("{path}/{id}");
        let help = ARGUMENTS
            .iter()
            .find(|(name, _)| *name == own)
            .or_else(|| ARGUMENTS.iter().find(|(name, _)| *name == id));
        match help {
            Some((_, help)) => argument.help(*help),
            None => argument,
        }
    });
    command.mut_subcommands(|sub| {
        let path = if path.is_empty() {
            sub.get_name().to_owned()
        } else {
            format!("{path} {}", sub.get_name())
        };
        translated(sub, &path)
    })
}

const ABOUT: &str = "住民基本台帳ネットワークをこの計算機の上に作り、動かし、見守り、調べる";

const COMMANDS: &[(&str, &str)] = &[
    (
        "demo",
        "小さな県を一から動かす（出生、転入転出、死亡、適法な提供と拒否）",
    ),
    ("line", "専用回線を示す、動かしたまま変える"),
    ("line list", "すべての回線と計数を示す"),
    ("line down", "回線を切る"),
    ("line up", "回線を戻す"),
    ("line set", "回線の能力を変える（指定しないものはそのまま）"),
    ("line flap", "回線をしばらく断続させる（まず切れる）"),
    (
        "line schedule",
        "保守のために回線を切る予定を入れ替える（時間を指定しなければ予定をなくす）",
    ),
    (
        "line capture",
        "回線を通るものをパケット解析用のファイルに書く（中身は封印されたまま）",
    ),
    (
        "firewall",
        "ファイアウォールの規則を示す、流したまま変える、フレームの扱いを説明する",
    ),
    (
        "firewall status",
        "発効中の規則、規則ごとの通過数、検知を示す",
    ),
    (
        "firewall reload",
        "規則のファイルを読み直して発効する（誤りがあれば元のまま）",
    ),
    (
        "firewall explain",
        "フレームがどう扱われるかを段階ごとに説明する",
    ),
    (
        "bench",
        "この計算機で別々のプロセスのネットワーク、または一部分を測る",
    ),
    (
        "new",
        "配備フォルダー（ネットワーク定義、鍵、ノードごとのフォルダー）を作る",
    ),
    ("up", "配備のノードを起動し、見守る"),
    (
        "derive",
        "各ノードの設定を network.toml から書き直す（計算機を加えたときなど）",
    ),
    ("down", "配備のノードを止め、すべて終わるまで待つ"),
    ("status", "各ノードの状態を示す"),
    (
        "doctor",
        "プログラム、フォルダー、鍵、ノード、時計、すべての接続を調べ、原因と次の手順を示す",
    ),
    ("trace", "一つのメッセージが通った経路を示す"),
    (
        "alerts",
        "ファイアウォールと各ノードの警報を、緊急時対応計画のレベルとともに示す",
    ),
    ("audit", "証跡: 台帳の検証、検索、出力、解析"),
    ("audit search", "台帳から本人確認情報の照会を探す"),
    (
        "audit export",
        "照会をファイルに書き出す（台帳との対応を示す目録を添える）",
    ),
    (
        "audit supply",
        "法の定める提供の帳簿（提供先、事務、年月日、件数、方法）を示す",
    ),
    (
        "audit traffic",
        "通信状況の履歴（同種のフレームごとの日時、件数、バイト数、判定）を示す",
    ),
    (
        "audit analyse",
        "不正利用の兆しを探す（時間外、大量検索、特定の者への集中、拒否、途絶など）",
    ),
    (
        "audit verify",
        "台帳を単独で、また隣接ノードの検査点と照らして検証し、最初の不正な記録を示す",
    ),
    (
        "audit purge",
        "停止したノードの台帳から、保存期間を過ぎた内容を消す（連鎖は残る）",
    ),
    (
        "cs",
        "既存住基システムの立場で CS（コミュニケーションサーバ）を操作する",
    ),
    (
        "cs import",
        "既存住基のファイル（全住民または一日の異動）を取り込む",
    ),
    ("cs change", "異動を一件届ける"),
    ("cs state", "届けた異動一件がどこまで届いたかを示す"),
    (
        "cs codes",
        "全住民の住民票コードを既存住基のためのファイルに書き出す",
    ),
    ("reconcile", "一致すべき二者の違いを見つける（整合性確認）"),
    (
        "reconcile register",
        "既存住基の全件出力と CS の記録を比べる",
    ),
    ("query", "機関の端末から本人確認情報を照会する"),
    ("operator", "操作者（ログイン、操作者カード、カード管理簿）"),
    ("operator login", "操作者カードで端末にログインする"),
    ("operator logout", "端末のログインを終える"),
    (
        "operator pin",
        "暗証番号を自分で選んだものに変える（仮の番号も）",
    ),
    (
        "operator enrol",
        "操作者のカードを仮の暗証番号で作る（貸与すると使える）",
    ),
    ("operator lend", "カードを操作者に貸与する"),
    (
        "operator return",
        "カードの返却を受ける（紛失後に見つかったものも）",
    ),
    (
        "operator lost",
        "カードの紛失を届ける（届くすべてのノードが数秒で拒否する）",
    ),
    (
        "operator revoke",
        "カードを失効させる、または解除するまで停止する",
    ),
    (
        "operator unlock",
        "ロックされたカードを使えるようにし、停止を終える",
    ),
    ("operator inspect", "カードの所在の点検を記録する"),
    (
        "operator ledger",
        "カード管理簿（誰のどのカードに、誰がいつ何をしたか）を示す",
    ),
    ("pki", "証明書"),
    (
        "pki status",
        "各ノードの証明書、有効期限、判断に使っている失効リストを示す",
    ),
    (
        "pki rotate",
        "動かしたままノードに新しい鍵と証明書を与える（依頼は失われない）",
    ),
    (
        "pki roll-ca",
        "動かしたままルート認証局を新しいものに切り替える",
    ),
    (
        "pki revoke",
        "ノードの証明書を失効させる（失効リストは自動で行き渡る）",
    ),
    (
        "basis",
        "法的根拠の表（どの機関に、どの事務のために、どの項目を提供できるか）",
    ),
    ("basis show", "回答するノードで発効中の表を示す"),
    (
        "basis check",
        "新しい表を検査し、何が変わるかを示す（発効はしない）",
    ),
    (
        "basis publish",
        "登録局に新しい表へ署名させ、届くすべてのノードで発効する",
    ),
    ("population", "合成した住民を既存住基の出力形式で書き出す"),
    ("completions", "シェルの補完スクリプトを出力する"),
    (
        "simulate",
        "ネットワーク全体を仮想時間で動かし、シードによる障害の下で不変条件を確かめる",
    ),
    ("man", "マニュアルページをフォルダーに書き出す"),
    ("bare-node", "性能測定の比較用に、ノードの代わりを務める"),
];

const ARGUMENTS: &[(&str, &str)] = &[
    ("demo/exit", "話が終わったら Ctrl-C を待たずに終わる"),
    (
        "demo/dir",
        "すべてをこのフォルダーに残す（なければ一時フォルダーを使い、最後に消す）",
    ),
    ("demo/seed", "住民を作る種の番号"),
    ("line", "回線（下流側サーバの名前）"),
    (
        "direction",
        "一方向だけ（upward 上り、downward 下り。省略時は両方向）",
    ),
    ("bandwidth_bps", "毎秒ビット数、0 は制限なし"),
    ("delay_us", "片道の遅延（マイクロ秒）"),
    ("loss", "失われるデータグラムの割合、0 から 1"),
    ("jitter_us", "遅延のゆらぎの最大（マイクロ秒）"),
    ("queue_bytes", "回線の前で待てるバイト数"),
    ("mtu", "データグラムの最大長（ヘッダーを含むバイト数）"),
    (
        "burst_enter",
        "データグラムごとにまとまった損失が始まる確率、0 から 1（0 でやめる）",
    ),
    ("burst_leave", "その損失が終わる確率、0 より大きく 1 まで"),
    ("duplicate", "二度届くデータグラムの割合、0 から 1"),
    ("corrupt", "1 ビットが反転するデータグラムの割合、0 から 1"),
    (
        "reorder",
        "後のものに追い越されるデータグラムの割合、0 から 1",
    ),
    (
        "reorder_us",
        "それらと二つ目の写しが遅れる最大（マイクロ秒）",
    ),
    ("down_ms", "切れている時間（ミリ秒）"),
    ("up_ms", "その間につながっている時間（ミリ秒）"),
    ("for_s", "断続が終わるまでの秒数、0 ですぐ終える"),
    (
        "line schedule/from",
        "始まる時刻（機械の時計の UTC、例 2026-12-05T01:00）",
    ),
    ("line schedule/minutes", "続く分数"),
    ("every_days", "何日ごとに繰り返すか（省略時は一度だけ）"),
    ("line capture/off", "記録を終える（ファイルは残る）"),
    (
        "simulate/seeds",
        "小さな世界のシード（A..B、B を含む。または一つの数）",
    ),
    ("simulate/scenario", "シナリオファイル"),
    ("simulate/prefecture", "県全体をこの仮想分数だけ動かす"),
    (
        "simulate/twice",
        "どの世界も二度動かし、同じになることを確かめる",
    ),
    (
        "simulate/shrink",
        "失敗する世界を小さくして、このシナリオファイルに書く",
    ),
    (
        "simulate/write",
        "世界をこのシナリオファイルに書くだけで、動かさない",
    ),
    ("simulate/bug", "検査が見つけるべき欠陥を仕込む: skip-sync"),
    (
        "simulate/workers",
        "並べて動かす世界の数（省略時はコアの数）",
    ),
    ("bench/name", "測るもの"),
    ("bench/runs", "中央値をとる回数（省略時は 5、load は 3）"),
    ("lang", "人が読む文の言語（省略時は LANG に従う）"),
    ("json", "標準出力に JSON 文書を一つだけ出す"),
    ("dir", "配備フォルダー"),
    ("new/dir", "作るフォルダー（存在しないか空であること）"),
    (
        "new/scale",
        "各市区町村の合成住民も書き出す（実際の人口に対する割合）",
    ),
    ("preset", "作るネットワーク"),
    (
        "unshaped",
        "専用回線の速さを再現せず、すべての回線をそのまま通す",
    ),
    ("seed", "再現できる部分を引き出す元の数"),
    ("operator_per_min", "一人の操作者が一分間にできる照会の数"),
    (
        "body_per_min",
        "一つの機関の操作者全員が一分間にできる照会の数",
    ),
    ("detach", "背景で動かし、すべてのノードの準備が整ったら戻る"),
    (
        "only",
        "これらのノードだけを起動する（名前、任意の文字を表す *、kind:プログラム名）",
    ),
    ("except", "これら以外のノードを起動する"),
    ("ready_timeout_s", "ノードの準備を待つ秒数"),
    ("watch", "中断されるまで毎秒表示し直す"),
    (
        "doctor/dir",
        "配備フォルダー（省略時はプログラムと計算機だけを調べる）",
    ),
    ("all", "異常のない接続もすべて示す"),
    ("id", "メッセージ番号（16 進数 32 桁）"),
    (
        "audit verify/path",
        "台帳フォルダー、または配備フォルダー（中の全台帳）",
    ),
    ("path", "配備フォルダーまたは台帳フォルダー"),
    ("from", "最初の日付"),
    ("to", "最後の日付"),
    ("operator", "操作者"),
    ("audit search/card", "カード"),
    ("audit export/card", "カード"),
    ("terminal", "端末"),
    ("body", "機関"),
    ("audit search/affair", "事務"),
    ("audit export/affair", "事務"),
    (
        "person",
        "本人の仮名（16 進数 32 桁。- は標準入力から住民票コードを読む）",
    ),
    (
        "outcome",
        "結果（match 該当、no-match 該当なし、several 複数、refused 拒否）",
    ),
    ("limit", "示す件数"),
    ("audit traffic/peer", "このノードが送るか受けるものだけ"),
    ("refused", "拒否されたもの、送れなかったものだけ"),
    (
        "audit export/out",
        "書き出すファイル（CSV。末尾が .jsonl なら一行に JSON 一つ。目録は隣に置く）",
    ),
    ("monthly", "公表のための年次報告のように月ごとにまとめる"),
    ("audit supply/out", "この CSV ファイルにも書く"),
    (
        "listed",
        "同僚・注意対象者のファイル（一行に住民票コードまたは仮名一つ）",
    ),
    (
        "settings",
        "しきい値のファイル（省略時は配備の analysis.toml、なければ組み込みの値）",
    ),
    (
        "audit analyse/out",
        "報告を書くファイル（.html、.json、その他は文字だけ）",
    ),
    (
        "audit verify/key",
        "ノードの保存鍵（省略時はデータフォルダーの隣の鍵）",
    ),
    ("node", "端末（複数ある場合に要る）"),
    ("cs/node", "CS のノード名"),
    ("audit purge/node", "ノード（停止していること）"),
    ("audit purge/days", "内容を残す日数"),
    (
        "audit purge/what",
        "消すもの: communication 通信の記録、operations 操作の記録、alerts 警報",
    ),
    ("audit purge/reason", "理由（台帳に残る）"),
    (
        "alerts/node",
        "尋ねるノード（省略時はすべてが集まる全国センター）",
    ),
    ("reconcile register/node", "CS のノード名"),
    (
        "reconcile register/file",
        "既存住基の全件出力（異動事由のない CSV ファイル）",
    ),
    (
        "worklist",
        "すべての違いを双方の値とともにこの CSV ファイルに書く（住民票と同じく秘密。画面には出さない）",
    ),
    (
        "corrections",
        "CS を既存住基に合わせる異動をこの CSV ファイルに書く（住民票と同じく秘密）",
    ),
    ("apply", "その異動をすぐに取り込み、もう一度比べる"),
    ("file", "CSV ファイル"),
    (
        "initial_date",
        "異動事由のないファイル（初回の全件出力）の記載日",
    ),
    (
        "rejects",
        "拒否した行をすべてこの CSV ファイルに書く（行番号、コード、欄、理由）",
    ),
    (
        "codes",
        "取り込んだ住民の住民票コードをこの CSV ファイルに書く（住民票と同じく秘密）",
    ),
    (
        "cs codes/out",
        "書き出す CSV ファイル（住民票と同じく秘密）",
    ),
    ("resident", "既存住基での番号（宛名番号）"),
    ("reason", "異動事由（例: move-in、転入等）"),
    ("event_date", "異動日（省略時はネットワークの日付）"),
    (
        "key",
        "同じ届けを繰り返しても一度だけ扱うための名前（省略時は自動）",
    ),
    ("cs state/key", "異動を届けたときの鍵"),
    ("name", "氏名"),
    (
        "query/name",
        "氏名（住所または性別の欠けた照会は、事務に認められている場合だけ）",
    ),
    (
        "name_begins",
        "氏名の初めの部分だけで探す（事務に認められている場合だけ。性別か住所も要る）",
    ),
    ("birth", "生年月日"),
    ("sex", "性別"),
    ("address", "住所"),
    ("certificate", "転出証明書番号"),
    ("counterpart", "転出入の相手市区町村コード"),
    ("affair", "法が照会を認める事務"),
    ("code", "住民票コード（- は標準入力から読む）"),
    (
        "card",
        "カード（cards フォルダー内の名前またはカードファイル）",
    ),
    (
        "pin_file",
        "暗証番号のファイル（省略時は JUKINET_PIN、デモの暗証番号ファイル、キーボードの順）",
    ),
    (
        "new_pin_file",
        "新しい暗証番号のファイル（省略時は JUKINET_NEW_PIN、キーボードの順）",
    ),
    (
        "acted_card",
        "カード（cards フォルダー内の名前、カードファイル、製造番号のいずれか）",
    ),
    (
        "operator enrol/operator",
        "職場での操作者の番号（氏名でないもの、空白なし）",
    ),
    ("operator enrol/body", "操作者の所属する機関"),
    (
        "token",
        "カードファイルの代わりに端末のカード読み取り装置にある PKCS#11 トークンのラベル",
    ),
    (
        "pkcs11",
        "トークンのあるモジュール（端末の設定にあるものと同じであること）",
    ),
    (
        "enrol_pkcs11",
        "カードファイルの代わりに、この PKCS#11 モジュールのトークンに鍵を作る",
    ),
    ("enrol_token", "トークンのラベル"),
    (
        "token_pin_file",
        "トークンの暗証番号のファイル（省略時は JUKINET_TOKEN_PIN、キーボードの順）",
    ),
    (
        "session",
        "どのログインか（省略時は端末で最後に始まったもの）",
    ),
    ("role", "カードの役割（繰り返して複数を指定できる）"),
    (
        "operator enrol/name",
        "cards フォルダー内のカードファイルの名前（省略時は操作者の番号）",
    ),
    ("operator enrol/days", "カードの有効日数"),
    ("note", "カード管理簿に書く所見"),
    (
        "withdrawal",
        "理由（revoked 失効と expired 期限切れは戻せない。locked 停止は解除まで）",
    ),
    (
        "by",
        "この操作に署名するカード（省略時は card-manager、システム管理者の操作では system-manager）",
    ),
    (
        "by_pin_file",
        "そのカードの暗証番号のファイル（省略時は JUKINET_PIN、デモの暗証番号ファイル、キーボードの順）",
    ),
    ("firewall/node", "ファイアウォールのノード名"),
    ("source", "送信元のノード"),
    ("destination", "宛先のノード"),
    ("service", "業務"),
    ("peer", "渡してくる相手（省略時は送信元を代弁する相手）"),
    ("bytes", "バイト数"),
    ("at", "網の時刻、例えば 2002-10-15T09:30（省略時は今）"),
    ("pki rotate/node", "新しい証明書を与えるノード"),
    ("pki rotate/all", "すべてのノードを順に"),
    ("pki rotate/days", "新しい証明書の有効日数"),
    ("revoke_old", "前の証明書を失効させる"),
    (
        "step",
        "この段階だけを行う（new 新しいルートを作る、trust 両方を信頼する、move 証明書を移す、drop 古いルートを外す）",
    ),
    (
        "passphrase_file",
        "今のルートの鍵の合言葉のファイル（省略時は鍵の隣のファイル）",
    ),
    (
        "basis show/node",
        "表を示すノード（都道府県サーバか全国センター。省略時は全国センター）",
    ),
    (
        "basis check/file",
        "表のファイル（省略時は配備フォルダーの legal-basis.csv）",
    ),
    (
        "basis publish/by",
        "公布を命じるシステム管理者のカード（省略時は system-manager）",
    ),
    (
        "basis publish/file",
        "表のファイル（省略時は配備フォルダーの legal-basis.csv）",
    ),
    ("pki revoke/node", "証明書を失効させるノード"),
    ("municipality", "市区町村コード（5 桁または 6 桁）"),
    ("scale", "実際の人口に対する割合"),
    ("out", "書き出すフォルダー"),
    ("date", "全件出力の日（異動はその翌日から）"),
    ("days", "異動を書き出す日数"),
    (
        "threads",
        "ファイルを作るスレッド数（内容は変わらない。省略時はコア数）",
    ),
    ("shell", "シェル"),
    ("man/dir", "書き出すフォルダー"),
    ("bare-node/config", "代わりを務めるノードの設定ファイル"),
    (
        "bare-node/sizes",
        "送るものと書くものの長さ（測定が指定する）",
    ),
    ("help", "説明を表示する"),
    ("version", "版を表示する"),
];

const EXAMPLES: &str = "例:
  jukinet new ./demo --preset demo
  jukinet up ./demo --detach
  jukinet status ./demo
  jukinet down ./demo

終了コード: 0 すべての検査に合格、1 失敗、2 使い方または設定の誤り";
