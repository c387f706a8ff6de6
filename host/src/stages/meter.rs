//! Stage 4, meter: metrics from every span, before any sampling.
//!
//! A span counts where its role is billable and, where it has no role, where its operation is one call to a model.
//! Agents, workflows and tools are left out: the usage that they carry is that of the calls below them, and would be
//! counted twice; and so are calls that another span has reported already.

use super::cost::Cost;
use crate::config::Cost as CostConfig;
use crate::costs::Costs;
use crate::metrics::{Labels, Metrics};
use std::sync::Arc;
use tollgate_columns::{Batch, Row};
use tollgate_ledger::KINDS;
use tollgate_otlp::{Reads, ReadsError, TraceRequest};
use tollgate_semconv::{attribute, call_role};

/// What is read of each span, in the order of the constants below; the dimensions of the user's come behind these.
pub(super) const READS: [&str; 21] = [
    attribute::GEN_AI_OPERATION_NAME,
    attribute::GEN_AI_PROVIDER_NAME,
    attribute::GEN_AI_REQUEST_MODEL,
    attribute::GEN_AI_RESPONSE_MODEL,
    attribute::ERROR_TYPE,
    "span:status",
    "span:duration",
    attribute::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
    attribute::GEN_AI_USAGE_INPUT_TOKENS,
    attribute::GEN_AI_USAGE_OUTPUT_TOKENS,
    attribute::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    attribute::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    attribute::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    attribute::TOLLGATE_COST_NANO_USD,
    attribute::TOLLGATE_COST_SOURCE,
    attribute::TOLLGATE_COST_UNPRICED,
    attribute::TOLLGATE_CALL_ROLE,
    attribute::TOLLGATE_COST_LEVEL,
    attribute::TOLLGATE_COST_DISAGREES,
    attribute::TOLLGATE_SAVINGS_CACHE_READ_NANO_USD,
    attribute::TOLLGATE_SAVINGS_CACHE_WRITE_NANO_USD,
];

pub(super) const OPERATION: u16 = 0;
pub(super) const PROVIDER: u16 = 1;
pub(super) const REQUEST_MODEL: u16 = 2;
pub(super) const RESPONSE_MODEL: u16 = 3;
const ERROR_TYPE: u16 = 4;
const STATUS: u16 = 5;
const DURATION: u16 = 6;
const FIRST_CHUNK: u16 = 7;
const NANO_USD: u16 = 13;
pub(super) const COST_SOURCE: u16 = 14;
pub(super) const UNPRICED: u16 = 15;
const ROLE: u16 = 16;
pub(super) const LEVEL: u16 = 17;
pub(super) const DISAGREES: u16 = 18;
pub(super) const SAVED_READ: u16 = 19;
pub(super) const SAVED_WRITE: u16 = 20;

/// The places of the kinds of tokens. The first two are also the histogram of the conventions.
pub(super) const TOKENS: [u16; KINDS.len()] = [8, 9, 10, 11, 12];

/// Counts calls.
#[derive(Debug)]
pub struct Meter {
    reads: Reads,
    cost: Cost,
    metrics: Metrics,
}

impl Meter {
    /// Counts into `metrics` and, where there are some, `costs`.
    ///
    /// # Errors
    /// A dimension of the configuration cannot be read.
    pub fn new(config: &CostConfig, costs: Option<Arc<Costs>>, metrics: &Metrics) -> Result<Self, ReadsError> {
        let names: Vec<_> = READS.into_iter().chain(config.dimensions.iter().map(String::as_str)).collect();
        Ok(Self { reads: Reads::compile(&names)?, cost: Cost::new(config, costs, metrics), metrics: metrics.clone() })
    }

    /// Counts the calls of a request.
    pub fn run(&self, request: &TraceRequest<'_>) {
        let spans = request.project(&self.reads);
        let calls = calls(&spans);
        calls.iter().for_each(|call| count(*call, &self.metrics));
        self.cost.run(&calls, request);
    }
}

/// The spans that count, of a batch whose columns are [`READS`].
fn calls(spans: &Batch) -> Vec<Row<'_>> {
    spans.rows().filter(|span| call_role::is_billable(span.text(ROLE), span.text(OPERATION))).collect()
}

