//! A disk in memory, with a page cache that a power cut loses.
//!
//! What a program sees is the page cache: the files in it, and what was written to them. What is durable is less. A file's
//! bytes become durable when it is synced, its name when the folder is. A power cut keeps what is durable, and of every
//! other operation whatever chance likes: writes in part, names or removals of names or neither, in any order. An fsync
//! that fails loses its writes for good: later ones succeed without them, as on Linux.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tollgate_journal::disk::{Disk, DiskFile};

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct Simulated {
    inner: Arc<Mutex<Inner>>,
    /// Number of the process that this handle belongs to: after a crash older ones reach nothing.
    process: u64,
}

/// What ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// `kill -9`: the page cache stays.
    Kill,
    /// The page cache is lost; the number decides what becomes of that which was not durable.
    Power(u64),
}

/// What goes wrong, once for each operation it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Create,
    /// Part of the bytes are written.
    Write,
    Sync,
    SyncDirectory,
    Remove,
    Truncate,
    Read,
}

#[derive(Default)]
struct Inner {
    process: u64,
    locked: bool,
    files: Vec<File>,
    /// The folder as programs see it: name and index of the file.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    faults: Vec<Fault>,
    operations: u64,
    /// The operation at which the process dies, half of which is done.
    fatal: Option<u64>,
    /// Most bytes of all files, as the programs see them.
    capacity: Option<u64>,
    most: u64,
}

#[derive(Default)]
struct File {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, data) => {
            bytes.resize(bytes.len().max(offset + data.len()), 0);
            bytes[*offset..offset + data.len()].copy_from_slice(data);
        }
        Change::Truncate(length) => bytes.resize(*length, 0),
    }
}

impl Simulated {
    pub(crate) fn boxed(&self) -> Box<dyn Disk> {
        Box::new(self.clone())
    }

    /// Ends the process, and gives the disk to the next one.
    pub(crate) fn crash(&self, crash: Crash) -> Self {
        let mut inner = self.inner.lock().unwrap();
        inner.process += 1;
        (inner.locked, inner.fatal, inner.operations) = (false, None, 0);
        inner.faults.clear();
        if let Crash::Power(seed) = crash {
            inner.lose_power(seed);
        }
        inner.most = inner.size();
        Self { inner: self.inner.clone(), process: inner.process }
    }

    /// The next operation of this kind fails.
    pub(crate) fn fail(&self, fault: Fault) {
        self.inner.lock().unwrap().faults.push(fault);
    }

    /// Faults that have not happened yet are taken back.
    pub(crate) fn heal(&self) {
        self.inner.lock().unwrap().faults.clear();
    }

    /// The process dies in the middle of this operation, counted from 0.
    pub(crate) fn die_at(&self, operation: u64) {
        self.inner.lock().unwrap().fatal = Some(operation);
    }

    /// Operations of this process that change the disk.
    pub(crate) fn operations(&self) -> u64 {
        self.inner.lock().unwrap().operations
    }

    pub(crate) fn set_capacity(&self, capacity: Option<u64>) {
        self.inner.lock().unwrap().capacity = capacity;
    }

    /// Bytes of all files, now and at most.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let inner = self.inner.lock().unwrap();
        (inner.size(), inner.most)
    }

    /// A copy of all files.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.inner.lock().unwrap();
        inner.names.iter().map(|(name, &file)| (name.clone(), inner.files[file].cached.clone())).collect()
    }

    /// A disk with these files, all durable.
    pub(crate) fn with(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::default();
        let mut inner = disk.inner.lock().unwrap();
        for (name, bytes) in files {
            let index = inner.files.len();
            inner.files.push(File { cached: bytes.clone(), durable: bytes.clone(), pending: Vec::new() });
            inner.names.insert(name.clone(), index);
            inner.durable_names.insert(name.clone(), index);
        }
        drop(inner);
        disk
    }

    fn inner(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.inner.lock().unwrap();
        let dead = inner.process != self.process || inner.fatal.is_some_and(|fatal| inner.operations > fatal);
        if dead { Err(io::Error::other("the process is dead")) } else { Ok(inner) }
    }

    /// Begins an operation that changes the disk. The second value is whether the process dies in it.
    fn operate(&self, fault: Fault) -> io::Result<(MutexGuard<'_, Inner>, bool)> {
        let mut inner = self.inner()?;
        let dies = inner.fatal == Some(inner.operations);
        inner.operations += 1;
        if fault != Fault::Write && fault != Fault::Sync && inner.faulty(fault) {
            return Err(io::Error::other("fault"));
        }
        Ok((inner, dies))
    }
}

fn died() -> io::Error {
    io::Error::other("the process dies")
}

impl Inner {
    fn faulty(&mut self, fault: Fault) -> bool {
        let found = self.faults.iter().position(|&other| other == fault);
        found.map(|at| self.faults.remove(at)).is_some()
    }

