use juki_topology::Calendar;

use super::*;
use crate::{Evidence, Outcome, PinFailed, Query};
use juki_dispatch::CommunicationRecord;

const MONDAY: &str = "2002-10-21";

/// Events of a deployment whose calendar begins on a Monday.
struct Scene {
    analysis: Analysis,
    seq: u64,
}

fn scene(listed: &[u8]) -> Scene {
    let listed = listed.iter().map(|person| [*person; 16]).collect();
    Scene {
        analysis: Analysis::new(
            Settings::parse(DEFAULT_SETTINGS, "settings").unwrap(),
            Holidays::parse(DEFAULT_HOLIDAYS).unwrap(),
            listed,
        ),
        seq: 0,
    }
}

fn calendar() -> Calendar {
    Calendar {
        base: MONDAY.parse().unwrap(),
        anchor_unix_s: 0,
        version: 1,
    }
}

impl Scene {
    fn event(&mut self, day: u64, minute: u64, node: &str, what: What) {
        self.seq += 1;
        let source = crate::Source {
            node: node.parse().unwrap(),
            calendar: calendar(),
        };
        let event = Event {
            at: source.moment((day * 1_440 + minute) * 60_000),
            evidence: Evidence {
                node: source.node,
                seq: self.seq,
            },
            what,
        };
        self.analysis.take(&event);
    }

    fn ask(&mut self, (day, minute): (u64, u64), operator: &str, person: &[u8], outcome: Outcome) {
        let refusal = if outcome == Outcome::Refused {
            "JKA-1101"
        } else {
            ""
        };
        let query = Query {
            operator: operator.to_owned(),
            card: format!("card-{operator}"),
            terminal: format!("terminal-{operator}"),
            body: "mhlw".to_owned(),
            affair: "pension".to_owned(),
            person: person.to_vec(),
            outcome,
            refusal: refusal.to_owned(),
            requests: 1,
        };
        self.event(day, minute, "national", What::Query(query));
    }

    /// A usual working day of a body: every hour from nine to five somebody asks for somebody new.
    fn usual_day(&mut self, day: u64, operators: u64, each_hour: u64) {
        for hour in 9..17 {
            for turn in 0..each_hour {
                for operator in 0..operators {
                    let person = fresh(day, hour * 100 + turn, operator);
                    let minute = hour * 60 + turn * 60 / each_hour;
                    self.ask(
                        (day, minute),
                        &format!("op-{operator}"),
                        &person,
                        Outcome::Match,
                    );
                }
            }
        }
    }

    fn found(self) -> Vec<(Rule, String, u64)> {
        let report = self.analysis.finish();
        assert_eq!((report.left_out, report.findings_left), (0, 0));
        report
            .findings
            .into_iter()
            .map(|finding| {
                assert!(!finding.evidence.is_empty(), "{finding:?}");
                (finding.rule, finding.subject, finding.count)
            })
            .collect()
    }
}

/// Somebody nobody else asks for.
fn fresh(day: u64, number: u64, operator: u64) -> [u8; 16] {
    let mut person = [1; 16];
    let words = [day, number, operator];
    for (to, word) in person.chunks_mut(4).zip(words) {
        to.copy_from_slice(&u32::try_from(word).unwrap().to_be_bytes());
    }
    person
}

#[test]
fn usual_work_gives_no_finding() {
    let mut scene = scene(&[]);
    for day in [0, 1, 2, 3, 4, 7, 8, 9, 10, 11] {
        scene.usual_day(day, 5, 4);
    }
    assert_eq!(scene.found(), []);
}

#[test]
fn work_at_night_and_on_a_saturday_is_found() {
    let mut scene = scene(&[]);
    for turn in 0..4 {
        scene.ask(
            (0, 21 * 60 + turn),
            "night",
            &fresh(0, turn, 9),
            Outcome::Match,
        );
    }
    scene.ask((0, 21 * 60 + 5), "once", &fresh(0, 5, 9), Outcome::Match);
    scene.ask((5, 10 * 60), "saturday", &fresh(5, 6, 9), Outcome::Match);
    assert_eq!(
        scene.found(),
        [
            (Rule::OutsideHours, "night".to_owned(), 4),
            (Rule::HolidayWork, "saturday".to_owned(), 1)
        ]
    );
}

#[test]
fn a_day_far_beyond_what_is_usual_is_a_mass_search_unless_all_are_that_busy() {
    let mut scene = scene(&[]);
    for day in [0, 1, 2, 3, 4, 7] {
        scene.usual_day(day, 5, 4);
    }
    // All at once are three times as busy.
    scene.usual_day(8, 5, 12);
    scene.usual_day(9, 5, 4);
    for turn in 0..140 {
        scene.ask(
            (9, 17 * 60 - 1),
            "op-2",
            &fresh(9, 5_000 + turn, 2),
            Outcome::Match,
        );
    }
    let found = scene.found();
    assert!(
        found.contains(&(Rule::MassSearch, "op-2".to_owned(), 172)),
        "{found:?}"
    );
    assert!(
        found.iter().all(|(_, subject, _)| subject == "op-2"),
        "{found:?}"
    );
}

