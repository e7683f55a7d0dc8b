//! Judges what the ends of a link say of each other: certificates, clocks, calendars, versions, journals.

use juki_domain::{ErrorCode, Lang, NodeRole};
use juki_topology::Calendar;
use serde_json::Value;

use super::cell::{Cell, Check, Mark};
use super::facts::{End, Link, Presence, has_failed};
use super::way;
use crate::text::matrix as say;

/// What the judging needs beside the link.
pub(super) struct Bench<'a> {
    /// The deployment's folder, as commands name it.
    pub(super) folder: &'a str,
    /// The network's calendar.
    pub(super) calendar: &'a Calendar,
    /// The machine's clock.
    pub(super) now_s: u64,
    pub(super) lang: Lang,
}

/// One check of one link.
pub(super) fn judge(link: &Link, check: Check, bench: &Bench<'_>) -> Cell {
    let lang = bench.lang;
    match check {
        Check::Route => way::route(link, lang),
        Check::Port => way::port(link, bench.folder, lang),
        Check::Tls => tls(link, bench),
        Check::Clock => clock(link, lang),
        Check::Calendar => calendar(link, bench),
        Check::Version => version(link, bench),
        Check::Chain => chain(link, bench),
    }
}

fn tls(link: &Link, bench: &Bench<'_>) -> Cell {
    let lang = bench.lang;
    let show = |end: &End| {
        format!(
            "openssl x509 -in {} -noout -subject -dates",
            end.certificate.file
        )
    };
    for (end, other) in [(&link.node, &link.peer), (&link.peer, &link.node)] {
        let own = &end.certificate;
        if end.presence == Presence::Elsewhere && own.serial.is_empty() {
            continue;
        }
        if own.serial.is_empty() {
            return Cell::bad(say::no_certificate(lang, &own.file), show(end));
        }
        if own.not_after <= bench.now_s {
            return Cell::bad(say::certificate_expired(lang, &end.name), show(end));
        }
        if other.certificate.revokes.contains(&own.serial) {
            let cause = say::certificate_revoked(lang, &end.name, &other.name);
            return Cell::bad(cause, new_deployment(bench));
        }
    }
    let code = link
        .codes()
        .into_iter()
        .filter(|code| code.starts_with("JKT-"))
        .find_map(ErrorCode::from_code);
    if let Some(code) = code {
        let cause = format!("{}: {}", code.code(), code.explain(lang).what);
        let todo = if code == ErrorCode::CertificateRevoked {
            new_deployment(bench)
        } else if code == ErrorCode::PeerNotNamed {
            way::check_file(&link.peer)
        } else {
            show(&link.node)
        };
        return Cell::bad(cause, todo);
    }
    spoken(link)
}

/// A revoked node has no way back but a new deployment.
fn new_deployment(bench: &Bench<'_>) -> String {
    format!("jukinet new {}-new", bench.folder)
}

/// Good where the ends have spoken; else nobody can tell.
fn spoken(link: &Link) -> Cell {
    match link.is_up() {
        Some(true) => Cell::plain(Mark::Good),
        Some(false) | None if said_to_be(link, Presence::Elsewhere) => Cell::plain(Mark::Elsewhere),
        Some(false) | None => Cell::plain(Mark::Unknown),
    }
}

fn said_to_be(link: &Link, presence: Presence) -> bool {
    link.node.presence == presence || link.peer.presence == presence
}

fn clock(link: &Link, lang: Lang) -> Cell {
    // Positive: the listening end is ahead of the dialling one.
    let by_node = link.seen_by_node().and_then(|peer| peer.clock_ahead_ms);
    let by_peer = link.seen_by_peer().and_then(|peer| peer.clock_ahead_ms);
    let Some(ahead) = by_node.or_else(|| by_peer.map(i64::saturating_neg)) else {
        return spoken(link);
    };
    let seconds = ahead.unsigned_abs() / 1000;
    let late = if ahead > 0 { &link.node } else { &link.peer };
    let fast = if ahead > 0 { &link.peer } else { &link.node };
    let cause = say::clocks_apart(lang, &fast.name, &late.name, seconds);
    let todo = "timedatectl set-ntp true".to_owned();
    match seconds {
        0..CLOCK_DOUBTFUL_S => Cell::plain(Mark::Good),
        CLOCK_DOUBTFUL_S..CLOCK_BAD_S => Cell::doubtful(cause, todo),
        CLOCK_BAD_S.. => Cell::bad(cause, todo),
    }
}

