//! Judges the way of a link: whether the configurations name it, and whether somebody is at its end.

use juki_domain::Lang;
use juki_topology::NodeConfig;

use super::cell::{Cell, Mark};
use super::facts::{End, Link, Listening, Presence};
use crate::text::matrix as say;

/// Both ends and the line between them name each other.
pub(super) fn route(link: &Link, lang: Lang) -> Cell {
    let (own, other) = match (&link.node.config, &link.peer.config) {
        (Err(sentence), _) => return unreadable(&link.node, sentence),
        (_, Err(sentence)) => return unreadable(&link.peer, sentence),
        (Ok(own), Ok(other)) => (own, other),
    };
    if own.node.network != other.node.network {
        let cause = say::other_network(lang, &own.node.network, &other.node.network);
        return Cell::bad(cause, check_file(&link.node));
    }
    let not_named = |end: &End, other: &End| {
        Cell::bad(
            say::not_named(lang, &end.config_file, &other.name),
            check_file(end),
        )
    };
    if !named(own, &link.peer, true) {
        return not_named(&link.node, &link.peer);
    }
    if !named(other, &link.node, false) {
        return not_named(&link.peer, &link.node);
    }
    match &link.line {
        Some(line) if !line.is_relayed && line.presence != Presence::Elsewhere => Cell::bad(
            say::no_relay(lang, &line.access_point, &line.name),
            format!("tail -n 20 {}", line.log),
        ),
        Some(_) | None => Cell::plain(Mark::Good),
    }
}

fn named(config: &NodeConfig, other: &End, dialled: bool) -> bool {
    let entry = config
        .peer
        .iter()
        .find(|peer| peer.name.as_str() == other.name);
    entry.is_some_and(|peer| {
        let listens = |listen: &juki_topology::Listen| listen.interface == peer.interface;
        peer.dial.is_some() == dialled && (dialled || config.listen.iter().any(listens))
    })
}

fn unreadable(end: &End, sentence: &str) -> Cell {
    Cell::bad(sentence.to_owned(), check_file(end))
}

/// The command that names what is wrong in a configuration.
pub(super) fn check_file(end: &End) -> String {
    format!(
        "{} --config {} --check",
        end.role.program(),
        end.config_file
    )
}

/// Whoever is dialled runs, has announced itself and is bound; and the link is there.
pub(super) fn port(link: &Link, folder: &str, lang: Lang) -> Cell {
    for (name, presence, log) in on_the_way(link) {
        if let Presence::Down(how) = presence {
            let cause = say::does_not_run(lang, name, how);
            return Cell::bad(cause, format!("tail -n 20 {log}"));
        }
    }
    if let Some(line) = link.line.as_ref().filter(|line| line.up == Some(false)) {
        let todo = format!("jukinet line {folder} up {}", line.name);
        return Cell::bad(say::line_is_cut(lang, &line.name), todo);
    }
    let wrong = link.listening.iter().find_map(|place| unheard(place, lang));
    match (wrong, link.is_up()) {
        // It goes on as long as nobody has to look for it anew.
        (Some(cell), Some(true)) => Cell::doubtful(cell.cause, cell.todo),
        (Some(cell), _) => cell,
        (None, Some(true)) => Cell::plain(Mark::Good),
        (None, Some(false)) if leads_elsewhere(link) => Cell::plain(Mark::Elsewhere),
        (None, Some(false)) => unconnected(link, folder, lang),
        (None, None) if leads_elsewhere(link) => Cell::plain(Mark::Elsewhere),
        (None, None) => Cell::plain(Mark::Unknown),
    }
}

/// Both ends and the access point between them: name, presence, log.
fn on_the_way(link: &Link) -> impl Iterator<Item = (&str, &Presence, &str)> {
    let ends = [&link.node, &link.peer].into_iter();
    let line = link.line.iter();
    ends.map(|end| (end.name.as_str(), &end.presence, end.log.as_str()))
        .chain(line.map(|line| {
            (
                line.access_point.as_str(),
                &line.presence,
                line.log.as_str(),
            )
        }))
}

fn leads_elsewhere(link: &Link) -> bool {
    on_the_way(link).any(|(_, presence, _)| *presence == Presence::Elsewhere)
}

/// What is wrong where somebody should listen.
fn unheard(place: &Listening, lang: Lang) -> Option<Cell> {
    if place.pid == 0 {
        return None;
    }
    // Its supervisor starts it again, and it announces itself anew.
    let again = format!("kill {}", place.pid);
    match (&place.address, place.is_bound) {
        (None, _) => {
            let file = place.file.as_deref().unwrap_or_default();
            Some(Cell::bad(
                say::not_announced(lang, &place.node, file),
                again,
            ))
        }
        (Some(address), Some(false)) => {
            Some(Cell::bad(say::not_bound(lang, &place.node, address), again))
        }
        (Some(_), Some(true) | None) => None,
    }
}

/// Somebody listens, nothing is refused for certificates or versions, and still there is no link.
fn unconnected(link: &Link, folder: &str, lang: Lang) -> Cell {
    // What other checks explain is theirs to report.
    let explained = |code: &&str| code.starts_with("JKT-") || code.starts_with("JKW-");
    if link.codes().iter().any(explained) {
        return Cell::plain(Mark::Good);
    }
    let since = link
        .seen_by_node()
        .or_else(|| link.seen_by_peer())
        .map_or(0, |peer| peer.since_unix_s);
    let since = crate::local_time::clock_text(since.saturating_mul(1_000_000));
    let since = since.split('.').next().unwrap_or_default();
    let code = link.codes().first().copied().unwrap_or("-").to_owned();
    let todo = match &link.line {
        Some(_) => format!("jukinet line {folder} list"),
        None => format!("tail -n 20 {}", link.node.log),
    };
    Cell::bad(say::not_connected(lang, since, &code), todo)
}
