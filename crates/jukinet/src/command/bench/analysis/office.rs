//! The offices of a generated month: bodies, operators, their habits and what is permitted to them.

use juki_domain::CivilDate;

use super::dice::Dice;

/// A body with its operators.
pub(super) struct Body {
    pub(super) name: String,
    pub(super) affair: String,
    pub(super) terminals: u64,
    /// The minutes between which its operators work.
    pub(super) opens: u16,
    pub(super) closes: u16,
    pub(super) has_saturday_desk: bool,
    /// The last working days of a month are this many times as busy.
    pub(super) month_end: f64,
    /// Part of its questions that hit nobody.
    pub(super) misses: f64,
    /// Part of its questions that go by the code.
    pub(super) by_code: f64,
}

/// An operator.
#[derive(Clone)]
pub(super) struct Operator {
    pub(super) name: String,
    pub(super) body: usize,
    pub(super) terminal: String,
    /// Requests on a usual day.
    pub(super) rate: f64,
    /// How much his days differ.
    pub(super) spread: f64,
    /// The first day of work here: new staff begins within the month.
    pub(super) begins: CivilDate,
    pub(super) is_new: bool,
    /// Does the batch at the month's end.
    pub(super) has_batch: bool,
}

impl Operator {
    pub(super) fn card(&self) -> String {
        format!("C-{}", self.name)
    }
}

/// Bodies and operators.
pub(super) struct Offices {
    pub(super) bodies: Vec<Body>,
    pub(super) operators: Vec<Operator>,
}

impl Offices {
    /// Six to eight bodies with forty operators or more.
    pub(super) fn draw(dice: &mut Dice, (first, last): (CivilDate, CivilDate)) -> Self {
        let mut offices = Self {
            bodies: Vec::new(),
            operators: Vec::new(),
        };
        while offices.bodies.len() < 6 || offices.operators.len() < 44 {
            let number = offices.bodies.len();
            let is_flexible = number == 1;
            let body = Body {
                name: format!("body-{number}"),
                affair: format!("affair-{number}"),
                terminals: 0,
                opens: 8 * 60 + 30,
                closes: if is_flexible { 19 * 60 } else { 17 * 60 + 15 },
                has_saturday_desk: number == 2,
                month_end: if number.is_multiple_of(2) {
                    dice.within(1.4, 2.4)
                } else {
                    1.0
                },
                misses: dice.within(0.01, 0.09),
                by_code: dice.within(0.3, 0.9),
            };
            offices.bodies.push(body);
            offices.staff(dice, number, (first, last));
        }
        offices
    }

    fn staff(&mut self, dice: &mut Dice, body: usize, (first, last): (CivilDate, CivilDate)) {
        let staff = dice.between(5, 11);
        let terminals = (staff * 2).div_ceil(3).max(4);
        for number in 0..staff {
            let is_new = number > 3 && dice.chance(0.06);
            let days = u64::try_from(last.days() - first.days()).unwrap_or(30);
            let begins = if is_new {
                let after = i64::try_from(dice.between(days / 3, days * 3 / 4)).unwrap_or(0);
                CivilDate::from_days(first.days() + after).unwrap_or(first)
            } else {
                first
            };
            self.operators.push(Operator {
                name: format!("op-{body}-{number}"),
                body,
                terminal: format!("terminal-{body}-{}", number % terminals),
                rate: dice.log_normal(36.0, 0.5).clamp(8.0, 120.0),
                spread: dice.within(0.1, 0.3),
                begins,
                is_new,
                has_batch: number == 0,
            });
        }
        if let Some(body) = self.bodies.get_mut(body) {
            body.terminals = terminals;
        }
    }

    /// What the offices have permitted, as their `analysis.toml` says it.
    pub(super) fn permissions(&self, (from, to): (CivilDate, CivilDate)) -> String {
        let mut text = String::new();
        for (number, body) in self.bodies.iter().enumerate() {
            let mut permit = |hours: &str, days: &str| {
                text.push_str(&format!(
                    "\n[[overtime]]\nbody = \"{}\"\nhours = \"{hours}\"\n{days}",
                    body.name
                ));
            };
            if body.closes > 18 * 60 {
                permit("Mon-Fri 08:30-19:00", "");
            }
            if body.has_saturday_desk {
                permit("Sat 09:00-13:00", "");
            }
            if number == 0 {
                permit(
                    "Mon-Fri 07:30-22:00",
                    &format!("from = \"{from}\"\nto = \"{to}\"\n"),
                );
            }
        }
        text
    }
}
