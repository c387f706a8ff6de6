//! What is kept, on its way out: each span says by which rule and with which probability.

use super::decisions::{Decision, Rule};
use super::fragment::{Envelopes, Fragment};
use crate::memory::exact;
use bytes::Bytes;
use std::borrow::Cow;
use tollgate_otlp::{RequestWriter, Span, SpanChanges, TraceRequest, trace_state};
use tollgate_sampler::head::Ratio;
use tollgate_semconv::attribute;

/// Spans of one trace with what was decided about it.
pub(super) type Decided = (Fragment, Decision);

/// Most bytes of one delivery, so that a backend's limit on a message is not reached by joining.
const DELIVERY_BYTES: usize = 2 << 20;

/// Kept fragments in portions of at most [`DELIVERY_BYTES`], or of one that is larger.
pub(super) fn portions(kept: Vec<Decided>) -> Vec<Vec<Decided>> {
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

/// One request of all fragments, each span with the rule, the probability and the threshold.
pub(super) fn annotated(kept: &[Decided], rules: &[String]) -> Bytes {
    let mut writer = RequestWriter::new();
    for (fragment, decision) in kept {
        let Ok(scanned) = TraceRequest::rescan(&fragment.bytes) else { continue };
        let rule = name(decision.rule, rules);
        let mut envelopes = Envelopes::default();
        // Spans of a trace mostly have one trace state, from which all changes follow.
        let mut last: Option<(&str, SpanChanges)> = None;
        for span in scanned.spans() {
            let state = span.trace_state();
            let changes = match last.take() {
                Some((before, changes)) if before == state => changes,
                _ => changes(&span, rule, *decision),
            };
            let changed = changes.apply(&span);
            last = Some((state, changes));
            writer.push(envelopes.of(span), &changed);
        }
    }
    exact(writer.finish())
}

/// The word for a rule in attributes and metrics.
pub(super) fn name(rule: Rule, rules: &[String]) -> &str {
    match rule {
        Rule::Declared(rule) => rules.get(usize::from(rule)).map_or("unknown", String::as_str),
        Rule::SamplerFailed => "sampler_failed",
        Rule::StressRelief => "stress_relief",
        Rule::Earlier => "earlier_configuration",
    }
}

fn changes(span: &Span<'_>, rule: &str, decision: Decision) -> SpanChanges {
    let mut changes = SpanChanges::new();
    changes.set(attribute::TOLLGATE_SAMPLING_RULE, rule);
    let (state, ratio) = thinned(span.trace_state(), span.trace_id(), decision.ratio);
    if let Some(ratio) = ratio {
        changes.set(attribute::TOLLGATE_SAMPLING_PROBABILITY, ratio.probability());
    }
    if let Cow::Owned(state) = state {
        changes.trace_state(state);
    }
    changes
}

/// The trace state after a decision, owned where it changed, and the share of spans like this one that came through.
///
/// A span that was thinned before carries a threshold. Both decisions draw from the same randomness of the trace, so
/// what passed both was kept with the smaller probability: the larger threshold stays. A threshold that the span's own
/// randomness does not reach is a mistake, and does not count. What was not decided by randomness has no threshold any
/// more, as OpenTelemetry's specification asks.
fn thinned(state: &str, id: [u8; 16], ratio: Option<Ratio>) -> (Cow<'_, str>, Option<Ratio>) {
    let before = trace_state::read(state).threshold;
    let Some(ratio) = ratio else {
        let state = before.map_or(Cow::Borrowed(state), |_| Cow::Owned(trace_state::with_threshold(state, None)));
        return (state, None);
    };
    let valid = before.filter(|threshold| trace_state::randomness(state, id) >= *threshold);
    let both = valid.map_or(ratio, |threshold| ratio.both(Ratio::at(threshold)));
    if before == Some(both.threshold()) {
        return (Cow::Borrowed(state), Some(both));
    }
    (Cow::Owned(trace_state::with_threshold(state, Some(both.threshold()))), Some(both))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::log::Receipt;

    #[test]
    fn the_larger_of_two_thresholds_is_written() {
        for (before, ratio, after) in [
            ("", Some(1.0), "ot=th:0"),
            ("", Some(0.25), "ot=th:c"),
            ("ot=th:8", Some(0.25), "ot=th:c"),
            ("ot=th:c", Some(0.25), "ot=th:c"),
            ("ot=th:c", Some(0.5), "ot=th:c"),
            ("congo=t61,ot=th:0;rv:fe6d1a75832a2f", Some(0.5), "ot=th:8;rv:fe6d1a75832a2f,congo=t61"),
            // The randomness does not reach the threshold, so nothing was sampled by it.
            ("ot=th:c;rv:80000000000000", Some(0.5), "ot=th:8;rv:80000000000000"),
            ("ot=th:c;rv:fe6d1a75832a2f", None, "ot=rv:fe6d1a75832a2f"),
            ("congo=t61", None, "congo=t61"),
        ] {
            let ratio = ratio.and_then(Ratio::new);
            let (state, both) = thinned(before, [0xff; 16], ratio);
            assert_eq!(state, after, "{before} {ratio:?}");
            assert_eq!(both.map(Ratio::threshold), trace_state::read(after).threshold);
        }
    }

    #[test]
    fn deliveries_are_cut_at_their_size_and_a_large_fragment_goes_alone() {
        let decision = Decision { keep: true, rule: Rule::SamplerFailed, ratio: None };
        let receipt = Receipt::default();
        let fragment =
            |bytes: usize| (Fragment { bytes: vec![0; bytes].into(), spans: 1, receipt: receipt.clone() }, decision);
        let sizes = |kept: Vec<Decided>| portions(kept).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), [0; 0]);
        assert_eq!(sizes(vec![fragment(1), fragment(DELIVERY_BYTES - 1), fragment(1)]), [2, 1]);
        assert_eq!(sizes(vec![fragment(1), fragment(DELIVERY_BYTES * 2), fragment(1)]), [1, 1, 1]);
    }
}
