//! A call to a model, as it is read of its span.

use tollgate_columns::Row;
use tollgate_semconv::{attribute, call_role, error_type};

/// What is read of each span, in the order of the constants below.
pub(crate) const READS: [&str; 22] = [
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
    attribute::TOLLGATE_USAGE_SOURCE,
    attribute::GEN_AI_RESPONSE_FINISH_REASONS,
    attribute::USER_ID,
    attribute::GEN_AI_CONVERSATION_ID,
    "resource:service.name",
];

const OPERATION: u16 = 0;
const PROVIDER: u16 = 1;
const REQUEST_MODEL: u16 = 2;
const RESPONSE_MODEL: u16 = 3;
const ERROR_TYPE: u16 = 4;
const STATUS: u16 = 5;
const DURATION: u16 = 6;
const FIRST_CHUNK: u16 = 7;
const TOKENS: [u16; KINDS.len()] = [8, 9, 10, 11, 12];
const NANO_USD: u16 = 13;
const COST_SOURCE: u16 = 14;
const UNPRICED: u16 = 15;
const ROLE: u16 = 16;
const USAGE_SOURCE: u16 = 17;
const FINISH: u16 = 18;
const USER: u16 = 19;
const SESSION: u16 = 20;
const SERVICE: u16 = 21;

/// Kinds of tokens, in the order in which they are held. `cache_read` and `cache_write` are parts of `input`, `reasoning`
/// of `output`.
pub const KINDS: [&str; 5] = ["input", "output", "cache_read", "cache_write", "reasoning"];

/// Most bytes of a text of a call that are kept in its columns; the span has it whole.
pub const LONGEST_TEXT: usize = 256;

/// Counts above this are malformed (docs/SEMANTICS.md), and so not known.
const MOST_TOKENS: u64 = 1 << 53;

/// One call, with what of it can be asked for. What is not known is `None`; it is never taken for 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// When it ended, in nanoseconds since 1970; when it arrived where it does not say, or says a later time.
    pub time: u64,
    /// Trace.
    pub trace_id: [u8; 16],
    /// Span.
    pub span_id: [u8; 8],
    /// Span that it was made in.
    pub parent: Option<[u8; 8]>,
    /// Name of the span.
    pub name: String,
    /// `service.name` of the resource.
    pub service: Option<String>,
    /// `gen_ai.operation.name`.
    pub operation: Option<String>,
    /// `gen_ai.provider.name`.
    pub provider: Option<String>,
    /// `gen_ai.request.model`.
    pub request_model: Option<String>,
    /// `gen_ai.response.model`.
    pub response_model: Option<String>,
    /// Tokens by kind, in the order of [`KINDS`].
    pub tokens: [Option<u64>; KINDS.len()],
    /// `tollgate.usage.source`.
    pub usage_source: Option<String>,
    /// `tollgate.cost.nano_usd`: what it cost.
    pub nano_usd: Option<u64>,
    /// `tollgate.cost.source`.
    pub cost_source: Option<String>,
    /// `tollgate.cost.unpriced`: why there is no cost.
    pub unpriced: Option<String>,
    /// Nanoseconds from start to end.
    pub duration: Option<u64>,
    /// `gen_ai.response.time_to_first_chunk`, in nanoseconds.
    pub first_chunk: Option<u64>,
    /// `gen_ai.response.finish_reasons`, as JSON text or as the emitter has it.
    pub finish: Option<String>,
    /// `error.type`, or `_OTHER` where the span's status is an error and no type is said.
    pub error_type: Option<String>,
    /// Status of the span: `ok` or `error`; `None` where it is not set.
    pub status: Option<String>,
    /// `user.id`.
    pub user: Option<String>,
    /// `gen_ai.conversation.id`.
    pub session: Option<String>,
    /// `tollgate.call.role`.
    pub role: Option<String>,
    /// Whether the span is stored without a part of its content.
    pub truncated: bool,
}

impl Call {
    /// Reads the row of a span whose columns are [`READS`]; `None` where the span is no call that a provider bills, as
    /// [`call_role::is_billable`] has it. What a row does not say, ids and times, is left to the caller.
    pub(crate) fn read(row: Row<'_>) -> Option<Self> {
        if !call_role::is_billable(row.text(ROLE), row.text(OPERATION)) {
            return None;
        }
        let text = |place| row.text(place).filter(|text| !text.is_empty()).map(|text| cut(text).to_owned());
        let whole = |place| row.integer(place).and_then(|value| u64::try_from(value).ok());
        let status = text(STATUS).filter(|status| status != "unset");
        let error = text(ERROR_TYPE);
        Some(Self {
            service: text(SERVICE),
            operation: text(OPERATION),
            provider: text(PROVIDER),
            request_model: text(REQUEST_MODEL),
            response_model: text(RESPONSE_MODEL),
            tokens: TOKENS.map(|place| row.count(place).filter(|count| *count <= MOST_TOKENS)),
            usage_source: text(USAGE_SOURCE),
            nano_usd: whole(NANO_USD),
            cost_source: text(COST_SOURCE),
            unpriced: text(UNPRICED),
            duration: whole(DURATION),
            first_chunk: row.real(FIRST_CHUNK).and_then(nanoseconds),
            finish: text(FINISH),
            error_type: error_type::of(error.as_deref(), status.as_deref()).map(str::to_owned),
            status,
            user: text(USER),
            session: text(SESSION),
            role: text(ROLE),
            ..Self::default()
        })
    }

    /// The model that was asked for, or where that is not said the one that answered.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.request_model.as_deref().or(self.response_model.as_deref())
    }
}

/// A text as it stands in a column: at most [`LONGEST_TEXT`] bytes, cut between characters.
pub(crate) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or_default()
}

/// Seconds as nanoseconds; `None` for what is no length of time that a column holds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn nanoseconds(seconds: f64) -> Option<u64> {
    let nanos = (seconds * 1e9).round();
    (0.0..9e18).contains(&nanos).then_some(nanos as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (USAGE_SOURCE, "tollgate.usage.source"),
            (FINISH, "gen_ai.response.finish_reasons"),
            (USER, "user.id"),
            (SESSION, "gen_ai.conversation.id"),
            (SERVICE, "resource:service.name"),
        ] {
            assert_eq!(READS[usize::from(constant)], name);
        }
        for (kind, place) in KINDS.into_iter().zip(TOKENS) {
            let name = READS[usize::from(place)];
            assert!(name.starts_with("gen_ai.usage.") && name.contains(kind), "{kind} {name}");
        }
    }

    #[test]
    fn seconds_are_nanoseconds_where_they_are_a_time() {
        for (seconds, nanos) in [
            (0.0, Some(0)),
            (0.25, Some(250_000_000)),
            (1e-9, Some(1)),
            (-0.1, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e10, None),
        ] {
            assert_eq!(nanoseconds(seconds), nanos, "{seconds}");
        }
    }
}
