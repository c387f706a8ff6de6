//! Stage 5, sample: traces are put together, decided whole, and kept or dropped. They have been metered before.
//!
//! A trace is decided when its first span has waited long enough, or earlier where a bound is reached: it is never
//! thrown away undecided. Spans that come after the decision follow it.

mod assembly;
mod decisions;

pub use assembly::{Assembly, Bounds, Fragment, Trace, TraceId};
pub use decisions::{Decision, Decisions};

use super::RESCAN;
use super::deliver::Deliver;
use super::log::Receipt;
use super::plugin::{Failure, Hosted, Sampler};
use crate::metrics::Metrics;
use crate::receivers::Signal;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tollgate_columns::Traces;
use tollgate_otlp::{Reads, ReadsError, RequestWriter, SpanChanges, TraceRequest, trace_state};
use tollgate_sampler::head::Ratio;
use tollgate_semconv::attribute;

/// Traces that are decided in one call of the sampler.
const TRACES_A_CALL: usize = 512;

/// The stage: what waits, what was decided, and who decides.
#[derive(Debug)]
pub struct Sample {
    sampler: Hosted<dyn Sampler>,
    reads: Reads,
    state: Mutex<State>,
    deliver: Arc<Deliver>,
    metrics: Metrics,
}

#[derive(Debug)]
struct State {
    assembly: Assembly,
    decisions: Decisions,
}

/// Spans of one trace with what was decided about it.
type Decided = (Fragment, Decision);

impl Sample {
    /// A stage that waits within `bounds` and remembers `decisions` decisions.
    ///
    /// # Errors
    /// The manifest names something that cannot be read of a span.
    pub fn new(
        sampler: Hosted<dyn Sampler>,
        bounds: Bounds,
        decisions: usize,
        deliver: Arc<Deliver>,
        metrics: &Metrics,
    ) -> Result<Self, ReadsError> {
        let reads = Reads::compile(&sampler.plugin().manifest().reads)?;
        let state = State { assembly: Assembly::new(bounds), decisions: Decisions::new(decisions) };
        Ok(Self { sampler, reads, state: Mutex::new(state), deliver, metrics: metrics.clone() })
    }

    /// Takes the spans of a request.
    pub fn add(&self, request: &Bytes, receipt: &Receipt, now: Instant) {
        let mut decided = Vec::new();
        self.with_state(|state| {
            for (id, fragment) in fragments(request, receipt) {
                match state.decisions.of(&id) {
                    Some(decision) => {
                        self.metrics.sampling_late_spans.inc_by(count(fragment.spans));
                        decided.push((fragment, decision));
                    }
                    None => state.assembly.add(id, fragment, now),
                }
            }
            let excess = state.assembly.excess();
            self.metrics.sampling_evicted.inc_by(count(excess.len()));
            for traces in excess.chunks(TRACES_A_CALL) {
                decided.extend(self.decide(traces, &mut state.decisions));
            }
        });
        self.part(decided);
    }

    /// Decides the traces that have waited long enough.
    pub fn tick(&self, now: Instant) {
        self.drain(|assembly| assembly.due(now, TRACES_A_CALL));
    }

    /// Decides everything that waits: the process is ending.
    pub fn flush(&self) {
        self.drain(|assembly| assembly.flush(TRACES_A_CALL));
    }

    /// Takes and decides portions until there are none.
    fn drain(&self, mut take: impl FnMut(&mut Assembly) -> Vec<Trace>) {
        loop {
            let mut decided = Vec::new();
            let taken = self.with_state(|state| {
                let traces = take(&mut state.assembly);
                decided = self.decide(&traces, &mut state.decisions);
                traces.len()
            });
            self.part(decided);
            if taken == 0 {
                return;
            }
        }
    }

