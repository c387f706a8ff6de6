//! Prices for spans: columns of attributes in, columns of cost attributes out.

mod columns;

use crate::calculator::Calculator;
use crate::charge::Charge;
use crate::config::{Config, Names};
use crate::cost::{Cost, Source};
use crate::money::Usd;
use crate::price_set::{Call, PriceSet};
use crate::served::Served;
use crate::unpriced::Unpriced;
use columns::{OTHER_UNITS, SERVER_TOOLS, read, write};
use tollgate_call::Usage;
use tollgate_columns::{Batch, ConfigError, Edits, EnricherManifest, Row};
use tollgate_semconv::{call_role, operation};

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
    calculator: Calculator,
    explanation: bool,
    names: Names,
}

impl Enricher {
    /// Reads the configuration, a JSON object:
    ///
    /// | field | meaning | default |
    /// |---|---|---|
    /// | `prices` | text of a price [`document`](crate::document), in the place of the builtin set | none |
    /// | `prices_file` | its name in messages | `prices` |
    /// | `overlay` | text of an [`Overlay`](crate::Overlay): negotiated prices, discounts, aliases | none |
    /// | `overlay_file` | its name in messages | `overlay` |
    /// | `authority` | whose amount counts where the provider reports one: `provider` or `local` | `provider` |
    /// | `tolerance` | how far apart the two may be, as a share of the larger, before they disagree | 0.01 |
    /// | `warning_usd`, `critical_usd` | what a single call may cost before it has a level; `null` for none | 0.05, 0.5 |
    /// | `names` | names that other tools read: `gen_ai.usage.cost`, `llm.cost.*`, `llm.cost.usd`, `gen_ai.cost.usd` | none |
    /// | `explanation` | whether the whole bill is written as JSON to `tollgate.cost.explanation` | false |
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        let mut config = Config::parse(json)?;
        let calculator = Calculator::new(&mut config, PriceSet::builtin());
        Ok(Self { calculator, explanation: config.explanation, names: config.names })
    }

    /// What the enricher sees and changes.
    #[must_use]
    pub fn manifest(&self) -> EnricherManifest {
        EnricherManifest {
            name: "cost-calculator".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: columns::reads(),
            writes: columns::writes(self.explanation, self.names),
        }
    }

    /// Prices a batch. Columns of input refer to the manifest's reads, columns of the answer to its writes.
    #[must_use]
    pub fn enrich(&self, batch: &Batch) -> Batch {
        let mut edits = Edits::new(batch.items);
        let table = batch.table();
        for span in table.rows().filter(|span| is_call(*span)) {
            match self.charge(span) {
                Ok(charge) => self.write(span, &charge, &mut edits),
                Err(reason) => edits.text(span.index(), write::UNPRICED, reason.as_str()),
            }
        }
        edits.finish()
    }

    fn charge(&self, span: Row<'_>) -> Result<Charge<'_>, Unpriced> {
        let reported = count(span, read::PROVIDER_COST).unwrap_or_default();
        let usage = match usage(span) {
            Ok(usage) => Usage { provider_cost_nano_usd: reported, ..usage },
            Err(reason) => return self.calculator.without_price(reason, reported),
        };
        let start = span.integer(read::START_TIME).filter(|&nanoseconds| nanoseconds > 0);
        let Some(start) = start else { return self.calculator.without_price(Unpriced::MissingTime, reported) };
        let call = Call {
            provider: span.text(read::PROVIDER),
            model: span.text(read::RESPONSE_MODEL).unwrap_or_default(),
            usage: &usage,
            at_unix_seconds: start.div_euclid(1_000_000_000),
            served: Served {
                tier: span.text(read::SERVICE_TIER).or_else(|| span.text(read::OPENAI_SERVICE_TIER)),
                speed: span.text(read::SPEED),
                inference_geo: span.text(read::INFERENCE_GEO),
            },
        };
        self.calculator.charge(&call, span.text(read::REQUEST_MODEL))
    }

    fn write(&self, span: Row<'_>, charge: &Charge<'_>, edits: &mut Edits) {
        let row = span.index();
        let Some(nanos) = nanos(charge.amount) else {
            return edits.text(row, write::UNPRICED, Unpriced::Overflow.as_str());
        };
        edits.real(row, write::AMOUNT, charge.amount.as_f64());
        edits.integer(row, write::NANO_USD, nanos);
        edits.text(row, write::CURRENCY, "USD");
        edits.text(row, write::SOURCE, charge.source.as_str());
        if let Some(level) = self.calculator.level(charge.amount) {
            edits.text(row, write::LEVEL, level);
        }
        if charge.disagrees {
            edits.integer(row, write::DISAGREES, 1);
        }
        if let Ok(cost) = &charge.computed {
            computed(row, cost, charge.source, edits);
        }
        let mut place = write::EXPLANATION;
        if self.explanation {
            let explanation = Explanation { charge, usage_source: span.text(read::USAGE_SOURCE) };
            if let Ok(json) = serde_json::to_string(&explanation) {
                edits.text(row, place, json);
            }
            place += 1;
        }
        for (place, (_, amount)) in (place..).zip(columns::foreign(self.names)) {
            if let Some(amount) = amount.of(charge) {
                edits.real(row, place, amount.as_f64());
            }
        }
    }
}

