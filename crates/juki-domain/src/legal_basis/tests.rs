use proptest::prelude::*;

use super::*;

const CONFIGURED: &str = include_str!("../../../../configs/legal-basis.csv");
const ROW: &str = "radio-station-licence,mic,別表第一,総務省,電波法,無線局の免許に関する事務,2002-12,reading,both,1234,no,60,600,design";

fn purpose<'a>(body: &'a str, affair: &'a str) -> Purpose<'a> {
    Purpose { body, affair }
}

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn parse(rows: &str) -> Result<LegalBasisTable, LegalBasisError> {
    LegalBasisTable::parse(&format!("{HEADER}\n{rows}"))
}

#[test]
fn a_tier_keeps_only_the_rows_of_its_own_tables() {
    let all = LegalBasisTable::parse(CONFIGURED).unwrap();
    let day = date("2003-12-01");
    let (pension, passport) = (
        purpose("mhlw", "war-bereaved-pension"),
        purpose("yamaguchi", "passport"),
    );
    assert!(all.decide(pension, day).is_ok() && all.decide(passport, day).is_ok());
    let national = all.clone().of_tables(&["別表第一"]);
    assert!(national.decide(pension, day).is_ok());
    assert_eq!(national.decide(passport, day), Err(RefusedPurpose::NoBasis));
    let prefecture = all.of_tables(&["別表第五"]);
    assert_eq!(
        prefecture.decide(pension, day),
        Err(RefusedPurpose::NoBasis)
    );
    assert!(prefecture.decide(passport, day).is_ok());
}

#[test]
fn the_configured_table_is_read_whole() {
    let table = LegalBasisTable::parse(CONFIGURED).unwrap();
    assert_eq!(table.all().len(), 20);
    assert_eq!(
        table
            .all()
            .iter()
            .filter(|row| row.starts.is_none())
            .count(),
        6
    );
    assert_eq!(
        table
            .all()
            .iter()
            .filter(|row| row.body == "yamaguchi" && row.table == "別表第五")
            .count(),
        11
    );
    assert_eq!(table.all()[0].starts, Some(date("2002-09-01")));
}

#[test]
fn an_affair_is_open_from_its_first_day() {
    let table = LegalBasisTable::parse(CONFIGURED).unwrap();
    let pension = purpose("local-mutual-aid", "local-mutual-aid-pension");
    let starts = Some(date("2002-09-01"));
    assert_eq!(
        table.decide(pension, date("2002-08-31")),
        Err(RefusedPurpose::NotStarted { starts })
    );
    assert_eq!(
        table
            .decide(pension, date("2002-09-01"))
            .unwrap()
            .statute_ja,
        "地方公務員等共済組合法"
    );
}

#[test]
fn an_affair_without_a_day_is_refused_on_every_day() {
    let table = LegalBasisTable::parse(CONFIGURED).unwrap();
    let refused = table
        .decide(
            purpose("yamaguchi", "architect-registration"),
            date("2150-12-31"),
        )
        .unwrap_err();
    assert_eq!(refused, RefusedPurpose::NotStarted { starts: None });
    assert_eq!(refused.code(), ErrorCode::BasisNotStarted);
}

#[test]
fn another_bodys_affair_is_no_basis() {
    let table = LegalBasisTable::parse(CONFIGURED).unwrap();
    for (body, affair) in [
        ("mhlw", "radio-station-licence"),
        ("mic", "passport"),
        ("", ""),
        ("mic", ""),
    ] {
        let refused = table
            .decide(purpose(body, affair), date("2010-01-01"))
            .unwrap_err();
        assert_eq!(
            (refused, refused.code()),
            (RefusedPurpose::NoBasis, ErrorCode::NoLegalBasis)
        );
    }
}

#[test]
fn faults_of_the_table_are_named_with_their_line() {
    assert_eq!(LegalBasisTable::parse(""), Err(LegalBasisError::Header));
    assert_eq!(LegalBasisTable::parse(ROW), Err(LegalBasisError::Header));
    for (rows, error) in [
        (format!("{ROW},more"), LegalBasisError::Columns { line: 2 }),
        (
            format!("{ROW}\na,b,c"),
            LegalBasisError::Columns { line: 3 },
        ),
        (
            ROW.replace("電波法", "\"電波法\""),
            LegalBasisError::Columns { line: 2 },
        ),
        (
            format!("{ROW}\n\n{ROW}"),
            LegalBasisError::Duplicate { line: 4 },
        ),
        (
            ROW.replace("2002-12", "2002-13"),
            LegalBasisError::Starts { line: 2 },
        ),
        (
            ROW.replace("2002-12", "2002/12"),
            LegalBasisError::Starts { line: 2 },
        ),
        (
            ROW.replace("2002-12", " "),
            LegalBasisError::Starts { line: 2 },
        ),
        (
            ROW.replace("総務省", " "),
            LegalBasisError::Value {
                line: 2,
                column: "body_ja",
            },
        ),
        (
            ROW.replace("mic", "MIC"),
            LegalBasisError::Value {
                line: 2,
                column: "body",
            },
        ),
        (
            ROW.replace("radio-station-licence", ""),
            LegalBasisError::Value {
                line: 2,
                column: "affair",
            },
        ),
        (
            ROW.replace("reading", "guess"),
            LegalBasisError::Value {
                line: 2,
                column: "starts_mark",
            },
        ),
        (
            ROW.replace("reading,", ""),
            LegalBasisError::Columns { line: 2 },
        ),
        (String::new(), LegalBasisError::Empty),
    ] {
        assert_eq!(parse(&rows), Err(error), "{rows}");
    }
    assert_eq!(
        LegalBasisTable::parse(&"x".repeat(LegalBasisTable::BYTES_MAX + 1)),
        Err(LegalBasisError::TooLarge)
    );
}