    fn size(&self) -> u64 {
        self.names.values().map(|&file| self.files[file].cached.len() as u64).sum()
    }

    fn change(&mut self, file: usize, change: Change) {
        apply(&mut self.files[file].cached, &change);
        self.files[file].pending.push(change);
        self.most = self.most.max(self.size());
    }

    fn lose_power(&mut self, seed: u64) {
        let mut chance = Chance(seed);
        for file in &mut self.files {
            // A prefix of the writes, or any of them; the last that is kept may be torn.
            let prefix = chance.one_of(file.pending.len() as u64 + 1) as usize;
            let any = chance.one_of(3) == 0;
            let pending = std::mem::take(&mut file.pending);
            for (at, change) in pending.iter().enumerate() {
                let keep = if any { chance.one_of(2) == 0 } else { at < prefix };
                match change {
                    Change::Write(offset, data) if at == prefix || (any && keep) => {
                        let part = chance.one_of(data.len() as u64 + 1) as usize;
                        apply(&mut file.durable, &Change::Write(*offset, data[..part].to_vec()));
                    }
                    change if keep => apply(&mut file.durable, change),
                    _ => {}
                }
            }
            file.cached = file.durable.clone();
        }
        let names: Vec<_> = self.names.keys().chain(self.durable_names.keys()).cloned().collect();
        for name in names {
            let (now, durable) = (self.names.get(&name).copied(), self.durable_names.get(&name).copied());
            if now != durable && chance.one_of(2) == 0 {
                match now {
                    Some(file) => self.durable_names.insert(name, file),
                    None => self.durable_names.remove(&name),
                };
            }
        }
        self.names = self.durable_names.clone();
    }
}

impl Disk for Simulated {
    fn lock(&self) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut inner = self.inner()?;
        if std::mem::replace(&mut inner.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Held(self.clone())))
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let inner = self.inner()?;
        Ok(inner.names.iter().map(|(name, &file)| (name.clone(), inner.files[file].cached.len() as u64)).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let (mut inner, dies) = self.operate(Fault::Create)?;
        if inner.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = inner.files.len();
        inner.files.push(File::default());
        inner.names.insert(name.to_owned(), index);
        if dies { Err(died()) } else { Ok(Box::new(Handle { disk: self.clone(), file: index })) }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let inner = self.inner()?;
        let file = *inner.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Handle { disk: self.clone(), file }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let (mut inner, dies) = self.operate(Fault::Remove)?;
        inner.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        if dies { Err(died()) } else { Ok(()) }
    }

    fn sync_directory(&self) -> io::Result<()> {
        let (mut inner, dies) = self.operate(Fault::SyncDirectory)?;
        if dies {
            return Err(died());
        }
        inner.durable_names = inner.names.clone();
        Ok(())
    }
}

struct Held(Simulated);

impl Drop for Held {
    fn drop(&mut self) {
        if let Ok(mut inner) = self.0.inner() {
            inner.locked = false;
        }
    }
}

struct Handle {
    disk: Simulated,
    file: usize,
}

impl DiskFile for Handle {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut inner, dies) = self.disk.operate(Fault::Write)?;
        let room = inner.capacity.map(|capacity| capacity.saturating_sub(inner.size()) as usize);
        let full = room.filter(|&room| room < bytes.len());
        let written = match full {
            _ if dies || inner.faulty(Fault::Write) => Some(bytes.len() / 2),
            full => full,
        };
        inner.change(self.file, Change::Write(offset as usize, bytes[..written.unwrap_or(bytes.len())].to_vec()));
        match (written, dies) {
            (None, _) => Ok(()),
            (_, true) => Err(died()),
            (Some(_), _) if full.is_some() => Err(io::ErrorKind::StorageFull.into()),
            (Some(_), _) => Err(io::Error::other("fault")),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut inner = self.disk.inner()?;
        if inner.faulty(Fault::Read) {
            return Err(io::Error::other("fault"));
        }
        let offset = offset as usize;
        let bytes = inner.files[self.file].cached.get(offset..offset + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let (mut inner, dies) = self.disk.operate(Fault::Truncate)?;
        inner.change(self.file, Change::Truncate(length as usize));
        if dies { Err(died()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        let (mut inner, dies) = self.disk.operate(Fault::Sync)?;
        if dies {
            return Err(died());
        }
        let faulty = inner.faulty(Fault::Sync);
        let file = &mut inner.files[self.file];
        let pending = std::mem::take(&mut file.pending);
        if faulty {
            return Err(io::Error::other("fault"));
        }
        pending.iter().for_each(|change| apply(&mut file.durable, change));
        Ok(())
    }
}

/// Numbers that look random, the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn one_of(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % count
    }
}
