//! Planted misuse: of each kind a blatant, a clear, a moderate and a faint one.
//!
//! Its measures are of its own, in terms of what people do; the thresholds of the analysis are not
//! known here.

use juki_audit::{Outcome, Rule};
use juki_domain::CivilDate;

use super::dice::{Dice, rounded};
use super::month::{Asked, Month};
use super::office::Operator;

/// Somebody's misuse, or a node's silence.
pub(super) struct Planted {
    pub(super) rule: Rule,
    /// Whom a finding has to name.
    pub(super) subjects: Vec<String>,
    pub(super) from: CivilDate,
    pub(super) to: CivilDate,
    /// From blatant (0) to faint (3).
    pub(super) grade: usize,
}

/// From blatant to faint.
const GRADES: usize = 4;
/// The faintest grade.
pub(super) const FAINTEST: usize = GRADES - 1;

/// Plants misuse of every kind into a month.
pub(super) fn plant(month: &mut Month) -> Vec<Planted> {
    let mut planting = Planting {
        planted: Vec::new(),
        taken: Vec::new(),
    };
    for grade in 0..GRADES {
        planting.at_night(month, grade);
        planting.on_a_day_off(month, grade);
        planting.mass(month, grade);
        planting.harvest(month, grade);
        planting.celebrity(month, grade);
        planting.overreach(month, grade);
        planting.colleague(month, grade);
        planting.pins(month, grade);
        planting.silence(month, grade);
    }
    planting.planted
}

struct Planting {
    planted: Vec<Planted>,
    /// Operators who misuse already.
    taken: Vec<String>,
}

/// One of four ranges.
fn graded(dice: &mut Dice, grade: usize, ranges: [(f64, f64); GRADES]) -> f64 {
    let (low, high) = ranges.get(grade).copied().unwrap_or((1.0, 1.0));
    dice.within(low, high)
}

fn day_after(day: CivilDate, days: i64) -> CivilDate {
    CivilDate::from_days(day.days() + days).unwrap_or(day)
}

impl Planting {
    /// An operator who is neither new nor misuses yet.
    fn culprit(&mut self, month: &mut Month, fits: impl Fn(&Operator) -> bool) -> Option<Operator> {
        let free: Vec<Operator> = month
            .offices
            .operators
            .iter()
            .filter(|operator| {
                !operator.is_new && !self.taken.contains(&operator.name) && fits(operator)
            })
            .cloned()
            .collect();
        let culprit = month.dice.one(&free)?.clone();
        self.taken.push(culprit.name.clone());
        Some(culprit)
    }

    fn note(
        &mut self,
        (rule, grade): (Rule, usize),
        subject: &str,
        (from, to): (CivilDate, CivilDate),
    ) {
        self.planted.push(Planted {
            rule,
            subjects: vec![subject.to_owned()],
            from,
            to,
            grade,
        });
    }

    fn at_night(&mut self, month: &mut Month, grade: usize) {
        // Not the offices that may work in the evening.
        let Some(culprit) = self.culprit(month, |operator| operator.body > 1) else {
            return;
        };
        let Some(day) = month.dice.one(&month.working_days()).copied() else {
            return;
        };
        let ranges = [(15.0, 40.0), (8.0, 15.0), (5.0, 8.0), (3.0, 6.0)];
        let count = rounded(graded(&mut month.dice, grade, ranges));
        let begins = graded(
            &mut month.dice,
            grade,
            [(21.0, 22.5), (19.5, 21.0), (18.8, 20.0), (18.5, 19.5)],
        ) * 60.0;
        for _ in 0..count {
            let minute = begins + month.dice.within(0.0, 50.0);
            strange(month, &culprit, day, minute, Outcome::Match);
        }
        self.note((Rule::OutsideHours, grade), &culprit.name, (day, day));
    }

    fn on_a_day_off(&mut self, month: &mut Month, grade: usize) {
        let Some(culprit) = self.culprit(month, |operator| operator.body > 2) else {
            return;
        };
        let Some(day) = month.dice.one(&month.days_off()).copied() else {
            return;
        };
        let ranges = [(20.0, 60.0), (8.0, 15.0), (3.0, 6.0), (1.0, 3.0)];
        let count = rounded(graded(&mut month.dice, grade, ranges)).max(1);
        for _ in 0..count {
            let minute = month.dice.within(9.0 * 60.0, 18.0 * 60.0);
            strange(month, &culprit, day, minute, Outcome::Match);
        }
        self.note((Rule::HolidayWork, grade), &culprit.name, (day, day));
    }

