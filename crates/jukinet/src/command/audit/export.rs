//! `jukinet audit export`: requests into a file, and the manifest that ties it to the ledgers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use juki_crypto::DigestStream;
use juki_domain::ErrorCode;
use juki_ledger::Chain;
use serde_json::{Value, json};

use super::ledgers::{Ledgers, OpenLedger};
use super::requests::{Filter, Request, hex};
use crate::cli::{ExportArgs, Wanted};
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::unix_now;
use crate::screen::Screen;
use crate::text;

pub(super) fn run(args: &ExportArgs, screen: Screen) -> Ending {
    let filter = Filter::new(&args.wanted)?;
    let failed = |error| Failure::file(&args.out, &error);
    let is_json = args.out.extension().is_some_and(|end| end == "jsonl");
    let mut ledgers = Ledgers::open(&args.sources)?;
    let mut out = Digested {
        file: BufWriter::new(private_file(&args.out).map_err(failed)?),
        digest: DigestStream::plain(),
    };
    if !is_json {
        out.write(&csv_line(Request::COLUMNS)).map_err(failed)?;
    }
    let mut rows = 0_u64;
    ledgers.for_each(|ledger, entry| {
        let Some(request) = filter.request(ledger, entry) else {
            return Ok(());
        };
        rows += 1;
        let line = if is_json {
            let line = serde_json::to_string(&request)
                .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
            format!("{line}\n")
        } else {
            csv_line(request.fields())
        };
        out.write(&line).map_err(failed)
    })?;
    out.file.flush().map_err(failed)?;
    let digest = out.digest.finish();
    let manifest = manifest_path(&args.out);
    let document = json!({
        "file": args.out.file_name().map(|name| name.to_string_lossy()),
        "rows": rows,
        "sha256": hex(&digest),
        "made_unix_s": unix_now(),
        "wanted": wanted(&args.wanted),
        "ledgers": ledgers.all().iter().map(told).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
    private_file(&manifest)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::file(&manifest, &error))?;
    screen.line(text::audit::exported(
        screen.lang,
        rows,
        &args.out.display().to_string(),
        &manifest.display().to_string(),
    ));
    screen.document(&document)?;
    Ok(Outcome::Held)
}

/// How far a ledger was read, and up to where its node has signed for it.
fn told(ledger: &OpenLedger) -> Value {
    let place = |chain: Chain| json!({"entry": chain.seq, "chain": hex(&chain.hash)});
    json!({
        "node": ledger.source.node.as_str(),
        "head": place(ledger.reader.chain()),
        "checkpoint": ledger.reader.checkpoint().map(place),
    })
}

fn wanted(wanted: &Wanted) -> Value {
    json!({
        "from": wanted.days.from.map(|date| date.to_string()),
        "to": wanted.days.to.map(|date| date.to_string()),
        "operator": wanted.operator,
        "card": wanted.card,
        "terminal": wanted.terminal,
        "body": wanted.body,
        "affair": wanted.affair,
        "person": wanted.person,
        "outcome": wanted.outcome.map(|outcome| format!("{outcome:?}").to_lowercase()),
    })
}

fn manifest_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".manifest.json");
    name.into()
}

/// A file whose digest is made while it is written.
struct Digested {
    file: BufWriter<File>,
    digest: DigestStream,
}

impl Digested {
    fn write(&mut self, line: &str) -> io::Result<()> {
        self.digest.update(line.as_bytes());
        self.file.write_all(line.as_bytes())
    }
}

/// A new or emptied file that its owner alone can read.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // A file that was there keeps its mode otherwise.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Fields as a line of CSV. A field that a spreadsheet would take for a formula is quoted and begins
/// with an apostrophe.
pub(super) fn csv_line<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> String {
    let fields: Vec<String> = fields
        .into_iter()
        .map(|field| csv_field(field.as_ref()))
        .collect();
    format!("{}\r\n", fields.join(","))
}

fn csv_field(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula || field.contains([',', '"', '\r', '\n']) {
        let apostrophe = if is_formula { "'" } else { "" };
        format!("\"{apostrophe}{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_need_it_and_no_formula_goes_out() {
        assert_eq!(
            csv_line(["a", "b,c", "d\"e", "=1+2"]),
            "a,\"b,c\",\"d\"\"e\",\"'=1+2\"\r\n"
        );
    }
}
