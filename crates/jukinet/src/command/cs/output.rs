//! Files for the register, which have their names when they are complete.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::failure::Failure;

/// Where a writer's bytes go.
pub(crate) type Sink = Box<dyn FnMut(&[u8])>;

/// A file of mode 0600 that has its name only when it is complete; given up, it leaves nothing.
pub(crate) struct OutputFile {
    path: PathBuf,
    partial: PathBuf,
    written: Rc<RefCell<Written>>,
}

struct Written {
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl OutputFile {
    /// Begins a file.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)
            .map_err(|error| Failure::file(path, &error))?;
        let written = Written {
            file: BufWriter::new(file),
            failed: None,
        };
        Ok(Self {
            path: path.to_owned(),
            partial,
            written: Rc::new(RefCell::new(written)),
        })
    }

    /// Takes bytes; the first failure is told at the end.
    pub(crate) fn sink(&self) -> Sink {
        let written = Rc::clone(&self.written);
        Box::new(move |bytes| {
            let mut written = written.borrow_mut();
            if written.failed.is_none() {
                written.failed = written.file.write_all(bytes).err();
            }
        })
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let mut written = self.written.borrow_mut();
        let ended = match written.failed.take() {
            Some(error) => Err(error),
            None => written
                .file
                .flush()
                .and_then(|()| written.file.get_ref().sync_all())
                .and_then(|()| std::fs::rename(&self.partial, &self.path)),
        };
        drop(written);
        ended.map_err(|error| Failure::file(&self.path, &error))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // After its end there is nothing under this name.
        let _ = std::fs::remove_file(&self.partial);
    }
}
