//! Processes that are killed in the middle of their work.

use network::{Deployment, until};

#[test]
fn a_killed_prefecture_server_comes_back_and_gets_what_was_reported_meanwhile() {
    let net = Deployment::up();
    net.passes("cs-352047", "before");
    let before = net.pid("prefecture-35");
    network::kill(before);
    assert_eq!(net.birth("cs-352047", "meanwhile")["outcome"], "accepted");
    net.arrives("cs-352047", "meanwhile");
    let after = until("another process", || {
        Some(net.pid("prefecture-35")).filter(|pid| *pid != 0)
    });
    assert_ne!(after, before);
    net.settles(2);
}

#[test]
fn an_import_cut_by_a_killed_server_and_begun_again_takes_every_row_once() {
    let net = Deployment::up();
    let (file, rows) = net.residents("352047", "0.06");
    let import = [
        "cs",
        "net",
        "cs-352047",
        "import",
        file.to_str().unwrap(),
        "--json",
    ];
    let first = net.start("jukinet", &import);
    until("a part of the rows", || {
        net.report("cs-352047")
            .filter(|report| report.residents > 100)
    });
    network::kill(net.pid("cs-352047"));
    assert_eq!(first.code(), Some(1), "the first import was not cut");
    // A node that has just started has not counted yet.
    let counted = || net.report("cs-352047").map(|report| report.residents);
    let kept = until("the server's next run", || {
        counted().filter(|kept| *kept > 0)
    });
    assert!(kept < rows as u64, "{kept} of {rows} rows were in");
    let report = net.jukinet(&import).held().json();
    let count = |what: &str| report[what].as_u64().unwrap();
    assert_eq!(
        (count("rows"), count("rejected")),
        (rows as u64, 0),
        "{report}"
    );
    assert_eq!(
        (count("accepted"), count("duplicates")),
        (rows as u64 - kept, kept),
        "{report}"
    );
    net.settles(rows as u64);
}
