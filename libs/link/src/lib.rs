//! Calls that are reported by more than one span, found so that they count once.
//!
//! A gateway reports a call, and the application that made it does; a framework reports it, and the provider's own
//! client below it does. Each of these spans is right, and their sum is wrong. [`Links`] tells which of them counts:
//!
//! - spans with the same response id are one call. Some local servers repeat their ids; so spans of different traces
//!   must also agree on the tokens that were written, where both say;
//! - a span without a response id is a repetition where a span directly below it reports the same tokens read and
//!   written;
//! - the first that was seen counts, and the others are duplicates. Of spans that come together, that of a gateway is
//!   preferred, then one with token counts. A later span with counts takes over from one without;
//! - a span is never a duplicate of itself: a batch that is sent again is answered as before.
//!
//! What is remembered is bounded in number and in time. Nothing here reads a clock: time is passed in.
//!
//! ```
//! use std::time::Duration;
//! use tollgate_link::{Bounds, Call, Links};
//! let mut links = Links::new(Bounds { most: 1_000, ttl: Duration::from_secs(600) });
//! let call = Call { trace_id: [1; 16], response_id: Some("resp_1"), output: Some(20), ..Call::default() };
//! let gateway = Call { span_id: [1; 8], ..call };
//! let client = Call { span_id: [2; 8], ..call };
//! assert_eq!(links.duplicates(Duration::ZERO, &[gateway]), [false]);
//! assert_eq!(links.duplicates(Duration::from_secs(1), &[client]), [true]);
//! assert_eq!(links.duplicates(Duration::from_secs(2), &[gateway]), [false]);
//! ```
#![forbid(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Longest response id that is remembered, in bytes. Those of providers have a few dozen.
pub const LONGEST_ID: usize = 256;

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most entries; at the limit the oldest is forgotten. A call takes one for its response id and one for the span
    /// above it. 0 finds no duplicates at all.
    pub most: usize,
    /// How long an entry is remembered after it was first seen.
    pub ttl: Duration,
}

impl Bounds {
    /// Bytes that as many entries take, with ids as long as those of providers are: the entry in its table, which is
    /// between 7/16 and 7/8 full, the entry in their order, whose list has room to grow, and the id.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        const ID: usize = 64 + 2 * size_of::<usize>();
        let entry = (size_of::<(Above, Seen)>() + 1) * 16 / 7;
        self.most.saturating_mul(entry + 2 * size_of::<(Duration, Key)>() + ID)
    }
}

/// What has to be known of a span that reports a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// Trace.
    pub trace_id: [u8; 16],
    /// Span.
    pub span_id: [u8; 8],
    /// The span above it.
    pub parent_id: Option<[u8; 8]>,
    /// The id that the provider gave its answer.
    pub response_id: Option<&'a str>,
    /// Tokens read.
    pub input: Option<u64>,
    /// Tokens written.
    pub output: Option<u64>,
    /// Whether a gateway reports it, rather than an application.
    pub gateway: bool,
}

/// The calls that were seen.
#[derive(Clone, Debug)]
pub struct Links {
    bounds: Bounds,
    /// By response id.
    responses: HashMap<Arc<str>, Seen>,
    /// By the span above.
    above: HashMap<Above, Seen>,
    /// The keys of both, each once, by the time at which it was first seen.
    order: VecDeque<(Duration, Key)>,
    evicted: u64,
}

/// A span with another below it that reports a call: trace and span.
type Above = ([u8; 16], [u8; 8]);

#[derive(Clone, Debug)]
enum Key {
    Response(Arc<str>),
    Above(Above),
}

/// The span that counts for a key.
#[derive(Clone, Copy, Debug)]
struct Seen {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    input: Option<u64>,
    output: Option<u64>,
}

impl Seen {
    fn of(call: &Call<'_>) -> Self {
        Self { trace_id: call.trace_id, span_id: call.span_id, input: call.input, output: call.output }
    }

    fn is_span(&self, call: &Call<'_>) -> bool {
        (self.trace_id, self.span_id) == (call.trace_id, call.span_id)
    }

    fn has_counts(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }
}

impl Call<'_> {
    fn has_counts(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }
}

impl Links {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, responses: HashMap::new(), above: HashMap::new(), order: VecDeque::new(), evicted: 0 }
    }

    /// How many entries are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.responses.len() + self.above.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.responses.is_empty() && self.above.is_empty()
    }

    /// How many entries were forgotten before their time, because there were too many.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Whether each of the calls that came together is a duplicate. `now` is the time since any fixed moment, and does
    /// not go back.
    pub fn duplicates(&mut self, now: Duration, calls: &[Call<'_>]) -> Vec<bool> {
        let mut duplicates = vec![false; calls.len()];
        if self.bounds.most == 0 {
            return duplicates;
        }
        self.expire(now);
        // Spans come in any order: what is below has to be known before what is above.
        for call in calls.iter().filter(|call| call.has_counts()) {
            if let Some(parent) = call.parent_id {
                let above = (call.trace_id, parent);
                if !self.above.contains_key(&above) {
                    self.make_room(now, Key::Above(above));
                    self.above.insert(above, Seen::of(call));
                }
            }
        }
        let mut order: Vec<(usize, &Call<'_>)> = calls.iter().enumerate().collect();
        order.sort_by_key(|(_, call)| (!call.gateway, !call.has_counts()));
        for (at, call) in order {
            let duplicate = match call.response_id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID) {
                Some(id) => self.is_known(now, id, call),
                None => self.is_repetition(call),
            };
            if let Some(slot) = duplicates.get_mut(at) {
                *slot = duplicate;
            }
        }
        duplicates
    }

    /// Whether another span has reported the answer with this id.
    fn is_known(&mut self, now: Duration, id: &str, call: &Call<'_>) -> bool {
        let Some(seen) = self.responses.get_mut(id) else {
            let id: Arc<str> = id.into();
            self.make_room(now, Key::Response(Arc::clone(&id)));
            self.responses.insert(id, Seen::of(call));
            return false;
        };
        if seen.is_span(call) {
            return false;
        }
        let agree = seen.output.zip(call.output).is_none_or(|(theirs, ours)| theirs == ours);
        let same = seen.trace_id == call.trace_id || agree;
        if same && (seen.has_counts() || !call.has_counts()) {
            return true;
        }
        // The first that brings counts; or another call under an id that was used before.
        *seen = Seen::of(call);
        false
    }

    /// Whether a span directly below reports the same.
    fn is_repetition(&self, call: &Call<'_>) -> bool {
        let below = self.above.get(&(call.trace_id, call.span_id));
        below.is_some_and(|below| {
            !below.is_span(call) && call.has_counts() && (below.input, below.output) == (call.input, call.output)
        })
    }

    /// Makes room for a key that is not known yet, and notes when it came.
    fn make_room(&mut self, now: Duration, key: Key) {
        while self.len() >= self.bounds.most
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.forget(&oldest);
            self.evicted += 1;
        }
        self.order.push_back((now, key));
    }

    fn expire(&mut self, now: Duration) {
        while let Some((since, _)) = self.order.front()
            && now.saturating_sub(*since) > self.bounds.ttl
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, key: &Key) {
        match key {
            Key::Response(id) => drop(self.responses.remove(id)),
            Key::Above(above) => drop(self.above.remove(above)),
        }
    }
}
