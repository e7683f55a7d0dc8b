//! The file seam under a ledger.

use std::io;

/// The files of one folder. Nothing counts as stored before [`Files::sync`] has returned for the
/// file, and, for a new or cut file, [`Files::sync_folder`].
pub trait Files: Send {
    /// Names of all files, in no order.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes an empty file.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or whatever the medium says.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn len(&self, name: &str) -> io::Result<u64>;

    /// Reads up to the buffer's length from an offset; fewer bytes only at the file's end.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at an offset; the file grows as needed.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or lengthens a file; new bytes are zero.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()>;

    /// Makes the file's content and length safe against loss of power.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Makes the names of new files safe against loss of power.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn sync_folder(&mut self) -> io::Result<()>;
}

impl<F: Files + ?Sized> Files for Box<F> {
    fn list(&self) -> io::Result<Vec<String>> {
        (**self).list()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        (**self).create(name)
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        (**self).len(name)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(name, offset, buffer)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write_at(name, offset, bytes)
    }

    fn set_len(&mut self, name: &str, len: u64) -> io::Result<()> {
        (**self).set_len(name, len)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        (**self).sync(name)
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        (**self).sync_folder()
    }
}
