//! Any bytes as a segment and its marks: they are read to the end without a panic, every byte is accounted for, and
//! what is given back can be read again and let go of.
//!
//! The first byte says how much of the rest are marks. Where the bytes have a magic number or could be a mark, the
//! checksum is put right, so that the fuzzer reaches what lies behind it.
#![no_main]

#[path = "../../tests/support/simulated.rs"]
mod simulated;

use libfuzzer_sys::fuzz_target;
use simulated::{Crash, Fault, Simulated};
use std::collections::BTreeMap;
use tollgate_journal::{Config, Fsync, Journal};

const RECORD: [u8; 4] = [0xa5, b'T', b'R', 0x1e];

fn seal(bytes: &mut [u8]) {
    if let Some((body, checksum)) = bytes.split_last_chunk_mut::<4>() {
        *checksum = crc32c::crc32c_append(crc32c::crc32c(&[0; 8]), body).to_le_bytes();
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&split, rest)) = bytes.split_first() else { return };
    let (marks, segment) = rest.split_at(rest.len() * usize::from(split) / 512);
    let (mut marks, mut segment) = (marks.to_vec(), segment.to_vec());
    marks.chunks_exact_mut(16).filter(|mark| mark[11] == 0).for_each(seal);
    for at in 0..segment.len().saturating_sub(27) {
        if segment[at..].starts_with(&RECORD) {
            if segment[at + 6] & 1 == 0 {
                // A payload that is whole, too.
                let length = u32::from_le_bytes([segment[at + 4], segment[at + 5], 0, 0]) as usize;
                let end = (at + 28 + length).min(segment.len());
                let checksum = crc32c::crc32c(&segment[at + 28..end]);
                segment[at + 20..at + 24].copy_from_slice(&checksum.to_le_bytes());
                segment[at + 6..at + 8].fill(0);
            }
            seal(&mut segment[at..at + 28]);
        }
    }
    let stored = segment.len() as u64;
    let name = "0000000000000001-0000000000000000".to_owned();
    let disk = Simulated::with(&BTreeMap::from([(format!("{name}.segment"), segment), (format!("{name}.marks"), marks)]));
    disk.set_capacity(None);
    let _ = (Crash::Kill, Fault::Read);
    let config = || Config { fsync: Fsync::Never, ..Config::new("simulated") };
    let Ok((journal, mut recovery)) = Journal::open_on(disk.boxed(), config()) else { return };
    let recovered: Vec<_> = recovery.by_ref().collect();
    let given: u64 = recovered.iter().map(|record| 28 + record.payload.len() as u64).sum();
    let damage = recovery.damage();
    assert!(given + damage.bytes + damage.torn_bytes <= stored, "{given} {damage:?} {stored}");
    assert!(recovered.iter().all(|record| record.entry.read().is_ok_and(|payload| payload == record.payload)));
    assert!(recovered.is_sorted_by(|a, b| a.entry.sequence() < b.entry.sequence()));
    drop(recovered);
    drop(journal.append(1, &[b"next"]).expect("room"));
    assert_eq!(journal.stats().segments, 1);
});
