//! A crash in the middle of every single operation of a scripted history, and damage to every single byte.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use support::{Crash, Fault, NEVER_COMES, Simulated, config};
use tollgate_journal::{AppendError, Config, Fsync, Journal, OpenError};

/// Numbers that were acknowledged and not let go of, and all that were ever appended.
#[derive(Default)]
struct Said {
    owed: Vec<u8>,
    appended: Vec<u8>,
}

/// Appends over several segments, and lets go of them out of order, so that segments are closed, marked and deleted.
fn script(disk: &Simulated, fsync: Fsync) -> Said {
    let mut said = Said::default();
    let Ok((journal, mut recovery)) = Journal::open_on(disk.boxed(), config(fsync)) else { return said };
    assert!(recovery.next().is_none());
    let mut held = BTreeMap::new();
    for number in 0..24_u8 {
        said.appended.push(number);
        let Ok(entry) = journal.append(1, &[&[number; 100]]) else { continue };
        held.insert(number, entry);
        said.owed.push(number);
        let done: &[u8] = match number {
            3 => &[2],
            6 => &[0, 1],
            12 => &[3, 4, 5, 10],
            18 => &[6, 7, 8, 9, 11, 12],
            _ => &[],
        };
        if number % 4 == 0 {
            held[&number].mark(7);
            journal.flush();
        }
        for done in done {
            held.remove(done);
            said.owed.retain(|owed| owed != done);
        }
    }
    if journal.freeze().is_err() && fsync != Fsync::Always {
        said.owed.clear();
    }
    said
}

/// Opens the disk as it was left, and compares.
fn check(disk: &Simulated, said: &Said, fsync: Fsync, what: &str) {
    for round in 0..2 {
        let (journal, recovery) = Journal::open_on(disk.boxed(), config(fsync)).unwrap();
        let recovered: Vec<_> = recovery.collect();
        let numbers: Vec<u8> = recovered.iter().map(|record| record.payload[0]).collect();
        assert!(recovered.iter().all(|record| record.payload == [record.payload[0]; 100]), "{what}");
        assert!(numbers.is_sorted_by(|a, b| a < b), "{what}, round {round}: {numbers:?}");
        assert!(numbers.iter().all(|number| said.appended.contains(number)), "{what}: {numbers:?}");
        let missing: Vec<_> = said.owed.iter().filter(|owed| !numbers.contains(owed)).collect();
        assert!(missing.is_empty(), "{what}, round {round}: {missing:?} of {numbers:?}");
        for record in &recovered {
            assert!(record.parts.iter().all(|&part| part == 7 && record.payload[0] % 4 == 0), "{what}");
        }
        journal.freeze().unwrap();
    }
    // All of it can be let go of, and the journal is of use again.
    let (journal, recovery) = Journal::open_on(disk.boxed(), config(fsync)).unwrap();
    drop(recovery.collect::<Vec<_>>());
    drop(journal.append(1, &[b"next"]).unwrap());
    journal.flush();
    assert_eq!(journal.stats().segments, 1, "{what}: {:?}", disk.files().keys());
}

#[test]
fn a_crash_at_every_operation_loses_nothing() {
    for fsync in [Fsync::Always, Fsync::Interval(NEVER_COMES), Fsync::Never] {
        let disk = Simulated::default();
        script(&disk, fsync);
        let operations = disk.operations();
        assert!(operations > 40, "{operations}");
        for operation in 0..operations {
            let crashes = std::iter::once(Crash::Kill).chain((0..40).map(Crash::Power));
            for crash in crashes {
                let disk = Simulated::default();
                disk.die_at(operation);
                let mut said = script(&disk, fsync);
                if fsync != Fsync::Always && crash != Crash::Kill {
                    said.owed.clear();
                }
                check(&disk.crash(crash), &said, fsync, &format!("{fsync:?}, {crash:?} at {operation}"));
            }
        }
    }
}

