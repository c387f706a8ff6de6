//! Stage 4, meter: metrics from every span, before any sampling.
//!
//! Tokens, cost and times of calls count where a span's role is billable and, where it has no role, where its operation is
//! one call to a model. Agents, workflows and tools are left out: the usage that they carry is that of the calls below
//! them, and would be counted twice; and so are calls that another span has reported already.
//!
//! Rate, errors and duration count for every span of an operation, agents and tools too, but for those that stand for an
//! operation that another span stands for: duplicates and wrappers.

use super::cost::Cost;
use crate::config::{Cost as CostConfig, Meter as Config};
use crate::costs::Costs;
use crate::metrics::Metrics;
use std::borrow::Cow;
use std::sync::Arc;
use tollgate_columns::{Batch, Row};
use tollgate_ledger::KINDS;
use tollgate_metering::{Call, Origin, Scale, now};
use tollgate_otlp::{Reads, ReadsError, TraceRequest};
use tollgate_semconv::{attribute, call_role, error_type};

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

/// Counts calls and operations.
#[derive(Debug)]
pub struct Meter {
    /// The names of what is read, in the order of the columns, and these compiled.
    names: Vec<String>,
    reads: Reads,
    /// Places of the labels that the user chose, behind the dimensions of the ledger, and what stands for those that are not
    /// there.
    dimensions: Vec<(u16, String)>,
    exemplars: bool,
    cost: Cost,
    metrics: Metrics,
}

impl Meter {
    /// Counts into `metrics`, which are of the same configuration, and, where there are some, `costs`.
    ///
    /// # Errors
    /// A dimension of the configuration cannot be read.
    pub fn new(
        config: &Config,
        cost: &CostConfig,
        costs: Option<Arc<Costs>>,
        metrics: &Metrics,
    ) -> Result<Self, ReadsError> {
        let labels = config.dimensions.iter().map(|dimension| dimension.read.as_str());
        let names = READS.into_iter().chain(cost.dimensions.iter().map(String::as_str)).chain(labels);
        let names: Vec<String> = names.map(str::to_owned).collect();
        let places = (0_u16..).skip(READS.len() + cost.dimensions.len());
        let defaults = config.dimensions.iter().map(|dimension| dimension.default.clone().unwrap_or_default());
        Ok(Self {
            reads: Reads::compile(&names)?,
            names,
            dimensions: places.zip(defaults).collect(),
            exemplars: config.exemplars,
            cost: Cost::new(cost, costs, metrics),
            metrics: metrics.clone(),
        })
    }

    /// The names of what is read of each span.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is read of the spans of a request.
    #[must_use]
    pub fn read(&self, request: &TraceRequest<'_>) -> Batch {
        request.project(&self.reads)
    }

    /// Counts the spans of a request, of which `spans` is what is [read](Self::read).
    pub fn run(&self, request: &TraceRequest<'_>, spans: &Batch) {
        let table = spans.table();
        let now = now();
        let mut values = Vec::with_capacity(self.dimensions.len());
        for span in table.rows() {
            let origin = self.exemplars.then(|| origin(request, span.index(), now)).flatten();
            self.count(span, &mut values, origin, now);
        }
        let calls: Vec<_> = table.rows().filter(|span| is_call(*span)).collect();
        self.cost.run(&calls, request);
    }

