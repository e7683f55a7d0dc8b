//! `GET /v1/codes`: which code each resident of the register has, the whole list again.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use juki_admin::lines_response;
use juki_domain::RegisterNumber;
use juki_intake::{CodeWriter, FileEncoding};
use juki_services::registration::ResidentsAsk;
use tokio::sync::mpsc;

use crate::register::Register;

/// Residents of a page: changes are decided between two of them.
const PAGE: u32 = 256;
/// Pages that wait for a slow reader.
const PIECES_MAX: usize = 4;

/// Answers with CSV (宛名番号, 住民票コード), page by page.
pub(crate) async fn codes(State(register): State<Register>) -> Response {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    juki_runtime::spawn(async move {
        if let Err(error) = write(&register, &sender).await {
            // A list that is not whole must not look like one.
            let _ = sender.send(Err(error)).await;
        }
    });
    lines_response("text/csv; charset=utf-8", receiver)
}

async fn write(register: &Register, sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let page = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&page);
    let mut writer = CodeWriter::new(FileEncoding::Utf8, move |bytes: &[u8]| {
        if let Ok(mut page) = sink.lock() {
            page.extend_from_slice(bytes);
        }
    });
    let mut after = Vec::new();
    loop {
        let ask = ResidentsAsk {
            after,
            limit: PAGE,
            records: false,
        };
        let residents = register
            .residents(ask)
            .await
            .map_err(|code| io::Error::other(code.code()))?;
        for resident in &residents.residents {
            // What was stored as number and code reads back as such.
            if let (Ok(number), Ok(code)) = (
                RegisterNumber::parse(&resident.number),
                resident.code.parse(),
            ) {
                writer.row(&number, &code).map_err(io::Error::other)?;
            }
        }
        let written = page
            .lock()
            .map(|mut page| std::mem::take(&mut *page))
            .map_err(|_| io::Error::other("a writer panicked"))?;
        if sender.send(Ok(written.into())).await.is_err() || residents.last.is_empty() {
            return Ok(());
        }
        after = residents.last;
    }
}
