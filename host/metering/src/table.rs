//! A hash table that many threads read, in parts, so that a thread that adds stops only some of the others.

use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

const SHARDS: usize = 8;

/// What is found by a hash that the caller makes of borrowed parts. Keys come from outside, so the hash is keyed.
pub(crate) struct Table<T> {
    shards: [RwLock<HashTable<(u64, T)>>; SHARDS],
    hasher: RandomState,
    len: AtomicUsize,
    most: usize,
}

impl<T> std::fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("len", &self.len).field("most", &self.most).finish_non_exhaustive()
    }
}

impl<T> Table<T> {
    /// Holds nothing yet, and never more than `most`, besides what is [forced](Self::force).
    pub(crate) fn new(most: usize) -> Self {
        let shards = std::array::from_fn(|_| RwLock::new(HashTable::new()));
        Self { shards, hasher: RandomState::new(), len: AtomicUsize::new(0), most }
    }

    pub(crate) fn hash(&self, parts: impl IntoIterator<Item = impl Hash>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        parts.into_iter().for_each(|part| part.hash(&mut hasher));
        hasher.finish()
    }

    /// Does something with the item that is found. Items stay where they are while that lasts.
    pub(crate) fn find<R>(&self, hash: u64, is: impl Fn(&T) -> bool, then: impl FnOnce(&T) -> R) -> Option<R> {
        let shard = self.shard(hash)?.read().unwrap_or_else(PoisonError::into_inner);
        shard.find(hash, |(_, item)| is(item)).map(|(_, item)| then(item))
    }

    /// Does something with the item that is found, or with a new one; `None` where there is no room for one.
    pub(crate) fn add<R>(
        &self,
        hash: u64,
        is: impl Fn(&T) -> bool,
        new: impl FnOnce() -> T,
        then: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        let reserve = || {
            let more = |len: usize| (len < self.most).then_some(len + 1);
            self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
        };
        self.add_where(hash, is, reserve, new, then)
    }

    /// As [`add`](Self::add), beyond the limit. What is forced is not counted against it.
    pub(crate) fn force<R>(
        &self,
        hash: u64,
        is: impl Fn(&T) -> bool,
        new: impl FnOnce() -> T,
        then: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        self.add_where(hash, is, || true, new, then)
    }

    fn add_where<R>(
        &self,
        hash: u64,
        is: impl Fn(&T) -> bool,
        reserve: impl FnOnce() -> bool,
        new: impl FnOnce() -> T,
        then: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        let mut shard = self.shard(hash)?.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, item)) = shard.find(hash, |(_, item)| is(item)) {
            return Some(then(item));
        }
        if !reserve() {
            return None;
        }
        let entry = shard.insert_unique(hash, (hash, new()), |(hash, _)| *hash);
        Some(then(&entry.get().1))
    }

    pub(crate) fn for_each(&self, mut then: impl FnMut(&T)) {
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.iter().for_each(|(_, item)| then(item));
        }
    }

    /// Takes out what `keep` does not want, and gives how many that were. `counted` says which of them were not forced.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&T) -> bool, counted: impl Fn(&T) -> bool) -> u64 {
        let mut gone = 0;
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|(_, item)| {
                let kept = keep(item);
                if !kept {
                    gone += 1;
                    if counted(item) {
                        self.len.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                kept
            });
        }
        gone
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<HashTable<(u64, T)>>> {
        // The table uses the lowest and the highest bits.
        self.shards.get(usize::try_from(hash >> 40).unwrap_or(0) % SHARDS)
    }
}
