//! Which records were taken, and up to which offset a partition can be committed for it.
//!
//! Records are taken in any order, and an offset says of everything before it that it is done. So each record that was
//! handed out is remembered until the last clone of its [`Ack`] is gone, and what is committed of a partition is the first
//! that is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A partition of a topic.
pub(crate) type Place = (Arc<str>, i32);

/// What is known of the partitions that this member has. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Tracker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    partitions: Mutex<BTreeMap<Place, Partition>>,
    /// How many times a partition was given to this member.
    terms: AtomicU64,
    /// Once this is set nothing more becomes done: who held records gives them up.
    frozen: Arc<AtomicBool>,
}

/// A partition while this member has it.
#[derive(Debug)]
struct Partition {
    /// Which of the times that this member has had it.
    term: u64,
    /// Records that were handed out and are not done.
    open: BTreeSet<i64>,
    /// What comes after the last that was handed out.
    next: i64,
    /// Of the last that was handed out.
    leader_epoch: Option<i32>,
    /// What the broker knows: at first where this member began to read.
    committed: i64,
}

/// An offset to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) place: Place,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: Option<i32>,
    term: u64,
}

/// One record that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    place: Place,
    term: u64,
    offset: i64,
}

/// Keeps records from being committed: when the last clone is gone, they are done.
#[derive(Clone, Debug)]
pub struct Ack(Arc<Held>);

#[derive(Debug)]
struct Held {
    tracker: Tracker,
    marks: Vec<Mark>,
    given_up: AtomicBool,
}

impl Tracker {
    /// Knows no partitions. `frozen` may be set at any time; what is let go of from then on is not done.
    pub(crate) fn new(frozen: Arc<AtomicBool>) -> Self {
        Self(Arc::new(Inner { partitions: Mutex::default(), terms: AtomicU64::new(0), frozen }))
    }

    fn partitions(&self) -> MutexGuard<'_, BTreeMap<Place, Partition>> {
        self.0.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a record that is handed out.
    pub(crate) fn hand_out(&self, topic: &Arc<str>, partition: i32, offset: i64, leader_epoch: Option<i32>) -> Mark {
        let place = (Arc::clone(topic), partition);
        let mut partitions = self.partitions();
        let known = partitions.entry(place.clone()).or_insert_with(|| Partition {
            term: self.0.terms.fetch_add(1, Ordering::Relaxed),
            open: BTreeSet::new(),
            next: offset,
            leader_epoch,
            committed: offset,
        });
        known.open.insert(offset);
        known.next = known.next.max(offset.saturating_add(1));
        known.leader_epoch = leader_epoch;
        Mark { place, term: known.term, offset }
    }

    /// Whether the partition of a record is still this member's, without a break.
    pub(crate) fn has(&self, mark: &Mark) -> bool {
        self.partitions().get(&mark.place).is_some_and(|known| known.term == mark.term)
    }

    /// What keeps these records from being done.
    pub(crate) fn ack(&self, marks: Vec<Mark>) -> Ack {
        Ack(Arc::new(Held { tracker: self.clone(), marks, given_up: AtomicBool::new(false) }))
    }

    /// Offsets that can be committed and are not.
    pub(crate) fn due(&self) -> Vec<Due> {
        let mut due = Vec::new();
        for (place, known) in &*self.partitions() {
            let offset = known.open.first().copied().unwrap_or(known.next);
            if offset > known.committed {
                let leader_epoch = known.leader_epoch;
                due.push(Due { place: place.clone(), offset, leader_epoch, term: known.term });
            }
        }
        due
    }

    /// The broker has them.
    pub(crate) fn committed(&self, due: &[Due]) {
        let mut partitions = self.partitions();
        for due in due {
            if let Some(known) = partitions.get_mut(&due.place).filter(|known| known.term == due.term) {
                known.committed = known.committed.max(due.offset);
            }
        }
    }

