//! What is written reads back; whatever bytes come, reading ends well and does not depend on chunks.

#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use juki_domain::{
    Address, BirthDate, ChangeReason, ChangeRequest, CivilDate, ErrorCode, Lang, MunicipalityCode,
    PersonName, ReasonClass, RegisterNumber, Sex,
};
use juki_intake::{
    CodeWriter, FileEncoding, FileKind, Reader, ReaderSettings, Reject, RejectWriter, Row, Summary,
    WriteError, Writer,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn date() -> CivilDate {
    "2002-08-05".parse().unwrap()
}

fn read(bytes: &[u8], cuts: &[usize], line_bytes_max: usize) -> (Vec<Row>, Summary) {
    let mut reader = Reader::new(ReaderSettings {
        initial_date: date(),
        line_bytes_max,
    });
    let mut rows = Vec::new();
    let mut rest = bytes;
    for &cut in cuts.iter().cycle().take_while(|_| !cuts.is_empty()) {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at(cut.clamp(1, rest.len()));
        rest = after;
        reader.feed(chunk);
        rows.extend(std::iter::from_fn(|| reader.next_row()));
    }
    reader.feed(rest);
    reader.finish();
    rows.extend(std::iter::from_fn(|| reader.next_row()));
    (rows, reader.summary().clone())
}

fn written(kind: FileKind, encoding: FileEncoding, requests: &[ChangeRequest]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(kind, encoding, |chunk: &[u8]| {
        bytes.extend_from_slice(chunk)
    });
    for request in requests {
        writer.row(request).unwrap();
    }
    drop(writer);
    bytes
}

fn entry(name: &str, address: &str) -> ChangeRequest {
    ChangeRequest {
        resident: RegisterNumber::parse("0000000001").unwrap(),
        reason: ChangeReason::ExOfficioEntry,
        event_date: date(),
        name: Some(PersonName::parse(name).unwrap()),
        birth: Some(BirthDate::from_number(19_300_000).unwrap()),
        sex: Some(Sex::Female),
        address: Some(Address::parse(address).unwrap()),
        certificate: None,
        counterpart: None,
    }
}

fn requests(rows: &[Row]) -> Vec<ChangeRequest> {
    rows.iter().map(|row| row.result.clone().unwrap()).collect()
}

#[test]
fn cp932_holds_the_forms_that_registers_use_and_names_what_it_cannot() {
    let request = entry("髙﨑　渡邊", "山口県萩市①番地ソ表");
    let bytes = written(
        FileKind::Initial,
        FileEncoding::Cp932,
        std::slice::from_ref(&request),
    );
    let (rows, summary) = read(&bytes, &[3], 65_536);
    assert_eq!(requests(&rows), [request]);
    assert_eq!(summary.encoding, Some(FileEncoding::Cp932));

    let mut bytes = Vec::new();
    let mut writer = Writer::new(FileKind::Initial, FileEncoding::Cp932, |chunk: &[u8]| {
        bytes.extend_from_slice(chunk)
    });
    assert_eq!(
        writer.row(&entry("𠮷田　花子", "山口県")),
        Err(WriteError::NotInEncoding("氏名"))
    );
    assert_eq!(
        writer.row(&entry("試験　花子", "1−2")),
        Err(WriteError::NotInEncoding("住所"))
    );
    assert_eq!(writer.row(&entry("試験　花子", "山口県")), Ok(()));
    drop(writer);
    assert_eq!(
        requests(&read(&bytes, &[], 65_536).0),
        [entry("試験　花子", "山口県")]
    );
}

#[test]
fn text_reads_back_exactly_with_selectors_compatibility_forms_and_quotes() {
    for name in ["渡邉\u{e0101}　\"太郎\"", "神\u{fa19},，", "　空白　"] {
        let request = entry(name, "山口県,\"萩市\"");
        for encoding in [FileEncoding::Utf8, FileEncoding::Utf8Bom] {
            let bytes = written(FileKind::Initial, encoding, std::slice::from_ref(&request));
            assert_eq!(
                requests(&read(&bytes, &[], 65_536).0),
                std::slice::from_ref(&request)
            );
        }
    }
}

#[test]
fn an_initial_file_takes_entries_ex_officio_only() {
    let mut writer = Writer::new(FileKind::Initial, FileEncoding::Utf8, |_: &[u8]| {});
    let birth = ChangeRequest {
        reason: ChangeReason::Birth,
        ..entry("試験", "山口県")
    };
    assert_eq!(writer.row(&birth), Err(WriteError::NotInitial));
    assert_eq!(
        writer.row(&ChangeRequest {
            name: None,
            ..entry("試験", "山口県")
        }),
        Err(WriteError::Missing("氏名"))
    );
}

#[test]
fn code_return_and_reject_files_have_their_columns() {
    let mut bytes = Vec::new();
    let mut codes = CodeWriter::new(FileEncoding::Utf8, |chunk: &[u8]| {
        bytes.extend_from_slice(chunk)
    });
    codes
        .row(
            &RegisterNumber::parse("1,2").unwrap(),
            &"12345678903".parse().unwrap(),
        )
        .unwrap();
    drop(codes);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "宛名番号,住民票コード\r\n\"1,2\",12345678903\r\n"
    );

    let mut bytes = Vec::new();
    let mut rejects = RejectWriter::new(FileEncoding::Utf8Bom, Lang::Ja, |chunk: &[u8]| {
        bytes.extend_from_slice(chunk)
    });
    rejects
        .row(
            7,
            &Reject {
                code: ErrorCode::DateInvalid,
                column: Some("生年月日".into()),
            },
        )
        .unwrap();
    drop(rejects);
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.starts_with("\u{feff}行番号,コード,欄,理由\r\n7,JKD-1003,生年月日,"),
        "{text}"
    );
}