/// What a call cost, in nano-dollars.
pub(super) fn cost(call: Row<'_>) -> Option<u64> {
    call.integer(NANO_USD).and_then(|nanos| u64::try_from(nanos).ok())
}

fn count(span: Row<'_>, metrics: &Metrics) {
    let text = |attribute| span.text(attribute).unwrap_or_default().to_owned();
    let mut labels: Labels = vec![
        ("gen_ai_operation_name", text(OPERATION)),
        ("gen_ai_provider_name", text(PROVIDER)),
        ("gen_ai_request_model", text(REQUEST_MODEL)),
        ("gen_ai_response_model", text(RESPONSE_MODEL)),
    ];
    for (kind, attribute) in KINDS.into_iter().zip(TOKENS) {
        let Some(tokens) = span.count(attribute) else { continue };
        let labels = with(&labels, "gen_ai_token_type", kind);
        if matches!(kind, "input" | "output") {
            metrics.token_usage.with(labels.clone()).observe(real(tokens));
        }
        metrics.tokens.with(labels).inc_by(tokens);
    }
    if let Some(nanos) = cost(span) {
        let labels = with(&labels, "source", span.text(COST_SOURCE).unwrap_or_default());
        metrics.cost_usd.with(labels.clone()).inc_by(real(nanos) / 1e9);
        metrics.cost_nano_usd.with(labels).inc_by(nanos);
    } else if let Some(reason) = span.text(UNPRICED) {
        metrics.unpriced_calls.with(with(&labels, "reason", reason)).inc();
    }
    if let Some(seconds) = span.real(FIRST_CHUNK).filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        metrics.time_to_first_chunk.with(labels.clone()).observe(seconds);
    }
    if let Some(nanos) = span.integer(DURATION).and_then(|nanos| u64::try_from(nanos).ok()) {
        labels.push(("error_type", error_type(span).to_owned()));
        metrics.operation_duration.with(labels).observe(real(nanos) / 1e9);
    }
}

/// `error.type`, or the conventions' word for an error without one.
fn error_type(span: Row<'_>) -> &str {
    match span.text(ERROR_TYPE) {
        Some(error) => error,
        None if span.text(STATUS) == Some("error") => "_OTHER",
        None => "",
    }
}

fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name, value.to_owned()));
    labels
}

