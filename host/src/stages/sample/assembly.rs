//! Traces in assembly: spans wait for the rest of their trace, within bounds of time, number and bytes.
//!
//! All of this is data and no clock: the caller says what time it is. Every operation costs the logarithm of the number
//! of traces at most.

use super::fragment::{Arrival, Fragment};
use super::lineage::Lineage;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};
use tollgate_columns::Progress;

/// A W3C trace id.
pub type TraceId = [u8; 16];

/// A trace that is to be decided now.
#[derive(Debug)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, in the order in which they came.
    pub fragments: Vec<Fragment>,
    /// Explicit randomness, where it has one.
    pub randomness: Option<u64>,
    /// The largest threshold by which its spans were thinned before; 0 for none.
    pub threshold: u64,
    /// What has come of it.
    pub progress: Progress,
    /// Encoded bytes of its spans.
    pub bytes: u64,
    /// Bytes of memory it is counted with until it is [released](Assembly::release).
    held: u64,
}

impl Trace {
    /// How many spans it has.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.fragments.iter().map(|fragment| fragment.spans).sum()
    }
}

/// Bounds of the assembly.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long after its first span a trace is decided.
    pub wait: Duration,
    /// How long after its root and all parents have come.
    pub wait_complete: Duration,
    /// How long after its first span, where the parent of a call of a model, tool or agent has not come. Shorter than
    /// `wait` it is of no effect.
    pub wait_open: Duration,
    /// Most traces that wait.
    pub traces: usize,
    /// Most bytes of memory for what waits or is being decided.
    pub bytes: u64,
    /// Bytes of memory from which on a trace is decided at once.
    pub trace_bytes: u64,
}

/// Why a trace is decided before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// Too many traces.
    Traces,
    /// Too many bytes.
    Bytes,
    /// The trace itself is too large.
    TraceSize,
}

impl Early {
    /// The word used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Bytes => "bytes",
            Self::TraceSize => "trace_size",
        }
    }
}

/// Traces that wait for a decision, and those that are being decided.
#[derive(Debug)]
pub struct Assembly {
    bounds: Bounds,
    waiting: HashMap<TraceId, Waiting>,
    /// Every waiting trace once, by when it is due.
    due: BTreeSet<(Instant, TraceId)>,
    /// Traces that are being decided, with spans that came meanwhile.
    deciding: HashMap<TraceId, Vec<Fragment>>,
    bytes: u64,
}

#[derive(Debug)]
struct Waiting {
    first: Instant,
    due: Instant,
    fragments: Vec<Fragment>,
    lineage: Lineage,
    randomness: Option<u64>,
    threshold: u64,
    encoded: u64,
    held: u64,
}

/// Memory that a trace takes beside its spans: its entries in the tables, with the room that tables leave.
const TRACE_BYTES: u64 = 2 * (size_of::<(TraceId, Waiting)>() + size_of::<(Instant, TraceId)>()) as u64;
/// Memory that a fragment takes beside its bytes: itself in a list that has grown, and the count of its references.
const FRAGMENT_BYTES: u64 = (2 * size_of::<Fragment>() + 48) as u64;

