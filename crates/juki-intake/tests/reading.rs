//! What registers send, and what becomes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed helper is a failed test"
)]

use juki_domain::{ChangeReason, ChangeRequest, ErrorCode, Lang};
use juki_intake::{FileEncoding, FileKind, Reader, ReaderSettings, Reject, Row, Scope};

const INITIAL: &str = "宛名番号,氏名,生年月日,性別,住所\n";
const DAILY: &str =
    "宛名番号,異動事由,異動日,氏名,生年月日,性別,住所,転出証明書番号,相手市区町村コード\n";

fn reader() -> Reader {
    Reader::new(ReaderSettings {
        initial_date: "2002-08-05".parse().unwrap(),
        line_bytes_max: 65_536,
    })
}

fn read(bytes: &[u8]) -> (Vec<Row>, Reader) {
    let mut reader = reader();
    reader.feed(bytes);
    reader.finish();
    let rows = std::iter::from_fn(|| reader.next_row()).collect();
    (rows, reader)
}

fn read_text(text: &str) -> Vec<Row> {
    read(text.as_bytes()).0
}

fn accepted(row: &Row) -> &ChangeRequest {
    row.result.as_ref().unwrap()
}

fn refused(row: &Row) -> (ErrorCode, Option<&str>) {
    let reject: &Reject = row.result.as_ref().unwrap_err();
    (reject.code, reject.column.as_deref())
}

#[test]
fn an_initial_row_is_an_entry_ex_officio_on_the_callers_day() {
    let (rows, reader) = read(
        format!("{INITIAL}0001,試験　太郎,昭和45年1月2日,男,山口県萩市大字江向510番地\n")
            .as_bytes(),
    );
    let request = accepted(&rows[0]);
    assert_eq!(
        (rows.len(), rows[0].line, request.reason),
        (1, 2, ChangeReason::ExOfficioEntry)
    );
    assert_eq!(request.event_date, "2002-08-05".parse().unwrap());
    assert_eq!(request.name.as_ref().unwrap().reveal(), "試験　太郎");
    assert_eq!(request.birth.as_ref().unwrap().reveal(), "1970-01-02");
    assert_eq!(
        request.address.as_ref().unwrap().reveal(),
        "山口県萩市大字江向510番地"
    );
    assert_eq!(
        (reader.summary().kind, reader.summary().encoding),
        (Some(FileKind::Initial), Some(FileEncoding::Utf8))
    );
}

#[test]
fn columns_come_in_any_order_and_unknown_ones_are_named_once_and_kept_out() {
    let text = "続柄,住所,性別,宛名番号,氏名,本籍,生年月日\n本人,山口県,2,1,試験　花子,秘密,S45.1.2\n妻,山口県,１,2,試験　次郎,秘密,1970/01/02\n";
    let (rows, reader) = read(text.as_bytes());
    assert_eq!(reader.summary().unknown_columns, ["続柄", "本籍"]);
    assert_eq!(reader.summary().accepted, 2);
    assert_eq!(accepted(&rows[0]).sex, Some(juki_domain::Sex::Female));
    assert_eq!(accepted(&rows[1]).sex, Some(juki_domain::Sex::Male));
}

#[test]
fn a_file_without_needed_columns_is_refused_once_and_names_them() {
    let (rows, reader) = read("宛名番号,氏名,性別\n1,試験　太郎,男\n2,試験　次郎,男\n".as_bytes());
    assert_eq!(rows.len(), 1);
    assert_eq!(
        refused(&rows[0]),
        (ErrorCode::ColumnsWrong, Some("生年月日、住所"))
    );
    assert!(reader.summary().refused);
    let sentence = rows[0].result.as_ref().unwrap_err().sentence(Lang::Ja);
    assert!(sentence.contains("生年月日、住所"), "{sentence}");
}

