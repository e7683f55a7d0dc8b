//! Puts drawn ages together into households that could be families.

use juki_domain::Sex;

use crate::age::AGES;
use crate::draw::{Draw, Weighted};

/// One person before names: age in full years, sex, and whether the household's surname is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) age: u8,
    pub(crate) sex: Sex,
    pub(crate) shares_surname: bool,
}

/// Of legal age in 2002.
pub(crate) const ADULT_AGE: u8 = 20;

/// A child younger than this never lives without somebody of at least [`ELDER_GAP`] more years.
pub(crate) const CHILD_AGE: u8 = 18;

/// Least years between a child and the one it lives with.
pub(crate) const ELDER_GAP: u8 = 16;

/// Households out of the given people, in random order: every person is in exactly one.
pub(crate) fn households(
    people: impl Iterator<Item = (u8, Sex)>,
    sizes: &Weighted<u8>,
    draw: &mut Draw,
) -> Vec<Vec<Member>> {
    let mut deck = Deck::new(people);
    let mut wanted = wanted_sizes(deck.left, sizes, draw);
    // Families first, pairs next: who lives alone is who is left.
    wanted.sort_by_key(|size| match size {
        0 | 1 => 2,
        2 => 1,
        _ => 0,
    });
    let mut slots: usize = wanted
        .iter()
        .filter(|size| **size >= 3)
        .map(|size| usize::from(*size) - 2)
        .sum();
    let mut made = Vec::with_capacity(wanted.len());
    for size in wanted {
        let household = match size {
            0 | 1 => continue,
            2 => pair(&mut deck, draw),
            _ => {
                let household = family(&mut deck, size, slots, draw);
                slots = slots.saturating_sub(usize::from(size) - 2);
                household
            }
        };
        if !household.is_empty() {
            made.push(household);
        }
    }
    rest(&mut deck, &mut made, draw);
    draw.shuffle(&mut made);
    made
}

/// People not yet in a household, counted by sex and age.
struct Deck {
    counts: [[u32; AGES]; 2],
    left: u32,
}

impl Deck {
    fn new(people: impl Iterator<Item = (u8, Sex)>) -> Self {
        let mut deck = Self {
            counts: [[0; AGES]; 2],
            left: 0,
        };
        for (age, sex) in people {
            deck.put(Member {
                age,
                sex,
                shares_surname: true,
            });
        }
        deck
    }

    fn put(&mut self, member: Member) {
        if let Some(count) = self.count(member.sex, i32::from(member.age)) {
            *count += 1;
            self.left += 1;
        }
    }

    fn count(&mut self, sex: Sex, age: i32) -> Option<&mut u32> {
        let of_sex = self.counts.get_mut(usize::from(sex == Sex::Female))?;
        of_sex.get_mut(usize::try_from(age).ok()?)
    }

    /// Takes the person whose age is nearest to `target` within `low..=high`.
    fn take(&mut self, sexes: &[Sex], target: i32, low: i32, high: i32) -> Option<Member> {
        for gap in 0..i32::try_from(AGES).unwrap_or(0) {
            for age in [target + gap, target - gap] {
                for &sex in sexes.iter().filter(|_| (low..=high).contains(&age)) {
                    if let Some(member) = self.take_exact(sex, age) {
                        return Some(member);
                    }
                }
            }
        }
        None
    }

    fn take_exact(&mut self, sex: Sex, age: i32) -> Option<Member> {
        let count = self.count(sex, age).filter(|count| **count > 0)?;
        *count -= 1;
        self.left -= 1;
        Some(Member {
            age: u8::try_from(age).ok()?,
            sex,
            shares_surname: true,
        })
    }

    fn between(&self, low: u8, high: u8) -> u32 {
        let range = usize::from(low)..=usize::from(high);
        self.counts
            .iter()
            .filter_map(|of_sex| of_sex.get(range.clone()))
            .flatten()
            .sum()
    }

    /// Takes somebody of `low..=high`, each as likely as the others.
    fn take_any(&mut self, low: u8, high: u8, draw: &mut Draw) -> Option<Member> {
        let mut nth = draw.below(u64::from(self.between(low, high)));
        for age in i32::from(low)..=i32::from(high) {
            for sex in [Sex::Male, Sex::Female] {
                let here = self.count(sex, age).map_or(0, |count| u64::from(*count));
                if nth < here {
                    return self.take_exact(sex, age);
                }
                nth -= here;
            }
        }
        None
    }
}

fn wanted_sizes(people: u32, sizes: &Weighted<u8>, draw: &mut Draw) -> Vec<u8> {
    let mut wanted = Vec::new();
    let mut left = people;
    while left > 0 {
        let size = sizes
            .draw(draw)
            .copied()
            .unwrap_or(1)
            .min(u8::try_from(left).unwrap_or(u8::MAX))
            .max(1);
        wanted.push(size);
        left -= u32::from(size);
    }
    wanted
}