fn text() -> impl Strategy<Value = String> {
    "[ -~ぁ-ん一-龥髙﨑𠮷　\u{e0100}-\u{e0103}]{1,20}"
        .prop_filter("not blank", |text| !text.trim().is_empty())
}

prop_compose! {
    fn request()(
        reason in prop::sample::select(ChangeReason::ALL.to_vec()),
        resident in "[0-9A-Z,\"]{1,32}",
        day in 0_i64..20_000,
        name in text(),
        birth in prop::sample::select(vec![19_300_000_u32, 19_300_300, 19_700_102, 20_020_805]),
        male in any::<bool>(),
        address in text(),
        certificate in prop::option::of("[0-9-]{1,32}"),
        counterpart in prop::option::of(prop::sample::select(vec!["352047", "355011", "355020"])),
    ) -> ChangeRequest {
        let items = matches!(reason.class(), ReasonClass::Entry | ReasonClass::Correction);
        let moves = matches!(reason, ChangeReason::MoveIn | ChangeReason::MoveOut);
        ChangeRequest {
            resident: RegisterNumber::parse(&resident).unwrap(),
            reason,
            event_date: CivilDate::from_days(day).unwrap(),
            name: items.then(|| PersonName::parse(&name).unwrap()),
            birth: items.then(|| BirthDate::from_number(birth).unwrap()),
            sex: items.then_some(if male { Sex::Male } else { Sex::Female }),
            address: items.then(|| Address::parse(&address).unwrap()),
            certificate: certificate.filter(|_| moves),
            counterpart: counterpart.filter(|_| moves).map(|code| code.parse::<MunicipalityCode>().unwrap()),
        }
    }
}

/// Bytes that look like a file often enough to reach every stage.
fn file_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("宛名番号,氏名,生年月日,性別,住所\n".as_bytes().to_vec()),
        Just(
            "宛名番号,異動事由,異動日,氏名,生年月日,性別,住所\r\n"
                .as_bytes()
                .to_vec()
        ),
        Just("1,試験,1970-01-01,男,山口県\n".as_bytes().to_vec()),
        Just("1,死亡,2002-08-05,,,,\r".as_bytes().to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\",x\"y,\"\n".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\x88\xb6\x96\xbc\x94\xd4\x8d\x86,".to_vec()),
        vec(any::<u8>(), 0..40),
        Just(vec![b'x'; 70]),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(all in vec(request(), 0..20), chunk in 1_usize..50) {
        let bytes = written(FileKind::Daily, FileEncoding::Utf8, &all);
        let (rows, summary) = read(&bytes, &[chunk], 65_536);
        prop_assert_eq!(requests(&rows), all);
        prop_assert_eq!(summary.rejected, 0);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_chunks_change_nothing(bytes in file_bytes(), cuts in vec(1_usize..30, 1..6), max in 8_usize..200) {
        let whole = read(&bytes, &[], max);
        prop_assert_eq!(&read(&bytes, &cuts, max), &whole);
        prop_assert_eq!(&read(&bytes, &[1], max), &whole);
    }

    #[test]
    fn a_good_row_after_a_bad_line_is_always_read(bad in vec(any::<u8>(), 0..300)) {
        let mut bytes = "宛名番号,氏名,生年月日,性別,住所\n".as_bytes().to_vec();
        bytes.extend_from_slice(&bad);
        let good = "\n77,試験　太郎,1970-01-01,男,山口県\n";
        for _ in 0..20 {
            bytes.extend_from_slice(good.as_bytes());
        }
        let (rows, _) = read(&bytes, &[64], 4096);
        let taken = rows.iter().filter_map(|row| row.result.as_ref().ok()).filter(|request| request.resident.reveal() == "77").count();
        // One of them may be the end of a quoted field that the bad bytes opened, and nothing more.
        prop_assert!(taken >= 19, "{} of 20", taken);
    }
}
