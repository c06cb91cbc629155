//! Files that are damaged, too new or not ours are refused, and stay as they are.

use std::path::{Path, PathBuf};

use super::{append, small, start};
use crate::report::Hint as _;
use crate::store::error::StoreError;
use crate::store::open::open;
use crate::store::samples;

/// A store with some records; the path of its only segment.
fn filled(directory: &Path) -> PathBuf {
    let (_witness, journal) = start(directory, small());
    for offset in 0..20 {
        append(&*journal, vec![samples::stored("orders", 0, offset)]);
    }
    journal.close();
    drop(journal);
    let files = std::fs::read_dir(directory).unwrap();
    files
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|suffix| suffix == "redb"))
        .unwrap()
}

fn refusal(directory: &Path) -> StoreError {
    open(directory, small()).err().unwrap()
}

#[test]
fn a_newer_format_is_refused_and_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let segment = filled(directory.path());
    std::fs::write(directory.path().join("format"), "2\n").unwrap();
    let before = std::fs::read(&segment).unwrap();
    let error = refusal(directory.path());
    assert!(matches!(error, StoreError::NewerFormat { found: 2, .. }));
    assert!(error.hint().is_some());
    assert_eq!(std::fs::read(&segment).unwrap(), before);
}

#[test]
fn a_damaged_segment_is_refused_and_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let segment = filled(directory.path());
    let whole = std::fs::read(&segment).unwrap();
    let mut damages = vec![whole[..whole.len() / 3].to_vec(), vec![0; 8192], Vec::new()];
    let mut scribbled = whole.clone();
    scribbled[..64].fill(0xee);
    damages.push(scribbled);
    for damaged in damages {
        std::fs::write(&segment, &damaged).unwrap();
        let error = refusal(directory.path());
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(&segment).unwrap(), damaged);
    }
    std::fs::write(&segment, &whole).unwrap();
    assert_eq!(start(directory.path(), small()).0.records().len(), 20);
}

#[test]
fn a_changed_byte_in_a_record_is_noticed_when_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let segment = filled(directory.path());
    let mut bytes = std::fs::read(&segment).unwrap();
    let needle = b"body of 7";
    let found: Vec<usize> = bytes
        .windows(needle.len())
        .enumerate()
        .filter(|(_, window)| window == needle)
        .map(|(at, _)| at)
        .collect();
    for at in found {
        bytes[at + 5] ^= 1;
    }
    std::fs::write(&segment, &bytes).unwrap();
    let (_witness, journal) = start(directory.path(), small());
    let error = journal
        .message(&samples::place("orders", 0, 7))
        .unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn segments_without_their_format_file_are_not_taken_for_a_new_store() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path());
    std::fs::remove_file(directory.path().join("format")).unwrap();
    assert!(matches!(
        refusal(directory.path()),
        StoreError::Damaged { .. }
    ));
}

#[test]
fn a_path_that_is_no_directory_is_not_writable() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(matches!(refusal(&file), StoreError::NotWritable { .. }));
}
