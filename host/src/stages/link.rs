//! Part of stage 2a: calls that are reported by more than one span get the role `duplicate`, all but one.
//!
//! It runs before the first enricher that reads the role, so that what is not billed is not priced, and behind all of
//! them where none does.

use crate::config::Link as Config;
use crate::metrics::Metrics;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tollgate_columns::{Attribute, Batch, Edits, Kind, Row};
use tollgate_link::{Bounds, Call, Links};
use tollgate_otlp::{EditError, TraceRequest};
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
    writes: [Attribute; 1],
    links: Mutex<Links>,
    begun: Instant,
    metrics: Metrics,
}

impl Link {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(config: Config, metrics: &Metrics) -> Self {
        Self {
            writes: [Attribute::new(attribute::TOLLGATE_CALL_ROLE, Kind::Text)],
            links: Mutex::new(Links::new(Bounds { most: config.max_entries, ttl: config.ttl })),
            begun: Instant::now(),
            metrics: metrics.clone(),
        }
    }

    /// Names of the columns that [`run`](Self::run) is given, in that order.
    pub(super) const READS: [&str; READS.len()] = READS;

    /// What it writes.
    pub(super) fn writes(&self) -> &[Attribute] {
        &self.writes
    }

    /// The role `duplicate` for those spans of a request that it applies to, by what `columns` say of them. `None` where
    /// there are none, and where `add` cannot add them: calls counted twice are better than calls lost.
    pub(super) fn run(
        &self,
        request: &TraceRequest<'_>,
        columns: &Batch,
        add: impl FnOnce(&Batch) -> Result<(), EditError>,
    ) -> Option<Batch> {
        let edits = self.edits(request, columns);
        if edits.texts.is_empty() {
            return None;
        }
        add(&edits).inspect_err(|error| tracing::warn!(%error, "duplicates could not be marked")).ok()?;
        Some(edits)
    }

    fn edits(&self, request: &TraceRequest<'_>, columns: &Batch) -> Batch {
        let mut edits = Edits::new(columns.items);
        let (mut rows, mut calls) = (Vec::new(), Vec::new());
        let table = columns.table();
        for (row, span) in table.rows().zip(request.spans()) {
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
    use tollgate_otlp::{Envelope, Limits, Reads, RequestWriter, SpanWriter};

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
        let scanned = TraceRequest::scan(&request, &Limits::default()).unwrap();
        let mut columns = scanned.project(&Reads::compile(&Link::READS).unwrap());
        if let Some(edits) = link.run(&scanned, &columns.clone(), |_| Ok(())) {
            columns.overlay(&edits, &[Some(ROLE)]);
        }
        columns.rows().map(|row| row.text(ROLE).unwrap_or_default().to_owned()).collect()
    }

    fn link(max_entries: usize, metrics: &Metrics) -> Link {
        Link::new(Config { max_entries, ttl: Duration::from_secs(60) }, metrics)
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
