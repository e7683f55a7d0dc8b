use super::*;

fn row(node: &str, kind: &str, state: &str) -> NodeStatus {
    NodeStatus {
        node: node.to_owned(),
        kind: kind.to_owned(),
        address: String::new(),
        state: state.to_owned(),
        pid: 7,
        rss_bytes: 3 << 20,
        behind: 0,
        log: String::new(),
        data: String::new(),
        ended: String::new(),
        report: None,
    }
}

fn names(rows: &[NodeStatus]) -> Vec<&str> {
    worst_first(rows)
        .into_iter()
        .map(|row| row.node.as_str())
        .collect()
}

const SIZE: Size = Size {
    columns: 80,
    lines: 12,
};

#[test]
fn the_worst_come_first_and_equals_stay_where_they_are() {
    let mut rows = vec![
        row("a", "firewall-proxy", "ready"),
        row("b", "firewall-proxy", "ready"),
        row("c", "municipal-cs", "connecting"),
        row("d", "municipal-cs", "failed"),
        row("e", "municipal-cs", "starting"),
        row("f", "municipal-cs", "restarting"),
        row("g", "municipal-cs", "ready"),
        row("h", "national-center", "ready"),
    ];
    rows[6].behind = 1;
    rows[7].rss_bytes = 40 << 20;
    assert_eq!(names(&rows), ["d", "f", "e", "c", "g", "h", "a", "b"]);
    rows[1].rss_bytes += 500_000;
    assert_eq!(names(&rows), ["d", "f", "e", "c", "g", "h", "a", "b"]);
}

#[test]
fn a_view_has_no_more_lines_than_the_terminal_and_says_what_it_leaves_out() {
    let mut rows: Vec<NodeStatus> = (0..142)
        .map(|n| row(&format!("n{n}"), "firewall-proxy", "ready"))
        .collect();
    rows[141].state = "failed".to_owned();
    let lines = Board::default().paint(&rows, "2002-10-15", SIZE, Lang::En);
    assert_eq!(lines.len(), SIZE.lines);
    assert!(lines[0].contains("141/142"), "{lines:?}");
    assert!(lines[1].contains("firewalls 141/142"), "{lines:?}");
    assert!(lines[6].contains("n141"), "{lines:?}");
    assert!(
        lines[11].contains("137") && lines[11].contains("ready"),
        "{lines:?}"
    );
}

#[test]
fn changes_are_told_with_their_time_until_newer_ones_take_their_place() {
    let mut board = Board::default();
    let mut rows = vec![row("cs-352047", "municipal-cs", "ready")];
    board.note(&rows, "12:00:00", Lang::En);
    assert!(board.events.is_empty());
    rows[0].state = "restarting".to_owned();
    board.note(&rows, "12:00:01", Lang::En);
    rows[0].state = "ready".to_owned();
    board.note(&rows, "12:00:02", Lang::En);
    rows[0].pid = 8;
    board.note(&rows, "12:00:03", Lang::En);
    board.note(&rows, "12:00:04", Lang::En);
    assert_eq!(
        board.events,
        [
            "12:00:01 cs-352047: ready -> restarting",
            "12:00:02 cs-352047: restarting -> ready",
            "12:00:03 cs-352047: started anew"
        ]
    );
}

#[test]
fn a_line_is_cut_where_the_terminal_ends() {
    assert_eq!(fitting("abcdef", 4), "abcd");
    assert_eq!(fitting("全国センター", 5), "全国");
    assert_eq!(fitting("a -> b", 80), "a -> b");
}