/// The whole bill, and where its counts come from.
#[derive(serde::Serialize)]
struct Explanation<'a> {
    #[serde(flatten)]
    charge: &'a Charge<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_source: Option<&'a str>,
}

fn nanos(amount: Usd) -> Option<i64> {
    i64::try_from(amount.nanos()).ok()
}

/// What was computed, whoever's amount counts.
fn computed(row: u32, cost: &Cost<'_>, source: Source, edits: &mut Edits) {
    edits.text(row, write::PRICE_SET, cost.price.set);
    edits.display(row, write::PRICE_ROW, cost.price.row);
    edits.display(row, write::TIER, cost.price.tier);
    edits.display(row, write::PARTS, cost.parts);
    if source == Source::Provider
        && let Some(nanos) = nanos(cost.total)
    {
        edits.integer(row, write::COMPUTED_NANO_USD, nanos);
    }
    for (saved, attribute) in
        [(cost.savings.cache_read, write::SAVED_BY_CACHE_READ), (cost.savings.cache_write, write::SAVED_BY_CACHE_WRITE)]
    {
        if let Some(nanos) = nanos(saved).filter(|_| saved != Usd::ZERO) {
            edits.integer(row, attribute, nanos);
        }
    }
}

/// Whether the span is a call to a model that has not been priced yet.
fn is_call(span: Row<'_>) -> bool {
    if span.integer(read::KNOWN_COST).is_some() || span.text(read::KNOWN_UNPRICED).is_some() {
        return false;
    }
    let has_usage = || {
        let others = read::OTHER_UNITS..read::SERVER_TOOLS;
        [read::INPUT, read::OUTPUT].into_iter().chain(others).any(|attribute| count(span, attribute) != Ok(None))
    };
    match (span.text(read::ROLE), span.text(read::OPERATION)) {
        (Some(call_role::BILLABLE), _) => has_usage() || !was_refused(span),
        (Some(_), _) => false,
        (None, Some(operation)) if operation::INFERENCE.contains(&operation) => has_usage() || !was_refused(span),
        (None, Some(_)) => false,
        (None, None) => {
            let model = span.text(read::RESPONSE_MODEL).or(span.text(read::REQUEST_MODEL));
            model.is_some() && has_usage()
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
    let mut usage = Usage {
        input_tokens: count(span, read::INPUT)?,
        output_tokens: count(span, read::OUTPUT)?,
        cache_read_tokens: count(span, read::CACHE_READ)?,
        cache_write_tokens: count(span, read::CACHE_WRITE)?,
        cache_write_5m_tokens: count(span, read::CACHE_WRITE_5M)?,
        cache_write_1h_tokens: count(span, read::CACHE_WRITE_1H)?,
        reasoning_tokens: count(span, read::REASONING)?,
        audio_input_tokens: count(span, read::AUDIO_INPUT)?,
        audio_output_tokens: count(span, read::AUDIO_OUTPUT)?,
        image_input_tokens: count(span, read::IMAGE_INPUT)?,
        image_output_tokens: count(span, read::IMAGE_OUTPUT)?,
        cache_read_audio_tokens: count(span, read::CACHE_READ_AUDIO)?,
        cache_read_image_tokens: count(span, read::CACHE_READ_IMAGE)?,
        ..Usage::default()
    };
    for (place, unit) in (read::OTHER_UNITS..).zip(OTHER_UNITS) {
        if let Some(units) = count(span, place)? {
            usage.other_units.insert(unit.to_owned(), units);
        }
    }
    for (place, tool) in (read::SERVER_TOOLS..).zip(SERVER_TOOLS) {
        if let Some(calls) = count(span, place)? {
            usage.server_tool_calls.insert(tool.to_owned(), calls);
        }
    }
    Ok(usage)
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
