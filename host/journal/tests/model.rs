//! Any history of appends, marks, crashes and failures against a plain model of what is owed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::{Crash, Fault, NEVER_COMES, Simulated, config};
use tollgate_journal::{AppendError, Entry, Fsync, Journal, Recovered, Recovery};

#[derive(Clone, Debug)]
enum Op {
    /// Appends so many bytes, cut in two parts there.
    Append {
        kind: u8,
        bytes: usize,
        cut: usize,
    },
    /// Reads one of the entries back, of those that are held.
    Read(usize),
    Mark(usize, u32),
    Drop(usize),
    Flush,
    Sync,
    /// Reads so many records of those that are owed from before.
    Recover(usize),
    Crash(Crash),
    /// Ends in order, with everything that is held still owed.
    End,
    Fail(Fault),
    /// Bytes that the file system has, beyond what is there.
    Capacity(Option<u64>),
}

fn op() -> impl Strategy<Value = Op> {
    let crash = prop_oneof![Just(Crash::Kill), any::<u64>().prop_map(Crash::Power)];
    let fault = prop::sample::select(vec![
        Fault::Create,
        Fault::Write,
        Fault::Sync,
        Fault::SyncDirectory,
        Fault::Remove,
        Fault::Truncate,
    ]);
    prop_oneof![
        12 => (any::<u8>(), 4..=301_usize, any::<usize>()).prop_map(|(kind, bytes, cut)| Op::Append { kind, bytes, cut }),
        1 => any::<usize>().prop_map(Op::Read),
        4 => (any::<usize>(), 0..4_u32).prop_map(|(which, part)| Op::Mark(which, part)),
        8 => any::<usize>().prop_map(Op::Drop),
        2 => Just(Op::Flush),
        2 => Just(Op::Sync),
        3 => (0..20_usize).prop_map(Op::Recover),
        2 => crash.prop_map(Op::Crash),
        1 => Just(Op::End),
        2 => fault.prop_map(Op::Fail),
        1 => prop::option::of(0..600_u64).prop_map(Op::Capacity),
    ]
}

/// What is known of a record. Its number is at the beginning of the payload.
#[derive(Debug)]
struct Record {
    kind: u8,
    payload: Vec<u8>,
    parts: BTreeSet<u32>,
    /// Acknowledged and not done, and not lost to a power cut that may have taken it.
    owed: bool,
    /// Survives a power cut.
    durable: bool,
    /// An fsync that should have made it durable failed: no later one counts.
    weak: bool,
    /// Its marks are in the page cache, so that a kill does not undo them.
    flushed: bool,
    /// A crash may have undone marks, so that no later flush brings them.
    uncertain: bool,
}

struct World {
    fsync: Fsync,
    disk: Simulated,
    journal: Journal,
    recovery: Option<Recovery>,
    /// Numbers of the records that this process was given back.
    recovered: Vec<usize>,
    records: Vec<Record>,
    held: BTreeMap<usize, Entry>,
    /// Whether marks were lost to a failure, so that there may be more duplicates.
    marks_lost: bool,
    /// Most bytes that there may be. A power cut can bring deleted files back; beside them no more than the header of a
    /// segment is written, in exchange for the last one.
    most: u64,
}