    /// A decision is made and remembered while the state is held, so that no span can slip between the two.
    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut state);
        self.metrics.sampling_pending_traces.set(i64::try_from(state.assembly.traces()).unwrap_or(i64::MAX));
        self.metrics.sampling_pending_bytes.set(i64::try_from(state.assembly.bytes()).unwrap_or(i64::MAX));
        result
    }

    /// Asks the sampler about whole traces. Where it fails they are kept.
    fn decide(&self, traces: &[Trace], decisions: &mut Decisions) -> Vec<Decided> {
        if traces.is_empty() {
            return Vec::new();
        }
        let asked = self.sampler.call(Duration::ZERO, |sampler| ask(sampler, &self.reads, traces));
        let verdicts = asked.ok().flatten();
        let mut decided = Vec::new();
        for (index, trace) in traces.iter().enumerate() {
            let decision = verdicts.as_ref().and_then(|verdicts| verdicts.get(index).copied()).unwrap_or(Decision {
                keep: true,
                rule: None,
                probability: 1.0,
            });
            decisions.remember(trace.id, decision);
            let verdict = if decision.keep { "keep" } else { "drop" };
            let labels = vec![("rule", self.rule(decision).to_owned()), ("verdict", verdict.to_owned())];
            self.metrics.sampling_decisions.with(labels).inc();
            decided.extend(trace.fragments.iter().map(|fragment| (fragment.clone(), decision)));
        }
        decided
    }

    /// Delivers what is kept, with the decision written on it, and counts what is dropped.
    fn part(&self, decided: Vec<Decided>) {
        let (kept, dropped): (Vec<_>, Vec<_>) = decided.into_iter().partition(|(_, decision)| decision.keep);
        let lost: usize = dropped.iter().map(|(fragment, _)| fragment.spans).sum();
        if lost > 0 {
            self.metrics.spans_dropped.with(vec![("reason", "sampled".to_owned())]).inc_by(count(lost));
        }
        for portion in portions(kept) {
            let spans = portion.iter().map(|(fragment, _)| fragment.spans).sum();
            let receipts = portion.iter().map(|(fragment, _)| fragment.receipt.clone()).collect();
            self.deliver.deliver(Signal::Traces, self.annotate(&portion), spans, receipts);
        }
    }

    /// One request of all fragments, each span with the rule, the probability and the threshold.
    fn annotate(&self, kept: &[Decided]) -> Bytes {
        let mut writer = RequestWriter::new();
        for (fragment, decision) in kept {
            let Ok(scanned) = TraceRequest::scan(&fragment.bytes, &RESCAN) else { continue };
            for span in scanned.spans() {
                if decision.rule.is_none() {
                    writer.copy(&span);
                    continue;
                }
                let mut changes = SpanChanges::new();
                changes.set(attribute::TOLLGATE_SAMPLING_RULE, self.rule(*decision));
                changes.set(attribute::TOLLGATE_SAMPLING_PROBABILITY, decision.probability);
                if let Some(state) = thinned(span.trace_state(), decision.probability) {
                    changes.trace_state(state);
                }
                writer.copy_changed(&span, &changes);
            }
        }
        writer.finish().into()
    }

    fn rule(&self, decision: Decision) -> &str {
        let rules = &self.sampler.plugin().manifest().rules;
        decision.rule.and_then(|rule| rules.get(usize::from(rule))).map_or("sampler_failed", String::as_str)
    }
}

/// The sampler's verdicts, one a trace.
pub(crate) fn ask(sampler: &dyn Sampler, reads: &Reads, traces: &[Trace]) -> Result<Vec<Decision>, Failure> {
    let request = joined(traces.iter().flat_map(|trace| &trace.fragments));
    let scanned = TraceRequest::scan(&request, &RESCAN)
        .map_err(|error| Failure { kind: "unreadable", message: error.to_string() })?;
    let mut offsets = vec![0u32];
    let mut end = 0usize;
    for trace in traces {
        end += trace.fragments.iter().map(|fragment| fragment.spans).sum::<usize>();
        offsets.push(u32::try_from(end).unwrap_or(u32::MAX));
    }
    let ids = traces.iter().flat_map(|trace| trace.id).collect();
    let verdicts = sampler.decide(Traces { ids, offsets, spans: reads.project(scanned.spans()) })?;
    verdicts
        .check(traces.len(), sampler.manifest().rules.len())
        .map_err(|error| Failure { kind: "malformed", message: error.to_string() })?;
    let columns = verdicts.keep.iter().zip(&verdicts.rules).zip(&verdicts.probabilities);
    Ok(columns
        .map(|((&keep, &rule), &probability)| Decision { keep: keep == 1, rule: Some(rule), probability })
        .collect())
}

