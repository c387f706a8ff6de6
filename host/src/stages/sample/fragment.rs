//! The spans of a request, by trace, with what the assembly has to know of each.

use super::assembly::TraceId;
use crate::memory::exact;
use crate::stages::log::Receipt;
use bytes::Bytes;
use std::collections::HashMap;
use tollgate_otlp::{Envelope, RequestWriter, Span, TraceRequest, trace_state};
use tollgate_semconv::attribute;

/// Spans of one trace out of one request, as an encoded request of their own.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// The encoded request.
    pub bytes: Bytes,
    /// How many spans it has.
    pub spans: usize,
    /// What says that the request it came in was dealt with, once all of its fragments are gone.
    pub receipt: Receipt,
}

/// Where a span stands in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its own id.
    pub id: u64,
    /// Its parent's; `None` for a root.
    pub parent: Option<u64>,
    /// Whether it is a call of a model, a tool or an agent, and its parent is not known to be of another process. Its
    /// parent is then the run of an agent or the call that it was made for, which may be open for minutes.
    pub generative: bool,
}

/// Bit of `Span.flags`: the parent is of another process. Source: OTLP, `SpanFlags`.
const IS_REMOTE: u32 = 0x200;

/// A fragment with its trace, and what it says about the trace.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The trace.
    pub trace: TraceId,
    /// Its spans.
    pub fragment: Fragment,
    /// Where the spans stand.
    pub places: Vec<Place>,
    /// Explicit randomness of the trace state, where a span has it.
    pub randomness: Option<u64>,
    /// The largest threshold by which a span was thinned before; 0 for none.
    pub threshold: u64,
}

/// The spans of a request, by trace.
#[must_use]
pub fn fragments(request: &Bytes, receipt: &Receipt) -> Vec<Arrival> {
    let Ok(scanned) = TraceRequest::rescan(request) else { return Vec::new() };
    let mut order: Vec<(TraceId, Vec<usize>)> = Vec::new();
    let mut by_trace: HashMap<TraceId, usize> = HashMap::new();
    for (index, span) in scanned.spans().enumerate() {
        // Spans of a trace mostly stand together.
        let id = span.trace_id();
        match order.last_mut() {
            Some((last, spans)) if *last == id => spans.push(index),
            _ => match by_trace.get(&id).and_then(|at| order.get_mut(*at)) {
                Some((_, spans)) => spans.push(index),
                None => {
                    by_trace.insert(id, order.len());
                    order.push((id, vec![index]));
                }
            },
        }
    }
    let whole = order.len() == 1;
    let mut envelopes = Envelopes::default();
    let arrival = |(trace, indexes): (TraceId, Vec<usize>)| {
        let spans = || indexes.iter().filter_map(|index| scanned.span(*index));
        let bytes = if whole {
            request.clone()
        } else {
            let mut writer = RequestWriter::new();
            spans().for_each(|span| writer.push(envelopes.of(span), span.bytes()));
            exact(writer.finish())
        };
        let fragment = Fragment { bytes, spans: indexes.len(), receipt: receipt.clone() };
        let mut arrival = Arrival { trace, fragment, places: Vec::new(), randomness: None, threshold: 0 };
        spans().for_each(|span| arrival.look(&span));
        arrival
    };
    order.into_iter().map(arrival).collect()
}

/// The envelope of the span before, which mostly is that of the next one too.
#[derive(Default)]
pub(super) struct Envelopes<'r> {
    last: Option<Span<'r>>,
    envelope: Envelope,
}

impl<'r> Envelopes<'r> {
    /// The envelope of a span.
    pub(super) fn of(&mut self, span: Span<'r>) -> &Envelope {
        if !self.last.is_some_and(|last| last.shares_envelope(&span)) {
            self.envelope = span.envelope();
        }
        self.last = Some(span);
        &self.envelope
    }
}

impl Arrival {
    fn look(&mut self, span: &Span<'_>) {
        self.places.push(Place {
            id: u64::from_be_bytes(span.span_id()),
            parent: span.parent_id().map(u64::from_be_bytes),
            generative: span.attributes().get(attribute::GEN_AI_OPERATION_NAME).is_some()
                && span.flags() & IS_REMOTE == 0,
        });
        let state = span.trace_state();
        if !state.is_empty() {
            let sampling = trace_state::read(state);
            self.randomness = self.randomness.or(sampling.randomness);
            self.threshold = self.threshold.max(sampling.threshold.unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_otlp::SpanWriter;

    #[test]
    fn a_request_is_parted_by_trace_and_each_part_is_a_request() {
        let (shop, search) = (Envelope::new(&[], "shop", ""), Envelope::new(&[], "search", ""));
        let span = |trace: u8, id: u8, parent: u8, call: bool, flags: u32, state: &str| {
            let mut span = SpanWriter::new([trace; 16], [id; 8], "s");
            span.flags(flags).trace_state(state);
            if parent > 0 {
                span.parent([parent; 8]);
            }
            if call {
                span.set("gen_ai.operation.name", "chat");
            }
            span.bytes().to_vec()
        };
        let mut writer = RequestWriter::new();
        writer.push(&shop, &span(1, 1, 0, false, 0, "ot=rv:00000000000007"));
        writer.push(&search, &span(2, 1, 9, true, 0x100, ""));
        writer.push(&shop, &span(1, 2, 1, true, 0x300, "ot=th:8"));
        let arrivals = fragments(&exact(writer.finish()), &Receipt::default());
        let at = |id: u8| u64::from_be_bytes([id; 8]);
        let place = |id, parent: Option<u8>, generative| Place { id: at(id), parent: parent.map(at), generative };
        // Spans that share an envelope stand together on the wire.
        let seen: Vec<_> =
            arrivals.iter().map(|one| (one.trace[0], one.fragment.spans, one.randomness, one.threshold)).collect();
        assert_eq!(seen, [(1, 2, Some(7), 1 << 55), (2, 1, None, 0)]);
        assert_eq!(arrivals[0].places, [place(1, None, false), place(2, Some(1), false)]);
        assert_eq!(arrivals[1].places, [place(1, Some(9), true)]);
        for arrival in &arrivals {
            let again = fragments(&arrival.fragment.bytes, &Receipt::default());
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].places, arrival.places);
            assert_eq!(again[0].fragment.bytes, arrival.fragment.bytes, "a request of one trace is taken as it is");
        }
        assert!(fragments(&Bytes::from_static(b"none"), &Receipt::default()).is_empty());
    }
}
