//! Codes of what a node stands on: its configuration, its ledger and disk, its supervisor.

macro_rules! setup_codes {
    ([$($before:tt)*] $next:ident $($later:ident)*) => {
        $next! { [$($before)*
            ConfigUnreadable "JKC-1001" Us Never
            en "The configuration file cannot be read."
               "The path is wrong, or this user may not read the file."
               "Check the path after --config and the file's permissions."
            ja "設定ファイルを読めません。"
               "パスが違うか、このユーザーに読む権限がありません。"
               "--config のパスとファイルの権限を確かめてください。"
            ConfigUnknownKey "JKC-1002" Us Never
            en "The configuration has a key that does not exist."
               "The key is misspelt or stands in the wrong section."
               "Correct or remove the key that the message names, then run the node with --check."
            ja "設定に存在しないキーがあります。"
               "つづりの誤りか、書く節が違います。"
               "表示されたキーを直すか削り、--check で確かめてください。"
            ConfigMissingKey "JKC-1003" Us Never
            en "The configuration lacks a key that it must have."
               "The key was left out, or the node's role demands it."
               "Add the key that the message names, then run the node with --check."
            ja "設定に必要なキーがありません。"
               "書き忘れているか、このノードの役割では必須のキーです。"
               "表示されたキーを書き足し、--check で確かめてください。"
            ConfigBadValue "JKC-1004" Us Never
            en "The configuration has a value that cannot be used."
               "The value is out of range, misspelt, or contradicts another key."
               "Correct the value that the message names, then run the node with --check."
            ja "設定に使えない値があります。"
               "範囲外か、つづりの誤りか、ほかのキーと矛盾しています。"
               "表示された値を直し、--check で確かめてください。"
            ConfigNotToml "JKC-1005" Us Never
            en "The configuration file is not TOML."
               "A bracket, a quotation mark or an equals sign is missing, or the text is not UTF-8."
               "Correct the line that the message names, then run the node with --check."
            ja "設定ファイルが TOML の形式ではありません。"
               "括弧、引用符、等号が欠けているか、文字コードが UTF-8 ではありません。"
               "表示された行を直し、--check で確かめてください。"
            LedgerDamaged "JKS-1001" Us Never
            en "The ledger is damaged."
               "An entry's checksum or chain does not fit: the file was altered or the disk lost data."
               "Keep the files as they are, restore the node from its backup, and report the first bad entry."
            ja "台帳が壊れています。"
               "記録の検査値か連鎖が合いません。ファイルの改変か、ディスクのデータ消失です。"
               "ファイルをそのまま残し、バックアップから復元し、最初の不正な記録を報告してください。"
            LedgerKeyWrong "JKS-1002" Us Never
            en "The ledger does not open with this key."
               "The storage key belongs to another node or another restore."
               "Put back the storage key that was kept for this node's data, then start the node."
            ja "この鍵では台帳を開けません。"
               "保存用の鍵が、別のノードまたは別の復元のものです。"
               "このノードのデータに対応する鍵を戻してから起動してください。"
            DiskFailed "JKS-1003" Us Never
            en "The disk refused to read or write."
               "The disk is full, failing, or this user may not write there."
               "Free space or replace the disk, check permissions, then start the node again."
            ja "ディスクの読み書きに失敗しました。"
               "空き容量の不足、ディスクの故障、または書き込み権限の不足です。"
               "空きを作るかディスクを替え、権限を確かめて、ノードを起動し直してください。"
            LedgerTornTail "JKS-1004" Us Later
            en "The end of the ledger was cut off."
               "The node stopped in the middle of a write; nothing acknowledged was in the cut part."
               "Send again what was not acknowledged; if this comes often, check power and disk."
            ja "台帳の末尾を切り取りました。"
               "書き込みの途中で停止したためです。受領済みの記録は切り取った部分にありません。"
               "受領の返事がなかったものを送り直してください。度重なるなら電源とディスクを調べてください。"
            ProgramMissing "JKN-1001" Us Never
            en "A program of the network is missing."
               "The node's program is neither beside jukinet nor in the search path."
               "Install or build all programs, then run jukinet doctor."
            ja "ネットワークのプログラムが見つかりません。"
               "ノードのプログラムが jukinet と同じ場所にも検索パスにもありません。"
               "全プログラムを導入またはビルドし、jukinet doctor で確かめてください。"
            NodeNotReady "JKN-1002" Us Later
            en "The node did not become ready in time."
               "A peer is not up, a line is down, or the node is still reading its ledger."
               "Look at jukinet status and at the node's log, then wait or start what is missing."
            ja "ノードが時間内に準備を終えませんでした。"
               "相手が未起動か、回線断か、台帳を読み込んでいる途中です。"
               "jukinet status とノードのログを見て、待つか、足りないものを起動してください。"
            RestartLimit "JKN-1003" Us Never
            en "The node stopped too often and is no longer restarted."
               "It fails again shortly after each start."
               "Read the last lines of its log, remove the cause, then run jukinet up again."
            ja "停止が度重なったため、ノードの再起動をやめました。"
               "起動するたびにすぐ失敗しています。"
               "ログの末尾を読み、原因を除いてから jukinet up をもう一度実行してください。"
            FolderExists "JKN-1004" Us Never
            en "The folder exists and is not empty."
               "A new deployment never overwrites files."
               "Name another folder, or move the old one away."
            ja "フォルダがすでにあり、空ではありません。"
               "新しい配備は既存のファイルを上書きしません。"
               "別のフォルダを指定するか、古いフォルダを移してください。"
            NotADeployment "JKN-1005" Us Never
            en "The folder is not a deployment."
               "It has no network.toml."
               "Check the path, or make a deployment with jukinet new."
            ja "このフォルダは配備フォルダではありません。"
               "network.toml がありません。"
               "パスを確かめるか、jukinet new で配備フォルダを作ってください。"
            AlreadyRunning "JKN-1006" Us Never
            en "The deployment is already running."
               "A supervisor answers in its run folder."
               "Use jukinet status to see it, or jukinet down to stop it first."
            ja "この配備はすでに動いています。"
               "run フォルダで監視プロセスが応答しています。"
               "jukinet status で確かめるか、先に jukinet down で止めてください。"
            NotRunning "JKN-1007" Us Never
            en "The deployment is not running."
               "No supervisor answers in its run folder."
               "Start it with jukinet up."
            ja "この配備は動いていません。"
               "run フォルダで応答する監視プロセスがありません。"
               "jukinet up で起動してください。"
            CheckFailed "JKN-1008" Us Never
            en "A check of the command did not hold."
               "The network runs but does not do what this command checks."
               "Read which check failed, then run jukinet doctor."
            ja "コマンドの検査に合格しませんでした。"
               "ネットワークは動いていますが、検査した条件を満たしていません。"
               "どの検査が不合格かを読み、jukinet doctor を実行してください。"
        ] $($later)* }
    };
}
