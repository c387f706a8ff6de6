//! The metrics of calls, by the names that were asked for.

use super::{CallsOptions, Names};
use crate::family::{Counter, Family};
use crate::histogram::{Distribution, Layout};
use crate::number::Scale;
use crate::registry::{Described, Registry};
use crate::value::Sum;
use tollgate_semconv::attribute;
use tollgate_semconv::metric::{self, Metric};

/// Words of this program, which are kept where a family is full.
const CLOSED: &[&str] = &[attribute::GEN_AI_TOKEN_TYPE, attribute::GEN_AI_TOKEN_MODALITY, "type"];

#[derive(Debug)]
pub(super) struct Instruments {
    /// Names of the labels that the user chose.
    pub(super) dimensions: Vec<String>,
    pub(super) operations: Operations,
    pub(super) client: Option<Client>,
    pub(super) inference: Option<Inference>,
    pub(super) llm_app: Option<LlmApp>,
    pub(super) tokens: Family<Sum>,
    pub(super) cost_usd: Family<Sum>,
    pub(super) cost_nano_usd: Family<Sum>,
    pub(super) unpriced: Family<Sum>,
    pub(super) impossible: Counter,
    pub(super) tracks_forgotten: Counter,
}

/// Rate, errors and duration of every operation, whether it is billed or not.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) calls: Family<Sum>,
    pub(super) errors: Family<Sum>,
    pub(super) duration: Family<Distribution>,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) token_usage: Family<Distribution>,
    pub(super) duration: Family<Distribution>,
    pub(super) first_chunk: Family<Distribution>,
}

#[derive(Debug)]
pub(super) struct Inference {
    pub(super) duration: Family<Distribution>,
    pub(super) first_chunk: Family<Distribution>,
    /// By kind of tokens.
    pub(super) usage: [Family<Sum>; 5],
    /// Of input and output.
    pub(super) distribution: [Family<Distribution>; 2],
}

#[derive(Debug)]
pub(super) struct LlmApp {
    pub(super) calls: Family<Sum>,
    pub(super) cost: Family<Sum>,
    pub(super) tokens: Family<Distribution>,
}

impl Instruments {
    pub(super) fn new(registry: &Registry, options: &CallsOptions) -> Self {
        let counter = |described: Described| registry.counter(described.closed(CLOSED).expires());
        let seconds = options.seconds.as_deref().unwrap_or(metric::SECONDS);
        let seconds = Layout::new(Scale::Billionth, seconds, options.max_size);
        let tokens = Layout::new(Scale::One, metric::TOKENS, options.max_size);
        let histogram = |described: Described, layout: &Layout| {
            registry.histogram(described.closed(CLOSED).expires(), layout.clone())
        };
        let of = |metric: Metric| Described::new(metric.name, metric.description).unit(metric.unit);
        let wanted = |names| options.names.contains(&names);
        let namespace = options.namespace.trim_end_matches('.');
        Self {
            dimensions: options.dimensions.clone(),
            operations: Operations {
                calls: counter(Described::new(format!("{namespace}.calls"), "Operations").unit("{call}")),
                errors: counter(Described::new(format!("{namespace}.errors"), "Operations that failed").unit("{call}")),
                duration: histogram(
                    Described::new(format!("{namespace}.duration"), "Duration of an operation").unit("s"),
                    &seconds,
                ),
            },
            client: wanted(Names::Client).then(|| Client {
                token_usage: histogram(of(metric::CLIENT_TOKEN_USAGE), &tokens),
                duration: histogram(of(metric::CLIENT_OPERATION_DURATION), &seconds),
                first_chunk: histogram(of(metric::CLIENT_TIME_TO_FIRST_CHUNK), &seconds),
            }),
            inference: wanted(Names::Inference).then(|| Inference {
                duration: histogram(of(metric::INFERENCE_DURATION), &seconds),
                first_chunk: histogram(of(metric::INFERENCE_TIME_TO_FIRST_CHUNK), &seconds),
                usage: [
                    metric::INFERENCE_INPUT_TOKENS,
                    metric::INFERENCE_OUTPUT_TOKENS,
                    metric::INFERENCE_CACHE_READ_TOKENS,
                    metric::INFERENCE_CACHE_WRITE_TOKENS,
                    metric::INFERENCE_REASONING_TOKENS,
                ]
                .map(|metric| counter(of(metric))),
                distribution: [metric::INFERENCE_OPERATION_INPUT_TOKENS, metric::INFERENCE_OPERATION_OUTPUT_TOKENS]
                    .map(|metric| histogram(of(metric), &tokens)),
            }),
            llm_app: wanted(Names::LlmApp).then(|| LlmApp {
                calls: counter(Described::new("llm_app_calls", "Calls to models").unit("{call}")),
                cost: counter(Described::new("llm_app_cost_usd", "Cost in US dollars").scale(Scale::Billionth)),
                tokens: histogram(Described::new("llm_app_tokens", "Tokens of a call").unit("{token}"), &tokens),
            }),
            tokens: counter(
                Described::new(
                    "tollgate_tokens",
                    "Tokens; cache_read, cache_write and reasoning are parts of input and output",
                )
                .unit("{token}"),
            ),
            cost_usd: counter(Described::new("tollgate_cost_usd", "Cost in US dollars").scale(Scale::Billionth)),
            cost_nano_usd: counter(Described::new(
                "tollgate_cost_nano_usd",
                "Cost in billionths of a US dollar, exact",
            )),
            unpriced: counter(Described::new("tollgate_unpriced_calls", "Calls without a price").unit("{call}")),
            impossible: registry.one_counter(Described::new(
                "tollgate_impossible_values",
                "Token counts and costs of spans that are not counted because nothing can be that large",
            )),
            tracks_forgotten: registry.one_counter(Described::new(
                "tollgate_metric_lookups_forgotten",
                "Remembered combinations of labels that made way for others; nothing counted is lost",
            )),
        }
    }
}
