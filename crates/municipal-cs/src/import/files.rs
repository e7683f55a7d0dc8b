//! The register's own files about an import: what was refused, and which codes were given.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use juki_domain::{Lang, RegisterNumber};
use juki_intake::{CodeWriter, FileEncoding, Reject, RejectWriter};

type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// Two files beside each other, in the encoding of the file that is taken in. They have their names
/// when they are complete and safe on disk.
pub(crate) struct FileOutlet {
    rejects: PathBuf,
    codes: PathBuf,
    lang: Lang,
    open: Option<Open>,
}

struct Open {
    rejects: RejectWriter<Sink>,
    codes: CodeWriter<Sink>,
    parts: [Part; 2],
}

impl FileOutlet {
    /// Files `stem.rejects.csv` and `stem.codes.csv`.
    pub(crate) fn new(stem: &Path, lang: Lang) -> Self {
        Self {
            rejects: with_ending(stem, "rejects.csv"),
            codes: with_ending(stem, "codes.csv"),
            lang,
            open: None,
        }
    }

    pub(super) fn begin(&mut self, encoding: FileEncoding) -> io::Result<()> {
        let (rejects, codes) = (Part::new(&self.rejects)?, Part::new(&self.codes)?);
        self.open = Some(Open {
            rejects: RejectWriter::new(encoding, self.lang, rejects.sink()),
            codes: CodeWriter::new(encoding, codes.sink()),
            parts: [rejects, codes],
        });
        Ok(())
    }

    pub(super) fn reject(&mut self, line: u64, reject: &Reject) {
        if let Some(open) = &mut self.open {
            // A reject repeats nothing of its row, so that every encoding holds it.
            let _ = open.rejects.row(line, reject);
        }
    }

    pub(super) fn code(&mut self, resident: &RegisterNumber, code: &str) {
        if let (Some(open), Ok(code)) = (&mut self.open, code.parse()) {
            // The number came in the same encoding.
            let _ = open.codes.row(resident, &code);
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        open.parts.into_iter().try_for_each(Part::finish)
    }
}

/// A file that has its name only when it is complete.
pub(crate) struct Part {
    path: PathBuf,
    partial: PathBuf,
    written: Arc<Mutex<Written>>,
}

struct Written {
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl Part {
    /// Begins a file; what a crash left under its partial name is overwritten.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let partial = with_ending(path, "part");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        let written = Written {
            file: BufWriter::new(file),
            failed: None,
        };
        Ok(Self {
            path: path.to_owned(),
            partial,
            written: Arc::new(Mutex::new(written)),
        })
    }

    /// Takes bytes; the first failure is told at the end.
    pub(crate) fn sink(&self) -> Sink {
        let written = Arc::clone(&self.written);
        Box::new(move |bytes| {
            let Ok(mut written) = written.lock() else {
                return;
            };
            if written.failed.is_none()
                && let Err(error) = written.file.write_all(bytes)
            {
                written.failed = Some(error);
            }
        })
    }

    /// Makes the file safe and gives it its name.
    pub(crate) fn finish(self) -> io::Result<()> {
        let mut written = self
            .written
            .lock()
            .map_err(|_| io::Error::other("a writer panicked"))?;
        if let Some(error) = written.failed.take() {
            return Err(error);
        }
        written.file.flush()?;
        written.file.get_ref().sync_all()?;
        std::fs::rename(&self.partial, &self.path)
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day.csv.codes.csv");
        std::fs::write(with_ending(&path, "part"), "left by a crash").unwrap();
        let part = Part::new(&path).unwrap();
        part.sink()(b"content");
        assert!(!path.exists());
        part.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"content");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