/// Encoded requests one after the other are one request: their lists are joined. That is how protobuf merges.
fn joined<'a>(fragments: impl Iterator<Item = &'a Fragment>) -> Bytes {
    let mut request = Vec::new();
    for fragment in fragments {
        request.extend_from_slice(&fragment.bytes);
    }
    request.into()
}

/// Most bytes of one delivery, so that a backend's limit on a message is not reached by joining.
const DELIVERY_BYTES: usize = 2 << 20;

/// Kept fragments in portions of at most [`DELIVERY_BYTES`], or of one that is larger.
fn portions(kept: Vec<Decided>) -> Vec<Vec<Decided>> {
    let mut portions: Vec<Vec<Decided>> = Vec::new();
    let mut bytes = 0;
    for decided in kept {
        bytes += decided.0.bytes.len();
        match portions.last_mut() {
            Some(portion) if bytes <= DELIVERY_BYTES => portion.push(decided),
            _ => {
                bytes = decided.0.bytes.len();
                portions.push(vec![decided]);
            }
        }
    }
    portions
}

/// The spans of a request, by trace.
pub(crate) fn fragments(request: &Bytes, receipt: &Receipt) -> Vec<(TraceId, Fragment)> {
    let Ok(scanned) = TraceRequest::scan(request, &RESCAN) else { return Vec::new() };
    let mut traces: BTreeMap<TraceId, Vec<usize>> = BTreeMap::new();
    for (index, span) in scanned.spans().enumerate() {
        traces.entry(span.trace_id()).or_default().push(index);
    }
    if traces.len() == 1 {
        let whole = |id| (id, Fragment { bytes: request.clone(), spans: scanned.len(), receipt: receipt.clone() });
        return traces.into_keys().map(whole).collect();
    }
    let part = |(id, spans): (TraceId, Vec<usize>)| {
        let mut writer = RequestWriter::new();
        spans.iter().filter_map(|&index| scanned.span(index)).for_each(|span| writer.copy(&span));
        (id, Fragment { bytes: writer.finish().into(), spans: spans.len(), receipt: receipt.clone() })
    };
    traces.into_iter().map(part).collect()
}

/// The trace state with the threshold of a probability; `None` where nothing changes.
///
/// A span that was thinned before carries a threshold. Both decisions draw from the same randomness of the trace, so
/// what passed both was kept with the smaller probability: the larger threshold stays.
fn thinned(state: &str, probability: f64) -> Option<String> {
    let threshold = Ratio::new(probability)?.threshold();
    match trace_state::read(state).threshold {
        Some(before) if before >= threshold => None,
        _ => Some(trace_state::with_threshold(state, Some(threshold))),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_of_two_thresholds_is_written() {
        for (before, probability, after) in [
            ("", 1.0, Some("ot=th:0")),
            ("", 0.25, Some("ot=th:c")),
            ("ot=th:8", 0.25, Some("ot=th:c")),
            ("ot=th:c", 0.25, None),
            ("ot=th:c", 0.5, None),
            ("congo=t61,ot=th:0;rv:6e6d1a75832a2f", 0.5, Some("ot=th:8;rv:6e6d1a75832a2f,congo=t61")),
        ] {
            assert_eq!(thinned(before, probability).as_deref(), after, "{before} {probability}");
        }
    }

    #[test]
    fn deliveries_are_cut_at_their_size_and_a_large_fragment_goes_alone() {
        let decision = Decision { keep: true, rule: None, probability: 1.0 };
        let fragment = |bytes: usize| {
            (Fragment { bytes: Bytes::from(vec![0; bytes]), spans: 1, receipt: Receipt::default() }, decision)
        };
        let sizes = |kept: Vec<Decided>| portions(kept).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), [0; 0]);
        assert_eq!(sizes(vec![fragment(1), fragment(DELIVERY_BYTES - 1), fragment(1)]), [2, 1]);
        assert_eq!(sizes(vec![fragment(1), fragment(DELIVERY_BYTES * 2), fragment(1)]), [1, 1, 1]);
    }
}