#[test]
fn a_daily_file_needs_the_day_and_no_column_may_come_twice() {
    let rows = read_text("宛名番号,異動事由,氏名,生年月日,性別,住所\n1,死亡,,,,\n");
    assert_eq!(refused(&rows[0]), (ErrorCode::ColumnsWrong, Some("異動日")));
    let rows =
        read_text("宛名番号,氏名,氏名,生年月日,性別,住所\n1,試験,試験,1970-01-01,男,山口県\n");
    assert_eq!(refused(&rows[0]), (ErrorCode::ColumnsWrong, Some("氏名")));
}

#[test]
fn a_file_without_header_is_refused_without_repeating_the_resident() {
    let rows = read_text("0001,試験　太郎,1970-01-01,男,山口県萩市\n");
    assert_eq!(
        refused(&rows[0]),
        (
            ErrorCode::ColumnsWrong,
            Some("宛名番号、氏名、生年月日、性別、住所")
        )
    );
    assert!(!format!("{rows:?}").contains("太郎"));
}

#[test]
fn an_empty_file_lacks_every_column() {
    for bytes in [&b""[..], b"\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb"] {
        let (rows, _) = read(bytes);
        assert_eq!((rows.len(), rows[0].result.is_err()), (1, true));
    }
}

#[test]
fn a_header_in_no_known_encoding_is_broken_encoding() {
    let utf16: Vec<u8> = INITIAL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (rows, _) = read(&[b"\xff\xfe".as_slice(), &utf16].concat());
    assert_eq!(
        (rows.len(), refused(&rows[0]).0),
        (1, ErrorCode::EncodingBroken)
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let (rows, reader) =
        read(format!("\u{feff}{INITIAL}1,試験　太郎,1970-01-01,男,山口県\n").as_bytes());
    assert_eq!((rows.len(), reader.summary().accepted), (1, 1));
    assert_eq!(reader.summary().encoding, Some(FileEncoding::Utf8Bom));
}

#[test]
fn one_bad_row_never_ends_the_file() {
    let text = format!(
        "{INITIAL}1,試験　太郎,1970-01-01,男,山口県\n\
         2,試験　次郎,1970-02-30,男,山口県\n\
         3,試験　三郎,1970-01-01,不明,山口県\n\
         4,,1970-01-01,男,山口県\n\
         5,試験　五郎,1970-01-01,男\n\
         6,試\u{7}験,1970-01-01,男,山口県\n\
         ,試験　七郎,1970-01-01,男,山口県\n\
         8,試験　八郎,1970-01-01,男,山口県\n"
    );
    let (rows, reader) = read(text.as_bytes());
    let found: Vec<_> = rows
        .iter()
        .filter(|row| row.result.is_err())
        .map(|row| (row.line, refused(row)))
        .collect();
    let expected = [
        (3, (ErrorCode::DateInvalid, Some("生年月日"))),
        (4, (ErrorCode::ValueInvalid, Some("性別"))),
        (5, (ErrorCode::ItemMissing, Some("氏名"))),
        (6, (ErrorCode::FieldCountWrong, None)),
        (7, (ErrorCode::TextInvalid, Some("氏名"))),
        (8, (ErrorCode::ItemMissing, Some("宛名番号"))),
    ];
    assert_eq!(found, expected);
    assert_eq!(
        (reader.summary().accepted, reader.summary().rejected),
        (2, 6)
    );
    assert!(!format!("{rows:?}").contains("郎"));
}

#[test]
fn broken_bytes_refuse_their_row_alone_in_known_and_unknown_columns() {
    let mut bytes = "宛名番号,氏名,生年月日,性別,住所,備考\n"
        .as_bytes()
        .to_vec();
    bytes.extend_from_slice(
        b"1,\xe5\x8d,1970-01-01,1,a,\n2,b,1970-01-01,1,a,\xff\n3,b,1970-01-01,1,a,\n",
    );
    bytes.extend_from_slice("4,\u{fffd}田,1970-01-01,1,a,\n".as_bytes());
    let (rows, _) = read(&bytes);
    assert_eq!(refused(&rows[0]), (ErrorCode::EncodingBroken, Some("氏名")));
    assert_eq!(refused(&rows[1]), (ErrorCode::EncodingBroken, None));
    assert!(rows[2].result.is_ok());
    assert_eq!(refused(&rows[3]), (ErrorCode::EncodingBroken, Some("氏名")));
}

#[test]
fn daily_rows_carry_what_their_reason_carries() {
    let text = format!(
        "{DAILY}1,国内転出,平成14年8月6日,試験　太郎,1970-01-01,男,山口県,352047-000001,355020\n\
         2,死亡,2002-08-06,試験　花子,壊れた日,女,山口県,,\n\
         3,世帯主変更,2002-08-06,試験　次郎,1970-01-01,男,山口県,,\n\
         4,転居,20020806,,,,山口県阿武郡阿武町,,\n\
         5,誤記修正,2002-08-06,試驗　五郎,,,,,\n\
         6,住民票コードの変更請求,2002-08-06,試験　六郎,1970-01-01,男,山口県,,\n"
    );
    let (rows, reader) = read(text.as_bytes());
    let reasons: Vec<_> = rows.iter().map(|row| accepted(row).reason).collect();
    assert_eq!(
        reasons,
        [
            ChangeReason::MoveOut,
            ChangeReason::Death,
            ChangeReason::AddressChange,
            ChangeReason::ExOfficioCorrection,
            ChangeReason::CodeChangeRequest
        ]
    );
    let moved = accepted(&rows[0]);
    assert_eq!(
        (moved.name.is_none(), moved.certificate.as_deref()),
        (true, Some("352047-000001"))
    );
    assert_eq!(
        (moved.counterpart, moved.event_date),
        (
            Some("355020".parse().unwrap()),
            "2002-08-06".parse().unwrap()
        )
    );
    assert_eq!(
        (reader.summary().unchanging, reader.summary().accepted),
        (1, 5)
    );
}

#[test]
fn daily_rows_that_contradict_their_reason_are_refused() {
    let text = format!(
        "{DAILY}1,軽微な修正,2002-08-06,,,,,,\n\
         2,転入,2002-08-06,試験,,男,山口県,,\n\
         3,転居,2002-08-06,,,,,,\n\
         4,死亡,2002-08-06,,,,,X-1,\n\
         5,死亡,2002-13-06,,,,,,\n\
         6,死亡,,,,,,,\n\
         7,,2002-08-06,,,,,,\n\
         8,転出,2002-08-06,,,,,,352048\n\
         9,転出,2002-08-06,,,,,123456789012345678901234567890123,\n"
    );
    let found: Vec<_> = read_text(&text)
        .iter()
        .map(|row| {
            let (code, column) = refused(row);
            (code, column.map(str::to_owned))
        })
        .collect();
    let expected = [
        (ErrorCode::ReasonUnknown, Some("異動事由")),
        (ErrorCode::ItemMissing, Some("生年月日")),
        (ErrorCode::ItemMissing, None),
        (ErrorCode::ItemSurplus, Some("転出証明書番号")),
        (ErrorCode::DateInvalid, Some("異動日")),
        (ErrorCode::ItemMissing, Some("異動日")),
        (ErrorCode::ItemMissing, Some("異動事由")),
        (
            ErrorCode::MunicipalityCodeInvalid,
            Some("相手市区町村コード"),
        ),
        (ErrorCode::ValueInvalid, Some("転出証明書番号")),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(code, column)| (code, column.map(str::to_owned)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_hundred_megabytes_on_one_line_cost_one_reject_and_no_memory() {
    let mut reader = reader();
    let chunk = vec![b'x'; 65_536];
    let mut rows = Vec::new();
    let mut held_max = 0;
    let mut feed = |reader: &mut Reader, bytes: &[u8]| {
        reader.feed(bytes);
        rows.extend(std::iter::from_fn(|| reader.next_row()));
        held_max = held_max.max(reader.buffered_bytes());
    };
    feed(
        &mut reader,
        format!("{INITIAL}1,試験　太郎,1970-01-01,男,山口県\n2,\"").as_bytes(),
    );
    for _ in 0..1600 {
        feed(&mut reader, &chunk);
    }
    feed(
        &mut reader,
        "\n3,試験　三郎,1970-01-01,男,山口県\n".as_bytes(),
    );
    reader.finish();
    assert!(reader.next_row().is_none());
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.line,
                row.result.as_ref().err().map(|reject| reject.code),
            )
        })
        .collect();
    assert_eq!(
        found,
        [(2, None), (3, Some(ErrorCode::LineTooLong)), (4, None)]
    );
    assert!(held_max <= 4 * 65_536, "{held_max} bytes held");
}

#[test]
fn a_hundred_megabytes_without_any_line_break_refuse_the_file_once() {
    let mut reader = reader();
    let chunk = vec![b','; 65_536];
    let mut rows = Vec::new();
    for _ in 0..1600 {
        reader.feed(&chunk);
        rows.extend(std::iter::from_fn(|| reader.next_row()));
        assert!(reader.buffered_bytes() <= 4 * 65_536);
    }
    reader.finish();
    rows.extend(std::iter::from_fn(|| reader.next_row()));
    assert_eq!(rows.len(), 1);
    assert!(reader.summary().refused);
}

/// Reads a text as a file of Hagi on 2002-10-15.
fn read_in_hagi(text: &str) -> Vec<Row> {
    let mut reader = reader().within(Scope {
        municipality: "352047".parse().unwrap(),
        name: Some("萩市".to_owned()),
        today: "2002-10-15".parse().unwrap(),
    });
    reader.feed(text.as_bytes());
    reader.finish();
    std::iter::from_fn(|| reader.next_row()).collect()
}

#[test]
fn dates_before_meiji_and_in_the_future_are_refused_with_their_column() {
    let row = |reason: &str, day: &str, birth: &str| {
        let (name, sex) = ("試験　太郎", "男");
        read_in_hagi(&format!(
            "{DAILY}1,{reason},{day},{name},{birth},{sex},大字江向510番地,,\n"
        ))
        .remove(0)
    };
    for (birth, fits) in [
        ("1868-01-25", true),
        ("1868-01-24", false),
        ("1867-12-31", false),
        ("明治元年月日不詳", true),
        ("2002-10-15", true),
        ("2002-10-16", false),
    ] {
        let row = row("出生", "2002-10-15", birth);
        let wanted = (ErrorCode::DateOutOfBounds, Some("生年月日"));
        assert!(
            row.result.is_ok() == fits && (fits || refused(&row) == wanted),
            "{birth}"
        );
    }
    for (reason, day, fits) in [
        ("転居", "2002-10-15", true),
        ("転居", "2002-10-16", false),
        ("転居", "1867-01-01", false),
        ("転出", "2002-12-31", true),
        ("転出", "2003-10-16", true),
        ("転出", "2003-10-17", false),
    ] {
        let row = row(reason, day, "1970-01-02");
        let wanted = (ErrorCode::DateOutOfBounds, Some("異動日"));
        assert!(
            row.result.is_ok() == fits && (fits || refused(&row) == wanted),
            "{reason} {day}"
        );
    }
}

#[test]
fn rows_of_another_municipality_are_refused_with_their_column() {
    let rows = read_in_hagi(
        "宛名番号,氏名,生年月日,性別,住所,市区町村コード\n\
         1,試験　太郎,1970-01-02,男,山口県萩市大字江向510番地,352047\n\
         2,試験　太郎,1970-01-02,男,山口県萩市大字江向510番地,35204\n\
         3,試験　太郎,1970-01-02,男,大字江向510番地,\n\
         4,試験　太郎,1970-01-02,男,山口県萩市大字江向510番地,355020\n\
         5,試験　太郎,1970-01-02,男,山口県萩市大字江向510番地,352048\n\
         6,試験　太郎,1970-01-02,男,山口県阿武郡阿武町大字奈古1番地,\n",
    );
    for row in &rows[..3] {
        assert!(row.result.is_ok(), "{row:?}");
    }
    let other = ErrorCode::OtherMunicipality;
    assert_eq!(refused(&rows[3]), (other, Some("市区町村コード")));
    assert_eq!(
        refused(&rows[4]),
        (ErrorCode::MunicipalityCodeInvalid, Some("市区町村コード"))
    );
    assert_eq!(refused(&rows[5]), (other, Some("住所")));
}
