//! The columns of the enricher: what is read, what is written.

use crate::charge::Charge;
use crate::config::Names;
use crate::cost::Parts;
use crate::data::unit::Unit;
use crate::money::Usd;
use tollgate_call::Usage;
use tollgate_columns::{Attribute, Kind};
use tollgate_semconv::attribute as name;

/// What is read, by place in the manifest. No attribute that can hold words of a conversation is among them.
pub(super) mod read {
    use super::OTHER_UNITS as UNITS;

    pub(in crate::enricher) const PROVIDER: u16 = 0;
    pub(in crate::enricher) const OPERATION: u16 = 1;
    pub(in crate::enricher) const REQUEST_MODEL: u16 = 2;
    pub(in crate::enricher) const RESPONSE_MODEL: u16 = 3;
    pub(in crate::enricher) const INPUT: u16 = 4;
    pub(in crate::enricher) const OUTPUT: u16 = 5;
    pub(in crate::enricher) const CACHE_READ: u16 = 6;
    pub(in crate::enricher) const CACHE_WRITE: u16 = 7;
    pub(in crate::enricher) const CACHE_WRITE_5M: u16 = 8;
    pub(in crate::enricher) const CACHE_WRITE_1H: u16 = 9;
    pub(in crate::enricher) const REASONING: u16 = 10;
    pub(in crate::enricher) const AUDIO_INPUT: u16 = 11;
    pub(in crate::enricher) const AUDIO_OUTPUT: u16 = 12;
    pub(in crate::enricher) const IMAGE_INPUT: u16 = 13;
    pub(in crate::enricher) const IMAGE_OUTPUT: u16 = 14;
    pub(in crate::enricher) const CACHE_READ_AUDIO: u16 = 15;
    pub(in crate::enricher) const CACHE_READ_IMAGE: u16 = 16;
    pub(in crate::enricher) const SERVICE_TIER: u16 = 17;
    pub(in crate::enricher) const OPENAI_SERVICE_TIER: u16 = 18;
    pub(in crate::enricher) const SPEED: u16 = 19;
    pub(in crate::enricher) const INFERENCE_GEO: u16 = 20;
    pub(in crate::enricher) const START_TIME: u16 = 21;
    pub(in crate::enricher) const KNOWN_COST: u16 = 22;
    pub(in crate::enricher) const KNOWN_UNPRICED: u16 = 23;
    pub(in crate::enricher) const PROVIDER_COST: u16 = 24;
    pub(in crate::enricher) const USAGE_SOURCE: u16 = 25;
    pub(in crate::enricher) const STATUS: u16 = 26;
    pub(in crate::enricher) const ERROR: u16 = 27;
    pub(in crate::enricher) const ROLE: u16 = 28;
    /// The first of [`super::OTHER_UNITS`].
    pub(in crate::enricher) const OTHER_UNITS: u16 = 29;
    /// The first of [`super::SERVER_TOOLS`].
    pub(in crate::enricher) const SERVER_TOOLS: u16 = OTHER_UNITS + UNITS.len() as u16;
}

/// Names of what is used besides tokens, in the order of the columns.
pub(super) const OTHER_UNITS: [&str; Usage::UNITS.len()] = Usage::UNITS;

/// Tools that providers run and bill for, in the order of the columns.
pub(super) const SERVER_TOOLS: [&str; 2] = ["web_search", "file_search"];

const READS: [&str; 29] = [
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
    name::GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
    name::GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
    name::GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
    name::GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
    name::TOLLGATE_RESPONSE_SERVICE_TIER,
    name::OPENAI_RESPONSE_SERVICE_TIER,
    name::TOLLGATE_RESPONSE_SPEED,
    name::TOLLGATE_RESPONSE_INFERENCE_GEO,
    "span:startTime",
    name::TOLLGATE_COST_NANO_USD,
    name::TOLLGATE_COST_UNPRICED,
    name::TOLLGATE_COST_PROVIDER_NANO_USD,
    name::TOLLGATE_USAGE_SOURCE,
    name::HTTP_RESPONSE_STATUS_CODE,
    name::ERROR_TYPE,
    name::TOLLGATE_CALL_ROLE,
];

/// The names of everything that is read.
pub(super) fn reads() -> Vec<String> {
    let units = OTHER_UNITS.map(|unit| format!("{}{unit}", name::TOLLGATE_USAGE_UNIT_PREFIX));
    let tools = SERVER_TOOLS.map(|tool| format!("{}{tool}", name::TOLLGATE_USAGE_SERVER_TOOL_PREFIX));
    READS.map(str::to_owned).into_iter().chain(units).chain(tools).collect()
}

/// What is written, by place in the manifest.
pub(super) mod write {
    pub(in crate::enricher) const AMOUNT: u16 = 0;
    pub(in crate::enricher) const NANO_USD: u16 = 1;
    pub(in crate::enricher) const CURRENCY: u16 = 2;
    pub(in crate::enricher) const SOURCE: u16 = 3;
    pub(in crate::enricher) const PRICE_SET: u16 = 4;
    pub(in crate::enricher) const PRICE_ROW: u16 = 5;
    pub(in crate::enricher) const TIER: u16 = 6;
    pub(in crate::enricher) const UNPRICED: u16 = 7;
    pub(in crate::enricher) const PARTS: u16 = 8;
    pub(in crate::enricher) const COMPUTED_NANO_USD: u16 = 9;
    pub(in crate::enricher) const DISAGREES: u16 = 10;
    pub(in crate::enricher) const LEVEL: u16 = 11;
    pub(in crate::enricher) const SAVED_BY_CACHE_READ: u16 = 12;
    pub(in crate::enricher) const SAVED_BY_CACHE_WRITE: u16 = 13;
    /// Where it is asked for.
    pub(in crate::enricher) const EXPLANATION: u16 = 14;
}