    /// Several times a usual day's work within one day.
    fn mass(&mut self, month: &mut Month, grade: usize) {
        let Some((culprit, day)) = self.at_work(month, |operator| operator.rate > 18.0) else {
            return;
        };
        let ranges = [(8.0, 15.0), (4.5, 7.0), (3.0, 4.2), (2.0, 3.0)];
        let times = graded(&mut month.dice, grade, ranges);
        for _ in 0..rounded(culprit.rate * times) {
            let minute = month.dice.within(9.0 * 60.0, 17.0 * 60.0);
            strange(month, &culprit, day, minute, Outcome::Match);
        }
        self.note((Rule::MassSearch, grade), &culprit.name, (day, day));
    }

    /// A surplus every day for a week or so, or a day of guesses.
    fn harvest(&mut self, month: &mut Month, grade: usize) {
        let Some((culprit, first)) = self.at_work(month, |operator| operator.rate > 18.0) else {
            return;
        };
        let outcome = if grade == 1 {
            Outcome::NoMatch
        } else {
            Outcome::Match
        };
        let days = [4, 1, 6, 7].get(grade).copied().unwrap_or(5);
        let ranges = [(2.5, 3.6), (1.2, 2.0), (1.2, 1.8), (0.9, 1.2)];
        let working = month.working_days();
        let at = working.iter().position(|day| *day == first).unwrap_or(0);
        // A harvest that would go beyond the month begins earlier.
        let at = at.min(working.len().saturating_sub(days));
        let chosen: Vec<CivilDate> = working.iter().skip(at).take(days).copied().collect();
        for day in &chosen {
            let times = graded(&mut month.dice, grade, ranges);
            for _ in 0..rounded(culprit.rate * times) {
                let minute = month.dice.within(9.0 * 60.0, 17.0 * 60.0);
                strange(month, &culprit, *day, minute, outcome);
            }
        }
        if let (Some(first), Some(last)) = (chosen.first(), chosen.last()) {
            self.note((Rule::ManyPersons, grade), &culprit.name, (*first, *last));
        }
    }

    /// Somebody in the news, whom many want to see.
    fn celebrity(&mut self, month: &mut Month, grade: usize) {
        let working = month.working_days();
        let person = month.dice.pseudonym();
        let viewers = rounded(graded(
            &mut month.dice,
            grade,
            [(9.0, 12.0), (6.0, 8.0), (5.0, 6.0), (4.0, 5.0)],
        ));
        let within = [1, 2, 4, 5].get(grade).copied().unwrap_or(1);
        let at = month.dice.between(0, (working.len() - within) as u64);
        let days: Vec<CivilDate> = working
            .iter()
            .skip(usize::try_from(at).unwrap_or(0))
            .take(within)
            .copied()
            .collect();
        let mut staff: Vec<Operator> = month.offices.operators.clone();
        staff.retain(|operator| !operator.is_new);
        let start = month.dice.between(0, staff.len() as u64 - 1);
        let start = usize::try_from(start).unwrap_or(0);
        // Every third of the row sits at another terminal, in another office soon.
        for number in 0..usize::try_from(viewers).unwrap_or(0) {
            let (Some(operator), Some(day)) = (
                staff.get((start + number * 3) % staff.len()),
                month.dice.one(&days).copied(),
            ) else {
                return;
            };
            let operator = operator.clone();
            let minute = month.dice.within(9.0 * 60.0, 16.9 * 60.0);
            month.ask(&Asked {
                operator: &operator,
                day,
                minute,
                person,
                outcome: Outcome::Match,
                refusal: "",
            });
        }
        let subject: String = person.iter().map(|byte| format!("{byte:02x}")).collect();
        if let (Some(first), Some(last)) = (days.first(), days.last()) {
            self.note((Rule::OnePerson, grade), &subject, (*first, *last));
        }
    }

    /// Affairs that are not one's own, again and again.
    fn overreach(&mut self, month: &mut Month, grade: usize) {
        let Some((culprit, first)) = self.at_work(month, |_| true) else {
            return;
        };
        let ranges = [(30.0, 60.0), (10.0, 20.0), (5.0, 8.0), (3.0, 5.0)];
        let count = rounded(graded(&mut month.dice, grade, ranges));
        for _ in 0..count {
            let minute = month.dice.within(9.0 * 60.0, 17.0 * 60.0);
            let person = month.dice.pseudonym();
            month.ask(&Asked {
                operator: &culprit,
                day: first,
                minute,
                person,
                outcome: Outcome::Refused,
                refusal: "JKA-1101",
            });
        }
        self.note(
            (Rule::RepeatedRefusals, grade),
            &culprit.name,
            (first, first),
        );
    }