impl World {
    fn new(fsync: Fsync) -> Self {
        let disk = Simulated::default();
        let (journal, recovery) = Journal::open_on(disk.boxed(), config(fsync)).unwrap();
        Self {
            fsync,
            disk,
            journal,
            recovery: Some(recovery),
            recovered: Vec::new(),
            records: Vec::new(),
            held: BTreeMap::new(),
            marks_lost: false,
            most: 4096,
        }
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Append { kind, bytes, cut } => self.append(kind, bytes, cut),
            Op::Read(which) => {
                if let Some(number) = self.pick(which) {
                    assert_eq!(self.held[&number].read().unwrap(), self.records[number].payload);
                }
            }
            Op::Mark(which, part) => {
                if let Some(number) = self.pick(which) {
                    self.held[&number].mark(part);
                    self.records[number].parts.insert(part);
                    self.records[number].flushed = false;
                }
            }
            Op::Drop(which) => {
                if let Some(number) = self.pick(which) {
                    self.held.remove(&number);
                    self.records[number].owed = false;
                    self.records[number].flushed = false;
                }
            }
            Op::Flush => self.flush(),
            Op::Sync => {
                let synced = self.journal.sync().is_ok();
                self.synced(synced);
                self.flushed();
            }
            Op::Recover(count) => self.recover(count),
            Op::Crash(crash) => self.crash(crash),
            Op::End => {
                let synced = self.journal.freeze().is_ok();
                self.synced(synced);
                self.flushed();
                self.held.clear();
                self.crash(Crash::Kill);
            }
            Op::Fail(fault) => self.disk.fail(fault),
            Op::Capacity(more) => self.disk.set_capacity(more.map(|more| self.disk.bytes().0 + more)),
        }
        let stats = self.journal.stats();
        assert!(self.disk.bytes().1 <= self.most, "the disk limit was passed: {:?}", self.disk.bytes());
        assert!(stats.bytes >= self.disk.bytes().0, "{stats:?} counts less than {:?}", self.disk.bytes());
        assert_eq!(stats.undone_records, self.held.len() as u64);
    }

    fn pick(&self, which: usize) -> Option<usize> {
        let index = which.checked_rem(self.held.len())?;
        self.held.keys().nth(index).copied()
    }

    fn append(&mut self, kind: u8, bytes: usize, cut: usize) {
        let number = self.records.len();
        let fill = (0..bytes - 4).map(|at| (number * 31 + at * 7) as u8);
        let payload: Vec<u8> = (number as u32).to_le_bytes().into_iter().chain(fill).collect();
        let (first, second) = payload.split_at(cut % (bytes + 1));
        let before = self.disk.files();
        let appended = self.journal.append(kind, &[first, second]);
        match &appended {
            Err(AppendError::TooLarge { .. }) => return assert!(bytes > 300),
            Err(AppendError::Full { .. }) => return assert_full(&before, &self.disk.files()),
            Err(AppendError::Closed) => panic!("not frozen"),
            Err(AppendError::Io { .. }) | Ok(_) => {}
        }
        let owed = appended.is_ok();
        let durable = owed && self.fsync == Fsync::Always;
        self.records.push(Record {
            kind,
            payload,
            parts: BTreeSet::new(),
            owed,
            durable,
            weak: !owed,
            flushed: false,
            uncertain: false,
        });
        if let Ok(entry) = appended {
            assert_eq!((entry.kind(), entry.len() as usize), (kind, bytes));
            self.held.insert(number, entry);
        }
    }

    fn flush(&mut self) {
        self.journal.flush();
        self.flushed();
    }

    /// Marks were handed to the operating system, unless some were lost.
    fn flushed(&mut self) {
        self.marks_lost |= self.journal.stats().lost_marks > 0;
        let lost = self.marks_lost;
        self.records.iter_mut().for_each(|record| record.flushed = !lost && !record.uncertain);
    }

    /// The journal has said that everything is durable, or that it is not.
    fn synced(&mut self, ok: bool) {
        if self.fsync == Fsync::Never {
            return assert!(ok, "it does not sync");
        }
        for record in self.records.iter_mut().filter(|record| !record.durable) {
            record.weak |= !ok;
            record.durable = !record.weak;
        }
    }

    fn crash(&mut self, crash: Crash) {
        self.marks_lost |= self.journal.stats().lost_marks > 0;
        let old = std::mem::take(&mut self.disk);
        self.disk = old.crash(crash);
        self.disk.set_capacity(None);
        self.most = match crash {
            Crash::Kill => self.most,
            Crash::Power(_) => 4096.max(self.disk.bytes().0 + 16),
        };
        self.held.clear();
        for record in &mut self.records {
            if crash != Crash::Kill {
                record.owed &= record.durable;
                record.flushed = false;
            }
            record.uncertain |= !record.flushed;
        }
        let (journal, recovery) = Journal::open_on(self.disk.boxed(), config(self.fsync)).unwrap();
        (self.journal, self.recovery) = (journal, Some(recovery));
        self.recovered.clear();
        // To open it is to sync what is there.
        if self.fsync != Fsync::Never {
            self.records.iter_mut().for_each(|record| record.durable = record.owed && !record.weak);
        }
    }

    fn recover(&mut self, count: usize) {
        for _ in 0..count {
            match self.recovery.as_mut().and_then(Iterator::next) {
                Some(recovered) => self.recovered(recovered),
                None => return self.recovered_all(),
            }
        }
    }

    fn recovered(&mut self, recovered: Recovered) {
        let Recovered { kind, payload, parts, entry } = recovered;
        let number = u32::from_le_bytes(payload[..4].try_into().unwrap()) as usize;
        let record = &mut self.records[number];
        assert_eq!((kind, &payload), (record.kind, &record.payload), "byte for byte");
        assert!(self.recovered.last().is_none_or(|&last| last < number), "in order");
        let parts: BTreeSet<u32> = parts.into_iter().collect();
        assert!(parts.is_subset(&record.parts), "{parts:?} of {:?}", record.parts);
        if record.flushed {
            assert!(record.owed, "{number} was done, and that was written");
            assert_eq!(parts, record.parts, "{number}: what was marked was written");
        }
        (record.owed, record.parts, record.uncertain) = (true, parts, false);
        record.durable = self.fsync != Fsync::Never && !record.weak;
        self.recovered.push(number);
        self.held.insert(number, entry);
    }

    /// The recovery has ended: everything that was owed when the process began has come.
    fn recovered_all(&mut self) {
        let Some(recovery) = self.recovery.take() else { return };
        for (number, record) in self.records.iter().enumerate().filter(|(_, record)| record.owed) {
            assert!(self.held.contains_key(&number), "{number} is owed: {record:?}, {:?}", recovery.damage());
        }
    }
}

/// Nothing was written, but that a new segment may have begun where an old one ended, whose marks may be written then.
fn assert_full(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) {
    let segments = || after.iter().filter(|(name, _)| name.ends_with(".segment"));
    let added: usize = segments().filter(|(name, _)| !before.contains_key(*name)).map(|(_, bytes)| bytes.len()).sum();
    assert!(added <= 16, "{added} bytes");
    assert!(segments().all(|(name, bytes)| before.get(name).is_none_or(|before| before == bytes)));
}

fn run(fsync: Fsync, ops: &[Op]) {
    let mut world = World::new(fsync);
    for op in ops {
        world.step(op);
    }
    // Whatever went before: two crashes later, what is owed is still there.
    world.step(&Op::Crash(Crash::Power(7)));
    world.recover(usize::MAX);
    world.step(&Op::Crash(Crash::Kill));
    world.recover(usize::MAX);
    // And all of it can be let go of, so that little stays.
    world.held.clear();
    world.records.iter_mut().for_each(|record| record.owed = false);
    world.disk.heal();
    world.flush();
    assert!(world.journal.stats().segments <= 1, "{:?}", world.journal.stats());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn always(ops in vec(op(), 1..120)) {
        run(Fsync::Always, &ops);
    }

    #[test]
    fn interval(ops in vec(op(), 1..120)) {
        run(Fsync::Interval(NEVER_COMES), &ops);
    }

    #[test]
    fn never(ops in vec(op(), 1..120)) {
        run(Fsync::Never, &ops);
    }
}