#[test]
fn every_failure_is_an_error_and_nothing_that_was_acknowledged_is_lost() {
    let faults = [Fault::Create, Fault::Write, Fault::Sync, Fault::SyncDirectory, Fault::Remove, Fault::Truncate];
    for fault in faults {
        for seed in 0..20 {
            let disk = Simulated::default();
            disk.fail(fault);
            disk.fail(fault);
            let said = script(&disk, Fsync::Always);
            check(&disk.crash(Crash::Power(seed)), &said, Fsync::Always, &format!("{fault:?}"));
        }
    }
}

#[test]
fn a_failed_fsync_is_never_taken_back() {
    let disk = Simulated::default();
    let (journal, _) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    let first = journal.append(1, &[b"first"]).unwrap();
    disk.fail(Fault::Sync);
    assert!(matches!(journal.append(1, &[b"refused"]), Err(AppendError::Io { doing: "fsync", .. })));
    let third = journal.append(1, &[b"third"]).unwrap();
    assert_eq!(journal.stats().segments, 2, "the segment was closed");
    journal.freeze().unwrap();
    drop((first, third));
    let disk = disk.crash(Crash::Power(1));
    let (_journal, recovery) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    assert_eq!(recovery.map(|record| record.payload).collect::<Vec<_>>(), [b"first", b"third"]);
}

#[test]
fn with_an_interval_a_failed_fsync_is_counted() {
    let disk = Simulated::default();
    let (journal, _) = Journal::open_on(disk.boxed(), config(Fsync::Interval(NEVER_COMES))).unwrap();
    let mut held = vec![journal.append(1, &[b"durable"]).unwrap()];
    journal.sync().unwrap();
    held.push(journal.append(1, &[b"acknowledged"]).unwrap());
    disk.fail(Fault::Sync);
    assert!(journal.sync().is_err());
    held.push(journal.append(1, &[b"in the next segment"]).unwrap());
    journal.sync().unwrap();
    let stats = journal.stats();
    assert_eq!((stats.unsynced_records, stats.fsync_errors, stats.segments), (1, 1, 2));
}

#[test]
fn a_segment_that_cannot_be_read_is_reported_kept_and_read_the_next_time() {
    let disk = Simulated::default();
    let said = script(&disk, Fsync::Always);
    let disk = disk.crash(Crash::Kill);
    disk.fail(Fault::Read); // the check of its version, which is left to recovery
    disk.fail(Fault::Read);
    let (journal, mut recovery) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    disk.fail(Fault::Read);
    disk.fail(Fault::Read);
    let some = recovery.by_ref().collect::<Vec<_>>();
    assert!(some.len() < said.owed.len());
    assert!(recovery.damage().spans.iter().any(|span| span.error.is_some()), "{:?}", recovery.damage());
    journal.freeze().unwrap();
    check(&disk.crash(Crash::Kill), &said, Fsync::Always, "read again");
}

#[test]
fn every_flipped_byte_costs_its_record_only_and_is_counted() {
    let disk = Simulated::default();
    let (journal, _) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    let mut held: Vec<_> = (0..8_u8).map(|number| journal.append(number, &[&[number; 60]]).unwrap()).collect();
    held[2].mark(1);
    held[5].mark(2);
    held.remove(6);
    journal.freeze().unwrap();
    let files = disk.files();
    assert!(files.len() >= 4, "{:?}", files.keys());
    for (name, bytes) in &files {
        for (at, byte) in bytes.iter().enumerate() {
            for change in [0x01, 0x80, 0xff] {
                let mut files = files.clone();
                files.get_mut(name).unwrap()[at] ^= change;
                let (journal, mut recovery) =
                    Journal::open_on(Simulated::with(&files).boxed(), config(Fsync::Always)).unwrap();
                let recovered: Vec<_> = recovery.by_ref().collect();
                let what = format!("{name} at {at} by {change:#x}");
                let expected = [0_u8, 1, 2, 3, 4, 5, 7];
                for record in &recovered {
                    assert!(record.payload == [record.kind; 60] && record.kind < 8, "{what}");
                }
                let damage = recovery.damage();
                if name.ends_with(".marks") {
                    assert_eq!(damage.marks, 1, "{what}");
                    assert!(expected.iter().all(|kind| recovered.iter().any(|r| r.kind == *kind)), "{what}");
                } else {
                    let missing = expected.iter().filter(|kind| recovered.iter().all(|r| r.kind != **kind)).count();
                    assert!(missing <= 1, "{what}: {recovered:?}");
                    // A payload that nobody needs any more is not looked at.
                    let done = missing == 0 && at >= 16 && damage.bytes + damage.torn_bytes == 0;
                    assert!(!done || *byte == 6, "{what}: {damage:?}");
                    assert!(damage.records + u64::from(damage.torn_bytes > 0) >= missing as u64, "{what}");
                }
                let stats = journal.stats();
                assert_eq!((stats.damaged_bytes, stats.torn_bytes), (damage.bytes, damage.torn_bytes), "{what}");
            }
        }
    }
}

