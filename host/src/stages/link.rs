//! Part of stage 2a: calls that are reported by more than one span get the role `duplicate`, all but one.
//!
//! It runs before the first enricher that reads the role, so that what is not billed is not priced, and behind all of
//! them where none does.

use crate::config::Link as Config;
use crate::memory::exact;
use crate::metrics::Metrics;
use bytes::Bytes;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tollgate_columns::{Attribute, Batch, Edits, Kind, Row};
use tollgate_link::{Bounds, Call, Links};
use tollgate_otlp::{Reads, ReadsError, TraceRequest};
use tollgate_semconv::{attribute, call_role};

/// What is read of each span, in the order of the constants below.
const READS: [&str; 7] = [
    attribute::TOLLGATE_CALL_ROLE,
    attribute::GEN_AI_OPERATION_NAME,
    attribute::GEN_AI_RESPONSE_ID,
    attribute::GEN_AI_USAGE_INPUT_TOKENS,
    attribute::GEN_AI_USAGE_OUTPUT_TOKENS,
    attribute::TOLLGATE_OUTCOME,
    "scope:name",
];

const ROLE: u16 = 0;
const OPERATION: u16 = 1;
const RESPONSE_ID: u16 = 2;
const INPUT: u16 = 3;
const OUTPUT: u16 = 4;
const OUTCOME: u16 = 5;
const SCOPE: u16 = 6;

/// Scopes of gateways, besides Tollgate's own filter, which says how the exchange ended.
const GATEWAYS: [&str; 2] = ["agentgateway", "envoyproxy/ai-gateway"];

/// What was seen of calls.
#[derive(Debug)]
pub struct Link {
    reads: Reads,
    writes: [Attribute; 1],
    links: Mutex<Links>,
    begun: Instant,
    metrics: Metrics,
}

impl Link {
    /// Remembers nothing yet.
    ///
    /// # Errors
    /// The list of what is read is wrong, which only a change of this file can make it.
    pub fn new(config: Config, metrics: &Metrics) -> Result<Self, ReadsError> {
        Ok(Self {
            reads: Reads::compile(&READS)?,
            writes: [Attribute::new(attribute::TOLLGATE_CALL_ROLE, Kind::Text)],
            links: Mutex::new(Links::new(Bounds { most: config.max_entries, ttl: config.ttl })),
            begun: Instant::now(),
            metrics: metrics.clone(),
        })
    }

    /// The request with the role `duplicate` where it applies; `None` where nothing changes, and where it cannot be
    /// edited: calls counted twice are better than calls lost.
    pub fn run(&self, request: &TraceRequest<'_>) -> Option<Bytes> {
        let edits = self.edits(request);
        if edits.texts.is_empty() {
            return None;
        }
        let edited = request.apply(&edits, &self.writes);
        edited.inspect_err(|error| tracing::warn!(%error, "duplicates could not be marked")).ok().map(exact)
    }

    fn edits(&self, request: &TraceRequest<'_>) -> Batch {
        let columns = request.project(&self.reads);
        let mut edits = Edits::new(columns.items);
        let (mut rows, mut calls) = (Vec::new(), Vec::new());
        for (row, span) in columns.rows().zip(request.spans()) {
            if !call_role::is_billable(row.text(ROLE), row.text(OPERATION)) {
                continue;
            }
            rows.push(row.index());
            calls.push(Call {
                trace_id: span.trace_id(),
                span_id: span.span_id(),
                parent_id: span.parent_id(),
                response_id: row.text(RESPONSE_ID),
                input: row.count(INPUT),
                output: row.count(OUTPUT),
                gateway: is_gateway(row),
            });
        }
        if calls.is_empty() {
            return edits.finish();
        }
        let duplicates = {
            let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
            let evicted = links.evicted();
            let duplicates = links.duplicates(self.begun.elapsed(), &calls);
            self.metrics.link_evicted.inc_by(links.evicted() - evicted);
            self.metrics.link_entries.set(i64::try_from(links.len()).unwrap_or(i64::MAX));
            duplicates
        };
        for (row, _) in rows.into_iter().zip(duplicates).filter(|(_, duplicate)| *duplicate) {
            self.metrics.duplicate_calls.inc();
            edits.text(row, 0, call_role::DUPLICATE);
        }
        edits.finish()
    }
}

fn is_gateway(span: Row<'_>) -> bool {
    span.text(OUTCOME).is_some() || span.text(SCOPE).is_some_and(|scope| GATEWAYS.contains(&scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanWriter, Value};

    fn span(span: u8, response_id: &str, set: &[(&str, &str)]) -> SpanWriter {
        let mut writer = SpanWriter::new([span; 16], [span; 8], "chat");
        writer.set("gen_ai.response.id", response_id).set("gen_ai.usage.output_tokens", 5u64);
        for (name, value) in set {
            writer.set(name, *value);
        }
        writer
    }

    /// The role of each span of what comes out.
    fn roles(link: &Link, spans: &[SpanWriter]) -> Vec<String> {
        let mut request = RequestWriter::new();
        let envelope = Envelope::new(&[], "test", "");
        spans.iter().for_each(|span| request.push(&envelope, span.bytes()));
        let request = request.finish();
        let linked = link.run(&TraceRequest::scan(&request, &Limits::default()).unwrap());
        let request = linked.unwrap_or_else(|| request.into());
        let scanned = TraceRequest::scan(&request, &Limits::default()).unwrap();
        let role = |value: Option<Value<'_>>| value.and_then(Value::as_text).unwrap_or_default().to_owned();
        scanned.spans().map(|span| role(span.attributes().get("tollgate.call.role"))).collect()
    }

    fn link(max_entries: usize, metrics: &Metrics) -> Link {
        Link::new(Config { max_entries, ttl: Duration::from_secs(60) }, metrics).unwrap()
    }

    const CHAT: (&str, &str) = ("gen_ai.operation.name", "chat");

    #[test]
    fn one_span_of_each_call_counts_and_the_others_are_counted() {
        let metrics = Metrics::new(10);
        let link = link(100, &metrics);
        let client = || span(1, "resp_1", &[CHAT, ("tollgate.call.role", "billable")]);
        let gateway = || span(2, "resp_1", &[CHAT, ("tollgate.outcome", "complete")]);
        let agent = || span(3, "resp_1", &[("tollgate.call.role", "aggregate")]);
        assert_eq!(roles(&link, &[client(), gateway(), agent()]), ["duplicate", "", "aggregate"]);
        assert_eq!(roles(&link, &[client()]), ["duplicate"]);
        assert_eq!(roles(&link, &[gateway()]), [""]);
        let page = metrics.page();
        for line in ["tollgate_duplicate_calls_total 2", "tollgate_link_entries 1", "tollgate_link_evicted_total 0"] {
            assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
        }
    }

    #[test]
    fn what_is_forgotten_at_the_limit_is_counted() {
        let metrics = Metrics::new(10);
        let link = link(1, &metrics);
        assert_eq!(roles(&link, &[span(1, "resp_1", &[CHAT]), span(2, "resp_2", &[CHAT])]), ["", ""]);
        assert!(metrics.page().contains("tollgate_link_evicted_total 1"), "{}", metrics.page());
        assert_eq!(roles(&link, &[span(3, "resp_1", &[CHAT])]), [""], "the first call is forgotten");
    }
}
