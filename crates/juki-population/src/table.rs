//! The embedded tables (configs/population/README.md states their sources).

/// Ages, households, rates, shares.
pub(crate) const DEMOGRAPHY: &str = include_str!("../../../configs/population/demography.csv");
/// Municipalities of the 2000 census.
pub(crate) const MUNICIPALITIES: &str =
    include_str!("../../../configs/population/municipalities.csv");
/// Towns by municipality.
pub(crate) const TOWNS: &str = include_str!("../../../configs/population/towns.csv");
/// Towns for municipalities that the table of towns does not have.
pub(crate) const INVENTED_TOWNS: &str =
    include_str!("../../../configs/population/invented-towns.csv");
/// Surnames by head count.
pub(crate) const SURNAMES: &str = include_str!("../../../configs/population/surnames.csv");
/// Given names by generation.
pub(crate) const GIVEN_NAMES: &str = include_str!("../../../configs/population/given-names.csv");
/// Rare forms of characters in surnames.
pub(crate) const VARIANTS: &str = include_str!("../../../configs/population/variants.csv");

/// The first `N` cells of each row below the header; shorter rows are passed over.
pub(crate) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        let mut row = [""; N];
        for cell in &mut row {
            *cell = cells.next()?;
        }
        Some(row)
    })
}

/// The rows of one kind in the table of demography: key and value times 1,000.
pub(crate) fn demography(kind: &'static str) -> impl Iterator<Item = (&'static str, u64)> {
    rows::<3>(DEMOGRAPHY)
        .filter(move |[row_kind, ..]| *row_kind == kind)
        .filter_map(|[_, key, value]| Some((key, thousandths(value)?)))
}

/// The value of one row, times 1,000; nothing where the row is absent.
pub(crate) fn demography_value(kind: &'static str, key: &str) -> u64 {
    demography(kind)
        .find(|(row_key, _)| *row_key == key)
        .map_or(0, |(_, value)| value)
}

/// A decimal number with at most three decimals, times 1,000.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let decimals = format!("{decimals:0<3}");
    Some(whole.parse::<u64>().ok()? * 1000 + decimals.get(..3)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_table_is_read() {
        let lines = |text: &str| text.lines().count() - 1;
        assert_eq!(
            (rows::<4>(MUNICIPALITIES).count(), lines(MUNICIPALITIES)),
            (3252, 3252)
        );
        assert_eq!(rows::<2>(TOWNS).count(), lines(TOWNS));
        assert_eq!((rows::<3>(SURNAMES).count(), lines(SURNAMES)), (1999, 1999));
        assert_eq!(rows::<9>(GIVEN_NAMES).count(), lines(GIVEN_NAMES));
        assert_eq!(rows::<3>(VARIANTS).count(), lines(VARIANTS));
        assert_eq!(demography("age").count(), 18);
        assert_eq!(
            demography("household").map(|(_, value)| value).sum::<u64>(),
            100_000
        );
        assert_eq!(demography_value("rate", "April share of moves"), 136);
        assert_eq!(thousandths("27.6"), Some(27_600));
    }
}
