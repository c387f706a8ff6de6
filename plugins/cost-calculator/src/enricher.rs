//! Prices for spans: columns of attributes in, columns of cost attributes out.

use crate::price_set::{Call, PriceSet};
use crate::served::Served;
use crate::unpriced::Unpriced;
use tollgate_call::Usage;
use tollgate_columns::{Attribute, Batch, ConfigError, Edits, EnricherManifest, Kind, Problem, Row};
use tollgate_semconv::{attribute as name, call_role, operation};

/// What is read, by place in the manifest. No attribute that can hold words of a conversation is among them.
mod read {
    pub(super) const PROVIDER: u16 = 0;
    pub(super) const OPERATION: u16 = 1;
    pub(super) const REQUEST_MODEL: u16 = 2;
    pub(super) const RESPONSE_MODEL: u16 = 3;
    pub(super) const INPUT: u16 = 4;
    pub(super) const OUTPUT: u16 = 5;
    pub(super) const CACHE_READ: u16 = 6;
    pub(super) const CACHE_WRITE: u16 = 7;
    pub(super) const CACHE_WRITE_5M: u16 = 8;
    pub(super) const CACHE_WRITE_1H: u16 = 9;
    pub(super) const REASONING: u16 = 10;
    pub(super) const AUDIO_INPUT: u16 = 11;
    pub(super) const AUDIO_OUTPUT: u16 = 12;
    pub(super) const SERVICE_TIER: u16 = 13;
    pub(super) const START_TIME: u16 = 14;
    pub(super) const KNOWN_COST: u16 = 15;
    pub(super) const KNOWN_UNPRICED: u16 = 16;
    pub(super) const STATUS: u16 = 17;
    pub(super) const ERROR: u16 = 18;
    pub(super) const ROLE: u16 = 19;
}

const READS: [&str; 20] = [
    name::GEN_AI_PROVIDER_NAME,
    name::GEN_AI_OPERATION_NAME,
    name::GEN_AI_REQUEST_MODEL,
    name::GEN_AI_RESPONSE_MODEL,
    name::GEN_AI_USAGE_INPUT_TOKENS,
    name::GEN_AI_USAGE_OUTPUT_TOKENS,
    name::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    name::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    name::TOLLGATE_USAGE_CACHE_WRITE_5M_TOKENS,
    name::TOLLGATE_USAGE_CACHE_WRITE_1H_TOKENS,
    name::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    name::GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    name::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    name::OPENAI_RESPONSE_SERVICE_TIER,
    "span:startTime",
    name::TOLLGATE_COST_NANO_USD,
    name::TOLLGATE_COST_UNPRICED,
    name::HTTP_RESPONSE_STATUS_CODE,
    name::ERROR_TYPE,
    name::TOLLGATE_CALL_ROLE,
];

/// What is written, by place in the manifest.
mod write {
    pub(super) const AMOUNT: u16 = 0;
    pub(super) const NANO_USD: u16 = 1;
    pub(super) const CURRENCY: u16 = 2;
    pub(super) const SOURCE: u16 = 3;
    pub(super) const PRICE_SET: u16 = 4;
    pub(super) const PRICE_ROW: u16 = 5;
    pub(super) const TIER: u16 = 6;
    pub(super) const UNPRICED: u16 = 7;
    pub(super) const EXPLANATION: u16 = 8;
}

const WRITES: [(&str, Kind); 8] = [
    (name::TOLLGATE_COST_AMOUNT, Kind::Real),
    (name::TOLLGATE_COST_NANO_USD, Kind::Integer),
    (name::TOLLGATE_COST_CURRENCY, Kind::Text),
    (name::TOLLGATE_COST_SOURCE, Kind::Text),
    (name::TOLLGATE_COST_PRICE_SET, Kind::Text),
    (name::TOLLGATE_COST_PRICE_ROW, Kind::Text),
    (name::TOLLGATE_COST_TIER, Kind::Text),
    (name::TOLLGATE_COST_UNPRICED, Kind::Text),
];