#[test]
fn a_day_of_guesses_that_hit_nobody_is_found() {
    let mut scene = scene(&[]);
    for turn in 0..20 {
        scene.ask(
            (0, 600 + turn),
            "guesser",
            &fresh(0, turn, 1),
            Outcome::NoMatch,
        );
    }
    assert_eq!(
        scene.found(),
        [(Rule::ManyPersons, "guesser".to_owned(), 20)]
    );
}

#[test]
fn one_person_whom_many_ask_for_is_found_once() {
    let mut scene = scene(&[]);
    for (day, operator) in [
        (0, "a"),
        (1, "b"),
        (1, "a"),
        (2, "c"),
        (3, "d"),
        (3, "e"),
        (4, "f"),
    ] {
        scene.ask((day, 600), operator, &[7; 16], Outcome::Match);
    }
    // Four colleagues hand on another's case.
    for operator in ["a", "b", "c", "d"] {
        scene.ask((4, 600), operator, &[8; 16], Outcome::Match);
    }
    assert_eq!(scene.found(), [(Rule::OnePerson, "07".repeat(16), 6)]);
}

#[test]
fn overreach_is_found_and_a_single_slip_is_not() {
    let mut scene = scene(&[]);
    for turn in 0..3 {
        scene.ask(
            (0, 600 + turn),
            "tries",
            &fresh(0, turn, 1),
            Outcome::Refused,
        );
    }
    scene.ask((0, 610), "slips", &fresh(0, 9, 1), Outcome::Refused);
    assert_eq!(
        scene.found(),
        [(Rule::RepeatedRefusals, "tries".to_owned(), 3)]
    );
}

#[test]
fn a_colleague_looked_up_again_is_found_and_one_look_is_not() {
    let mut scene = scene(&[7, 8]);
    scene.ask((0, 600), "curious", &[7; 16], Outcome::Match);
    scene.ask((0, 605), "curious", &[7; 16], Outcome::Match);
    scene.ask((0, 600), "works", &[8; 16], Outcome::Match);
    scene.ask((1, 600), "curious", &[7; 16], Outcome::Match);
    assert_eq!(
        scene.found(),
        [(Rule::ListedPerson, "curious".to_owned(), 3)]
    );
}

#[test]
fn wrong_pins_count_by_card_and_by_terminal() {
    let mut scene = scene(&[]);
    let failed = |card: &str| {
        What::FailedPin(PinFailed {
            at_ms: 0,
            card: card.to_owned(),
            left: 1,
            ..PinFailed::default()
        })
    };
    for _ in 0..3 {
        scene.event(0, 600, "terminal-1", failed("c-1"));
    }
    for card in ["c-2", "c-3", "c-4"] {
        scene.event(1, 600, "terminal-2", failed(card));
    }
    scene.event(1, 600, "terminal-3", failed("c-5"));
    assert_eq!(
        scene.found(),
        [
            (Rule::FailedPins, "c-1".to_owned(), 3),
            (Rule::FailedPins, "terminal-2".to_owned(), 3)
        ]
    );
}

#[test]
fn hours_without_the_usual_traffic_are_found() {
    let mut scene = scene(&[]);
    let run = || {
        What::Traffic(CommunicationRecord {
            from: "cs-352047".to_owned(),
            service: "journal".to_owned(),
            count: 9,
            ..CommunicationRecord::default()
        })
    };
    let days = [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 15];
    for day in days {
        for hour in 8..18 {
            // On the last day nothing comes between eleven and four.
            if day != 15 || !(11..16).contains(&hour) {
                scene.event(day, hour * 60 + 40, "prefecture-35", run());
            }
        }
    }
    assert_eq!(
        scene.found(),
        [(Rule::Silence, "cs-352047 journal".to_owned(), 5)]
    );
}

#[test]
fn a_leap_of_the_calendar_costs_one_day_and_no_century() {
    let mut scene = scene(&[]);
    scene.ask((0, 600), "a", &[1; 16], Outcome::Match);
    let far = Event {
        at: Moment {
            at_ms: 1,
            date: "2150-12-31".parse().unwrap(),
            minute: 600,
        },
        evidence: Evidence {
            node: "national".parse().unwrap(),
            seq: 2,
        },
        what: What::FailedPin(PinFailed::default()),
    };
    scene.analysis.take(&far);
    assert_eq!(scene.analysis.finish().events, 2);
}
