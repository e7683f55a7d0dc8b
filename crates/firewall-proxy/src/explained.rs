//! An explanation in sentences.

use juki_domain::Lang;
use juki_firewall::{Explanation, RefusedBy, Sample, Step};
use serde_json::{Value, json};

/// One step in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepLine {
    pub(crate) step: &'static str,
    pub(crate) held: bool,
    pub(crate) says: String,
}

/// Every step, the last one being the verdict.
pub(crate) fn lines(sample: &Sample, explanation: &Explanation, lang: Lang) -> Vec<StepLine> {
    let held = explanation.held.iter().map(|step| StepLine {
        step: step_name(step),
        held: true,
        says: step_says(sample, step, lang),
    });
    let last = match &explanation.verdict {
        Ok(to) => StepLine {
            step: "verdict",
            held: true,
            says: match lang {
                Lang::En => format!("passes to {to}"),
                Lang::Ja => format!("{to} へ通す"),
            },
        },
        Err(rule) => StepLine {
            step: refused_name(*rule),
            held: false,
            says: refused_says(sample, *rule, lang),
        },
    };
    held.chain([last]).collect()
}

/// The explanation as JSON.
pub(crate) fn document(sample: &Sample, explanation: &Explanation, lang: Lang) -> Value {
    let steps: Vec<Value> = lines(sample, explanation, lang)
        .into_iter()
        .map(|line| json!({"step": line.step, "held": line.held, "says": line.says}))
        .collect();
    let (passes, to) = match &explanation.verdict {
        Ok(to) => (true, to.as_str()),
        Err(_) => (false, ""),
    };
    json!({
        "passes": passes,
        "to": to,
        "code": explanation.code().map_or("", juki_domain::ErrorCode::code),
        "rule": explanation.verdict.as_ref().err().map_or_else(String::new, ToString::to_string),
        "steps": steps,
    })
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::SpeaksFor { .. } => "speaks-for",
        Step::Route { .. } => "route",
        Step::Rule { .. } => "rule",
        Step::Hours { .. } => "hours",
        Step::Size { .. } => "size",
        Step::Rate { .. } => "rate",
    }
}

fn refused_name(rule: RefusedBy) -> &'static str {
    match rule {
        RefusedBy::SpeaksFor => "speaks-for",
        RefusedBy::Route => "route",
        RefusedBy::DenyByDefault => "rule",
        RefusedBy::Hours(_) => "hours",
        RefusedBy::Size(_) => "size",
        RefusedBy::Rate(_) | RefusedBy::Volume(_) => "rate",
    }
}

fn step_says(sample: &Sample, step: &Step, lang: Lang) -> String {
    let source = &sample.source;
    let bytes = sample.bytes;
    match (step, lang) {
        (Step::SpeaksFor { peer, interface }, Lang::En) => {
            format!("{peer} on {interface} may bring frames of {source}")
        }
        (Step::SpeaksFor { peer, interface }, Lang::Ja) => {
            format!("{interface} の {peer} は {source} のフレームを渡せる")
        }
        (Step::Route { to, interface }, Lang::En) => {
            format!(
                "the way to {} leads over {to} on {interface}",
                sample.destination
            )
        }
        (Step::Route { to, interface }, Lang::Ja) => {
            format!("{} への経路は {interface} の {to}", sample.destination)
        }
        (Step::Rule { rule }, Lang::En) => format!("rule {rule} names it"),
        (Step::Rule { rule }, Lang::Ja) => format!("規則 {rule} に当たる"),
        (Step::Hours { at, hours }, Lang::En) => match hours {
            Some(hours) => format!("{at} is within {hours}"),
            None => format!("the rule always holds (now {at})"),
        },
        (Step::Hours { at, hours }, Lang::Ja) => match hours {
            Some(hours) => format!("{at} は {hours} の内"),
            None => format!("規則は常に働く(今は {at})"),
        },
        (Step::Size { bytes_max }, Lang::En) => {
            format!("{bytes} bytes are within {bytes_max}")
        }
        (Step::Size { bytes_max }, Lang::Ja) => {
            format!("{bytes} バイトは上限 {bytes_max} の内")
        }
        (
            Step::Rate {
                frames_per_s,
                burst_frames,
                bytes_per_s,
            },
            lang,
        ) => {
            let volume = bytes_per_s.map_or_else(String::new, |bytes| match lang {
                Lang::En => format!(", {bytes} bytes/s"),
                Lang::Ja => format!("、毎秒 {bytes} バイト"),
            });
            match lang {
                Lang::En => {
                    format!("within {frames_per_s} frames/s, {burst_frames} at once{volume}")
                }
                Lang::Ja => {
                    format!("毎秒 {frames_per_s} フレーム、一度に {burst_frames} の内{volume}")
                }
            }
        }
    }
}

fn refused_says(sample: &Sample, rule: RefusedBy, lang: Lang) -> String {
    let code = rule.code();
    let what = code.explain(lang).what;
    let Sample {
        source,
        destination,
        bytes,
        ..
    } = sample;
    let service = sample.service.name();
    let why = match (rule, lang) {
        (RefusedBy::SpeaksFor, Lang::En) => {
            let who = sample.peer.as_ref().map_or("no peer", |peer| peer.as_str());
            format!("{who} speaks for {source}: see speaks_for in node.toml")
        }
        (RefusedBy::SpeaksFor, Lang::Ja) => {
            format!("{source} を代弁できる相手でない: node.toml の speaks_for を参照")
        }
        (RefusedBy::Route, Lang::En) => format!("no way leads to {destination}"),
        (RefusedBy::Route, Lang::Ja) => format!("{destination} への経路がない"),
        (RefusedBy::DenyByDefault, Lang::En) => {
            format!("no rule names {service} from {source} to {destination} here")
        }
        (RefusedBy::DenyByDefault, Lang::Ja) => {
            format!("{source} から {destination} への {service} を通す規則がない")
        }
        (RefusedBy::Size(number), Lang::En) => {
            format!("{bytes} bytes are too long for rule {number}")
        }
        (RefusedBy::Size(number), Lang::Ja) => format!("{bytes} バイトは規則 {number} に長すぎる"),
        (RefusedBy::Rate(number), Lang::En) => format!("{source} has used up rule {number}'s rate"),
        (RefusedBy::Rate(number), Lang::Ja) => {
            format!("{source} は規則 {number} の頻度を使い切った")
        }
        (RefusedBy::Volume(number), Lang::En) => {
            format!("{source} has used up rule {number}'s bytes")
        }
        (RefusedBy::Volume(number), Lang::Ja) => {
            format!("{source} は規則 {number} の通信量を使い切った")
        }
        (RefusedBy::Hours(number), Lang::En) => format!("rule {number} does not hold at this hour"),
        (RefusedBy::Hours(number), Lang::Ja) => format!("この時間には規則 {number} が働かない"),
    };
    format!("{why} ({} {what})", code.code())
}