/// Prices the spans of calls to a model.
///
/// A span is priced if its role is billable, and without a role if its operation is a call to a model, or if it names no
/// operation but has usage and a model. Spans of agents and workflows are not: their usage is the sum of the calls below
/// them. Nor is a call that another span has reported already, nor a span that already
/// has a Tollgate cost, or a Tollgate reason for having none: the seat that saw the call itself decided. Nor is a call
/// that the provider refused with an error status and without usage.
///
/// ```
/// use tollgate_columns::Edits;
/// use tollgate_cost_calculator::Enricher;
/// let enricher = Enricher::configure("{}").unwrap();
/// let reads = enricher.manifest().reads;
/// let place = |name: &str| u16::try_from(reads.iter().position(|read| read == name).unwrap()).unwrap();
/// let mut spans = Edits::new(1);
/// spans.text(0, place("gen_ai.operation.name"), "chat");
/// spans.text(0, place("gen_ai.provider.name"), "openai");
/// spans.text(0, place("gen_ai.request.model"), "gpt-4o");
/// spans.integer(0, place("gen_ai.usage.input_tokens"), 1_000);
/// spans.integer(0, place("gen_ai.usage.output_tokens"), 200);
/// spans.integer(0, place("span:startTime"), 1_790_000_000_000_000_000);
/// let edits = enricher.enrich(&spans.finish());
/// let span = edits.rows().next().unwrap();
/// assert_eq!((span.real(0), span.integer(1), span.text(5)), (Some(0.0045), Some(4_500_000), Some("openai/gpt-4o")));
/// ```
#[derive(Clone, Debug)]
pub struct Enricher {
    prices: &'static PriceSet,
    explanation: bool,
}

impl Enricher {
    /// Reads the configuration, a JSON object: `explanation` (boolean, default false) writes the whole bill as JSON
    /// to `tollgate.cost.explanation`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        let config: serde_json::Value = serde_json::from_str(json)
            .map_err(|error| ConfigError::new("", format!("the configuration is not JSON: {error}")))?;
        let Some(fields) = config.as_object() else {
            return Err(ConfigError::new("", "the configuration is a JSON object, `{}` for the defaults"));
        };
        let mut enricher = Self { prices: PriceSet::builtin(), explanation: false };
        let mut problems = Vec::new();
        for (field, value) in fields {
            let problem = match (field.as_str(), value.as_bool()) {
                ("explanation", Some(explanation)) => {
                    enricher.explanation = explanation;
                    continue;
                }
                ("explanation", None) => "write true or false",
                _ => "there is no such field; there is `explanation`",
            };
            problems.push(Problem { path: field.clone(), message: problem.to_owned() });
        }
        if problems.is_empty() { Ok(enricher) } else { Err(ConfigError { problems }) }
    }

    /// What the enricher sees and changes.
    #[must_use]
    pub fn manifest(&self) -> EnricherManifest {
        let mut writes: Vec<_> = WRITES.iter().map(|(name, kind)| Attribute::new(name, *kind)).collect();
        if self.explanation {
            writes.push(Attribute::new(name::TOLLGATE_COST_EXPLANATION, Kind::Composite));
        }
        EnricherManifest {
            name: "cost-calculator".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: READS.iter().map(|&name| name.to_owned()).collect(),
            writes,
        }
    }

    /// Prices a batch. Columns of input refer to the manifest's reads, columns of the answer to its writes.
    #[must_use]
    pub fn enrich(&self, batch: &Batch) -> Batch {
        let mut edits = Edits::new(batch.items);
        for span in batch.rows().filter(|span| is_call(*span)) {
            self.price(span, &mut edits);
        }
        edits.finish()
    }

    fn price(&self, span: Row<'_>, edits: &mut Edits) {
        let row = span.index();
        let usage = usage(span);
        let start = span.integer(read::START_TIME).filter(|&nanoseconds| nanoseconds > 0);
        let cost = usage.as_ref().map_err(|reason| *reason).and_then(|usage| {
            let start = start.ok_or(Unpriced::MissingTime)?;
            let call = Call {
                provider: span.text(read::PROVIDER),
                model: span.text(read::RESPONSE_MODEL).unwrap_or_default(),
                usage,
                at_unix_seconds: start.div_euclid(1_000_000_000),
                served: Served::tier(span.text(read::SERVICE_TIER)),
            };
            self.prices.price_or_as_asked(&call, span.text(read::REQUEST_MODEL))
        });
        let cost = match cost {
            Ok(cost) => cost,
            Err(reason) => return edits.text(row, write::UNPRICED, reason.as_str()),
        };
        let Ok(nanos) = i64::try_from(cost.total.nanos()) else {
            return edits.text(row, write::UNPRICED, Unpriced::Overflow.as_str());
        };
        edits.real(row, write::AMOUNT, cost.total.as_f64());
        edits.integer(row, write::NANO_USD, nanos);
        edits.text(row, write::CURRENCY, cost.currency);
        edits.text(row, write::SOURCE, cost.price.source.as_str());
        edits.text(row, write::PRICE_SET, cost.price.set);
        edits.text(row, write::PRICE_ROW, cost.price.row.to_string());
        edits.text(row, write::TIER, cost.price.tier.to_string());
        if self.explanation
            && let Ok(json) = serde_json::to_string(&cost)
        {
            edits.text(row, write::EXPLANATION, json);
        }
    }
}

