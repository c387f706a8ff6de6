//! Small records as one request: in protobuf, requests that are written one after the other are one request.

use crate::ack::Mark;
use crate::wire::is_whole;
use bytes::Bytes;
use tollgate_otlp::Items;

/// A record that was read.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) mark: Mark,
    pub(crate) items: Items,
    /// An encoded request, as far as its writer is to be believed.
    pub(crate) value: Bytes,
}

/// Records that are handed over together.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) records: Vec<Got>,
    items: Items,
    size: usize,
    /// Whether more can be written behind it.
    open: bool,
}

impl Join {
    fn new(first: Got) -> Self {
        let (items, size, open) = (first.items, first.value.len(), is_whole(&first.value));
        Self { records: vec![first], items, size, open }
    }

    /// Joins records of a signal that follow each other, up to `most` bytes. What is not whole stays by itself, so that it
    /// harms no other.
    pub(crate) fn of(records: Vec<Got>, most: usize) -> Vec<Self> {
        let mut joins: Vec<Self> = Vec::new();
        for record in records {
            // One for each signal is open, so that topics that are read in turns do not cut each other short.
            let fits = |join: &&mut Self| join.open && join.items == record.items;
            let last = joins.iter_mut().rev().find(fits);
            match last {
                Some(join) if join.size + record.value.len() <= most && is_whole(&record.value) => {
                    join.size += record.value.len();
                    join.records.push(record);
                }
                Some(join) if is_whole(&record.value) => {
                    join.open = false;
                    joins.push(Self::new(record));
                }
                _ => joins.push(Self::new(record)),
            }
        }
        joins
    }

    /// Each record by itself.
    pub(crate) fn apart(self) -> impl DoubleEndedIterator<Item = Self> {
        self.records.into_iter().map(Self::new)
    }

    /// Keeps the records for which this holds.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Mark) -> bool) {
        self.records.retain(|record| keep(&record.mark));
    }

    /// The signal.
    pub(crate) fn items(&self) -> Items {
        self.items
    }

    /// All of it as one request. It is a copy, since records are parts of what the broker sent at once, all of which
    /// would be kept by each.
    pub(crate) fn request(&self) -> Bytes {
        let mut whole = Vec::with_capacity(self.records.iter().map(|record| record.value.len()).sum());
        self.records.iter().for_each(|record| whole.extend_from_slice(&record.value));
        whole.into_boxed_slice().into()
    }

    /// What the records are known by.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        self.records.iter().map(|record| record.mark.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ack::Tracker;
    use std::sync::Arc;

    fn joined(records: &[(Items, &'static [u8])], most: usize) -> Vec<Vec<u8>> {
        let tracker = Tracker::new(Arc::default());
        let got = records.iter().enumerate().map(|(offset, &(items, value))| Got {
            mark: tracker.hand_out(&Arc::from("t"), 0, i64::try_from(offset).unwrap(), None),
            items,
            value: Bytes::from_static(value),
        });
        Join::of(got.collect(), most).iter().map(|join| join.request().to_vec()).collect()
    }

    #[test]
    fn records_of_a_signal_become_one_request_up_to_a_size() {
        use Items::{LogRecords, Spans};
        let records = [(Spans, &b"\x0a\x01a"[..]), (LogRecords, b"\x0a\x01b"), (Spans, b"\x0a\x01c"), (Spans, b"")];
        assert_eq!(joined(&records, 6), [&b"\x0a\x01a\x0a\x01c"[..], b"\x0a\x01b"]);
        assert_eq!(joined(&records, 5), [&b"\x0a\x01a"[..], b"\x0a\x01b", b"\x0a\x01c"]);
        assert_eq!(joined(&records[..1], 1), [b"\x0a\x01a"], "a record is not cut");
    }

    /// Written before another, it would take the other's bytes for its own.
    #[test]
    fn what_is_not_whole_stays_by_itself() {
        let records = [(Items::Spans, &b"\x0a\x01a"[..]), (Items::Spans, b"\x0a\x03b"), (Items::Spans, b"\x0a\x01c")];
        assert_eq!(joined(&records, 100), [&b"\x0a\x01a\x0a\x01c"[..], b"\x0a\x03b"]);
    }
}
