//! Traces in assembly: spans wait for the rest of their trace, within bounds of time, number and bytes.
//!
//! All of this is data and no clock: the caller says what time it is.

use crate::stages::log::Receipt;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// A W3C trace id.
pub type TraceId = [u8; 16];

/// Spans of one trace out of one request, as an encoded request of their own.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// The encoded request.
    pub bytes: Bytes,
    /// How many spans it has.
    pub spans: usize,
    /// Keeps the request that it came in.
    pub receipt: Receipt,
}

/// A trace that is to be decided now.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, in the order in which they came.
    pub fragments: Vec<Fragment>,
}

/// Bounds of the assembly.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long after its first span a trace is decided.
    pub wait: Duration,
    /// Most traces that wait.
    pub traces: usize,
    /// Most bytes of spans that wait.
    pub bytes: u64,
}

/// Traces that wait for a decision, the oldest first.
#[derive(Debug)]
pub struct Assembly {
    bounds: Bounds,
    waiting: HashMap<TraceId, Vec<Fragment>>,
    /// Ids in the order of their first span. The wait is the same for all, so this is also the order of decision.
    order: VecDeque<(Instant, TraceId)>,
    bytes: u64,
}

impl Assembly {
    /// An empty assembly.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, waiting: HashMap::new(), order: VecDeque::new(), bytes: 0 }
    }

    /// Adds spans to their trace.
    pub fn add(&mut self, id: TraceId, fragment: Fragment, now: Instant) {
        self.bytes += size(&fragment);
        self.waiting
            .entry(id)
            .or_insert_with(|| {
                self.order.push_back((now, id));
                Vec::new()
            })
            .push(fragment);
    }

    /// Takes traces that have waited long enough, at most `most` of them.
    pub fn due(&mut self, now: Instant, most: usize) -> Vec<Trace> {
        let mut traces = Vec::new();
        while traces.len() < most {
            match self.order.front() {
                Some((first, _)) if now.saturating_duration_since(*first) >= self.bounds.wait => {
                    traces.extend(self.take_oldest());
                }
                _ => break,
            }
        }
        traces
    }

    /// Takes the oldest traces until the rest is within the bounds: they are decided early, not lost.
    pub fn excess(&mut self) -> Vec<Trace> {
        let mut traces = Vec::new();
        while self.waiting.len() > self.bounds.traces || self.bytes > self.bounds.bytes {
            match self.take_oldest() {
                Some(trace) => traces.push(trace),
                None => break,
            }
        }
        traces
    }

    /// Takes what waits, however short, at most `most` traces.
    pub fn flush(&mut self, most: usize) -> Vec<Trace> {
        std::iter::from_fn(|| self.take_oldest()).take(most).collect()
    }

    /// Traces that wait.
    #[must_use]
    pub fn traces(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes of spans that wait.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn take_oldest(&mut self) -> Option<Trace> {
        let (_, id) = self.order.pop_front()?;
        let fragments = self.waiting.remove(&id).unwrap_or_default();
        self.bytes -= fragments.iter().map(size).sum::<u64>();
        Some(Trace { id, fragments })
    }
}

fn size(fragment: &Fragment) -> u64 {
    u64::try_from(fragment.bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> TraceId {
        [number; 16]
    }

    fn fragment(bytes: usize) -> Fragment {
        Fragment { bytes: Bytes::from(vec![0; bytes]), spans: 1, receipt: Receipt::default() }
    }

    fn ids(traces: &[Trace]) -> Vec<u8> {
        traces.iter().map(|trace| trace.id[0]).collect()
    }

    fn assembly(traces: usize, bytes: u64) -> Assembly {
        Assembly::new(Bounds { wait: Duration::from_secs(10), traces, bytes })
    }

    #[test]
    fn a_trace_is_due_when_its_first_span_has_waited() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut assembly = assembly(10, 1000);
        assembly.add(id(1), fragment(1), at(0));
        assembly.add(id(2), fragment(1), at(5));
        assembly.add(id(1), fragment(1), at(9));
        assert!(assembly.due(at(9), 10).is_empty());
        let due = assembly.due(at(10), 10);
        assert_eq!(ids(&due), [1]);
        assert_eq!(due[0].fragments.len(), 2);
        assert_eq!((assembly.traces(), assembly.bytes()), (1, 1));
        assert_eq!(ids(&assembly.due(at(15), 10)), [2]);
    }

    #[test]
    fn past_a_bound_the_oldest_are_taken_early() {
        let now = Instant::now();
        let mut by_number = assembly(2, 1000);
        for number in 1..=3 {
            by_number.add(id(number), fragment(1), now);
        }
        assert_eq!(ids(&by_number.excess()), [1]);

        let mut by_bytes = assembly(100, 100);
        for number in 1..=3 {
            by_bytes.add(id(number), fragment(45), now);
        }
        assert_eq!(ids(&by_bytes.excess()), [1]);
        by_bytes.add(id(2), fragment(500), now);
        assert_eq!(ids(&by_bytes.excess()), [2]);
        assert_eq!((by_bytes.traces(), by_bytes.bytes()), (1, 45));
    }

    #[test]
    fn flushing_takes_all_in_portions() {
        let mut assembly = assembly(10, 1000);
        for number in 1..=3 {
            assembly.add(id(number), fragment(1), Instant::now());
        }
        assert_eq!(ids(&assembly.flush(2)), [1, 2]);
        assert_eq!(ids(&assembly.flush(2)), [3]);
        assert_eq!((assembly.traces(), assembly.bytes()), (0, 0));
    }
}
