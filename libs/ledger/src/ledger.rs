//! The ledger: buckets by time, and what is in none.

use crate::alerts::Alerts;
use crate::bucket::Bucket;
use crate::entry::Entry;
use crate::limits::Limits;
use crate::report::Window;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: u64 = 60 * 1_000_000_000;
const HOUR: u64 = 60 * MINUTE;

/// What calls cost, by time. See the [crate] for the rules of time, of values and of memory.
#[derive(Clone, Debug)]
pub struct Ledger {
    limits: Limits,
    /// By minute since 1970: those that are recent.
    minutes: BTreeMap<u64, Arc<Bucket>>,
    /// By hour since 1970: what is no longer recent.
    hours: BTreeMap<u64, Arc<Bucket>>,
    /// The minute it is.
    minute: u64,
    /// The first minute none of whose calls are in an hour.
    recent_from: u64,
    alerts: Alerts,
    counters: Counters,
}

/// What happened at the edges, since the ledger was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls that ended before everything that is held; they are in no window.
    pub late: u64,
    /// What they cost, in nano-dollars.
    pub late_cost: u128,
    /// Calls that ended more than a minute after their arrival.
    pub ahead: u64,
    /// Values that had to make room for others.
    pub folded: u64,
}

impl Ledger {
    /// Holds nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            minutes: BTreeMap::new(),
            hours: BTreeMap::new(),
            minute: 0,
            recent_from: 0,
            alerts: Alerts::new(limits.alerts),
            counters: Counters::default(),
        }
    }

    /// Adds a call that arrives at `now`, nanoseconds since 1970.
    pub fn add(&mut self, now: u64, entry: &Entry<'_>) {
        self.advance(now);
        if entry.ended > now.saturating_add(MINUTE) {
            self.counters.ahead += 1;
        }
        let time = if entry.ended == 0 { now } else { entry.ended.min(now) };
        let (minute, hour) = (time / MINUTE, time / HOUR);
        let (buckets, place) = if minute.saturating_add(self.limits.minutes()) >= self.minute {
            (&mut self.minutes, minute)
        } else if hour.saturating_add(self.limits.hours()) >= now / HOUR {
            (&mut self.hours, hour)
        } else {
            self.counters.late += 1;
            self.counters.late_cost += u128::from(entry.cost.unwrap_or(0));
            return;
        };
        let bucket = buckets.entry(place).or_insert_with(|| Arc::new(Bucket::new(&self.limits)));
        // A copy is made only where somebody is looking at this bucket.
        self.counters.folded += Arc::make_mut(bucket).add(entry);
        self.alerts.add(time, entry);
    }

    /// What was counted from `length` before `now` on; see [`Window`] for where it begins.
    pub fn window(&mut self, now: u64, length: Duration) -> Window {
        self.advance(now);
        let length = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        let start = now.saturating_sub(length);
        let (mut start_minute, mut buckets) = (start / MINUTE, Vec::new());
        if start_minute < self.recent_from {
            start_minute = start / HOUR * 60;
            buckets.extend(self.hours.range(start / HOUR..).map(|(hour, bucket)| (hour * HOUR, Arc::clone(bucket))));
        }
        let minutes = self.minutes.range(start_minute..);
        buckets.extend(minutes.map(|(minute, bucket)| (minute * MINUTE, Arc::clone(bucket))));
        let start = start_minute * MINUTE;
        let first = buckets.iter().map(|(time, _)| *time).min();
        Window {
            start,
            end: now,
            first,
            buckets: buckets.into_iter().map(|(_, bucket)| bucket).collect(),
            alerts: self.alerts.since(start),
            limits: self.limits,
        }
    }

    /// What happened at the edges.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Moves the time on: minutes that are no longer recent are added to their hours, hours that are too old forgotten.
    fn advance(&mut self, now: u64) {
        let minute = now / MINUTE;
        if minute == self.minute {
            return;
        }
        if minute < self.minute {
            self.set_back(minute);
        }
        self.minute = minute;
        let recent = minute.saturating_sub(self.limits.minutes());
        self.recent_from = self.recent_from.max(recent);
        let kept = self.minutes.split_off(&recent);
        for (minute, old) in std::mem::replace(&mut self.minutes, kept) {
            merge_into(&mut self.hours, minute / 60, old);
        }
        self.hours = self.hours.split_off(&(minute / 60).saturating_sub(self.limits.hours()));
    }

    /// The clock was set back: what was counted at times that have yet to come counts now.
    fn set_back(&mut self, minute: u64) {
        for (_, ahead) in self.minutes.split_off(&(minute + 1)) {
            merge_into(&mut self.minutes, minute, ahead);
        }
        for (_, ahead) in self.hours.split_off(&(minute / 60 + 1)) {
            merge_into(&mut self.hours, minute / 60, ahead);
        }
        self.recent_from = self.recent_from.min(minute + 1);
    }
}

fn merge_into(buckets: &mut BTreeMap<u64, Arc<Bucket>>, place: u64, from: Arc<Bucket>) {
    if let Some(bucket) = buckets.get_mut(&place) {
        let bucket = Arc::make_mut(bucket);
        bucket.merge(&from);
        bucket.shrink();
    } else {
        buckets.insert(place, from);
    }
}
