//! A file of records that are durable when their writer hears of it; many share one sync.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc;

use tokio::sync::oneshot;

/// Records of one sync.
const GROUP_MAX: usize = 512;

/// The log's writing end.
#[derive(Clone)]
pub(super) struct DurableLog(mpsc::Sender<Record>);

struct Record {
    bytes: usize,
    durable: oneshot::Sender<()>,
}

impl DurableLog {
    /// Opens a new file and its thread, which ends when nobody can write any more.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let (sender, records) = mpsc::channel();
        std::thread::Builder::new()
            .name("durable-log".to_owned())
            .spawn(move || write_on(file, &records))?;
        Ok(Self(sender))
    }

    /// Hands a record over; it is durable when the receiver gets its word.
    pub(super) fn append(&self, bytes: usize) -> oneshot::Receiver<()> {
        let (durable, word) = oneshot::channel();
        // Where the thread has ended on a failure, the word never comes.
        let _ = self.0.send(Record { bytes, durable });
        word
    }
}

fn write_on(mut file: File, records: &mpsc::Receiver<Record>) {
    while let Ok(first) = records.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Ok(record) = records.try_recv()
        {
            group.push(record);
        }
        let bytes = group.iter().map(|record| record.bytes).sum();
        if file
            .write_all(&vec![7; bytes])
            .and_then(|()| file.sync_data())
            .is_err()
        {
            return;
        }
        for record in group {
            let _ = record.durable.send(());
        }
    }
}