impl Assembly {
    /// An empty assembly.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, waiting: HashMap::new(), due: BTreeSet::new(), deciding: HashMap::new(), bytes: 0 }
    }

    /// Whether a trace waits or is being decided.
    #[must_use]
    pub fn knows(&self, id: &TraceId) -> bool {
        self.waiting.contains_key(id) || self.deciding.contains_key(id)
    }

    /// Adds spans to their trace. Gives the trace back where it has become too large to wait.
    pub fn add(&mut self, arrival: Arrival, now: Instant) -> Option<Trace> {
        let Arrival { trace: id, fragment, places, randomness, threshold } = arrival;
        let encoded = u64::try_from(fragment.bytes.len()).unwrap_or(u64::MAX);
        let held = encoded.saturating_add(FRAGMENT_BYTES);
        if let Some(late) = self.deciding.get_mut(&id) {
            self.bytes = self.bytes.saturating_add(held);
            late.push(fragment);
            return None;
        }
        let bounds = self.bounds;
        let due = &mut self.due;
        let trace = self.waiting.entry(id).or_insert_with(|| {
            let at = now + bounds.wait;
            due.insert((at, id));
            self.bytes = self.bytes.saturating_add(TRACE_BYTES);
            Waiting::new(now, at)
        });
        let before = trace.lineage.bytes();
        places.into_iter().for_each(|place| trace.lineage.add(place));
        let grown = u64::try_from(trace.lineage.bytes() - before).unwrap_or(u64::MAX);
        trace.fragments.push(fragment);
        trace.randomness = trace.randomness.or(randomness);
        trace.threshold = trace.threshold.max(threshold);
        trace.encoded = trace.encoded.saturating_add(encoded);
        trace.held = trace.held.saturating_add(held).saturating_add(grown);
        self.bytes = self.bytes.saturating_add(held).saturating_add(grown);
        let at = trace.due_at(now, &bounds);
        if at != trace.due {
            due.remove(&(trace.due, id));
            due.insert((at, id));
            trace.due = at;
        }
        if trace.held > bounds.trace_bytes { self.take(id) } else { None }
    }

    /// Takes a trace that is due, the one that is due first.
    pub fn due(&mut self, now: Instant) -> Option<Trace> {
        let (at, id) = *self.due.first()?;
        if at <= now { self.take(id) } else { None }
    }

    /// Takes a trace that has to be decided early so that the others are within the bounds: the one that is due first.
    pub fn excess(&mut self) -> Option<(Trace, Early)> {
        let early = if self.waiting.len() > self.bounds.traces {
            Early::Traces
        } else if self.bytes > self.bounds.bytes {
            Early::Bytes
        } else {
            return None;
        };
        Some((self.first()?, early))
    }

    /// Takes the trace that is due first, however early.
    pub fn first(&mut self) -> Option<Trace> {
        let (_, id) = *self.due.first()?;
        self.take(id)
    }

    /// Ends the deciding of a trace. Gives the spans that have come meanwhile.
    pub fn release(&mut self, trace: &Trace) -> Vec<Fragment> {
        let late = self.deciding.remove(&trace.id).unwrap_or_default();
        let bytes = late.iter().map(|fragment| fragment.bytes.len() as u64 + FRAGMENT_BYTES).sum::<u64>();
        self.bytes = self.bytes.saturating_sub(trace.held).saturating_sub(bytes);
        late
    }

    /// Traces that wait.
    #[must_use]
    pub fn traces(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes of memory for what waits and what is being decided.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn take(&mut self, id: TraceId) -> Option<Trace> {
        let trace = self.waiting.remove(&id)?;
        self.due.remove(&(trace.due, id));
        self.deciding.insert(id, Vec::new());
        Some(Trace {
            id,
            progress: trace.lineage.progress(),
            fragments: trace.fragments,
            randomness: trace.randomness,
            threshold: trace.threshold,
            bytes: trace.encoded,
            held: trace.held,
        })
    }
}

impl Waiting {
    fn new(first: Instant, due: Instant) -> Self {
        Self {
            first,
            due,
            fragments: Vec::new(),
            lineage: Lineage::default(),
            randomness: None,
            threshold: 0,
            encoded: 0,
            held: TRACE_BYTES,
        }
    }

    /// When it is due, seen from the arrival of its newest spans.
    fn due_at(&self, now: Instant, bounds: &Bounds) -> Instant {
        let last = self.first + bounds.wait;
        let last_open = last.max(self.first + bounds.wait_open);
        if self.lineage.progress() == Progress::Complete {
            // Each span that comes may be followed by others, but not for ever.
            (now + bounds.wait_complete).min(if now <= last { last } else { last_open })
        } else if self.lineage.is_open() {
            last_open
        } else {
            last
        }
    }
}

#[cfg(test)]
mod tests;
