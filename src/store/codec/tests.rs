//! Frames: what goes in comes out, and what was changed is noticed.

use std::sync::Arc;

use super::*;
use crate::store::checkpoint::FORMAT;
use crate::store::samples;

#[test]
fn every_kind_of_record_comes_back_as_it_was() {
    for record in samples::every_record() {
        let mut bytes = Vec::new();
        encode(&record, &mut bytes).unwrap();
        let frame = split(&bytes).unwrap();
        assert_eq!(frame.length, bytes.len());
        assert_eq!(frame.origin, None);
        assert_eq!(frame.record().unwrap(), record);
    }
}

#[test]
fn a_copy_remembers_where_it_lay_first() {
    let first = Position {
        sequence: 7,
        offset: 99,
    };
    let record = samples::stored("orders", 0, 3);
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    let mut original = Vec::new();
    encode(&record, &mut original).unwrap();
    copy(&split(&original).unwrap(), first, &mut once).unwrap();
    let moved = Position {
        sequence: 20,
        offset: 0,
    };
    copy(&split(&once).unwrap(), moved, &mut twice).unwrap();
    let frame = split(&twice).unwrap();
    assert_eq!(frame.origin, Some(first));
    assert_eq!(frame.record().unwrap(), record);
}

#[test]
fn frames_of_a_commit_are_visited_in_order_with_their_positions() {
    let records = [
        samples::stored("orders", 0, 0),
        samples::stored("orders", 0, 1),
    ];
    let mut commit = Vec::new();
    for record in &records {
        encode(record, &mut commit).unwrap();
    }
    let seen: Vec<(Position, Record)> = frames(5, &commit)
        .map(|found| found.map(|(at, frame)| (at, frame.record().unwrap())))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].0.sequence, 5);
    assert!(seen[1].0.offset > 0);
    assert_eq!(Arc::new(seen[1].1.clone()).as_ref(), &records[1]);
}

/// Bytes on disk are a promise: a change here needs a new [`FORMAT`] and a way to read the old one.
#[test]
fn the_encoding_of_every_kind_of_record_is_the_one_of_its_format() {
    let checksums = samples::every_record().into_iter().map(|record| {
        let mut bytes = Vec::new();
        encode(&record, &mut bytes).unwrap();
        crc32fast::hash(&bytes)
    });
    let checksums: Vec<String> = checksums.map(|sum| format!("{sum:08x}")).collect();
    assert_eq!((FORMAT, checksums.join(" ").as_str()), (1, ENCODED));
}

/// Checksums of one sample of each kind, in the order of the samples.
const ENCODED: &str = "2b9bbaff e72244ca d404a3c5 09d22cdf d47e08d5 4dfcdb99 3d97f50c ae73c96c 9f3b9e36 \
    237ad5ce 5ee04180 41f878cb f9c9c3b0 367ef769 33f89d70 5f134c47 a26f2b70";
