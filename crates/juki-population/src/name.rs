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
        let mut share = draw.below(1000);
        let mut form = None;
        for (_, variant, per_mille) in RARE_FORMS.iter().filter(|(of, ..)| *of == character) {
            if form.is_none() && share < *per_mille {
                form = Some(variant);
            }
            share = share.saturating_sub(*per_mille);
        }
        match form {
            Some(variant) => written.push_str(variant),
            None => written.push(character),
        }
    }
    Name { written, kana }
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
    use super::*;

    fn draw() -> Draw {
        Draw::new(1, "352047".parse().unwrap(), "test", 0)
    }

    #[test]
    fn rare_forms_come_at_their_stated_rates() {
        let mut draw = draw();
        let all: Vec<Name> = (0..400_000).map(|_| surname(&mut draw)).collect();
        // Forms that the table of surnames has as names of their own (渡邊 ..) come more often.
        for (plain, variant, per_mille) in [('高', "髙", 90), ('崎', "﨑", 60), ('吉', "𠮷", 30)]
        {
            let rare = all
                .iter()
                .filter(|name| name.written.contains(variant))
                .count();
            let plain = all
                .iter()
                .filter(|name| name.written.contains(plain))
                .count();
            let found = rare * 1000 / (rare + plain);
            assert!(
                found.abs_diff(per_mille) <= per_mille / 6,
                "{variant}: {found} of 1,000"
            );
        }
        assert!(all.iter().any(|name| name.written.contains("邉\u{e0101}")));
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