/// What a node's calendar is: its version and civil date.
fn calendar_of(end: &End, now_s: u64) -> Option<(u64, u64)> {
    let member = |name: &str| end.report.as_ref()?.more.get(name).and_then(Value::as_u64);
    if let (Some(version), Some(date)) = (member("calendar_version"), member("civil_date")) {
        return Some((version, date));
    }
    // Nothing runs: what it would say if it did.
    let calendar = &end.config.as_ref().ok()?.calendar;
    let date = calendar.date_at(now_s).ok()?;
    Some((u64::from(calendar.version), u64::from(date.number())))
}

fn calendar(link: &Link, bench: &Bench<'_>) -> Cell {
    let lang = bench.lang;
    let (Some(own), Some(other)) = (
        calendar_of(&link.node, bench.now_s),
        calendar_of(&link.peer, bench.now_s),
    ) else {
        return spoken(link);
    };
    if own == other {
        return Cell::plain(Mark::Good);
    }
    let network = u64::from(bench.calendar.version);
    let date = bench.calendar.date_at(bench.now_s);
    let right = (network, date.map_or(0, |date| u64::from(date.number())));
    let wrong = if own == right { &link.peer } else { &link.node };
    let todo = format!(
        "grep -A3 '^.calendar.' {}/network.toml {}",
        bench.folder, wrong.config_file
    );
    let text = |(version, date): (u64, u64)| say::calendar_text(lang, version, date);
    let cause = say::calendars_differ(
        lang,
        &link.node.name,
        &text(own),
        &link.peer.name,
        &text(other),
    );
    Cell::bad(cause, todo)
}

fn version(link: &Link, bench: &Bench<'_>) -> Cell {
    let lang = bench.lang;
    let todo = || {
        format!(
            "cargo build --release && jukinet down {0} && jukinet up {0} --detach",
            bench.folder
        )
    };
    let said = |end: &End, name: &str| {
        let value = end.report.as_ref()?.more.get(name)?;
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.as_u64().map(|number| number.to_string()))
    };
    // An end elsewhere is known by what it said here.
    let heard = |seen: Option<&juki_admin::PeerReport>| {
        let seen = seen.filter(|peer| peer.wire != 0)?;
        Some((seen.wire.to_string(), seen.version.clone()))
    };
    let of = |end: &End| Some((said(end, "wire")?, said(end, "version")?));
    let own = of(&link.node).or_else(|| heard(link.seen_by_peer()));
    let other = of(&link.peer).or_else(|| heard(link.seen_by_node()));
    let (Some(own), Some(other)) = (own, other) else {
        return spoken(link);
    };
    let cause = |own: &str, other: &str| {
        say::versions_differ(lang, &link.node.name, own, &link.peer.name, other)
    };
    if own.0 != other.0 || link.codes().contains(&ErrorCode::FrameVersion.code()) {
        return Cell::bad(cause(&own.0, &other.0), todo());
    }
    if own.1 != other.1 && !own.1.is_empty() && !other.1.is_empty() {
        return Cell::doubtful(cause(&own.1, &other.1), todo());
    }
    Cell::plain(Mark::Good)
}

fn chain(link: &Link, bench: &Bench<'_>) -> Cell {
    let lang = bench.lang;
    let node = &link.node;
    if let Some(ahead) = link.ahead.first() {
        if node.role != NodeRole::MunicipalCs {
            // Not the writer: the tier below sends again what is missing here.
            let cause = say::copy_behind(
                lang,
                &node.name,
                &ahead.municipality,
                ahead.own,
                &ahead.tier,
                ahead.held,
            );
            return Cell::doubtful(cause, format!("jukinet doctor {}", bench.folder));
        }
        let cause = say::journal_behind(
            lang,
            &node.name,
            &ahead.municipality,
            ahead.own,
            &ahead.tier,
            ahead.held,
        );
        let todo = say::restore_ledger(lang, bench.folder, &node.name);
        return Cell::bad(cause, todo);
    }
    let ledger = node.ledger.display().to_string();
    match &node.presence {
        Presence::Elsewhere => Cell::plain(Mark::Elsewhere),
        _ if has_failed(node.report.as_ref()) => Cell::bad(
            say::ledger_failed(lang, &node.name),
            format!("jukinet audit verify {ledger}"),
        ),
        Presence::Here if node.report.is_some() && !node.has_ledger => Cell::bad(
            say::ledger_missing(lang, &ledger),
            format!("tail -n 20 {}", node.log),
        ),
        Presence::Here if node.has_ledger => Cell::plain(Mark::Good),
        Presence::Here | Presence::Down(_) | Presence::NotStarted => Cell::plain(Mark::Unknown),
    }
}

/// What a slow line can feign.
const CLOCK_DOUBTFUL_S: u64 = 5;
/// Certificates made on one machine begin in the future on the other.
const CLOCK_BAD_S: u64 = 60;

#[cfg(test)]
mod tests;