    /// Where a partition would be read from if it were given to another member now; nothing where nothing of it was read.
    pub(crate) fn done_to(&self, topic: &str, partition: i32) -> Option<i64> {
        let partitions = self.partitions();
        let known = partitions.iter().find(|((name, number), _)| &**name == topic && *number == partition);
        known.map(|(_, known)| known.open.first().copied().unwrap_or(known.next))
    }

    /// Forgets partitions that are another member's now. What is still done of them says nothing any more.
    pub(crate) fn forget(&self, topic: &str, partition: i32) {
        self.partitions().retain(|(name, number), _| &**name != topic || *number != partition);
    }

    /// Forgets all partitions.
    pub(crate) fn forget_all(&self) {
        self.partitions().clear();
    }
}

impl Mark {
    /// The topic.
    pub(crate) fn topic(&self) -> &str {
        &self.place.0
    }
}

impl Ack {
    /// Has the records come again: they are not done, whoever still holds a clone.
    pub fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Release);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.given_up.load(Ordering::Acquire) || self.tracker.0.frozen.load(Ordering::Acquire) {
            return;
        }
        let mut partitions = self.tracker.partitions();
        for mark in &self.marks {
            if let Some(known) = partitions.get_mut(&mark.place).filter(|known| known.term == mark.term) {
                known.open.remove(&mark.offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(tracker: &Tracker) -> Vec<(i32, i64)> {
        let due = tracker.due();
        tracker.committed(&due);
        due.into_iter().map(|due| (due.place.1, due.offset)).collect()
    }

    #[test]
    fn an_offset_is_due_when_everything_before_it_is_done() {
        let tracker = Tracker::new(Arc::default());
        let topic = Arc::from("t");
        let ack = |partition, offset| tracker.ack(vec![tracker.hand_out(&topic, partition, offset, None)]);
        let (five, six, nine) = (ack(0, 5), ack(0, 6), ack(0, 9));
        assert_eq!(due(&tracker), [], "nothing is done");
        drop(six);
        assert_eq!(due(&tracker), [], "5 is not");
        let clone = five.clone();
        drop(five);
        assert_eq!(due(&tracker), [], "somebody holds it");
        drop(clone);
        assert_eq!(due(&tracker), [(0, 9)], "7 and 8 are no records");
        assert_eq!(due(&tracker), [], "once");
        let other = ack(1, 0);
        drop((nine, other));
        assert_eq!(due(&tracker), [(0, 10), (1, 1)]);
    }

    #[test]
    fn a_commit_that_fails_is_due_again() {
        let tracker = Tracker::new(Arc::default());
        drop(tracker.ack(vec![tracker.hand_out(&Arc::from("t"), 0, 3, None)]));
        assert_eq!(tracker.due().len(), 1);
        assert_eq!(due(&tracker), [(0, 4)]);
    }

    #[test]
    fn what_is_given_up_is_never_done() {
        let frozen = Arc::new(AtomicBool::new(false));
        let tracker = Tracker::new(Arc::clone(&frozen));
        let topic = Arc::from("t");
        let (first, second) = (tracker.hand_out(&topic, 0, 0, None), tracker.hand_out(&topic, 0, 1, None));
        let (first, second) = (tracker.ack(vec![first]), tracker.ack(vec![second]));
        first.give_up();
        drop(first);
        assert_eq!(due(&tracker), []);
        frozen.store(true, Ordering::Release);
        drop(second);
        assert_eq!(due(&tracker), []);
    }

    #[test]
    fn a_partition_that_went_and_came_back_begins_anew() {
        let tracker = Tracker::new(Arc::default());
        let topic = Arc::from("t");
        let mark = tracker.hand_out(&topic, 0, 7, None);
        let _other = tracker.hand_out(&topic, 1, 7, None);
        let late = tracker.ack(vec![mark.clone()]);
        tracker.forget("t", 0);
        assert!(!tracker.has(&mark));
        let again = tracker.hand_out(&topic, 0, 7, None);
        assert!(tracker.has(&again) && !tracker.has(&mark));
        drop(late);
        assert_eq!(tracker.due(), [], "what was done before says nothing of now");
        drop(tracker.ack(vec![again]));
        assert_eq!(due(&tracker), [(0, 8)]);
    }
}