    fn count<'a>(&'a self, span: Row<'a>, values: &mut Vec<Cow<'a, str>>, origin: Option<Origin>, now: u64) {
        let (role, operation, billable) = (span.text(ROLE), span.text(OPERATION), is_call(span));
        let repeats = matches!(role, Some(call_role::DUPLICATE | call_role::WRAPPER));
        let operates = !repeats && (billable || operation.is_some_and(|operation| !operation.is_empty()));
        if !operates && !billable {
            return;
        }
        values.clear();
        values.extend(self.dimensions.iter().map(|(place, default)| {
            let value = value(span, *place).filter(|value| !value.is_empty());
            value.unwrap_or(Cow::Borrowed(default.as_str()))
        }));
        let text = |place| span.text(place).unwrap_or_default();
        let call = Call {
            operation: operation.unwrap_or_default(),
            provider: text(PROVIDER),
            request_model: text(REQUEST_MODEL),
            response_model: text(RESPONSE_MODEL),
            error_type: error_type::of(span.text(ERROR_TYPE), span.text(STATUS)).unwrap_or_default(),
            cost_source: text(COST_SOURCE),
            unpriced: text(UNPRICED),
            dimensions: values.as_slice(),
            billable,
            operates,
            duration: span.integer(DURATION).and_then(|nanos| u64::try_from(nanos).ok()),
            first_chunk: span.real(FIRST_CHUNK).and_then(|seconds| Scale::Billionth.whole(seconds)),
            tokens: TOKENS.map(|place| span.count(place)),
            cost: cost(span),
            origin,
        };
        self.metrics.calls.count(&call, now);
    }
}

/// Whether a span, of a batch whose columns are [`READS`], is one call to a model.
fn is_call(span: Row<'_>) -> bool {
    call_role::is_billable(span.text(ROLE), span.text(OPERATION))
}

/// What a call cost, in nano-dollars.
pub(super) fn cost(call: Row<'_>) -> Option<u64> {
    call.integer(NANO_USD).and_then(|nanos| u64::try_from(nanos).ok())
}

/// The value of a dimension as text; a truth value is `0` or `1`.
pub(super) fn value(span: Row<'_>, place: u16) -> Option<Cow<'_, str>> {
    let number = || span.integer(place).map(|value| value.to_string());
    let real = || span.real(place).map(|value| value.to_string());
    span.text(place).map(Cow::Borrowed).or_else(|| number().or_else(real).map(Cow::Owned))
}

/// The span as an exemplar names it.
fn origin(request: &TraceRequest<'_>, index: u32, time: u64) -> Option<Origin> {
    let span = request.span(usize::try_from(index).ok()?)?;
    Some(Origin { trace_id: span.trace_id(), span_id: span.span_id(), time })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Dimension;
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
        page_of(&Config::default(), &edits.finish())
    }

    fn page_of(config: &Config, spans: &tollgate_columns::Batch) -> String {
        let metrics = Metrics::of(config);
        let cost = crate::config::Config::parse("receivers: {otlp: {protocols: {grpc: }}}\noutputs: {prometheus: }\n");
        let meter = Meter::new(config, &cost.unwrap().cost, None, &metrics).unwrap();
        spans.rows().for_each(|span| meter.count(span, &mut Vec::new(), None, 1));
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
                r#"tollgate_operation_calls_total{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m"} 1"#,
                r#"tollgate_operation_calls_total{gen_ai_operation_name="invoke_agent"} 1"#,
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

    #[test]
    fn dimensions_are_labels_with_a_default_for_spans_that_have_none() {
        let dimension = |read: &str, default: Option<&str>| Dimension {
            read: read.to_owned(),
            default: default.map(str::to_owned),
        };
        let dimensions = vec![dimension("team", Some("none")), dimension("resource:service.name", None)];
        let mut edits = Edits::new(3);
        let (team, service) = (u16::try_from(READS.len()).unwrap(), u16::try_from(READS.len() + 1).unwrap());
        (0..3).for_each(|row| edits.text(row, OPERATION, "execute_tool"));
        edits.text(0, team, "a");
        edits.text(0, service, "shop");
        edits.integer(1, team, 7);
        let page = page_of(&Config { dimensions, ..Config::default() }, &edits.finish());
        let start = r#"tollgate_operation_calls_total{gen_ai_operation_name="execute_tool",team="#;
        assert_lines(
            &page,
            &[
                &format!(r#"{start}"a",service_name="shop"}} 1"#),
                &format!(r#"{start}"7"}} 1"#),
                &format!(r#"{start}"none"}} 1"#),
            ],
        );
    }
}