const WRITES: [(&str, Kind); 14] = [
    (name::TOLLGATE_COST_AMOUNT, Kind::Real),
    (name::TOLLGATE_COST_NANO_USD, Kind::Integer),
    (name::TOLLGATE_COST_CURRENCY, Kind::Text),
    (name::TOLLGATE_COST_SOURCE, Kind::Text),
    (name::TOLLGATE_COST_PRICE_SET, Kind::Text),
    (name::TOLLGATE_COST_PRICE_ROW, Kind::Text),
    (name::TOLLGATE_COST_TIER, Kind::Text),
    (name::TOLLGATE_COST_UNPRICED, Kind::Text),
    (name::TOLLGATE_COST_PARTS, Kind::Text),
    (name::TOLLGATE_COST_COMPUTED_NANO_USD, Kind::Integer),
    (name::TOLLGATE_COST_DISAGREES, Kind::Boolean),
    (name::TOLLGATE_COST_LEVEL, Kind::Text),
    (name::TOLLGATE_SAVINGS_CACHE_READ_NANO_USD, Kind::Integer),
    (name::TOLLGATE_SAVINGS_CACHE_WRITE_NANO_USD, Kind::Integer),
];

/// The attributes that are written, in the order of [`write`], then those of [`foreign`].
pub(super) fn writes(explanation: bool, names: Names) -> Vec<Attribute> {
    let own = WRITES.iter().map(|(name, kind)| Attribute::new(name, *kind));
    let explanation = explanation.then(|| Attribute::new(name::TOLLGATE_COST_EXPLANATION, Kind::Composite));
    own.chain(explanation).chain(foreign(names).map(|(name, _)| Attribute::new(name, Kind::Real))).collect()
}

/// What of a charge stands under a name of another tool.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount {
    Total,
    /// The sum of these parts of what was computed.
    Parts(&'static [Unit]),
}

const CACHE_READ: &[Unit] = &[Unit::CacheRead, Unit::CacheReadAudio, Unit::CacheReadImage];
const CACHE_WRITE: &[Unit] = &[Unit::CacheWrite, Unit::CacheWrite5m, Unit::CacheWrite1h];

/// `llm.cost.*` of OpenInference: totals by direction, and their details.
const OPENINFERENCE: [(&str, Amount); 9] = [
    ("llm.cost.total", Amount::Total),
    (
        "llm.cost.prompt",
        Amount::Parts(&[
            Unit::Input,
            Unit::CacheRead,
            Unit::CacheReadAudio,
            Unit::CacheReadImage,
            Unit::CacheWrite,
            Unit::CacheWrite5m,
            Unit::CacheWrite1h,
            Unit::AudioInput,
            Unit::ImageInput,
        ]),
    ),
    ("llm.cost.completion", Amount::Parts(&[Unit::Output, Unit::Reasoning, Unit::AudioOutput, Unit::ImageOutput])),
    ("llm.cost.prompt_details.input", Amount::Parts(&[Unit::Input])),
    ("llm.cost.prompt_details.cache_read", Amount::Parts(CACHE_READ)),
    ("llm.cost.prompt_details.cache_write", Amount::Parts(CACHE_WRITE)),
    ("llm.cost.prompt_details.audio", Amount::Parts(&[Unit::AudioInput])),
    ("llm.cost.completion_details.output", Amount::Parts(&[Unit::Output])),
    ("llm.cost.completion_details.reasoning", Amount::Parts(&[Unit::Reasoning])),
];

/// The attributes of other tools that are asked for.
pub(super) fn foreign(names: Names) -> impl Iterator<Item = (&'static str, Amount)> {
    names.iter().flat_map(|name| match name {
        "llm.cost.*" => OPENINFERENCE.to_vec(),
        total => vec![(total, Amount::Total)],
    })
}

impl Amount {
    /// The amount; `None` where there is none of it.
    pub(super) fn of(self, charge: &Charge<'_>) -> Option<Usd> {
        let (units, cost) = match (self, &charge.computed) {
            (Self::Total, _) => return Some(charge.amount),
            (Self::Parts(_), Err(_)) => return None,
            (Self::Parts(units), Ok(cost)) => (units, cost),
        };
        sum(units, &cost.parts)
    }
}

fn sum(units: &[Unit], parts: &Parts) -> Option<Usd> {
    let mut parts = units.iter().filter_map(|unit| parts.get(*unit)).peekable();
    parts.peek()?;
    parts.try_fold(Usd::ZERO, |sum, part| sum.checked_add(part.amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_that_of_its_name() {
        let reads = reads();
        for (place, name) in [
            (read::ROLE, name::TOLLGATE_CALL_ROLE),
            (read::SERVICE_TIER, name::TOLLGATE_RESPONSE_SERVICE_TIER),
            (read::PROVIDER_COST, name::TOLLGATE_COST_PROVIDER_NANO_USD),
            (read::OTHER_UNITS, "tollgate.usage.unit.images"),
            (read::SERVER_TOOLS, "tollgate.usage.server_tool.web_search"),
        ] {
            assert_eq!(reads.get(usize::from(place)).map(String::as_str), Some(name));
        }
        let writes = writes(true, Names::default());
        for (place, name) in [
            (write::UNPRICED, name::TOLLGATE_COST_UNPRICED),
            (write::SAVED_BY_CACHE_WRITE, name::TOLLGATE_SAVINGS_CACHE_WRITE_NANO_USD),
            (write::EXPLANATION, name::TOLLGATE_COST_EXPLANATION),
        ] {
            assert_eq!(writes.get(usize::from(place)).map(|write| write.name.as_str()), Some(name));
        }
    }
}
