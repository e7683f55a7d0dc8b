//! Answers of the terminal, for people or as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use juki_domain::Lang;
use serde_json::Value;

use super::text;

/// Whether the one who was asked answered: a match, none, or several.
pub(crate) fn is_answered(answer: &Value) -> bool {
    matches!(
        string(answer, "/outcome"),
        Some("match" | "no-match" | "several")
    )
}

/// The answer to an inquiry.
pub(crate) fn of_inquiry(answer: &Value, lang: Lang, json: bool) -> String {
    if json {
        return answer.to_string();
    }
    let outcome = match string(answer, "/outcome") {
        Some("match") => text::matched(lang),
        Some("no-match") => text::no_match(lang),
        Some("several") => text::several(lang),
        Some("refused") => [text::refused(lang)]
            .into_iter()
            .chain(string(answer, "/code").map(str::to_owned))
            .chain(string(answer, "/what").map(str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        Some(other) => other.to_owned(),
        None => String::new(),
    };
    let ended = answer.pointer("/record/change/ended") == Some(&Value::Bool(true));
    let mut lines = vec![(text::outcome(lang), Some(outcome))];
    for (label, path) in [
        (text::resident_code(lang), "/record/code"),
        (text::name(lang), "/record/name"),
        (text::birth(lang), "/record/birth"),
        (text::sex(lang), "/record/sex"),
        (text::address(lang), "/record/address"),
        (text::municipality(lang), "/record/municipality"),
        (text::change_reason(lang), "/record/change/reason"),
        (text::change_date(lang), "/record/change/date"),
        (text::previous_code(lang), "/record/change/previous_code"),
        (text::reason(lang), "/why"),
        (text::starts(lang), "/starts"),
        (text::next_step(lang), "/todo"),
    ] {
        lines.push((label, string(answer, path).map(str::to_owned)));
    }
    lines.push((text::ended(lang), ended.then(|| text::yes(lang))));
    lines.push((
        text::message(lang),
        string(answer, "/message_id").map(str::to_owned),
    ));
    aligned(lines)
}

/// The answer to a log-in.
pub(crate) fn of_login(answer: &Value, lang: Lang, json: bool) -> String {
    if json {
        return answer.to_string();
    }
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let until_s = answer.pointer("/until_unix_s").and_then(Value::as_u64);
    let minutes = until_s.map(|until| until.saturating_sub(now_s).div_ceil(60));
    let own = |path| string(answer, path).map(str::to_owned);
    let lines = aligned(vec![
        (text::operator(lang), own("/operator")),
        (text::card(lang), own("/card")),
        (
            text::valid(lang),
            minutes.map(|minutes| text::session_minutes(lang, minutes)),
        ),
    ]);
    let duties = answer.pointer("/duties").and_then(Value::as_array);
    let duties = duties.into_iter().flatten().filter_map(Value::as_str);
    let duties: String = duties.map(|duty| format!("\n・{duty}")).collect();
    format!("{}\n{lines}{duties}", text::logged_in(lang))
}

/// The answer to a log-out.
pub(crate) fn of_logout(answer: &Value, lang: Lang, json: bool) -> String {
    if json {
        answer.to_string()
    } else {
        text::logged_out(lang)
    }
}

fn string<'a>(answer: &'a Value, path: &str) -> Option<&'a str> {
    answer.pointer(path).and_then(Value::as_str)
}

/// Labels in a column, values beside them; what has no value is left out.
fn aligned(lines: Vec<(String, Option<String>)>) -> String {
    let given = lines
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?)));
    let given: Vec<(String, String)> = given.collect();
    let width = given
        .iter()
        .map(|(label, _)| columns(label))
        .max()
        .unwrap_or(0);
    let line = |(label, value): &(String, String)| {
        let gap = " ".repeat(width - columns(label) + 2);
        format!("{label}{gap}{value}")
    };
    given.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How many columns a label takes on a terminal: all but ASCII is wide here.
fn columns(label: &str) -> usize {
    label
        .chars()
        .map(|letter| if letter.is_ascii() { 1 } else { 2 })
        .sum()
}