    /// Colleagues: all of them at once, or one on several days.
    fn colleague(&mut self, month: &mut Month, grade: usize) {
        let Some((culprit, first)) = self.at_work(month, |_| true) else {
            return;
        };
        let ranges = [(6.0, 10.0), (3.0, 4.0), (3.0, 4.0), (2.0, 2.0)];
        let count = rounded(graded(&mut month.dice, grade, ranges));
        let working = month.working_days();
        let at = working.iter().position(|day| *day == first).unwrap_or(0);
        let mut last = first;
        let mut person = month.dice.one(&month.listed).copied();
        for number in 0..usize::try_from(count).unwrap_or(0) {
            if grade < 2 {
                person = month.dice.one(&month.listed).copied();
            } else {
                // Some days later, within the month.
                last = working
                    .get(at + number * 2)
                    .copied()
                    .unwrap_or(day_after(last, 1))
                    .min(month.last);
            }
            let Some(person) = person else { return };
            let minute = month.dice.within(9.0 * 60.0, 17.0 * 60.0);
            month.ask(&Asked {
                operator: &culprit,
                day: last,
                minute,
                person,
                outcome: Outcome::Match,
                refusal: "",
            });
        }
        self.note((Rule::ListedPerson, grade), &culprit.name, (first, last));
    }

    /// Somebody who has a card and not its PIN.
    fn pins(&mut self, month: &mut Month, grade: usize) {
        let Some((culprit, first)) = self.at_work(month, |_| true) else {
            return;
        };
        let working = month.working_days();
        let at = working.iter().position(|day| *day == first).unwrap_or(0);
        let at = at.min(working.len().saturating_sub(5));
        let (days, tries) = [(1, 3), (1, 3), (4, 2), (3, 2)]
            .get(grade)
            .copied()
            .unwrap_or((1, 3));
        let cards: Vec<String> = if grade == 0 {
            let staff = month.offices.operators.iter();
            staff.take(4).map(Operator::card).collect()
        } else {
            vec![culprit.card()]
        };
        let chosen: Vec<CivilDate> = working.iter().skip(at).take(days).copied().collect();
        for day in &chosen {
            for card in &cards {
                for _ in 0..tries {
                    let minute = month.dice.within(9.0 * 60.0, 17.0 * 60.0);
                    month.wrong_pin(*day, minute, &culprit.terminal, card);
                }
            }
        }
        if let (Some(first), Some(last)) = (chosen.first(), chosen.last()) {
            let mut subjects = cards;
            subjects.push(culprit.terminal);
            self.planted.push(Planted {
                rule: Rule::FailedPins,
                subjects,
                from: *first,
                to: *last,
                grade,
            });
        }
    }

    /// A busy server says nothing for days or hours; its entries are taken out of the month.
    fn silence(&mut self, month: &mut Month, grade: usize) {
        let busy: Vec<String> = month
            .flows
            .iter()
            .filter(|(node, an_hour)| *an_hour > 5.0 && !self.taken.contains(node))
            .map(|(node, _)| node.clone())
            .collect();
        let working = month.working_days();
        let (Some(node), true) = (month.dice.one(&busy).cloned(), working.len() > 4) else {
            return;
        };
        self.taken.push(node.clone());
        let days = if grade == 0 { 3 } else { 1 };
        let at = month.dice.between(0, (working.len() - days) as u64);
        let chosen: Vec<CivilDate> = working
            .iter()
            .skip(usize::try_from(at).unwrap_or(0))
            .take(days)
            .copied()
            .collect();
        let (first, last) = match (chosen.first(), chosen.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return,
        };
        let from = month.dice.within(8.5 * 60.0, 11.5 * 60.0);
        let hours = graded(
            &mut month.dice,
            grade,
            [(0.0, 0.0), (0.0, 0.0), (5.2, 7.0), (4.5, 5.2)],
        );
        let (from, to) = if hours == 0.0 {
            (0.0, 1_440.0)
        } else {
            (from, from + hours * 60.0)
        };
        month.silence(&node, (first, from), (last, to));
        self.note(
            (Rule::Silence, grade),
            &format!("{node} journal"),
            (first, last),
        );
    }

    /// A culprit on a day of the month on which he works anyway.
    fn at_work(
        &mut self,
        month: &mut Month,
        fits: impl Fn(&Operator) -> bool,
    ) -> Option<(Operator, CivilDate)> {
        let culprit = self.culprit(month, fits)?;
        let days: Vec<CivilDate> = month
            .working_days()
            .into_iter()
            .filter(|day| month.worked.contains(&(culprit.name.clone(), *day)))
            .collect();
        let day = month.dice.one(&days).copied()?;
        Some((culprit, day))
    }
}

/// Asks for somebody nobody else asks for.
fn strange(month: &mut Month, operator: &Operator, day: CivilDate, minute: f64, outcome: Outcome) {
    let person = month.dice.pseudonym();
    month.ask(&Asked {
        operator,
        day,
        minute,
        person,
        outcome,
        refusal: "",
    });
}