/// Whether the span is a call to a model that has not been priced yet.
fn is_call(span: Row<'_>) -> bool {
    if span.integer(read::KNOWN_COST).is_some() || span.text(read::KNOWN_UNPRICED).is_some() {
        return false;
    }
    let has = |attribute| count(span, attribute) != Ok(None);
    match (span.text(read::ROLE), span.text(read::OPERATION)) {
        (Some(call_role::BILLABLE), _) => has(read::INPUT) || has(read::OUTPUT) || !was_refused(span),
        (Some(_), _) => false,
        (None, Some(operation)) if operation::INFERENCE.contains(&operation) => {
            has(read::INPUT) || has(read::OUTPUT) || !was_refused(span)
        }
        (None, Some(_)) => false,
        (None, None) => {
            let model = span.text(read::RESPONSE_MODEL).or(span.text(read::REQUEST_MODEL));
            model.is_some() && (has(read::INPUT) || has(read::OUTPUT))
        }
    }
}

/// Whether the provider answered with an error status, which it does not bill: such a call has no cost, rather than
/// an unknown one. `error.type` holds the status where there is nothing better.
fn was_refused(span: Row<'_>) -> bool {
    let status = span.integer(read::STATUS).or_else(|| span.text(read::ERROR)?.parse().ok());
    status.is_some_and(|status| (400..600).contains(&status))
}

fn usage(span: Row<'_>) -> Result<Usage, Unpriced> {
    Ok(Usage {
        input_tokens: count(span, read::INPUT)?,
        output_tokens: count(span, read::OUTPUT)?,
        cache_read_tokens: count(span, read::CACHE_READ)?,
        cache_write_tokens: count(span, read::CACHE_WRITE)?,
        cache_write_5m_tokens: count(span, read::CACHE_WRITE_5M)?,
        cache_write_1h_tokens: count(span, read::CACHE_WRITE_1H)?,
        reasoning_tokens: count(span, read::REASONING)?,
        audio_input_tokens: count(span, read::AUDIO_INPUT)?,
        audio_output_tokens: count(span, read::AUDIO_OUTPUT)?,
        ..Usage::default()
    })
}

/// A count: an integer, a whole double, or text that spells one. Some emitters send either.
fn count(span: Row<'_>, attribute: u16) -> Result<Option<u64>, Unpriced> {
    if let Some(integer) = span.integer(attribute) {
        return u64::try_from(integer).map(Some).map_err(|_| Unpriced::MalformedUsage);
    }
    if let Some(real) = span.real(attribute) {
        // Doubles count exactly up to 2^53; the cast of a whole number in that range is exact.
        let whole = (0.0..=9_007_199_254_740_992.0).contains(&real) && real.fract() == 0.0;
        return if whole { Ok(Some(real as u64)) } else { Err(Unpriced::MalformedUsage) };
    }
    span.text(attribute).map(|text| text.trim().parse().map_err(|_| Unpriced::MalformedUsage)).transpose()
}

#[cfg(test)]
#[path = "enricher_tests.rs"]
mod tests;
