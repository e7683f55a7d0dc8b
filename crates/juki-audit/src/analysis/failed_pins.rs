//! Wrong PINs: of one card on a day or over some days, or of several cards at one terminal.

use std::collections::{BTreeSet, VecDeque};

use juki_domain::CivilDate;

use super::finding::{Finding, Rule, SubjectKind};
use super::trail::{Table, Trail};
use super::{Analysis, Judge, World};
use crate::{Event, What};

#[derive(Default)]
struct Card {
    today: Trail,
    before: VecDeque<(CivilDate, Trail)>,
}

#[derive(Default)]
struct Terminal {
    cards: BTreeSet<String>,
    trail: Trail,
}

pub(super) struct FailedPins {
    cards: Table<String, Card>,
    terminals: Table<String, Terminal>,
}

impl FailedPins {
    pub(super) fn new() -> Self {
        Self {
            cards: Table::new(Analysis::SUBJECTS_MAX),
            terminals: Table::new(Analysis::SUBJECTS_MAX),
        }
    }
}

impl Judge for FailedPins {
    fn take(&mut self, event: &Event, _: &World, _: &mut Vec<Finding>) {
        let What::FailedPin(failed) = &event.what else {
            return;
        };
        if let Some(card) = self.cards.row(&failed.card) {
            card.today.add(event);
        }
        if let Some(terminal) = self.terminals.row(&event.evidence.node.to_string()) {
            terminal.trail.add(event);
            if terminal.cards.len() < Analysis::SUBJECTS_MAX {
                terminal.cards.insert(failed.card.clone());
            }
        }
    }

    fn end_of_day(&mut self, day: CivilDate, world: &World, out: &mut Vec<Finding>) {
        let settings = &world.settings.pins;
        for (name, card) in self.cards.iter_mut() {
            let oldest = day.days() - settings.days;
            card.before.retain(|(day, _)| day.days() > oldest);
            let today = std::mem::take(&mut card.today);
            let mut week = today.clone();
            card.before.iter().for_each(|(_, trail)| week.extend(trail));
            let (trail, limit) = if today.count >= settings.day {
                (today, settings.day)
            } else if today.count > 0 && week.count >= settings.week {
                (week, settings.week)
            } else {
                if today.count > 0 {
                    card.before.push_back((day, today));
                }
                continue;
            };
            card.before.clear();
            out.extend(trail.finding(
                Rule::FailedPins,
                (SubjectKind::Card, name, ""),
                (trail.count, limit),
            ));
        }
        self.cards.retain(|_, card| !card.before.is_empty());
        for (name, terminal) in self.terminals.iter() {
            if terminal.cards.len() >= settings.cards_day {
                out.extend(terminal.trail.finding(
                    Rule::FailedPins,
                    (SubjectKind::Terminal, name, ""),
                    (terminal.trail.count, settings.cards_day as u64),
                ));
            }
        }
        self.terminals.clear();
    }

    fn left_out(&self) -> u64 {
        self.cards.left_out() + self.terminals.left_out()
    }
}
