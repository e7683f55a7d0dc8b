//! What every engine must do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use juki_crypto::{StorageKey, SystemRandomness};
use juki_dispatch::{IndexBatch, IndexMark, IndexPort, Writes};

use crate::{LsmIndex, LsmSize, SledIndex};

type Open = fn(&Path, u8) -> Box<dyn IndexPort>;

fn sled(folder: &Path, key: u8) -> Box<dyn IndexPort> {
    let key = StorageKey::new([key; 32]);
    Box::new(SledIndex::open(folder, key, &SystemRandomness, 1 << 20).unwrap())
}

fn lsm(folder: &Path, key: u8) -> Box<dyn IndexPort> {
    let size = LsmSize {
        held_bytes: 16 << 10,
        ..LsmSize::SMALL
    };
    let key = StorageKey::new([key; 32]);
    Box::new(LsmIndex::open(folder, key, &SystemRandomness, size).unwrap())
}

const ENGINES: [Open; 2] = [sled, lsm];

fn batch(seq: u64, writes: Writes) -> IndexBatch {
    IndexBatch {
        mark: IndexMark { seq, hash: [7; 32] },
        writes,
    }
}

fn pair(key: &[u8], value: &[u8]) -> (Bytes, Option<Bytes>) {
    (
        Bytes::copy_from_slice(key),
        Some(Bytes::copy_from_slice(value)),
    )
}

#[test]
fn what_is_written_reads_back_after_a_reopening() {
    for open in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let index = open(&path, 1);
        let writes = vec![pair(b"ra", b"1"), pair(b"rb", b"2")];
        index.write(&batch(3, writes)).unwrap();
        index
            .write(&batch(4, vec![(Bytes::from_static(b"ra"), None)]))
            .unwrap();
        drop(index);
        let index = open(&path, 1);
        assert_eq!(index.get(b"ra").unwrap(), None);
        let rest = [(b"rb".to_vec(), b"2".to_vec())];
        assert_eq!(index.scan(b"r", None, 10).unwrap(), rest);
        let mark = IndexMark {
            seq: 4,
            hash: [7; 32],
        };
        assert_eq!(index.mark().unwrap(), mark);
        index.wipe().unwrap();
        assert_eq!(index.mark().unwrap(), IndexMark::default());
        assert_eq!(index.get(b"rb").unwrap(), None);
        index.write(&batch(1, vec![pair(b"rc", b"3")])).unwrap();
        drop(index);
        assert_eq!(open(&path, 1).get(b"rc").unwrap(), Some(b"3".to_vec()));
    }
}

#[test]
fn large_batches_arrive_whole_and_are_gone_through_page_by_page() {
    for open in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let index = open(&folder.path().join("index"), 1);
        let writes: Writes = (0..2_000u32)
            .map(|n| pair(&[&b"r"[..], &n.to_be_bytes()].concat(), &[1; 50]))
            .collect();
        index.write(&batch(9, writes)).unwrap();
        index
            .write(&batch(10, vec![pair(b"s", b"behind")]))
            .unwrap();
        assert_eq!(index.scan(b"r", None, 9_999).unwrap().len(), 2_000);
        assert_eq!(index.mark().unwrap().seq, 10);
        let (mut after, mut pages, mut seen) = (None, 0, 0);
        loop {
            let page = index.scan(b"r", after.as_deref(), 300).unwrap();
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            pages += 1;
            seen += page.len();
        }
        assert_eq!((pages, seen), (7, 2_000));
    }
}

#[test]
fn nothing_lies_in_clear_and_another_key_starts_empty() {
    for open in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let index = open(&path, 1);
        let name = "渡邊太郎渡邊太郎".as_bytes();
        index.write(&batch(1, vec![pair(b"ra", name)])).unwrap();
        drop(index);
        let mut files = 0;
        let mut folders = vec![path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap().path();
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                files += 1;
                let bytes = std::fs::read(entry).unwrap();
                assert!(!bytes.windows(6).any(|window| window == "渡邊".as_bytes()));
            }
        }
        assert!(files > 0);
        assert_eq!(open(&path, 2).mark().unwrap(), IndexMark::default());
    }
}

#[test]
fn a_ruined_sled_file_is_replaced_by_an_empty_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    drop(sled(&path, 1));
    std::fs::write(path.join("conf"), b"ruined").unwrap();
    assert_eq!(sled(&path, 1).mark().unwrap(), IndexMark::default());
}

#[test]
fn a_ruined_tree_is_replaced_by_an_empty_index() {
    for ruin in ["current", "manifest"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        let index = lsm(&path, 1);
        index.write(&batch(1, vec![pair(b"ra", b"1")])).unwrap();
        drop(index);
        let file = path.join(ruin);
        if ruin == "current" {
            assert!(file.is_file());
        }
        std::fs::write(file, b"ruined").unwrap();
        let index = lsm(&path, 1);
        let mark = index.mark().unwrap();
        assert!(mark.seq == 0 || index.get(b"ra").unwrap().is_some());
    }
}

/// What the tree held in memory is gone with the process; what was written out is whole at its mark.
#[test]
fn a_killed_process_leaves_the_tree_whole_at_a_mark() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let index = lsm(&path, 1);
    let mut marks = Vec::new();
    for seq in 1..=60u64 {
        let writes = (0..40u64)
            .map(|n| pair(format!("r{n:02}").as_bytes(), &seq.to_be_bytes()))
            .collect();
        index.write(&batch(seq, writes)).unwrap();
        // A copy of the folder is what a kill leaves.
        let copy = folder.path().join(format!("copy-{seq}"));
        copied(&path, &copy);
        let left = lsm(&copy, 1);
        let mark = left.mark().unwrap().seq;
        marks.push(mark);
        for (_, value) in left.scan(b"r", None, 100).unwrap() {
            assert_eq!(value, mark.to_be_bytes());
        }
    }
    assert!(
        marks.last() > Some(&30),
        "much of it was written out: {marks:?}"
    );
    assert!(marks.is_sorted());
}

/// Copies a folder as it is at one moment: where files came, went or grew meanwhile, as when the tree
/// merges its tables, it is copied again.
fn copied(from: &Path, to: &Path) {
    loop {
        let before = listed(from);
        let is_whole = copy_once(from, to).is_ok();
        if is_whole && before.is_some() && listed(from) == before {
            return;
        }
        std::fs::remove_dir_all(to).unwrap();
    }
}

fn copy_once(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?.path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_once(&entry, &target)?;
        } else {
            std::fs::copy(entry, target)?;
        }
    }
    Ok(())
}

/// Every file below a folder with its length; none where one vanished meanwhile.
fn listed(folder: &Path) -> Option<BTreeMap<PathBuf, u64>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        if path.is_dir() {
            found.extend(listed(&path)?);
        } else {
            let length = path.metadata().ok()?.len();
            found.insert(path, length);
        }
    }
    Some(found)
}
