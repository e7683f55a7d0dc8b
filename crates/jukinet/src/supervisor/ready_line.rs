//! The one line that a node prints when it is ready.

/// The addresses of a ready line by interface, without the admin socket; `None` for any other line.
///
/// `ready node=NAME role=ROLE admin=PATH inside=127.0.0.1:1234 ..`; the node must be the expected one.
pub(crate) fn parse(line: &str, node: &str) -> Option<Vec<(String, String)>> {
    let mut words = line.split_whitespace();
    if words.next() != Some("ready") {
        return None;
    }
    let pairs: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
    if !pairs.contains(&("node", node)) {
        return None;
    }
    let addresses = pairs
        .into_iter()
        .filter(|(key, _)| !["node", "role", "admin"].contains(key));
    Some(
        addresses
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .take(ADDRESSES_MAX)
            .collect(),
    )
}

/// More than any node has interfaces and relays.
const ADDRESSES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_line_gives_the_bound_addresses() {
        let line = "ready node=fw-national role=firewall-proxy admin=/n/data/admin.sock inside=127.0.0.1:41 line=127.0.0.1:42";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            parse(line, "fw-national"),
            Some(vec![
                pair("inside", "127.0.0.1:41"),
                pair("line", "127.0.0.1:42")
            ])
        );
    }

    #[test]
    fn another_nodes_line_and_other_lines_are_no_ready_line() {
        assert_eq!(
            parse("ready node=national role=national-center", "fw-national"),
            None
        );
        assert_eq!(parse("already node=fw-national", "fw-national"), None);
        assert_eq!(parse("ready", "fw-national"), None);
        assert_eq!(parse("", "fw-national"), None);
    }
}
