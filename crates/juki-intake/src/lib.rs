//! The existing register's rows: columns, encodings, rejects, reading and writing.
//!
//! An [`Inspection`] finds out whether a file is whole. [`Reader`] turns its bytes into change
//! requests or rejects, one row at a time and in flat memory; [`Writer`] writes the same format.
//! [`CodeWriter`] writes the file that returns the assigned codes to the register,
//! [`RejectWriter`] the list of what was not taken.
//! One bad row never ends a file, and nothing here does I/O.

mod column;
mod encoding;
mod framer;
mod header;
mod inspection;
mod reader;
mod reason_word;
mod reject;
mod row;
mod scope;
mod writer;

pub use column::Column;
pub use encoding::FileEncoding;
pub use inspection::{Inspected, Inspection};
pub use reader::{FileKind, Reader, ReaderSettings, Row, Summary};
pub use reject::Reject;
pub use scope::Scope;
pub use writer::{CodeWriter, RejectWriter, WorkListRow, WorkListWriter, WriteError, Writer};
