//! The values of one dimension that weigh most, by Space-Saving, with everything else in one sum.
//!
//! Source: Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams" (2005);
//! merging as in Agarwal et al., "Mergeable Summaries" (2012). Theirs give a new value the count of the one that it
//! replaces; here that count stays in `other`, so that sums stay exact, and is the new value's error.
//!
//! With `hidden` for the most that a value without a slot may have in `other`, what holds after any additions and merges:
//!
//! - a value without a slot has at most `hidden` in `other`;
//! - a value with a slot has at least `sums` and at most `sums + error`, its bound;
//! - `capacity * hidden.cost`, plus what all bounds are above `hidden.cost`, is no more than the cost of all calls: an
//!   addition to a slot raises both sides by as much; replacing the least slot raises `hidden` by what that was above it,
//!   which all `capacity` slots lose; a merge adds both sides. So `hidden.cost <= cost of all calls / capacity`.

use crate::breakdown::{Breakdown, Line};
use crate::entry::cut;
use crate::sums::{Sums, Weight};
use indexmap::IndexMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The values of one dimension.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    capacity: usize,
    slots: IndexMap<Box<str>, Slot>,
    unset: Sums,
    other: Sums,
    hidden: Weight,
    /// Each slot's place with a bound that it had once; bounds only grow. Made when it is first needed.
    least: BinaryHeap<Reverse<(Weight, usize)>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    sums: Sums,
    error: Weight,
}

impl Slot {
    fn bound(&self) -> Weight {
        self.sums.weight().plus(self.error)
    }
}

impl Table {
    /// A table of at most `capacity` values, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            slots: IndexMap::new(),
            unset: Sums::default(),
            other: Sums::default(),
            hidden: Weight::default(),
            least: BinaryHeap::new(),
        }
    }

    /// Adds calls of a value. Whether another value had to make room for it.
    pub(crate) fn add(&mut self, value: Option<&str>, sums: &Sums) -> bool {
        let Some(value) = value.map(cut).filter(|value| !value.is_empty()) else {
            self.unset.add(sums);
            return false;
        };
        if let Some(slot) = self.slots.get_mut(value) {
            slot.sums.add(sums);
            return false;
        }
        if self.slots.len() < self.capacity {
            self.slots.insert(value.into(), Slot { sums: *sums, error: self.hidden });
            return false;
        }
        if let Some(place) = self.place_of_least()
            && let Some((_, slot)) = self.slots.get_index_mut(place)
        {
            self.other.add(&slot.sums);
            self.hidden = self.hidden.most(slot.bound());
            *slot = Slot { sums: *sums, error: self.hidden };
            self.least.push(Reverse((slot.bound(), place)));
            // The value is in no slot, so this always finds the place free to be named anew.
            let _ = self.slots.replace_index(place, value.into());
        }
        true
    }

    /// Takes the place of the slot with the least bound out of `least`. A place that is noted with an older bound is noted
    /// anew, which an addition to its slot has paid for.
    fn place_of_least(&mut self) -> Option<usize> {
        if self.least.len() != self.slots.len() {
            let places = self.slots.values().enumerate().map(|(place, slot)| Reverse((slot.bound(), place)));
            self.least = places.collect::<Vec<_>>().into();
        }
        loop {
            let mut top = self.least.peek_mut()?;
            let Reverse((noted, place)) = *top;
            let bound = self.slots.get_index(place)?.1.bound();
            if noted == bound {
                std::collections::binary_heap::PeekMut::pop(top);
                return Some(place);
            }
            *top = Reverse((bound, place));
        }
    }

    /// Adds the calls of another table of the same dimension.
    pub(crate) fn merge(&mut self, from: &Self) {
        // Here a value has what it may have hidden there, until its slot there is found.
        self.slots.values_mut().for_each(|slot| slot.error = slot.error.plus(from.hidden));
        for (value, theirs) in &from.slots {
            match self.slots.get_mut(value) {
                Some(mine) => {
                    mine.sums.add(&theirs.sums);
                    mine.error = mine.error.minus(from.hidden).plus(theirs.error);
                }
                None => {
                    let error = self.hidden.plus(theirs.error);
                    self.slots.insert(value.clone(), Slot { sums: theirs.sums, error });
                }
            }
        }
        self.unset.add(&from.unset);
        self.other.add(&from.other);
        self.hidden = self.hidden.plus(from.hidden);
        self.least = BinaryHeap::new();
        if self.slots.len() > self.capacity {
            self.slots.sort_unstable_by(|a, x, b, y| y.bound().cmp(&x.bound()).then_with(|| a.cmp(b)));
            let mut hidden = self.hidden;
            for (_, slot) in self.slots.drain(self.capacity..) {
                self.other.add(&slot.sums);
                hidden = hidden.most(slot.bound());
            }
            self.hidden = hidden;
        }
    }

    /// Gives back the memory that a merge needed.
    pub(crate) fn shrink(&mut self) {
        self.slots.shrink_to(0);
    }

    /// The values, those that cost most first.
    pub(crate) fn breakdown(self) -> Breakdown {
        let line = |(value, slot): (Box<str>, Slot)| Line { value, sums: slot.sums, error: slot.error };
        let mut lines: Vec<_> = self.slots.into_iter().map(line).collect();
        lines.sort_unstable_by(|a, b| b.sums.weight().cmp(&a.sums.weight()).then_with(|| a.value.cmp(&b.value)));
        Breakdown { lines, unset: self.unset, other: self.other, hidden: self.hidden }
    }

    /// Most bytes that a table of this capacity takes, but for itself: a hash table has room for seven values in eight
    /// places, and a power of two of them.
    pub(crate) fn most_bytes(capacity: usize) -> usize {
        let places = capacity.saturating_mul(8).div_ceil(7).checked_next_power_of_two().unwrap_or(usize::MAX).max(4);
        let index = places.saturating_mul(size_of::<usize>() + 1).saturating_add(32);
        let slots = places.saturating_mul(size_of::<(u64, Box<str>, Slot)>());
        let values = capacity.saturating_mul(crate::entry::LONGEST_VALUE);
        let least = capacity.saturating_mul(size_of::<Reverse<(Weight, usize)>>());
        [index, slots, values, least].into_iter().fold(0, usize::saturating_add)
    }
}
