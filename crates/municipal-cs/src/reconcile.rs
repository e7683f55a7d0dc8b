//! A full export of the register against what this server holds.
//!
//! The file is taken whole, then each of its rows is compared with the record under its number, and
//! at last the residents that no row named are looked for. Live work goes on between: a record that
//! changed after the comparison began is late, which is no difference.

mod comparison;
mod difference;

use juki_domain::ErrorCode;
use juki_intake::{FileKind, Reader, ReaderSettings};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::import::{
    ImportFailure, LINE_BYTES_MAX, LineOutlet, Progress, Received, Source, Turn, disk,
};
use crate::register::Register;

use comparison::Comparison;

/// Begins a comparison on a thread of its own. `passed` hears when the file was found whole; what is
/// found goes out line by line.
pub(crate) fn start(
    register: Register,
    turn: Turn,
    source: Source,
    mut lines: LineOutlet,
    passed: oneshot::Sender<()>,
) -> JoinHandle<Result<(), ImportFailure>> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = register.imports().closed() => Err(ImportFailure::new(ErrorCode::LineDown)),
                ended = whole(&register, turn, source, &mut lines, passed) => ended,
            }
        })
    })
}

async fn whole(
    register: &Register,
    turn: Turn,
    source: Source,
    lines: &mut LineOutlet,
    passed: oneshot::Sender<()>,
) -> Result<(), ImportFailure> {
    let received = register.imports().receive(source).await?;
    if received.inspected.kind != FileKind::Initial {
        return Err(ImportFailure {
            code: ErrorCode::ColumnsWrong,
            detail: Some("異動事由".to_owned()),
        });
    }
    // Whoever waits may have gone away.
    let _ = passed.send(());
    let compared = compare(register, received, lines).await;
    // Whoever hears that this file is done may send the next at once.
    drop(turn);
    match compared {
        Ok(counts) => {
            tracing::info!(
                event = "register.compared",
                differences = counts.differences()
            );
            lines.end(&serde_json::json!({ "counts": counts })).await;
        }
        Err(failure) => {
            tracing::warn!(event = "register.not_compared", code = failure.code.code());
            lines.end_badly(&failure).await;
        }
    }
    Ok(())
}

async fn compare(
    register: &Register,
    received: Received,
    lines: &mut LineOutlet,
) -> Result<difference::Counts, ImportFailure> {
    let mut file = received.file;
    let scope = register.scope();
    let mut reader = Reader::new(ReaderSettings {
        initial_date: scope.today,
        line_bytes_max: LINE_BYTES_MAX,
    })
    .within(scope);
    let mut comparison = Comparison::begin(register, lines).await?;
    let mut piece = Vec::new();
    loop {
        file.next_piece(&mut piece).map_err(|error| disk(&error))?;
        if piece.is_empty() {
            break;
        }
        reader.feed(&piece);
        comparison.take(&mut reader).await?;
        let progress = Progress {
            bytes: file.read_bytes(),
            bytes_total: file.len(),
            rows: comparison.rows(),
        };
        comparison.progress(progress).await;
    }
    reader.finish();
    comparison.take(&mut reader).await?;
    comparison.end_of_file().await?;
    comparison.unnamed().await
}
