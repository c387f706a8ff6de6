//! Real files: many threads, a second process, crashes at failpoints.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tollgate_journal::{Config, Fsync, Journal, OpenError, ReadError};

fn config(path: &std::path::Path, fsync: Fsync) -> Config {
    Config { segment_bytes: 40_000, max_bytes: 8 << 20, max_record_bytes: 1 << 20, fsync, ..Config::new(path) }
}

/// The payload of a record of this number, some of them longer than a segment.
fn payload(number: u32) -> Vec<u8> {
    let length = if number.is_multiple_of(50) { 90_000 } else { number as usize * 37 % 2000 };
    let fill = (0..length).map(|at| (at as u32 ^ number) as u8);
    number.to_le_bytes().into_iter().chain(fill).collect()
}

#[test]
fn many_threads_append_and_let_go_and_the_next_process_has_the_rest() {
    for fsync in [Fsync::Always, Fsync::Interval(Duration::from_millis(1)), Fsync::Never] {
        let folder = tempfile::tempdir().unwrap();
        let (journal, recovery) = Journal::open(config(folder.path(), fsync)).unwrap();
        assert_eq!(recovery.count(), 0);
        let held = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (journal, held) = (&journal, &held);
                scope.spawn(move || {
                    for number in (0..400).filter(|number| number % 8 == thread) {
                        let payload = payload(number);
                        let entry = journal.append(9, &[&payload[..2], &payload[2..]]).unwrap();
                        assert_eq!(entry.read().unwrap(), payload);
                        if number % 3 == 0 {
                            entry.mark(number);
                            held.lock().unwrap().push((number, entry));
                        }
                    }
                });
            }
        });
        let stats = journal.stats();
        assert_eq!((stats.appended_records, stats.undone_records), (400, 134));
        assert!(stats.deleted_segments > 0 || stats.segments > 5, "{stats:?}");
        match fsync {
            Fsync::Always => assert!(stats.fsyncs > 0 && stats.fsyncs < 400 + stats.segments, "{stats:?}"),
            Fsync::Interval(_) => assert_eq!(stats.fsync_errors, 0),
            Fsync::Never => assert_eq!(stats.fsyncs, 0),
        }
        journal.freeze().unwrap();
        let order: Vec<u64> = held.lock().unwrap().iter().map(|(_, entry)| entry.sequence()).collect();
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len(), "each its own sequence number");
        let last = order.into_iter().max();
        drop((held, journal));

        let (journal, recovery) = Journal::open(config(folder.path(), fsync)).unwrap();
        let new = journal.append(1, &[b"meanwhile"]).unwrap();
        assert!(Some(new.sequence()) > last);
        let mut numbers = BTreeSet::new();
        let mut before = 0;
        for record in recovery {
            let number = u32::from_le_bytes(record.payload[..4].try_into().unwrap());
            assert_eq!((record.payload, record.parts), (payload(number), vec![number]));
            assert!(record.entry.sequence() > before);
            before = record.entry.sequence();
            assert!(numbers.insert(number));
        }
        assert_eq!(numbers, (0..400).filter(|number| number % 3 == 0).collect());
        drop(new);
        journal.flush();
        assert_eq!(journal.stats().segments, 1, "all done but the last");
        drop(journal);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "a segment, its marks, the lock");
    }
}

#[test]
fn what_is_not_read_in_recovery_is_given_back_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(config(folder.path(), Fsync::Never)).unwrap();
    let held: Vec<_> = (0..200).map(|number| journal.append(1, &[&payload(number)]).unwrap()).collect();
    journal.freeze().unwrap();
    drop((held, journal));
    let (journal, recovery) = Journal::open(config(folder.path(), Fsync::Never)).unwrap();
    assert_eq!(recovery.take(120).count(), 120);
    drop(journal);
    let (_journal, recovery) = Journal::open(config(folder.path(), Fsync::Never)).unwrap();
    let numbers: Vec<_> = recovery.map(|record| u32::from_le_bytes(record.payload[..4].try_into().unwrap())).collect();
    assert_eq!(numbers, (120..200).collect::<Vec<_>>());
}

#[test]
fn a_second_journal_of_the_folder_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, recovery) = Journal::open(config(folder.path(), Fsync::Always)).unwrap();
    let entry = journal.append(1, &[b"a"]).unwrap();
    let refused = || matches!(Journal::open(config(folder.path(), Fsync::Always)), Err(OpenError::Locked { .. }));
    drop((journal, recovery));
    assert!(refused(), "an entry still marks");
    drop(entry);
    assert!(!refused());
}

#[test]
fn damage_under_an_entry_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(config(folder.path(), Fsync::Always)).unwrap();
    let entry = journal.append(1, &[b"payload"]).unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let segment = files.into_iter().find(|path| path.extension().is_some_and(|e| e == "segment")).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert!(matches!(entry.read(), Err(ReadError::Damaged { offset: 16, .. })));
    std::fs::remove_file(segment).unwrap();
    assert!(matches!(entry.read(), Err(ReadError::Io { .. })));
}
