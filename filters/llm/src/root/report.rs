//! What becomes of a stream that is over: counters, access-log fields, a span.

use super::Root;
use crate::access_log;
use crate::budgets::Took;
use crate::call::{self, Call};
use crate::config::{AccessLog, Sampling};
use crate::event;
use crate::exchange::{Caller, Finished};
use crate::export::Signal;
use crate::metrics::Measured;
use crate::proxy::Proxy;
use crate::redact::redact;
use crate::redact_traffic::Told;
use crate::span;
use std::sync::Arc;
use tollgate_otlp::trace_state;

/// Milliseconds until a batch that is full is sent: the next turn of the event loop, but in the root context.
const SOON_MS: u32 = 1;

impl Root {
    /// Tells of a stream that is over: counters always; the span where it is sampled.
    pub(super) fn report(&mut self, proxy: &impl Proxy, finished: Finished) {
        let Finished { reading, caller, started, ended, include_usage, redact_traffic, extra } = finished;
        if let (Some(extras), Some(extra)) = (&mut self.extras, &extra) {
            extras.tell(&mut self.metrics, extra, reading.record.is_ok());
        }
        if let Some(told) = redact_traffic {
            self.tell_traffic(proxy, &told);
        }
        if let Some(told) = include_usage {
            self.metrics.add_labelled("include_usage", "result", told.request.as_str(), 1);
            if let Some(answer) = told.answer {
                self.metrics.add_labelled("include_usage_answers", "result", answer.as_str(), 1);
            }
        }
        for note in &reading.notes {
            self.metrics.add_labelled("notes", "note", note, 1);
        }
        let mut record = match reading.record {
            Ok(record) => record,
            Err(skipped) => {
                self.metrics.add_labelled("skipped", "reason", skipped.as_str(), 1);
                return;
            }
        };
        let mut content = reading.content;
        let redacted = redact(&self.redactor, &mut content, &mut record.parameters);
        for (kind, count) in &redacted.found {
            self.metrics.add_labelled("redactions", "type", kind, *count);
        }
        for (reason, count) in redacted.skipped {
            self.metrics.add_labelled("redaction_skipped", "reason", reason, count);
        }
        let (trace_id, span_id) = match extra.as_ref().and_then(|extra| extra.identity.as_ref()?.ids) {
            Some(ids) => ids,
            None if self.identifies() => call::identify(&mut self.ids, &caller, ended),
            None => Default::default(),
        };
        let calculator = Arc::clone(&self.calculator);
        let cost = call::price(&calculator, &record, started);
        let charge = cost.as_ref().and_then(|cost| cost.as_ref().ok());
        let cost_level = charge.and_then(|charge| calculator.level(charge.amount));
        if let Some(level) = cost_level {
            self.metrics.add_labelled("cost_alerts", "level", level, 1);
        }
        self.metrics.add("cost_disagreements", u64::from(charge.is_some_and(|charge| charge.disagrees)));
        if let Some(Err(reason)) = &cost {
            self.metrics.add_labelled("cost_missing", "reason", reason.as_str(), 1);
        }
        let call = Call {
            record: &record,
            timing: &reading.timing,
            content: &content,
            cost,
            cost_level,
            redactions: &redacted.found,
            usage_requested: include_usage.is_some_and(|told| told.request.asked()),
            caller: &caller,
            trace_id,
            span_id,
            started,
            ended,
        };
        if let (Some(extras), Some(extra)) = (&self.extras, &extra) {
            let took = Took {
                tokens: record.usage.as_ref().map_or(0, call::tokens),
                nano_usd: call.cost_nano_usd().unwrap_or(0),
            };
            extras.spend(proxy, &mut self.metrics, extra, ended, took);
        }
        self.metrics.call(
            proxy,
            &Measured {
                record: &record,
                cost_nano_usd: call.cost_nano_usd(),
                unpriced: matches!(call.cost, Some(Err(_))),
                time_to_first_chunk: call.timing.time_to_first_chunk,
                duration: ended.saturating_sub(started),
            },
        );
        let refused = match self.access_log {
            AccessLog::Off => 0,
            AccessLog::Fields => access_log::set_fields(proxy, &call),
            AccessLog::Record => access_log::set_fields(proxy, &call) + access_log::set_record(proxy, &call),
        };
        let values = if self.rate_limit_values { access_log::set_rate_limit_values(proxy, &call) } else { 0 };
        self.metrics.add("access_log_refused", refused + values);
        self.export(proxy, &call);
    }

    fn tell_traffic(&mut self, proxy: &impl Proxy, told: &Told) {
        let counts = &told.counts;
        self.metrics.add_labelled("traffic_requests", "result", told.requested.as_str(), 1);
        let answer = if told.rewritten { "rewritten" } else { "untouched" };
        self.metrics.add_labelled("traffic_answers", "result", answer, 1);
        for ((direction, kind), count) in &counts.found {
            let name = told.types.iter().find(|(number, _)| number == kind).map_or("", |(_, name)| name.as_str());
            let labelled = format!("traffic_redactions;direction={}", direction.as_str());
            self.metrics.add_labelled(&labelled, "type", name, *count);
        }
        for ((direction, reason, applied), count) in &counts.unread {
            let labels = format!(";direction={};reason={}", direction.as_str(), reason.as_str());
            self.metrics.add_labelled(&format!("traffic_unread{labels}"), "result", applied.as_str(), *count);
        }
        for (name, count) in [
            ("traffic_restored", counts.restored),
            ("traffic_not_restored", counts.not_restored),
            ("traffic_unnumbered", told.unnumbered),
            ("traffic_empty_events", counts.empty_events),
            ("traffic_made_events", counts.made_events),
            ("traffic_logprobs_removed", counts.logprobs_removed),
        ] {
            self.metrics.add(name, count);
        }
        if told.rewritten {
            self.metrics.record(proxy, "traffic_held_bytes", counts.held_bytes);
            self.metrics.record(proxy, "traffic_waiting_bytes", counts.waiting_bytes);
        }
    }

    fn export(&mut self, proxy: &impl Proxy, call: &Call<'_>) {
        let Some(exporter) = &mut self.exporter else { return };
        if !sampled(self.sampling, call.caller, call.trace_id) {
            self.metrics.add("spans_unsampled", 1);
            return;
        }
        self.metrics.add("tracestate_discarded", call.caller.trace_state_left.into());
        let content = exporter.content();
        let span = span::encode(call, self.sampling, content.on_spans());
        let mut full = exporter.push(proxy, &mut self.metrics, Signal::Spans, &span);
        if content.on_events()
            && let Some(event) = event::encode(call, self.sampling)
        {
            full |= exporter.push(proxy, &mut self.metrics, Signal::Events, &event);
        }
        self.hurry(proxy, full.then_some(SOON_MS));
    }
}

/// Whether the span of a call is exported: as the caller decided where that is wanted, else by the ratio.
fn sampled(sampling: Sampling, caller: &Caller, trace_id: [u8; 16]) -> bool {
    match caller.parent {
        Some(parent) if sampling.follow_parent => parent.sampled(),
        _ => sampling.ratio.keeps(trace_state::randomness(caller.trace_state.as_deref().unwrap_or_default(), trace_id)),
    }
}