#[test]
fn a_payload_that_looks_like_a_segment_is_not_taken_for_one() {
    let disk = Simulated::default();
    let (journal, _) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    let inner = journal.append(1, &[b"inner"]).unwrap();
    let copy = disk.files().into_values().next().unwrap();
    drop((inner, journal));
    let disk = Simulated::default();
    let (journal, _) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    let held = [journal.append(2, &[&copy]).unwrap(), journal.append(3, &[b"after"]).unwrap()];
    journal.freeze().unwrap();
    let mut files = disk.files();
    files.values_mut().for_each(|bytes| bytes[20] ^= 1);
    let (_journal, mut recovery) = Journal::open_on(Simulated::with(&files).boxed(), config(Fsync::Always)).unwrap();
    assert_eq!(recovery.by_ref().map(|record| record.kind).collect::<Vec<_>>(), [3]);
    let damage = recovery.damage();
    assert_eq!((damage.records, damage.bytes, damage.spans[0].offset), (1, 28 + copy.len() as u64, 16));
    drop(held);
}

#[test]
fn a_full_journal_refuses_and_takes_records_again_when_some_are_done() {
    let disk = Simulated::default();
    let (journal, _) = Journal::open_on(disk.boxed(), config(Fsync::Always)).unwrap();
    let mut held = Vec::new();
    let full = loop {
        match journal.append(1, &[&[1; 200]]) {
            Ok(entry) => held.push(entry),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::Full { bytes: 228, max_bytes: 4096 }), "{full}");
    // Marks of parts do not take what is reserved for the ends of records.
    (0..200).for_each(|part| held[0].mark(part));
    assert!(journal.stats().lost_marks > 0 && journal.stats().bytes <= 4096);
    held.clear();
    assert!(journal.append(1, &[&[1; 200]]).is_ok());
    assert!(disk.bytes().1 <= 4096, "{:?}", disk.bytes());
}

#[test]
fn configurations_that_cannot_work_and_later_versions_are_refused() {
    let with = |change: fn(&mut Config)| {
        let mut config = config(Fsync::Always);
        change(&mut config);
        Journal::open_on(Simulated::default().boxed(), config).err().map(|error| error.to_string())
    };
    assert_eq!(with(|_| ()), None);
    assert!(with(|config| config.max_bytes = 375).unwrap().contains("max_bytes"));
    assert_eq!(with(|config| config.max_bytes = 376), None);
    assert!(with(|config| config.segment_bytes = 0).unwrap().contains("segment_bytes"));
    assert!(with(|config| config.max_record_bytes = 0).unwrap().contains("max_record_bytes"));
    assert!(with(|config| config.fsync = Fsync::Interval(std::time::Duration::ZERO)).unwrap().contains("interval"));

    // Magic number, version 2, and the checksum over the salt 0 and both.
    let mut header = b"tollgjnl\x02\0\0\0".to_vec();
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&[0; 8]), &header);
    header.extend(checksum.to_le_bytes());
    let name = "0000000000000001-0000000000000000.segment".to_owned();
    let disk = Simulated::with(&BTreeMap::from([(name, header)]));
    let opened = Journal::open_on(disk.boxed(), config(Fsync::Always)).err();
    assert!(matches!(opened, Some(OpenError::Version { version: 2, known: 1, .. })), "{opened:?}");
}