/// Prometheus counts in doubles; above 2^53 the last digits go.
#[expect(clippy::cast_precision_loss, reason = "the exact count is kept in an integer counter beside it")]
fn real(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_columns::Edits;

    fn attribute(name: &str) -> u16 {
        u16::try_from(READS.iter().position(|read| *read == name).unwrap()).unwrap()
    }

    #[test]
    fn the_constants_name_the_places_of_the_list() {
        for (constant, name) in [
            (OPERATION, "gen_ai.operation.name"),
            (PROVIDER, "gen_ai.provider.name"),
            (REQUEST_MODEL, "gen_ai.request.model"),
            (RESPONSE_MODEL, "gen_ai.response.model"),
            (ERROR_TYPE, "error.type"),
            (STATUS, "span:status"),
            (DURATION, "span:duration"),
            (FIRST_CHUNK, "gen_ai.response.time_to_first_chunk"),
            (NANO_USD, "tollgate.cost.nano_usd"),
            (COST_SOURCE, "tollgate.cost.source"),
            (UNPRICED, "tollgate.cost.unpriced"),
            (ROLE, "tollgate.call.role"),
            (LEVEL, "tollgate.cost.level"),
            (DISAGREES, "tollgate.cost.disagrees"),
            (SAVED_READ, "tollgate.savings.cache_read_nano_usd"),
            (SAVED_WRITE, "tollgate.savings.cache_write_nano_usd"),
        ] {
            assert_eq!(constant, attribute(name), "{name}");
        }
        for (kind, place) in KINDS.into_iter().zip(TOKENS) {
            let name = READS[usize::from(place)];
            assert!(name.starts_with("gen_ai.usage.") && name.contains(kind), "{kind} {name}");
        }
    }

    /// Spans as rows of `(attribute, value)`.
    fn page(spans: &[&[(&str, &str)]]) -> String {
        let mut edits = Edits::new(u32::try_from(spans.len()).unwrap());
        for (row, span) in (0..).zip(spans) {
            for (name, value) in *span {
                match (value.parse::<i64>(), value.parse::<f64>()) {
                    (Ok(integer), _) => edits.integer(row, attribute(name), integer),
                    (_, Ok(real)) => edits.real(row, attribute(name), real),
                    _ => edits.text(row, attribute(name), *value),
                }
            }
        }
        let metrics = Metrics::new(100);
        calls(&edits.finish()).into_iter().for_each(|call| count(call, &metrics));
        metrics.page()
    }

    fn assert_lines(page: &str, lines: &[&str]) {
        for line in lines {
            assert!(page.lines().any(|found| found == *line), "no line {line} in\n{page}");
        }
    }

    #[test]
    fn a_call_is_counted_once_with_tokens_cost_and_times() {
        let call = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.response.model", "m-1"),
            ("span:duration", "1500000000"),
            ("gen_ai.response.time_to_first_chunk", "0.25"),
            ("gen_ai.usage.input_tokens", "100"),
            ("gen_ai.usage.output_tokens", "20"),
            ("gen_ai.usage.cache_read.input_tokens", "60"),
            ("tollgate.cost.nano_usd", "1500000"),
            ("tollgate.cost.source", "local"),
        ];
        let agent = [("gen_ai.operation.name", "invoke_agent"), ("gen_ai.usage.input_tokens", "100")];
        let other = [("span:duration", "5")];
        let reported_before = [call.as_slice(), &[("tollgate.call.role", "duplicate")]].concat();
        let wrapper = [("tollgate.call.role", "wrapper"), ("gen_ai.usage.input_tokens", "100")];
        let labels = r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m",gen_ai_response_model="m-1""#;
        assert_lines(
            &page(&[&call, &agent, &other, &reported_before, &wrapper]),
            &[
                &format!(r#"gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type="input"}} 100.0"#),
                &format!(r#"gen_ai_client_token_usage_bucket{{le="64.0",{labels},gen_ai_token_type="input"}} 0"#),
                &format!(r#"gen_ai_client_token_usage_bucket{{le="256.0",{labels},gen_ai_token_type="input"}} 1"#),
                &format!(r#"gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type="output"}} 20.0"#),
                &format!(r#"tollgate_tokens_total{{{labels},gen_ai_token_type="cache_read"}} 60"#),
                &format!("gen_ai_client_operation_duration_seconds_sum{{{labels}}} 1.5"),
                &format!("gen_ai_client_operation_duration_seconds_count{{{labels}}} 1"),
                &format!("gen_ai_client_operation_time_to_first_chunk_seconds_sum{{{labels}}} 0.25"),
                &format!(r#"tollgate_cost_usd_total{{{labels},source="local"}} 0.0015"#),
                &format!(r#"tollgate_cost_nano_usd_total{{{labels},source="local"}} 1500000"#),
            ],
        );
    }

    #[test]
    fn a_billable_span_counts_whatever_its_operation() {
        let call = [("tollgate.call.role", "billable"), ("gen_ai.usage.input_tokens", "7")];
        assert_lines(&page(&[&call]), &[r#"tollgate_tokens_total{gen_ai_token_type="input"} 7"#]);
    }

    #[test]
    fn errors_and_calls_without_a_price_are_labelled() {
        let named = [("gen_ai.operation.name", "chat"), ("error.type", "rate_limit"), ("span:duration", "1")];
        let unnamed = [("gen_ai.operation.name", "chat"), ("span:status", "error"), ("span:duration", "1")];
        let unpriced = [("gen_ai.operation.name", "embeddings"), ("tollgate.cost.unpriced", "unknown_model")];
        let duration = "gen_ai_client_operation_duration_seconds_count";
        assert_lines(
            &page(&[&named, &unnamed, &unpriced]),
            &[
                &format!(r#"{duration}{{gen_ai_operation_name="chat",error_type="rate_limit"}} 1"#),
                &format!(r#"{duration}{{gen_ai_operation_name="chat",error_type="_OTHER"}} 1"#),
                r#"tollgate_unpriced_calls_total{gen_ai_operation_name="embeddings",reason="unknown_model"} 1"#,
            ],
        );
    }
}