#[test]
fn the_scope_of_a_row_is_read_strictly() {
    let table = parse(ROW).unwrap();
    let row = &table.all()[0];
    assert_eq!(
        (row.keys, row.items.to_string().as_str(), row.fuzzy),
        (PermittedKeys::Both, "1234", false)
    );
    assert_eq!(
        (row.operator_per_min, row.body_per_min),
        (NonZeroU32::new(60), NonZeroU32::new(600))
    );
    let blank = parse(&ROW.replace("60,600", ",")).unwrap();
    assert_eq!(blank.all()[0].operator_per_min, None);
    for (from, to, column) in [
        ("both", "name", "keys"),
        ("both", "", "keys"),
        ("1234", "", "items"),
        ("1234", "1237", "items"),
        ("1234", "4321", "items"),
        (",no,", ",maybe,", "fuzzy"),
        ("both,1234,no", "code,1234,yes", "fuzzy"),
        ("60,600", "0,600", "operator_per_min"),
        ("60,600", "+60,600", "operator_per_min"),
        ("60,600", "60000001,600", "operator_per_min"),
        ("60,600", "60,-1", "body_per_min"),
        ("60,600", "60,6.5", "body_per_min"),
        ("design", "guess", "scope_mark"),
        ("design", "", "scope_mark"),
    ] {
        let row = ROW.replace(from, to);
        assert_eq!(
            parse(&row),
            Err(LegalBasisError::Value { line: 2, column }),
            "{row}"
        );
    }
}

/// Every row of the table, at its own tier: from its first day for its own body, and for nobody else.
#[test]
fn each_row_holds_for_its_own_body_at_its_own_tier_from_its_first_day() {
    let all = LegalBasisTable::parse(CONFIGURED).unwrap();
    let tiers = ["別表第一", "別表第五"];
    let bodies: std::collections::BTreeSet<&str> =
        all.all().iter().map(|row| row.body.as_str()).collect();
    for row in all.all() {
        let own = all.clone().of_tables(&[row.table.as_str()]);
        let other_tier = tiers.into_iter().find(|tier| *tier != row.table).unwrap();
        let other_tier = all.clone().of_tables(&[other_tier]);
        let day = row.starts.unwrap_or_else(|| date("2003-08-25"));
        let before = CivilDate::from_days(day.days() - 1).unwrap();
        if row.starts.is_some() {
            assert_eq!(own.decide(row.purpose(), day), Ok(row));
        }
        let not_yet = Err(RefusedPurpose::NotStarted { starts: row.starts });
        assert_eq!(own.decide(row.purpose(), before), not_yet, "{row:?}");
        if row.starts.is_none() {
            assert_eq!(own.decide(row.purpose(), day), not_yet, "{row:?}");
        }
        assert_eq!(
            other_tier.decide(row.purpose(), day),
            Err(RefusedPurpose::NoBasis)
        );
        for body in bodies.iter().filter(|body| **body != row.body) {
            let theirs = all.row(purpose(body, &row.affair));
            let refused = own.decide(purpose(body, &row.affair), day);
            // 恩給 is an affair of the ministry and of the prefecture, each at its own tier.
            assert!(theirs.is_none() || row.affair == "public-servant-pension");
            assert_eq!(refused, Err(RefusedPurpose::NoBasis), "{body}: {row:?}");
        }
    }
}

#[test]
fn a_byte_order_mark_carriage_returns_and_full_days_are_read() {
    let text = format!(
        "\u{feff}{HEADER}\r\n{}\r\n",
        ROW.replace("2002-12", "2002-12-24")
    );
    assert_eq!(
        LegalBasisTable::parse(&text).unwrap().all()[0].starts,
        Some(date("2002-12-24"))
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(rows in "([a-c,\"\n0-9-]|\\PC){0,60}") {
        let _ = parse(&rows);
    }
}