/// Parents, children and perhaps grandparents; `slots` is how many children's places are left in
/// all families still to be made, so that no child stays over.
fn family(deck: &mut Deck, size: u8, slots: usize, draw: &mut Draw) -> Vec<Member> {
    let Some(eldest) = eldest(deck, slots, draw) else {
        return Vec::new();
    };
    let age = i32::from(eldest.age);
    let Some(mother) = deck.take(
        &[Sex::Female],
        age + draw.between(23, 32),
        age + 17,
        age + 46,
    ) else {
        deck.put(eldest);
        return Vec::new();
    };
    let mut household = vec![mother];
    let mut parent = mother;
    if !draw.chance(SINGLE_PARENTS_PER_MILLE) {
        let target = i32::from(mother.age) + draw.between(-1, 5);
        let least = (age + 17).max(i32::from(mother.age) - 9);
        if let Some(father) = deck.take(&[Sex::Male], target, least, i32::from(mother.age) + 16) {
            household.insert(0, father);
            parent = father;
        }
    }
    household.push(eldest);
    for _ in 0..grandparents(size, draw) {
        let target = i32::from(parent.age) + draw.between(24, 32);
        household.extend(deck.take(
            &[Sex::Female, Sex::Male],
            target,
            i32::from(parent.age) + 18,
            i32::from(parent.age) + 48,
        ));
    }
    let mut last = age;
    while household.len() < usize::from(size) {
        let low = (i32::from(mother.age) - 46).max(0);
        let Some(child) = deck.take(
            &BOTH_SEXES,
            last - draw.between(1, 4),
            low.max(age - 14),
            i32::from(mother.age) - 17,
        ) else {
            break;
        };
        last = i32::from(child.age);
        household.push(child);
    }
    household
}

/// The eldest child of the next family: a minor as often as the minors left demand.
fn eldest(deck: &mut Deck, slots: usize, draw: &mut Draw) -> Option<Member> {
    let minors = u64::from(deck.between(0, CHILD_AGE - 1));
    let slots = u64::try_from(slots).unwrap_or(u64::MAX).max(1);
    let minor = draw.chance(minors.saturating_mul(1300) / slots);
    let low = if minor { 0 } else { CHILD_AGE };
    let high = if minor || draw.chance(650) { 24 } else { 34 };
    deck.take_any(low, high, draw)
        .or_else(|| deck.take_any(0, 44, draw))
}

fn grandparents(size: u8, draw: &mut Draw) -> u8 {
    match size {
        0..=3 => 0,
        4 => u8::from(draw.chance(120)),
        5 => 1 + u8::from(draw.chance(350)),
        _ => 2,
    }
}

/// Two people: mostly a couple, else a parent and a grown child.
fn pair(deck: &mut Deck, draw: &mut Draw) -> Vec<Member> {
    let old = draw.chance(600);
    let head = if old {
        deck.take_any(55, 94, draw)
    } else {
        None
    };
    let Some(head) = head.or_else(|| deck.take_any(ADULT_AGE, 104, draw)) else {
        return Vec::new();
    };
    let age = i32::from(head.age);
    let (other, older) = match head.sex {
        Sex::Male => (Sex::Female, -2),
        Sex::Female => (Sex::Male, 2),
    };
    let couple = |deck: &mut Deck| {
        deck.take(
            &[other],
            age + older,
            (age - 12).max(i32::from(ADULT_AGE)),
            age + 12,
        )
    };
    let child = |deck: &mut Deck, target: i32| {
        deck.take(
            &BOTH_SEXES,
            target,
            (age - 45).max(i32::from(CHILD_AGE)),
            age - 18,
        )
    };
    let target = age - draw.between(24, 34);
    let partner = if draw.chance(780) {
        couple(deck).or_else(|| child(deck, target))
    } else {
        child(deck, target).or_else(|| couple(deck))
    };
    match partner {
        Some(partner) => vec![head, partner],
        None => {
            // Two who merely live together keep their own names.
            let mate = deck.take(&BOTH_SEXES, age, i32::from(ADULT_AGE), 104);
            std::iter::once(head)
                .chain(mate.map(|mate| Member {
                    shares_surname: false,
                    ..mate
                }))
                .collect()
        }
    }
}

/// Children who are left join a household with somebody old enough; adults who are left live alone.
fn rest(deck: &mut Deck, made: &mut Vec<Vec<Member>>, draw: &mut Draw) {
    let mut children = Vec::new();
    while deck.left > 0 {
        match deck.take_any(CHILD_AGE, 104, draw) {
            Some(adult) => made.push(vec![adult]),
            None => children.extend(deck.take_any(0, CHILD_AGE - 1, draw)),
        }
    }
    for child in children {
        let elder = |member: &Member| {
            member.age >= child.age.saturating_add(ELDER_GAP)
                && member.age < child.age.saturating_add(46)
        };
        let begin =
            usize::try_from(draw.below(u64::try_from(made.len()).unwrap_or(0))).unwrap_or(0);
        let place = (0..made.len())
            .map(|step| (begin + step) % made.len())
            .find(|at| {
                made.get(*at)
                    .is_some_and(|household| household.len() < 7 && household.iter().any(elder))
            });
        match place.and_then(|at| made.get_mut(at)) {
            Some(household) => household.push(child),
            None => made.push(vec![child]),
        }
    }
}

const BOTH_SEXES: [Sex; 2] = [Sex::Male, Sex::Female];

/// Families with one parent (invented).
const SINGLE_PARENTS_PER_MILLE: u64 = 90;
