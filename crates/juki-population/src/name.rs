//! Surnames by head count, given names by generation, rare forms of characters.

use std::sync::LazyLock;

use juki_domain::Sex;

use crate::draw::{Draw, Weighted};
use crate::table::{GIVEN_NAMES, SURNAMES, VARIANTS, rows};

/// A surname or a given name as written, and its reading in hiragana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) written: String,
    pub(crate) kana: &'static str,
}

/// Last year of birth of each generation in the table of given names but the last.
const GENERATIONS: [i32; 5] = [1925, 1945, 1960, 1975, 1988];

type Form = (&'static str, &'static str);

static SURNAME_WEIGHTS: LazyLock<Weighted<Form>> = LazyLock::new(|| {
    Weighted::new(
        rows::<3>(SURNAMES)
            .map(|[surname, people, kana]| ((surname, kana), people.parse().unwrap_or(0))),
    )
});

static GIVEN_WEIGHTS: LazyLock<[[Weighted<Form>; GENERATIONS.len() + 1]; 2]> =
    LazyLock::new(|| {
        [Sex::Male, Sex::Female].map(|sex| {
            std::array::from_fn(|generation| {
                Weighted::new(
                    rows::<9>(GIVEN_NAMES)
                        .filter(|row| row.first() == Some(&sex.ja()))
                        .map(|row| {
                            let [_, name, kana, weights @ ..] = row;
                            (
                                (name, kana),
                                weights
                                    .get(generation)
                                    .and_then(|weight| weight.parse().ok())
                                    .unwrap_or(0),
                            )
                        }),
                )
            })
        })
    });

/// A character, its rare form and how many of 1,000 bearers write it so.
static RARE_FORMS: LazyLock<Vec<(char, &'static str, u64)>> = LazyLock::new(|| {
    rows::<3>(VARIANTS)
        .filter_map(|[plain, variant, per_mille]| {
            Some((plain.chars().next()?, variant, per_mille.parse().ok()?))
        })
        .collect()
});

/// A surname, in a rare form at the rates of configs/population/variants.csv.
pub(crate) fn surname(draw: &mut Draw) -> Name {
    let (plain, kana) = SURNAME_WEIGHTS.draw(draw).copied().unwrap_or_default();
    let mut written = String::with_capacity(plain.len() + 4);
    for character in plain.chars() {
        match rare_form(character, draw) {
            Some(variant) => written.push_str(variant),
            None => written.push(character),
        }
    }
    Name { written, kana }
}

/// The rare form in which this bearer writes a character, if it is one.
fn rare_form(character: char, draw: &mut Draw) -> Option<&'static str> {
    let mut share = draw.below(1000);
    for (_, variant, per_mille) in RARE_FORMS.iter().filter(|(of, ..)| *of == character) {
        if share < *per_mille {
            return Some(variant);
        }
        share -= per_mille;
    }
    None
}

/// A given name of somebody born in `year`.
pub(crate) fn given_name(sex: Sex, year: i32, draw: &mut Draw) -> Name {
    let generation = GENERATIONS.iter().filter(|last| year > **last).count();
    let of_sex = GIVEN_WEIGHTS.get(usize::from(sex == Sex::Female));
    let (written, kana) = of_sex
        .and_then(|all| all.get(generation))
        .and_then(|names| names.draw(draw))
        .copied()
        .unwrap_or_default();
    Name {
        written: written.to_owned(),
        kana,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn draw() -> Draw {
        Draw::new(1, "352047".parse().unwrap(), "test", 0)
    }

    /// Characters with the variation selectors that belong to them.
    fn letters(name: &str) -> Vec<String> {
        let mut letters: Vec<String> = Vec::new();
        for character in name.chars() {
            match letters.last_mut() {
                Some(last) if ('\u{e0100}'..='\u{e01ef}').contains(&character) => {
                    last.push(character)
                }
                Some(_) | None => letters.push(character.to_string()),
            }
        }
        letters
    }

    /// Four and a half standard deviations of a count: one run in 100,000 would exceed it.
    fn bound(expected: f64) -> f64 {
        4.5 * expected.sqrt()
    }

    #[test]
    fn each_bearer_writes_a_rare_form_at_its_stated_rate() {
        let mut draw = draw();
        for plain in [
            '高', '崎', '吉', '辺', '斎', '斉', '沢', '浜', '桜', '広', '国', '葛', '辻',
        ] {
            let forms: Vec<_> = (0..200_000).map(|_| rare_form(plain, &mut draw)).collect();
            let mut rates = 0;
            for (_, variant, per_mille) in RARE_FORMS.iter().filter(|(of, ..)| *of == plain) {
                let found = forms.iter().filter(|form| **form == Some(variant)).count();
                let expected = 200.0 * (*per_mille as f64);
                let apart = (found as f64 - expected).abs();
                assert!(
                    apart <= bound(expected),
                    "{variant}: {found}, not {expected}"
                );
                rates += per_mille;
            }
            assert!((1..500).contains(&rates), "{plain}: {rates} of 1,000");
        }
        assert_eq!(rare_form('田', &mut draw), None);
        assert_eq!(RARE_FORMS.len(), rows::<3>(VARIANTS).count());
    }

    #[test]
    fn a_population_has_each_rare_form_as_often_as_its_tables_say() {
        const PEOPLE: u32 = 400_000;
        let mut draw = draw();
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..PEOPLE {
            for letter in letters(&surname(&mut draw).written) {
                *found.entry(letter).or_default() += 1;
            }
        }
        // A form comes from its plain character and from names that the table writes so (渡邊 ..).
        let table: Vec<(Vec<String>, f64)> = rows::<3>(SURNAMES)
            .map(|[surname, people, _]| (letters(surname), people.parse().unwrap()))
            .collect();
        let all: f64 = table.iter().map(|(_, people)| people).sum();
        let share = |letter: &str| {
            let bearers = table.iter().map(|(name, people)| {
                people * name.iter().filter(|other| *other == letter).count() as f64
            });
            bearers.sum::<f64>() / all
        };
        for (plain, variant, per_mille) in RARE_FORMS.iter() {
            let rate = share(variant) + share(&plain.to_string()) * *per_mille as f64 / 1000.0;
            let (found, expected) = (
                found.get(*variant).copied().unwrap_or(0),
                rate * f64::from(PEOPLE),
            );
            let apart = (f64::from(found) - expected).abs();
            assert!(
                apart <= bound(expected),
                "{variant}: {found}, not {expected:.0}"
            );
        }
        assert!(found.contains_key("邉\u{e0101}"));
    }

    #[test]
    fn every_sex_and_generation_has_names() {
        let mut draw = draw();
        for sex in [Sex::Male, Sex::Female] {
            for year in [1900, 1925, 1926, 1950, 1970, 1980, 2002] {
                assert!(!given_name(sex, year, &mut draw).written.is_empty());
            }
        }
    }
}
